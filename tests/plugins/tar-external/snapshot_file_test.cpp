// What GNU tar itself makes of a snapshot that we have written.
#include "snapshot_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <limits>

#include "autoarchive/storage/temporary_file.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive::tar_external {
namespace {

using test::shell_quote;

constexpr Timestamp kFarthestFuture{std::numeric_limits<std::int64_t>::max(), 0};

class SnapshotTest : public ::testing::Test {
 protected:
  SnapshotTest() {
    for (const char* name : {"a", "b", "d/c", "d/new\nline", "d/e/f"}) test::write_file(tree() / name, name);
  }
  [[nodiscard]] std::filesystem::path tree() const { return directory_ / "tree"; }

  [[nodiscard]] SnapshotDirectory record(const std::string& name, std::vector<std::string> names) const {
    struct stat status {};
    EXPECT_EQ(::stat((tree() / name).c_str(), &status), 0);
    return {
        name, {status.st_mtim.tv_sec, 0}, std::numeric_limits<std::uint64_t>::max(), status.st_ino, std::move(names)};
  }

  /// The members of what tar stores by this snapshot.
  [[nodiscard]] std::string stored(const std::vector<SnapshotDirectory>& directories,
                                   Timestamp time = kFarthestFuture) const {
    TemporaryFile file(directory_.path());
    SnapshotWriter writer(file, time);
    for (const auto& directory : directories) writer.add(directory);
    static_cast<void>(writer.finish());
    file.finish();
    test::write_file(directory_ / "snar", file.read(0, static_cast<std::size_t>(file.size())));
    const auto made = test::run_shell("cd " + shell_quote(tree()) + " && tar --no-check-device -g " +
                                      shell_quote(directory_ / "snar") + " --warning=none -cf - . | tar -tf -");
    EXPECT_EQ(made.status, 0) << made.output;
    return made.output;
  }

  test::TempDir directory_;
};

TEST_F(SnapshotTest, MakesTarStoreExactlyTheNamesThatItsListsLack) {
  EXPECT_EQ(
      stored({record(".", {"Na", "Nb", "Dd"}), record("./d", {"Nc", "De", "Nnew\nline"}), record("./d/e", {"Nf"})}),
      "./\n./d/\n./d/e/\n");
  EXPECT_EQ(stored({record("./d/e", {}), record("./d", {"Nnew\nline"}), record(".", {"Nb"})}),
            "./\n./d/\n./d/e/\n./a\n./d/c\n./d/e/f\n");
}

// Whatever the file's times are: a clock that was ahead or is set back decides nothing.
TEST_F(SnapshotTest, DecidesWithoutLookingAtTimes) {
  ASSERT_EQ(test::run_shell("touch -d 2001-01-01 " + shell_quote(tree() / "a") + "; touch -d 2200-01-01 " +
                            shell_quote(tree() / "b"))
                .status,
            0);
  EXPECT_EQ(stored({record(".", {"Nb", "Dd"}), record("./d", {"Nc", "De", "Nnew\nline"}), record("./d/e", {"Nf"})}),
            "./\n./d/\n./d/e/\n./a\n");
}

TEST_F(SnapshotTest, MakesTarStoreADirectoryInFullThatHasNoRecordOrAnotherInode) {
  auto other = record("./d", {"Nc", "De", "Nnew\nline"});
  other.inode += 1'000'000;
  EXPECT_EQ(stored({record(".", {"Na", "Nb", "Dd"}), other}), "./\n./d/\n./d/e/\n./d/c\n./d/new\\nline\n./d/e/f\n");
  EXPECT_EQ(stored({record(".", {"Na", "Nb", "Dd"})}), "./\n./d/\n./d/e/\n./d/c\n./d/new\\nline\n./d/e/f\n");
}

// With the numbers of no device, tar finds nothing under another name.
TEST_F(SnapshotTest, KeepsTarFromWritingRenames) {
  const auto was = record("./d", {"Nc", "De", "Nnew\nline"});
  std::filesystem::rename(tree() / "d", tree() / "moved");
  EXPECT_EQ(stored({record(".", {"Na", "Nb", "Dd"}), was}),
            "./\n./moved/\n./moved/e/\n./moved/c\n./moved/new\\nline\n./moved/e/f\n");
}

TEST_F(SnapshotTest, LeavesOldFilesOutByTheirTimesOtherwise) {
  EXPECT_EQ(
      stored({record(".", {"Na", "Nb", "Dd"}), record("./d", {"Nc", "De", "Nnew\nline"}), record("./d/e", {"Nf"})},
             {0, 0}),
      "./\n./d/\n./d/e/\n./a\n./b\n./d/c\n./d/new\\nline\n./d/e/f\n");
}

TEST_F(SnapshotTest, HasTheDigestOfItsBytes) {
  TemporaryFile file(directory_.path());
  SnapshotWriter writer(file, {1, 2});
  for (int i = 0; i < 10'000; ++i) writer.add({"./" + std::to_string(i), {}, 1, 2, {"Nname"}});
  const auto digest = writer.finish();
  file.finish();
  const auto text = file.read(0, static_cast<std::size_t>(file.size()));
  EXPECT_EQ(digest, sha256_of(std::as_bytes(std::span(text))));
}

}  // namespace
}  // namespace autoarchive::tar_external
