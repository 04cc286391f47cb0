#include "job/manifest_search.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::host {
namespace {

constexpr const char* kName = "x.tar.gz.manifest.zst";
constexpr unsigned kEntries = 100'000;  // in enough parts for several threads

std::string path_of(unsigned i) {
  return "a-name-that-is-as-long-as-names-are-" + std::to_string(kEntries + i);
}

class ManifestSearch : public ::testing::Test {
 protected:
  ManifestSearch() : storage_(directory_.path()) {
    const auto sink = create_state_file(file());
    ManifestHeader header;
    header.backup_uuid = "0b8e";
    header.archive = "x";
    header.type = "tar.gz";
    ManifestWriter writer(*sink, header);
    ManifestEntry line;
    line.entry.path = ".";
    line.entry.kind = EntryKind::directory;
    writer.add(line);
    line.entry.kind = EntryKind::file;
    for (unsigned i = 0; i < kEntries; ++i) {
      line.entry.path = path_of(i);
      writer.add(line);
    }
    writer.finish({});
    sink->finish();
  }
  [[nodiscard]] std::filesystem::path file() const { return directory_ / kName; }
  [[nodiscard]] std::vector<std::string> find(const std::function<bool(const ManifestEntry&)>& is_wanted) {
    found_.clear();
    search_manifest(storage_.open(kName), is_wanted, [&](const auto& line) { found_.push_back(line.entry.path); });
    return found_;
  }

  test::TempDir directory_;
  LocalStorage storage_;
  std::vector<std::string> found_;
};

TEST_F(ManifestSearch, FindsInWalkOrder) {
  ASSERT_GE(ManifestReader(storage_.open(kName)).parts().size(), 8U);
  std::atomic<unsigned> asked = 0;
  const auto found = find([&](const auto& line) {
    ++asked;
    return line.entry.path.ends_with("7");
  });
  EXPECT_EQ(asked, kEntries + 1);
  ASSERT_EQ(found.size(), kEntries / 10);
  for (unsigned i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], path_of(10 * i + 7));
}

// More than is handed over at a time.
TEST_F(ManifestSearch, FindsEverything) {
  const auto found = find([](const auto& /*line*/) { return true; });
  ASSERT_EQ(found.size(), kEntries + 1);
  for (unsigned i = 0; i < kEntries; ++i) ASSERT_EQ(found[i + 1], path_of(i));
}

TEST_F(ManifestSearch, TellsWhatStandsBeforeTheDamage) {
  auto bytes = test::read_file(file());
  bytes[bytes.size() / 2] ^= 1;
  test::write_file(file(), bytes);
  try {
    static_cast<void>(find([](const auto& /*line*/) { return true; }));
    FAIL() << "it was taken for whole";
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::damaged) << error.what();
  }
  EXPECT_GT(found_.size(), kEntries / 4);
  EXPECT_LT(found_.size(), kEntries);
  for (unsigned i = 1; i < found_.size(); ++i) ASSERT_EQ(found_[i], path_of(i - 1));
}

TEST_F(ManifestSearch, EndsWhenACallThrows) {
  const auto all = [](const auto& /*line*/) { return true; };
  const auto refuse = [](const auto& /*line*/) { throw std::runtime_error("enough"); };
  EXPECT_THROW(search_manifest(storage_.open(kName), all, refuse), std::runtime_error);
  EXPECT_THROW(static_cast<void>(find([](const auto& /*line*/) -> bool { throw std::runtime_error("enough"); })),
               std::runtime_error);
}

}  // namespace
}  // namespace autoarchive::host
