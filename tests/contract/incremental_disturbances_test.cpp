// An increment stays exact and small when something comes between two levels, or between the program and the tree:
// files that can't be read or change meanwhile, devices, lost manifests, clocks.
#include <sys/mount.h>
#include <sys/xattr.h>

#include <map>

#include "incremental_levels.hpp"

namespace autoarchive {
namespace {

namespace fs = std::filesystem;
using test::shell_quote;
using test::write_file;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class IncrementalDisturbances : public test::IncrementalLevels {};

TEST_P(IncrementalDisturbances, ReadsAgainWhatItCouldNotRead) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  for (const char* name :
       {"open", "closed", "closed directory/x", "closed directory/y/z", "shut later/a", "shut later/b/c"})
    write(name, name);
  ASSERT_EQ(::chmod((root() / "closed").c_str(), 0), 0);
  ASSERT_EQ(::chmod((root() / "closed directory").c_str(), 0700), 0);
  save_tree({"closed", "closed directory"});
  as_nobody([this] { static_cast<void>(archiver_->backup_files_incrementally(request_)); });
  EXPECT_THAT(observer_.errors(), Contains(::testing::MatchesRegex("error Open/PermissionDenied (\\./)?closed")));
  EXPECT_THAT(observer_.errors(),
              Contains(::testing::MatchesRegex("error Open/PermissionDenied (\\./)?closed directory")));
  EXPECT_EQ(entry_of("closed").state, EntryState::failed);
  EXPECT_EQ(entry_of("closed").stored_level, -1);

  make_day();  // nobody has touched anything; it is only another user who reads
  EXPECT_EQ(entry_of("closed").stored_level, 1);
  EXPECT_EQ(entry_of("closed directory/y/z").stored_level, 1);

  // A directory that can't be listed deletes nothing, and keeps what was known of it.
  write("open", "changed");
  write("shut later/new", "can't be seen yet");
  save_tree({"shut later/new"});
  ASSERT_EQ(::chmod((root() / "shut later").c_str(), 0700), 0);
  as_nobody([this] { static_cast<void>(archiver_->backup_files_incrementally(request_)); });
  EXPECT_EQ(entry_of("shut later/b/c").state, EntryState::failed);
  EXPECT_GE(entry_of("shut later/b/c").stored_level, 0);
  ASSERT_EQ(::chmod((root() / "shut later").c_str(), 0755), 0);
  make_day();
  expect_day(1);
  expect_day(3);
}

/// Changes the tree while it is being backed up, at every call.
class Meddler final : public IBackupObserver {
 public:
  explicit Meddler(fs::path root) : root_(std::move(root)) {}
  void file_add(std::string_view /*name*/) override { meddle(); }
  void entry_done(const Entry& /*entry*/, EntryStatus /*status*/, std::string_view /*rule*/) override { meddle(); }

 private:
  void meddle() {
    std::error_code error;
    const auto n = std::to_string(calls_++);
    switch (calls_ % 6) {
      case 0:
        return write_file(root_ / "m/grows", std::string(static_cast<std::size_t>(calls_) * 100, 'g'));
      case 1:
        fs::remove(root_ / "z/goes", error);
        return;
      case 2:
        return write_file(root_ / "z" / ("comes" + n), n);
      case 3:
        fs::rename(root_ / "x", root_ / "y", error);
        return;
      case 4:
        fs::rename(root_ / "z/comes1", root_ / "m/moved", error);
        return write_file(root_ / "z/goes", n);
      default:
        fs::rename(root_ / "y", root_ / "x", error);
    }
  }
  fs::path root_;
  int calls_ = 0;
};

TEST_P(IncrementalDisturbances, IsExactAgainAfterALevelThatWasDisturbed) {
  for (const char* name :
       {"a", "left out 1", "left out 2", "left out 3", "m/grows", "x/1", "x/d/2", "z/goes", "z/stays"})
    write(name, name);
  request_.filter.exclude = {"left out *"};
  const std::vector<std::string> absent{"left out 1", "left out 2", "left out 3"};
  make_day(absent);
  Meddler meddler(root());
  request_.observer = &meddler;
  for (int disturbed = 0; disturbed < 2; ++disturbed) {
    make_day(absent);
    request_.observer = nullptr;
    make_day(absent);
    request_.observer = &meddler;
  }
  expect_day(2);
  expect_day(4);
}

/// An image on a loop device, which is given back at the end.
class LoopDevice {
 public:
  explicit LoopDevice(const fs::path& image) {
    const auto attached = test::run_shell("losetup --find --show " + shell_quote(image));
    if (attached.status == 0) name_ = attached.output.substr(0, attached.output.find('\n'));
  }
  ~LoopDevice() {
    if (!name_.empty()) static_cast<void>(test::run_shell("losetup --detach " + name_));
  }
  LoopDevice(const LoopDevice&) = delete;
  LoopDevice& operator=(const LoopDevice&) = delete;
  /// True if its file system is at `place` now.
  [[nodiscard]] bool mount(const fs::path& place) const {
    return !name_.empty() && ::mount(name_.c_str(), place.c_str(), "ext4", 0, nullptr) == 0;
  }

 private:
  std::string name_;
};

TEST_P(IncrementalDisturbances, TellsDevicesApartByNothing) {
  // One file system under two device numbers, as after a boot.
  const auto image = directory_ / "image";
  const auto made = test::run_shell("truncate -s 16M " + shell_quote(image) + " && mkfs.ext4 -q " + shell_quote(image));
  const LoopDevice one(image);
  const LoopDevice two(image);
  if (made.status != 0 || !one.mount(root())) GTEST_SKIP() << "needs loop devices " << made.output;
  const std::unique_ptr<void, std::function<void(void*)>> unmount(
      this, [this](void* /*unused*/) { ::umount2(root().c_str(), MNT_DETACH); });
  fs::remove_all(root() / "lost+found");
  for (const char* name : {"same", "d/same", "d/changes", "a/1", "b/2"}) write(name, name);
  make_day();
  struct stat before {};
  ASSERT_EQ(::stat(root().c_str(), &before), 0);
  ASSERT_EQ(::umount2(root().c_str(), 0), 0);
  ASSERT_TRUE(two.mount(root()));
  struct stat after {};
  ASSERT_EQ(::stat(root().c_str(), &after), 0);
  ASSERT_NE(before.st_dev, after.st_dev);
  write("d/changes", "changed");
  copy_times(saved_tree(0) / "d/changes", root() / "d/changes");
  fs::rename(root() / "a", root() / "t");
  fs::rename(root() / "b", root() / "a");
  fs::rename(root() / "t", root() / "b");
  make_day();
  expect_every_day();
}

TEST_P(IncrementalDisturbances, GoesOnWithoutTheManifestBesideTheArchive) {
  write("stays", "stays");
  write("goes", "goes");
  save_tree({});
  const auto parent = archiver_->backup_files_incrementally(request_);
  fs::rename(manifest_name(file(0).native()), directory_ / "manifest");
  fs::remove(root() / "goes");
  request_.identity.chain_uuid = parent.identity.chain_uuid;
  request_.identity.parent_uuid = parent.identity.backup_uuid;
  request_.identity.parent_sha256 = parent.summary.archive_sha256;
  make_day();
  fs::rename(directory_ / "manifest", manifest_name(file(0).native()));
  expect_every_day();
}

// What the manifest says of each member, and not only that a restore works.
TEST_P(IncrementalDisturbances, RecordsWhereEachMemberBeginsAndItsDigest) {
  test::make_nasty_tree(root());
  make_day();
  write("a/b/file", "changed\n");
  fs::create_hard_link(root() / "a/b/file", root() / "zz link");
  make_day();
  const auto stream = directory_ / "stream";
  const std::map<std::string, std::string> programs{
      {"tar", "cat"}, {"tar.gz", "gzip -dc"}, {"tar.bz2", "bzip2 -dc"}, {"tar.xz", "xz -dc"}, {"tar.zst", "zstd -dcq"}};
  for (int level = 0; level < days_; ++level) {
    shell(programs.at(GetParam().type.extension) + " " + shell_quote(file(level)) + " > " + shell_quote(stream));
    ManifestReader manifest(open_local_file(manifest_name(file(level).native())));
    int members = 0;
    for (ManifestEntry line; manifest.next(line);) {
      if (line.stored_level != level) continue;
      ++members;
      ASSERT_TRUE(line.offset) << line.entry.path;
      EXPECT_EQ(*line.offset % 512, 0U);
      EXPECT_EQ(line.digest.has_value(), line.entry.kind == EntryKind::file) << line.entry.path;
      const auto name = shell("tail -c +" + std::to_string(*line.offset + 1) + " " + shell_quote(stream) +
                              " | tar --quoting-style=literal -tf - 2> /dev/null | tr '\\n' '?' | head -c " +
                              std::to_string(line.entry.path.size() + 2));
      auto wanted = line.entry.path;
      std::replace(wanted.begin(), wanted.end(), '\n', '?');
      const bool is_named = line.entry.link_count == 1;
      EXPECT_TRUE(!is_named || name.find(wanted) != std::string::npos) << wanted << " is not at its place: " << name;
    }
    EXPECT_GT(members, 3);
    const auto beside = open_local_file(manifest_name(file(level).native()));
    EXPECT_THAT(test::make_reader()->verify(*open_local_file(file(level)), beside.get(), {}).faults, IsEmpty());
  }
  EXPECT_EQ(entry_of("a/b/file").digest, entry_of("zz link").digest);
  EXPECT_EQ(entry_of("a/b/file").offset, entry_of("zz link").offset);
}

TEST_P(IncrementalDisturbances, StoresNothingAgainThatOnlySeemsToHaveChanged) {
  write("new a moment ago", "a");
  write("d/mode went and came", "b");
  write("d/with an attribute", "c");
  ASSERT_EQ(::setxattr((root() / "d/with an attribute").c_str(), "user.comment", "kept", 4, 0), 0);
  make_day();
  ASSERT_EQ(::chmod((root() / "d/mode went and came").c_str(), 0600), 0);
  ASSERT_EQ(::chmod((root() / "d/mode went and came").c_str(), 0644), 0);
  make_day();
  EXPECT_EQ(entry_of("new a moment ago").stored_level, 0);
  EXPECT_EQ(entry_of("d/mode went and came").stored_level, 0);
  ASSERT_EQ(::setxattr((root() / "d/with an attribute").c_str(), "user.comment", "other", 5, 0), 0);
  make_day();
  EXPECT_EQ(entry_of("d/with an attribute").stored_level, 2);
  EXPECT_EQ(entry_of("d/mode went and came").stored_level, 0);
  expect_every_day();
}

TEST_P(IncrementalDisturbances, StaysOnOneFileSystemWhenAsked) {
  for (const char* name : {"a", "mount [1]*/hidden", "d/mounted?/hidden"}) write(name, name);
  const auto one = root() / "mount [1]*";
  const auto two = root() / "d/mounted?";
  if (::mount("none", one.c_str(), "tmpfs", 0, "size=1M") != 0) GTEST_SKIP() << "needs to mount";
  const std::unique_ptr<void, std::function<void(void*)>> unmount(this, [&](void* /*unused*/) {
    ::umount2(one.c_str(), MNT_DETACH);
    ::umount2(two.c_str(), MNT_DETACH);
  });
  ASSERT_EQ(::mount("none", two.c_str(), "tmpfs", 0, "size=1M"), 0);
  write("mount [1]*/on it/x", "x");
  write("d/mounted?/y", "y");
  request_.filter.one_file_system = true;
  make_day({"mount [1]*/on it", "d/mounted?/y"});
  write("mount [1]*/more", "more");
  make_day({"mount [1]*/on it", "mount [1]*/more", "d/mounted?/y"});
  ASSERT_EQ(::umount2(two.c_str(), 0), 0);
  make_day({"mount [1]*/on it", "mount [1]*/more"});
  expect_every_day();
  for (int level = 0; level < days_; ++level) {
    const auto members = shell("tar tf " + shell_quote(file(level)));
    EXPECT_THAT(members, Not(::testing::AnyOf(HasSubstr("on it"), HasSubstr("more"), HasSubstr("y\n"))));
  }
  request_.definition.backup_id = "whole";
  static_cast<void>(archiver_->backup_files(request_));
  const auto whole = shell("tar tf " + shell_quote(directory_ / "destination") + "/whole." + GetParam().type.extension);
  EXPECT_THAT(whole, HasSubstr("mount [1]*/\n"));
  EXPECT_THAT(whole, Not(::testing::AnyOf(HasSubstr("on it"), HasSubstr("more"))));
}

/// Makes backups with the program, whose clock can be another one.
class IncrementalClocks : public IncrementalDisturbances {
 protected:
  IncrementalClocks() { write("seed", "so that the root is not empty"); }

  /// `clock` as faketime takes it, e.g. "+1d". Only the program's clock is wrong: not the times of files.
  void make_day_at(const std::string& clock) {
    save_tree({});
    const auto& definition = request_.definition;
    shell("AA_STATE_DIR=" + shell_quote(directory_ / "state") + " NO_FAKE_STAT=1 faketime -f " + shell_quote(clock) +
          " " + shell_quote(AA_PROGRAM) + " --quiet --plugin-dir " + shell_quote(AA_PLUGIN_DIR) +
          " create docs --incremental" + " --root " + shell_quote(definition.root) + " --destination " +
          shell_quote(definition.destination) + " --type " + GetParam().type.extension + " --provider " +
          GetParam().provider);
  }
  /// A sanitizer's runtime wants to be the first library, and so does faketime's.
  static bool is_possible() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#else
    return test::run_shell("command -v faketime").status == 0;
#endif
  }
};

TEST_P(IncrementalClocks, CatchChangesWhenTheClockWasAheadOrIsSetBack) {
  if (!is_possible()) GTEST_SKIP() << "needs faketime";
  for (const char* name : {"a", "d/changes", "d/later", "e/stays"}) write(name, "1");
  make_day_at("+1d");  // ahead
  write("d/changes", "2");
  write("new", "2");
  make_day_at("+0");  // right again
  write("d/later", "3");
  fs::rename(root() / "d/changes", root() / "a");
  make_day_at("-1d");  // set back a day
  write("d/later", "4");
  fs::remove(root() / "new");
  make_day_at("+0");
  expect_every_day();
}

TEST_P(IncrementalClocks, DoNotMakeAnIncrementLargerThanWhatHasChanged) {
  if (!is_possible()) GTEST_SKIP() << "needs faketime";
  for (const char* name : {"d/changes", "d/same", "e/same", "e/f/same"}) write(name, "1");
  fs::create_hard_link(root() / "d/same", root() / "e/linked");
  make_day_at("+2m");  // so that nothing has changed a moment before it was read
  write("d/changes", "2");
  make_day_at("+4m");
  expect_every_day();
  EXPECT_EQ(shell("tar tf " + shell_quote(file(1)) + " | sed 's,^\\./,,; s,/$,,' | sort"), "\nd\nd/changes\n");
}

INSTANTIATE_TEST_SUITE_P(AllArchivers, IncrementalDisturbances,
                         ::testing::ValuesIn(test::all_providers(/*incremental_only=*/true)), test::provider_name);
INSTANTIATE_TEST_SUITE_P(AllArchivers, IncrementalClocks,
                         ::testing::ValuesIn(test::all_providers(/*incremental_only=*/true)), test::provider_name);

}  // namespace
}  // namespace autoarchive
