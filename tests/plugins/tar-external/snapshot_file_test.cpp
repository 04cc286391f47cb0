#include "snapshot_file.hpp"

#include <gtest/gtest.h>

#include "autoarchive/base/error.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive::tar_external {
namespace {

class SnapshotTest : public ::testing::Test {
 protected:
  std::string make() {
    for (const char* name : {"a", "d/b", "d/e/c"}) test::write_file(directory_ / "tree" / name, "");
    const auto made =
        test::run_shell("cd " + test::shell_quote(directory_ / "tree") + " && tar -g ../snar -cf /dev/null .");
    EXPECT_EQ(made.status, 0) << made.output;
    return test::read_file(directory_ / "snar");
  }
  test::TempDir directory_;
};

TEST_F(SnapshotTest, KeepsEveryByteWhenAllIsWanted) {
  const auto snapshot = make();
  std::vector<std::string> names;
  EXPECT_EQ(filter_snapshot(snapshot,
                            [&](std::string_view name, std::uint64_t inode) {
                              names.emplace_back(name);
                              return inode != 0;
                            }),
            snapshot);
  EXPECT_EQ(names.size(), 3U);
}

TEST_F(SnapshotTest, DropsDirectoriesSoThatTarDumpsThemInFull) {
  const auto filtered =
      filter_snapshot(make(), [](std::string_view name, std::uint64_t /*inode*/) { return name != "./d"; });
  test::write_file(directory_ / "snar", filtered);
  const auto list =
      test::run_shell("cd " + test::shell_quote(directory_ / "tree") + " && tar -g ../snar -cf - . | tar tf -");
  EXPECT_NE(list.output.find("./d/b"), std::string::npos) << list.output;
  EXPECT_EQ(list.output.find("./a"), std::string::npos) << list.output;
}

TEST_F(SnapshotTest, RefusesWhatIsCutOrForeign) {
  const auto snapshot = make();
  const auto keep = [](std::string_view /*name*/, std::uint64_t /*inode*/) { return true; };
  for (std::size_t length = 0; length < snapshot.size(); length += 7) {
    try {
      EXPECT_LE(filter_snapshot(snapshot.substr(0, length), keep).size(), length);
    } catch (const Error& error) {
      EXPECT_EQ(error.cause(), ErrorCause::state_lost);
    }
  }
  EXPECT_THROW(static_cast<void>(filter_snapshot("garbage", keep)), Error);
}

}  // namespace
}  // namespace autoarchive::tar_external
