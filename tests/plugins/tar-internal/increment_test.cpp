// What TarInternal stores in a level, and what it does not.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "autoarchive/base/error.hpp"
#include "internal_tar_archiver_provider.hpp"
#include "support/manifest_files.hpp"
#include "support/recording_observer.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"
#include "tar_archive_reader.hpp"

namespace autoarchive::tar_internal {
namespace {

using test::shell_quote;
using test::write_file;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class IncrementTest : public ::testing::Test {
 protected:
  IncrementTest() : provider_({directory_.make("work"), {}}) {
    fs::create_directory(directory_ / "destination");
    request_.definition.backup_id = "x";
    request_.definition.backup_type = backup_type::kTarGz;
    request_.definition.destination = (directory_ / "destination").native();
    request_.definition.root = directory_.make("root").native();
    request_.definition.include_files = {"."};
    request_.observer = &observer_;
  }

  [[nodiscard]] fs::path root() const { return directory_ / "root"; }
  [[nodiscard]] fs::path file(int level) const {
    return directory_ / "destination" / ("x." + (level == 0 ? "" : std::to_string(level) + ".") + "tar.gz");
  }
  [[nodiscard]] fs::path state(int level) const {
    return directory_ / "work/snapshots" / ("x." + (level == 0 ? "" : std::to_string(level) + ".") + "manifest.zst");
  }
  /// The next level, as if it were made long after the last change.
  int make() {
    const int level = provider_.backup_files_incrementally(request_).level;
    test::settle_manifest(state(level));
    fs::copy_file(state(level), file(level).native() + ".manifest.zst", fs::copy_options::overwrite_existing);
    return level;
  }
  [[nodiscard]] std::string members(int level) const {
    return test::run_shell("tar tf " + shell_quote(file(level)) + " | tr '\\n' ' '").output;
  }
  [[nodiscard]] std::map<std::string, ManifestEntry> manifest(int level) const {
    return test::read_manifest(state(level));
  }

  /// Restores levels 0..level with our reader and with GNU tar, and compares both with the tree as it is now.
  void expect_restored(int level) {
    const auto ours = directory_ / "ours";
    const auto gnu = directory_.make("gnu");
    RestoreRequest restore;
    for (int i = 0; i <= level; ++i) {
      restore.levels.emplace_back();
      restore.levels.back().file = open_local_file(file(i));
      const auto tar = test::run_shell("tar --listed-incremental=/dev/null --xattrs --xattrs-include='*' -xpf " +
                                       shell_quote(file(i)) + " -C " + shell_quote(gnu));
      EXPECT_EQ(tar.status, 0) << tar.output;
    }
    restore.target = ours;
    EXPECT_EQ(TarArchiveReader({}).restore(restore).problems, 0U);
    EXPECT_THAT(test::diff_trees(root(), ours), IsEmpty());
    EXPECT_THAT(test::diff_trees(root(), gnu), IsEmpty());
    fs::remove_all(ours);
    fs::remove_all(gnu);
  }

  void set_mtime(const fs::path& path, const struct stat& from) const {
    const timespec times[2] = {from.st_atim, from.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }

  test::TempDir directory_;
  test::RecordingObserver observer_;
  InternalTarArchiverProvider provider_;
  BackupRequest request_;
};

TEST_F(IncrementTest, StoresNothingWhenNothingHasChanged) {
  test::make_nasty_tree(root());
  make();
  EXPECT_EQ(make(), 1);
  EXPECT_EQ(members(1), "");
  EXPECT_EQ(manifest(1).size(), manifest(0).size());
  for (const auto& [path, line] : manifest(1)) {
    EXPECT_EQ(line.stored_level, 0) << path;
    EXPECT_EQ(line.digest, manifest(0).at(path).digest) << path;
    EXPECT_EQ(line.entry, manifest(0).at(path).entry) << path;
  }
  expect_restored(1);
}

TEST_F(IncrementTest, StoresWhatHasChangedAndTheDirectoriesAboveIt) {
  for (const char* name : {"a/b/changes", "a/b/stays", "a/other/stays", "z/stays"}) write_file(root() / name, name);
  make();
  write_file(root() / "a/b/changes", "longer than before");
  make();
  EXPECT_EQ(members(1), "./ a/ a/b/ a/b/changes ");
  EXPECT_EQ(manifest(1).at("a/b/changes").stored_level, 1);
  EXPECT_EQ(manifest(1).at("a/b/stays").stored_level, 0);
  expect_restored(1);
}

TEST_F(IncrementTest, TellsADeletionByTheListOfItsDirectory) {
  for (const char* name : {"a/goes", "a/stays", "gone/with/all", "z/stays"}) write_file(root() / name, name);
  make();
  fs::remove(root() / "a/goes");
  fs::remove_all(root() / "gone");
  make();
  EXPECT_EQ(members(1), "./ a/ ");
  EXPECT_FALSE(manifest(1).contains("a/goes") || manifest(1).contains("gone/with/all"));
  expect_restored(1);
}

TEST_F(IncrementTest, CatchesAChangeWhoseSizeAndTimeWereSetBack) {
  write_file(root() / "f", "before");
  make();
  struct stat old {};
  ASSERT_EQ(::stat((root() / "f").c_str(), &old), 0);
  write_file(root() / "f", "after!");
  set_mtime(root() / "f", old);
  make();
  EXPECT_EQ(manifest(1).at("f").stored_level, 1);
  expect_restored(1);
}

TEST_F(IncrementTest, DoesNotStoreAgainWhatOnlyLooksChanged) {
  write_file(root() / "small", "the same");
  write_file(root() / "large", std::string(1'000'000, 'x'));
  make();
  for (const char* name : {"small", "large"}) {
    ::chmod((root() / name).c_str(), 0600);
    ::chmod((root() / name).c_str(), 0644);
  }
  make();
  EXPECT_EQ(members(1), "./ ");  // needed if the small one had been stored: that is known only later
  for (const char* name : {"small", "large"}) {
    EXPECT_EQ(manifest(1).at(name).stored_level, 0);
    EXPECT_NE(manifest(1).at(name).entry.ctime, manifest(0).at(name).entry.ctime);
  }
  make();
  EXPECT_EQ(members(2), "");
}

TEST_F(IncrementTest, CatchesAChangedAttribute) {
  write_file(root() / "f", "x");
  if (::setxattr((root() / "f").c_str(), "user.a", "1", 1, 0) != 0) GTEST_SKIP() << "no attributes here";
  make();
  ::setxattr((root() / "f").c_str(), "user.a", "2", 1, 0);
  make();
  EXPECT_EQ(members(1), "./ f ");
}

TEST_F(IncrementTest, StoresEveryNameOfAFileWhenOneIsAdded) {
  write_file(root() / "a/1", "linked");
  fs::create_hard_link(root() / "a/1", root() / "b");
  write_file(root() / "other", "x");
  make();
  fs::create_directory(root() / "c");
  fs::create_hard_link(root() / "b", root() / "c/3");
  make();
  EXPECT_EQ(members(1), "./ a/ a/1 b c/ c/3 ");
  expect_restored(1);
  fs::remove(root() / "a/1");
  make();
  expect_restored(2);
}

// The first name has not changed, and is behind us when a later one turns up that was excluded before.
TEST_F(IncrementTest, LinksEarlierNamesToALaterOneThatIsNew) {
  write_file(root() / "d/first", "linked");
  fs::create_hard_link(root() / "d/first", root() / "later");
  request_.filter.exclude = {"later"};
  make();
  request_.filter.exclude.clear();
  make();
  EXPECT_EQ(members(1), "./ later d/ d/first ");
  expect_restored(1);
}

TEST_F(IncrementTest, DumpsADirectoryThatStoodElsewhereInFull) {
  for (const char* name : {"a/x", "b/x", "c/x"}) write_file(root() / name, name);
  for (const char* name : {"a/same", "b/same", "c/same"}) {
    write_file(root() / name, "the same");
    ::utimensat(AT_FDCWD, (root() / name).c_str(), std::vector<timespec>{{5, 0}, {5, 0}}.data(), 0);
  }
  make();
  fs::rename(root() / "a", root() / "t");
  fs::rename(root() / "b", root() / "a");
  fs::rename(root() / "c", root() / "b");
  fs::rename(root() / "t", root() / "c");
  make();
  EXPECT_EQ(members(1), "./ a/ a/same a/x b/ b/same b/x c/ c/same c/x ");
  expect_restored(1);
}

TEST_F(IncrementTest, TakesARemovedIncludeForADeletion) {
  for (const char* name : {"a/deep/x", "a/deep/y", "b/z"}) write_file(root() / name, name);
  request_.definition.include_files = {"a/deep/x", "a/deep/y", "b"};
  make();
  EXPECT_EQ(members(0), "./ a/ a/deep/ a/deep/x a/deep/y b/ b/z ");
  request_.definition.include_files = {"a/deep/x"};
  make();
  struct stat directory {};
  ASSERT_EQ(::stat((root() / "a/deep").c_str(), &directory), 0);
  fs::remove_all(root() / "b");
  fs::remove(root() / "a/deep/y");
  set_mtime(root() / "a/deep", directory);
  expect_restored(1);
}

TEST_F(IncrementTest, ChangesTypeBothWays) {
  write_file(root() / "f", "file");
  write_file(root() / "d/inside", "x");
  fs::create_symlink("f", root() / "l");
  make();
  fs::remove(root() / "f");
  fs::remove_all(root() / "d");
  fs::remove(root() / "l");
  write_file(root() / "f/inside", "x");
  write_file(root() / "d", "file");
  ::mkfifo((root() / "l").c_str(), 0600);
  make();
  expect_restored(1);
}

/// Somebody who may not read everything.
class UnprivilegedIncrementTest : public IncrementTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  }
  int make_as_nobody() {
    EXPECT_EQ(test::run_shell("chown -R nobody " + shell_quote(directory_.path())).status, 0);
    EXPECT_EQ(::seteuid(65534), 0);
    const int level = make();
    EXPECT_EQ(::seteuid(0), 0);
    return level;
  }
};

TEST_F(UnprivilegedIncrementTest, DeletesNothingInADirectoryThatCouldNotBeListed) {
  write_file(root() / "d/e/x", "x");
  write_file(root() / "z", "z");
  make_as_nobody();
  ::chmod((root() / "d").c_str(), 0);
  make_as_nobody();
  EXPECT_THAT(observer_.errors(), ::testing::ElementsAre("error Open/PermissionDenied d"));
  EXPECT_EQ(manifest(1).at("d/e/x").state, EntryState::failed);
  EXPECT_EQ(manifest(1).at("d/e/x").stored_level, 0);
  ::chmod((root() / "d").c_str(), 0755);
  make_as_nobody();
  expect_restored(2);
  EXPECT_EQ(manifest(2).at("d/e/x").state, EntryState::ok);
}

TEST_F(UnprivilegedIncrementTest, LooksAgainAtWhatCouldNotBeRead) {
  write_file(root() / "known", "before");
  write_file(root() / "never", "seen");
  ::chmod((root() / "never").c_str(), 0);
  make_as_nobody();
  EXPECT_EQ(manifest(0).at("never").stored_level, -1);
  write_file(root() / "known", "changed");
  ::chmod((root() / "known").c_str(), 0);
  make_as_nobody();
  EXPECT_EQ(manifest(1).at("known").stored_level, 0);
  EXPECT_EQ(manifest(1).at("known").entry.size, 6U);  // what the backup has, not what the tree has
  for (const char* name : {"known", "never"}) ::chmod((root() / name).c_str(), 0644);
  make_as_nobody();
  expect_restored(2);
}

TEST_F(IncrementTest, RefusesAManifestThatIsCutFlippedOrForeign) {
  write_file(root() / "f", "x");
  make();
  const auto good = test::read_file(state(0));
  auto flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
  for (const auto& bad : {flipped, good.substr(0, good.size() - 1), std::string()}) {
    write_file(state(0), bad);
    write_file(file(0).native() + ".manifest.zst", bad);
    request_.identity.parent_uuid = request_.identity.chain_uuid = "9b2f0000-0000-4000-8000-000000000000";
    try {
      make();
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::file_not_found);
      EXPECT_EQ(error.cause(), ErrorCause::state_lost);
    }
  }
}

}  // namespace
}  // namespace autoarchive::tar_internal
