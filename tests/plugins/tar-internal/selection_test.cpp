// Restores by the places that the manifest names: single files, and whole chains.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <atomic>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "borrowed_file.hpp"
#include "change_manifest.hpp"
#include "internal_tar_archiver_provider.hpp"
#include "metered_file.hpp"
#include "support/memory_file.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"
#include "tar_archive_reader.hpp"

namespace autoarchive::tar_internal {
namespace {

using test::noise;
using test::write_file;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

// What a restore calls a file until it is complete, but for the number.
constexpr const char* kTemporaryName = ".aa-restore.0b7a4c52-1d0e-4f5b-9c39-8f1f2a6f6d11._partial";

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

  RestoreResult restore(std::vector<std::string> paths, RestoreRequest restore = {}) {
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
  void removed(std::string_view path) override { removed_.emplace_back(path); }
  void restored(const ArchiveMember& /*member*/) override {
    if (--stop_after_ == 0) stop_.request_stop();
  }
  void flip(int level, std::uint64_t offset) const {
    auto bytes = test::read_file(file(level));
    bytes.at(offset) = static_cast<char>(bytes.at(offset) ^ 1);
    write_file(file(level), bytes);
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
  std::atomic<std::uint64_t> bytes_read_ = 0;
  std::vector<std::string> problems_;
  std::vector<std::string> removed_;
  std::stop_source stop_;
  int stop_after_ = 0;  // entries; 0: never
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

// As of a provider whose tar has come later than its look at the tree.
TEST_P(SelectionTest, TellsAFileThatTookThePlaceOfANameByItsContent) {
  write_file(root() / "a", "one");
  write_file(root() / "b", "two");
  make();
  ManifestChanges changes;
  changes.entry = [](auto& line) {
    if (line.entry.kind == EntryKind::directory) return;
    line.entry.link_count = 2;
    line.entry.inode = 7;
    line.entry.ctime = {};
  };
  change_manifest(manifest_of(file(0)), changes);
  EXPECT_EQ(restore({}).problems, 0U);
  EXPECT_EQ(content("a"), "one");
  EXPECT_EQ(content("b"), "two");
}

// Older manifests say nothing of what became one file meanwhile.
TEST_P(SelectionTest, TakesEntriesWithOnePlaceForNamesOfOneFile) {
  write_file(root() / "a", "one");
  fs::create_hard_link(root() / "a", root() / "b");
  make();
  ManifestChanges changes;
  changes.entry = [](auto& line) { line.entry.link_count = 1; };
  change_manifest(manifest_of(file(0)), changes);
  drop_blocks(manifest_of(file(0)));
  if (GetParam() == backup_type::kTar) GTEST_SKIP() << "its members are found by their places";
  EXPECT_EQ(restore({}).problems, 0U);
  EXPECT_TRUE(fs::equivalent(directory_ / "target/a", directory_ / "target/b"));
  EXPECT_EQ(restore({"b"}).damaged, 1U);
}

// GNU tar stores each name of it as a member.
TEST_P(SelectionTest, BringsBackAFifoWithSeveralNamesAsOne) {
  for (const char* name : {"p", "q", "other"}) ASSERT_EQ(::mkfifo((root() / name).c_str(), 0600), 0);
  make();
  ManifestChanges changes;
  changes.entry = [](auto& line) {
    if (line.entry.path != "p" && line.entry.path != "q") return;
    line.entry.link_count = 2;
    line.entry.inode = 7;
    line.entry.ctime = {};
  };
  change_manifest(manifest_of(file(0)), changes);
  for (const bool has_blocks : {true, false}) {
    if (!has_blocks) drop_blocks(manifest_of(file(0)));
    fs::remove_all(directory_ / "target");
    const auto result = restore({});
    EXPECT_EQ(result.problems, 0U);
    EXPECT_EQ(result.entries, 4U);
    EXPECT_EQ(fs::hard_link_count(directory_ / "target/p"), 2U);
    EXPECT_EQ(fs::hard_link_count(directory_ / "target/q"), 2U);
    EXPECT_EQ(fs::hard_link_count(directory_ / "target/other"), 1U);
    fs::remove_all(directory_ / "target");
    EXPECT_EQ(restore({"q"}).entries, 1U);
    EXPECT_TRUE(fs::is_fifo(directory_ / "target/q"));
  }
}

TEST_P(SelectionTest, GivesALinkedNameTheAttributesOfItsFile) {
  write_file(root() / "a", "content");
  fs::create_hard_link(root() / "a", root() / "b");
  ASSERT_EQ(::setxattr((root() / "a").c_str(), "user.comment", "kept", 4, 0), 0);
  make();
  EXPECT_EQ(restore({"b"}).entries, 1U);
  char value[8] = {};
  EXPECT_EQ(::getxattr((directory_ / "target/b").c_str(), "user.comment", value, sizeof value), 4);
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

TEST_P(SelectionTest, RestoresAChainFromTheBlocksThatTheLastLevelNeeds) {
  for (unsigned i = 0; i < 40; ++i) write_file(root() / std::to_string(i), noise(250'000, i));
  make();
  for (unsigned i = 10; i < 40; ++i) write_file(root() / std::to_string(i), "now small");
  for (unsigned i = 0; i < 5; ++i) fs::remove(root() / std::to_string(i));
  make();
  EXPECT_EQ(restore({}).problems, 0U);
  EXPECT_THAT(test::diff_trees(root(), directory_ / "target"), IsEmpty());
  EXPECT_LT(bytes_read_, fs::file_size(file(0)) * 3 / 4);
}

TEST_P(SelectionTest, TakesOnlyWhatIsNeededOfFilesThatHaveNoBlocks) {
  test::make_nasty_tree(root() / "nasty");
  write_file(root() / "changes", "before");
  write_file(root() / "goes", "x");
  write_file(root() / "becomes/a", "directory");
  make();
  write_file(root() / "changes", "after");
  fs::remove(root() / "goes");
  fs::remove_all(root() / "becomes");
  write_file(root() / "becomes", "a file");
  make();
  drop_blocks(manifest_of(file(0)));
  drop_blocks(manifest_of(file(1)));
  EXPECT_EQ(restore({}).problems, 0U);
  EXPECT_THAT(test::diff_trees(root(), directory_ / "target"), IsEmpty());
  EXPECT_THAT(removed_, IsEmpty());
}

TEST_P(SelectionTest, NamesADamagedFileAndRestoresTheOthers) {
  for (unsigned i = 0; i < 30; ++i) write_file(root() / std::to_string(100 + i), noise(250'000, i));
  make();
  flip(0, fs::file_size(file(0)) / 2 + 5000);  // behind the headers that lie in the middle
  const auto result = restore({});
  EXPECT_GE(result.damaged, 1U);
  EXPECT_THAT(problems_, ::testing::SizeIs(result.damaged));
  const auto differences = test::diff_trees(root(), directory_ / "target");
  EXPECT_GE(differences.size(), 1U);
  EXPECT_LT(differences.size(), 29U);
  EXPECT_THAT(differences, ::testing::Not(::testing::Contains(::testing::HasSubstr("_partial"))));
}

TEST_P(SelectionTest, KeepsHalvesOnlyWhenItSalvages) {
  write_file(root() / "large", noise(9'000'000, 1));
  make();
  flip(0, fs::file_size(file(0)) * 9 / 10);
  EXPECT_EQ(restore({}).damaged, 1U);
  EXPECT_FALSE(fs::exists(directory_ / "target/large"));
  RestoreRequest request;
  request.salvage = true;
  EXPECT_EQ(restore({}, std::move(request)).damaged, 1U);
  ASSERT_TRUE(fs::exists(directory_ / "target/large"));
  EXPECT_EQ(content("large").substr(0, 1000), noise(9'000'000, 1).substr(0, 1000));
}

TEST_P(SelectionTest, CanBeRepeatedAfterAnInterruption) {
  test::make_nasty_tree(root() / "nasty");
  for (unsigned i = 0; i < 20; ++i) write_file(root() / "z" / std::to_string(i), noise(10'000, i));
  make();
  stop_after_ = 12;
  RestoreRequest request;
  request.stop = stop_.get_token();
  EXPECT_THROW(static_cast<void>(restore({}, std::move(request))), Error);
  for (const char* end : {"", "1", "4"})
    write_file(directory_ / "target/z" / (std::string(kTemporaryName) + end), "of one that was killed");
  EXPECT_EQ(restore({}).problems, 0U);
  EXPECT_THAT(test::diff_trees(root(), directory_ / "target"), IsEmpty());
}

TEST_P(SelectionTest, RestoresAFileThatIsCalledAsItsOwnTemporaryFile) {
  const std::string name(kTemporaryName);
  for (const auto& path : {name, name + "1", "d/" + name + "1/x", std::string("d/z")}) write_file(root() / path, path);
  make();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(restore({}).problems, 0U);
    EXPECT_THAT(test::diff_trees(root(), directory_ / "target"), IsEmpty());
  }
}

TEST_P(SelectionTest, LeavesWhatAnotherRestoreIsMakingAlone) {
  write_file(root() / "small", "s");
  make();
  const auto others = directory_ / "target" / kTemporaryName;
  write_file(others, "of one that runs");
  UniqueFd fd(::open(others.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(fd.get(), LOCK_EX), 0);
  EXPECT_EQ(restore({}).problems, 0U);
  EXPECT_TRUE(fs::exists(others));
  fd.reset();
  EXPECT_EQ(restore({}).problems, 0U);
  EXPECT_FALSE(fs::exists(others));
}

TEST_P(SelectionTest, ReplacesNoFileByAWrongContent) {
  write_file(root() / "small", noise(100'000, 1));
  write_file(root() / "large", noise(1'000'000, 2));
  make();
  if (GetParam() != backup_type::kTar) GTEST_SKIP() << "a compressed one notices by itself";
  const auto bytes = test::read_file(file(0));
  for (const auto& text : {noise(100'000, 1), noise(1'000'000, 2)}) flip(0, bytes.find(text.substr(50'000, 100)));
  for (const char* name : {"small", "large"}) write_file(directory_ / "target" / name, "good");
  EXPECT_EQ(restore({}).damaged, 2U);
  for (const char* name : {"small", "large"}) EXPECT_EQ(content(name), "good");
}

TEST_P(SelectionTest, MakesAFileOfTheSecondNameWhenTheFirstCantBe) {
  write_file(root() / "a/x", "content");
  fs::create_directory(root() / "b");
  fs::create_hard_link(root() / "a/x", root() / "b/x");
  make();
  write_file(directory_ / "target/a/x/in the way", "x");
  EXPECT_EQ(restore({}).problems, 1U);
  EXPECT_EQ(content("b/x"), "content");
  EXPECT_TRUE(fs::exists(directory_ / "target/a/x/in the way"));
}

TEST_P(SelectionTest, RestoresWithoutManifestsNothingThatALaterLevelHasDeleted) {
  write_file(root() / "dir/sub/x", "x");
  write_file(root() / "dir/y", "y");
  make();
  fs::remove_all(root() / "dir/sub");
  make();
  const auto restored = [&](const std::string& path, bool dry_run) {
    RestoreRequest request;
    for (int level : {0, 1}) {
      request.levels.emplace_back();
      request.levels.back().file = open_local_file(file(level));
    }
    request.target = directory_ / "alone";
    request.paths = {path};
    request.dry_run = dry_run;
    return TarArchiveReader({}).restore(request);
  };
  for (const bool dry_run : {true, false}) {
    EXPECT_THAT(restored("dir/sub/x", dry_run).not_found, ElementsAre("dir/sub/x"));
    EXPECT_THAT(restored("dir/y", dry_run).not_found, IsEmpty());
  }
  EXPECT_FALSE(fs::exists(directory_ / "alone/dir/sub/x"));
  EXPECT_TRUE(fs::exists(directory_ / "alone/dir/y"));
}

TEST_P(SelectionTest, ChecksContentsByTheManifestsThatThereAreAlsoWithoutTheLastOne) {
  for (const char* name : {"right", "wrong"}) write_file(root() / name, "content of level 0");
  make();
  for (const char* name : {"right", "wrong"}) write_file(root() / name, "level 1");
  make();
  write_file(root() / "right", "level 2");
  make();
  ManifestChanges changes;
  changes.entry = [](auto& line) {
    if (line.entry.path == "wrong" && line.digest) ++*line.digest;
  };
  const auto manifest = manifest_of(file(1));
  change_manifest(manifest, changes);
  const auto levels = [&] {
    std::vector<ArchiveLevel> made;
    for (int level : {0, 1, 2}) made.emplace_back().file = open_local_file(file(level));
    made[1].manifest = open_local_file(manifest);
    return made;
  };
  RestoreRequest request;
  request.levels = levels();
  request.target = directory_ / "target";
  request.observer = this;
  EXPECT_EQ(TarArchiveReader({}).restore(request).damaged, 1U);
  EXPECT_THAT(problems_, ElementsAre(::testing::StartsWith("wrong: its content is not what was stored")));
  EXPECT_EQ(content("right"), "level 2");
  EXPECT_FALSE(fs::exists(directory_ / "target/wrong")) << "nor is it that of level 0";
  test::MemorySink sink;
  EXPECT_THROW(TarArchiveReader({}).read_content(levels(), "wrong", sink), Error);
  TarArchiveReader({}).read_content(levels(), "right", sink);

  // One that is not whole checks nothing, and is told of.
  write_file(manifest, "x" + test::read_file(manifest));
  request.levels = levels();
  EXPECT_EQ(TarArchiveReader({}).restore(request).damaged, 1U);
  EXPECT_THAT(problems_.back(), ::testing::HasSubstr("is restored without it"));
  EXPECT_EQ(content("wrong"), "level 1");
}

TEST_P(SelectionTest, HasMadeWhatStandsInFrontOfTheDamage) {
  for (unsigned i = 0; i < 60; ++i) write_file(root() / std::to_string(100 + i), noise(1000, i));
  make();
  if (GetParam() != backup_type::kTar) GTEST_SKIP() << "a block of a compressed one is read as a whole";
  flip(0, test::read_file(file(0)).find(std::string("140\0\0", 5)));
  RestoreRequest request;
  request.levels.emplace_back();
  request.levels.back().file = open_local_file(file(0));
  request.target = directory_ / "alone";
  EXPECT_THROW(static_cast<void>(TarArchiveReader({}).restore(request)), Error);
  for (unsigned i = 0; i < 39; ++i) EXPECT_TRUE(fs::exists(directory_ / "alone" / std::to_string(100 + i))) << i;
}

TEST_P(SelectionTest, RemovesWhatTheBackupDoesNotHaveAndNothingElse) {
  write_file(root() / "a/kept", "from the backup");
  write_file(root() / "a/new", "x");
  make();
  write_file(directory_ / "target/a/kept", "was there");
  write_file(directory_ / "target/a/other/deep/er", "x");
  write_file(directory_ / "target/elsewhere", "x");
  RestoreRequest request;
  request.delete_others = true;
  request.overwrite = OverwritePolicy::never;
  EXPECT_EQ(restore({"a"}, std::move(request)).removed, 1U);
  EXPECT_THAT(removed_, ElementsAre("a/other"));
  EXPECT_EQ(content("a/kept"), "was there");
  EXPECT_TRUE(fs::exists(directory_ / "target/elsewhere"));
}

TEST_P(SelectionTest, SaysWhatItWouldDoAndDoesNothing) {
  write_file(root() / "a", "12345");
  fs::create_hard_link(root() / "a", root() / "second name of a");
  make();
  write_file(root() / "b", "123");
  make();
  const auto plan = [&] {
    RestoreRequest request;
    request.dry_run = request.delete_others = true;
    return restore({}, std::move(request));
  };
  const auto into_nothing = plan();
  EXPECT_EQ(into_nothing.entries, 4U);
  EXPECT_EQ(into_nothing.content_bytes, 8U);
  EXPECT_FALSE(fs::exists(directory_ / "target"));
  write_file(directory_ / "target/other", "x");
  EXPECT_EQ(plan().removed, 1U);
  EXPECT_TRUE(fs::exists(directory_ / "target/other"));
  for (int level : {0, 1}) fs::remove(file(level).native() + ".manifest.zst");
  last_level_ = 1;
  RestoreRequest request;
  request.dry_run = true;
  for (int level : {0, 1}) {
    request.levels.emplace_back();
    request.levels.back().file = open_local_file(file(level));
  }
  request.target = directory_ / "target";
  EXPECT_EQ(TarArchiveReader({}).restore(request).content_bytes, 8U);
}

TEST_P(SelectionTest, RemovesATreeThatIsDeeperThanDescriptorsReach) {
  write_file(root() / "a", "x");
  make();
  fs::create_directory(directory_ / "target");
  UniqueFd at(::open((directory_ / "target").c_str(), O_RDONLY | O_DIRECTORY));
  for (int depth = 0; depth < 1'500; ++depth) {
    ASSERT_EQ(::mkdirat(at.get(), "deeper", 0700), 0);
    at = UniqueFd(::openat(at.get(), "deeper", O_RDONLY | O_DIRECTORY));
  }
  RestoreRequest request;
  request.delete_others = true;
  EXPECT_EQ(restore({}, std::move(request)).removed, 1U);
  EXPECT_FALSE(fs::exists(directory_ / "target/deeper"));
}

INSTANTIATE_TEST_SUITE_P(AllTypes, SelectionTest,
                         ::testing::Values(backup_type::kTar, backup_type::kTarGz, backup_type::kTarBz2,
                                           backup_type::kTarXz, backup_type::kTarZst),
                         [](const auto& type) { return type.param.name; });

}  // namespace
}  // namespace autoarchive::tar_internal
