// Single files out of a chain, by the places that the manifest names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "autoarchive/base/error.hpp"
#include "borrowed_file.hpp"
#include "internal_tar_archiver_provider.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"
#include "tar_archive_reader.hpp"

namespace autoarchive::tar_internal {
namespace {

using test::write_file;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

std::string noise(std::size_t size, std::uint32_t seed) {
  std::string text(size, '\0');
  for (auto& c : text) {
    seed = seed * 1'664'525 + 1'013'904'223;
    c = static_cast<char>(seed >> 24U);
  }
  return text;
}

/// Counts what is read of a file.
class MeteredFile final : public ReadableFile {
 public:
  MeteredFile(std::unique_ptr<ReadableFile> file, std::uint64_t& bytes) : file_(std::move(file)), bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return file_->size(); }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
    const auto got = file_->read_at(offset, buffer);
    bytes_ += got;
    return got;
  }
  [[nodiscard]] std::string description() const override { return file_->description(); }

 private:
  std::unique_ptr<ReadableFile> file_;
  std::uint64_t& bytes_;
};

class SelectionTest : public ::testing::TestWithParam<BackupType>, public IRestoreObserver {
 protected:
  SelectionTest() : provider_({directory_.make("work"), {}}) {
    fs::create_directory(directory_ / "destination");
    request_.definition.backup_id = "x";
    request_.definition.backup_type = GetParam();
    if (GetParam() != backup_type::kTar) request_.compression_strength = 1;
    request_.definition.destination = (directory_ / "destination").native();
    request_.definition.root = directory_.make("root").native();
    request_.definition.include_files = {"."};
  }

  [[nodiscard]] fs::path root() const { return directory_ / "root"; }
  [[nodiscard]] fs::path file(int level) const {
    return directory_ / "destination" / ("x." + (level == 0 ? "" : std::to_string(level) + ".") + GetParam().extension);
  }
  void make() { last_level_ = provider_.backup_files_incrementally(request_).level; }

  RestoreResult restore(std::vector<std::string> paths) {
    RestoreRequest restore;
    for (int level = 0; level <= last_level_; ++level) {
      restore.levels.emplace_back();
      restore.levels.back().file = std::make_unique<MeteredFile>(open_local_file(file(level)), bytes_read_);
      restore.levels.back().manifest = open_local_file(file(level).native() + ".manifest.zst");
    }
    restore.paths = std::move(paths);
    restore.target = directory_ / "target";
    restore.observer = this;
    return TarArchiveReader({}).restore(restore);
  }
  void problem(std::string_view path, std::string_view text) override {
    problems_.push_back(std::string(path) + ": " + std::string(text));
  }
  [[nodiscard]] std::string content(const std::string& path) const {
    return test::read_file(directory_ / "target" / path);
  }

  test::TempDir directory_;
  InternalTarArchiverProvider provider_;
  BackupRequest request_;
  int last_level_ = 0;
  std::uint64_t bytes_read_ = 0;
  std::vector<std::string> problems_;
};

TEST_P(SelectionTest, ReadsOnlyTheBlocksThatHoldTheWantedFiles) {
  for (unsigned i = 0; i < 40; ++i) write_file(root() / "d" / std::to_string(i), noise(250'000, i));
  write_file(root() / "large", noise(3'000'000, 99));
  write_file(root() / "z", "the last one");
  make();
  write_file(root() / "d/7", "changed");
  make();
  EXPECT_EQ(restore({"d/20", "z", "d/7"}).entries, 3U);
  EXPECT_EQ(content("d/20"), noise(250'000, 20));
  EXPECT_EQ(content("d/7"), "changed");
  EXPECT_EQ(content("z"), "the last one");
  // Blocks of xz have 3 MiB at this strength.
  EXPECT_LT(bytes_read_, fs::file_size(file(0)) * 3 / 4);
  EXPECT_EQ(restore({"large"}).entries, 1U);
  EXPECT_EQ(content("large"), noise(3'000'000, 99));
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_P(SelectionTest, BringsBackADirectoryWithEverythingInIt) {
  test::make_nasty_tree(root() / "nasty");
  write_file(root() / "other", "x");
  make();
  make();
  EXPECT_EQ(restore({"nasty"}).problems, 0U);
  EXPECT_THAT(test::diff_trees(root() / "nasty", directory_ / "target/nasty"), IsEmpty());
  EXPECT_FALSE(fs::exists(directory_ / "target/other"));
}

TEST_P(SelectionTest, TakesTheContentOfALinkedNameFromWhereverItIs) {
  write_file(root() / "a/first", "linked");
  fs::create_directory(root() / "b");
  fs::create_hard_link(root() / "a/first", root() / "b/second");
  fs::create_hard_link(root() / "a/first", root() / "b/third");
  make();
  EXPECT_EQ(restore({"b"}).entries, 3U);
  EXPECT_EQ(content("b/second"), "linked");
  struct stat status {};
  ASSERT_EQ(::stat((directory_ / "target/b/third").c_str(), &status), 0);
  EXPECT_EQ(status.st_nlink, 2U);
}

TEST_P(SelectionTest, NamesWhatIsNotThere) {
  write_file(root() / "a/b", "x");
  make();
  EXPECT_THAT(restore({"a", "a/b", "a/c", "nothing"}).not_found, ElementsAre("a/c", "nothing"));
}

TEST_P(SelectionTest, RefusesAManifestThatIsNotTheArchives) {
  for (unsigned i = 0; i < 10; ++i) write_file(root() / std::to_string(i), noise(200'000, i));
  make();
  const auto other = test::read_file(file(0));
  fs::remove_all(root());
  for (unsigned i = 0; i < 10; ++i) write_file(root() / std::to_string(i), noise(123'456, i));
  make();
  last_level_ = 0;
  request_.level = 0;
  make();
  write_file(file(0), other);
  try {
    const auto result = restore({"5"});
    EXPECT_EQ(result.problems, 1U);
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::damaged);
  }
  EXPECT_FALSE(fs::exists(directory_ / "target/5"));
}

INSTANTIATE_TEST_SUITE_P(AllTypes, SelectionTest,
                         ::testing::Values(backup_type::kTar, backup_type::kTarGz, backup_type::kTarBz2,
                                           backup_type::kTarXz, backup_type::kTarZst),
                         [](const auto& type) { return type.param.name; });

}  // namespace
}  // namespace autoarchive::tar_internal
