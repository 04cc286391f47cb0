// An increment catches every change, whatever clocks and times say: for every provider and type that makes levels, each
// day's tree comes back exactly, by our reader with and without manifests, and by GNU tar.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "plugin_providers.hpp"
#include "support/recording_observer.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive {
namespace {

namespace fs = std::filesystem;
using test::ProviderAndType;
using test::shell_quote;
using test::write_file;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class IncrementalGuarantees : public ::testing::TestWithParam<ProviderAndType> {
 protected:
  IncrementalGuarantees() : archiver_(test::make_archiver(GetParam().provider, directory_.make("work"))) {
    fs::create_directory(directory_ / "destination");
    request_.definition.backup_id = "docs";
    request_.definition.backup_type = GetParam().type;
    request_.definition.destination = (directory_ / "destination").native();
    request_.definition.root = directory_.make("root").native();
    request_.definition.include_files = {"."};
    request_.observer = &observer_;
  }

  [[nodiscard]] fs::path root() const { return directory_ / "root"; }
  [[nodiscard]] fs::path file(int level) const {
    return directory_ / "destination" /
           ("docs." + (level == 0 ? "" : std::to_string(level) + ".") + GetParam().type.extension);
  }

  /// The next level of the tree as it is. `absent`: what of it is not to come back.
  void make_day(const std::vector<std::string>& absent = {}) {
    save_tree(absent);
    static_cast<void>(archiver_->backup_files_incrementally(request_));
  }

  /// Keeps what the level that comes next has to bring back.
  void save_tree(const std::vector<std::string>& absent) {
    const auto saved = saved_tree(days_++);
    shell("cp -a " + shell_quote(root()) + " " + shell_quote(saved));
    for (const auto& path : absent) {
      fs::remove_all(saved / path);
      struct stat status {};
      ASSERT_EQ(::stat((root() / path).parent_path().c_str(), &status), 0);
      const timespec times[2] = {status.st_mtim, status.st_mtim};
      ASSERT_EQ(::utimensat(AT_FDCWD, (saved / path).parent_path().c_str(), times, 0), 0);
    }
  }
  [[nodiscard]] fs::path saved_tree(int day) const { return directory_ / ("day" + std::to_string(day)); }

  /// Restores the level of every day, up to today.
  void expect_every_day() const {
    for (int day = 0; day < days_; ++day) expect_day(day);
  }
  void expect_day(int day) const {
    expect_restored_by_us(day, /*with_manifests=*/true);
    expect_restored_by_us(day, /*with_manifests=*/false);
    const auto target = directory_.make("gnu" + std::to_string(day));
    for (int level = 0; level <= day; ++level) {
      shell("tar --listed-incremental=/dev/null --xattrs --xattrs-include='*' -xpf " + shell_quote(file(level)) +
            " -C " + shell_quote(target));
    }
    EXPECT_THAT(test::diff_trees(saved_tree(day), target), IsEmpty()) << "level " << day << " by GNU tar";
  }
  void expect_restored_by_us(int day, bool with_manifests) const {
    RestoreRequest restore;
    for (int level = 0; level <= day; ++level) {
      restore.levels.emplace_back();
      restore.levels.back().file = open_local_file(file(level));
      if (with_manifests) restore.levels.back().manifest = open_local_file(manifest_name(file(level).native()));
    }
    restore.target = directory_ / ((with_manifests ? "ours" : "bare") + std::to_string(day));
    EXPECT_EQ(test::make_reader()->restore(restore).problems, 0U);
    EXPECT_THAT(test::diff_trees(saved_tree(day), restore.target), IsEmpty())
        << "level " << day << (with_manifests ? "" : " without manifests");
  }

  /// The last manifest's entry of this path; without a path if it has none.
  [[nodiscard]] ManifestEntry entry_of(const std::string& path) const {
    ManifestReader manifest(open_local_file(manifest_name(file(days_ - 1).native())));
    for (ManifestEntry entry; manifest.next(entry);) {
      if (entry.entry.path == path) return entry;
    }
    return {};
  }

  void write(const std::string& path, std::string_view content) const { write_file(root() / path, content); }
  /// Gives `path` the times that `like` has: what "touch -r" does.
  static void copy_times(const fs::path& like, const fs::path& path) {
    struct stat status {};
    ASSERT_EQ(::lstat(like.c_str(), &status), 0);
    const timespec times[2] = {status.st_atim, status.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }
  static std::string shell(const std::string& command) {
    const auto result = test::run_shell(command);
    EXPECT_EQ(result.status, 0) << command << "\n" << result.output;
    return result.output;
  }
  /// Runs `call` as a user who may read only what everybody may.
  void as_nobody(const std::function<void()>& call) const {
    shell("chmod a+rx " + shell_quote(directory_.path()) + "; chmod -R a+rwX " + shell_quote(directory_ / "work") +
          " " + shell_quote(directory_ / "destination"));
    ASSERT_EQ(::seteuid(65534), 0);
    try {
      call();
    } catch (const Error& error) {
      ADD_FAILURE() << error.message();
    }
    ASSERT_EQ(::seteuid(0), 0);
  }

  test::TempDir directory_;
  test::RecordingObserver observer_;
  BackupRequest request_;
  std::shared_ptr<IArchiver> archiver_;
  int days_ = 0;
};

std::string provider_name(const ::testing::TestParamInfo<ProviderAndType>& info) {
  auto name = info.param.provider + "_" + info.param.type.extension;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

TEST_P(IncrementalGuarantees, CatchesChangesWhoseTimesWereSetBack) {
  for (const char* name : {"a", "d/same size", "d/grown", "older", "mode", "attribute", "link"})
    write(name, "old text");
  fs::remove(root() / "link");
  fs::create_symlink("here", root() / "link");
  write("from elsewhere", "OLD TEXT");
  shell("touch -d '3 days ago' " + shell_quote(root() / "from elsewhere"));
  make_day();

  const auto times_of = saved_tree(0);
  write("d/same size", "new text");
  copy_times(times_of / "d/same size", root() / "d/same size");
  write("d/grown", "longer new text");
  shell("touch -d '2001-02-03' " + shell_quote(root() / "d/grown"));
  // What "cp -p" and "mv" bring: other content, older than every backup.
  fs::rename(root() / "from elsewhere", root() / "older");
  ASSERT_EQ(::chmod((root() / "mode").c_str(), 0600), 0);
  ASSERT_EQ(::setxattr((root() / "attribute").c_str(), "user.comment", "new", 3, 0), 0);
  fs::remove(root() / "link");
  fs::create_symlink("elsewhere", root() / "link");
  copy_times(times_of / "link", root() / "link");
  copy_times(times_of / "d", root() / "d");
  make_day();

  ASSERT_EQ(::removexattr((root() / "attribute").c_str(), "user.comment"), 0);
  shell("touch -d '1999-01-01' " + shell_quote(root() / "d") + " " + shell_quote(root() / "a"));
  make_day();
  expect_every_day();
}

TEST_P(IncrementalGuarantees, DeletesWhatIsNewlyExcludedAndBringsItBack) {
  for (const char* name : {"keep", "d/keep", "d/drop.tmp", "d/literal", "whole/x", "whole/y/z", "odd \n/drop.tmp\n"})
    write(name, name);
  make_day();
  request_.filter.exclude = {"*.tmp", "/whole/", "*.tmp\n"};
  request_.definition.exclude_files = {"d/literal"};
  make_day({"d/drop.tmp", "d/literal", "whole", "odd \n/drop.tmp\n"});
  EXPECT_EQ(entry_of("d/literal").entry.path, "");
  write("whole/y/new", "new");
  make_day({"d/drop.tmp", "d/literal", "whole", "odd \n/drop.tmp\n"});
  request_.filter.exclude = {"/d/keep"};
  request_.definition.exclude_files = {};
  make_day({"d/keep"});
  expect_every_day();
}

TEST_P(IncrementalGuarantees, FollowsEveryChangeOfKind) {
  for (const char* name : {"becomes socket", "becomes directory", "becomes link", "becomes fifo", "becomes file/x/y"})
    write(name, name);
  write("d/stays", "stays");
  make_day();

  fs::remove(root() / "becomes socket");
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = (root() / "becomes socket").native();
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
  fs::remove(root() / "becomes directory");
  write("becomes directory/inside/deep", "directory");
  fs::remove(root() / "becomes link");
  fs::create_symlink("d/stays", root() / "becomes link");
  fs::remove(root() / "becomes fifo");
  ASSERT_EQ(::mkfifo((root() / "becomes fifo").c_str(), 0600), 0);
  fs::remove_all(root() / "becomes file");
  write("becomes file", "file");
  make_day({"becomes socket"});

  for (const char* name : {"becomes socket", "becomes link", "becomes fifo"}) {
    fs::remove(root() / name);
    write(name, "a file again");
  }
  fs::remove_all(root() / "becomes directory");
  write("becomes directory", "a file again");
  fs::remove(root() / "becomes file");
  write("becomes file/x/y", "a directory again");
  make_day();
  expect_every_day();
}

TEST_P(IncrementalGuarantees, DeletesARemovedIncludeAndKeepsWhatIsAboveIncludes) {
  for (const char* name : {"etc/a", "home/alice/docs/x", "home/alice/music/y", "home/bob/z", "var/log", "single"})
    write(name, name);
  shell("touch -d '2001-02-03' " + shell_quote(root() / "home/alice") + " " + shell_quote(root() / "home"));
  ASSERT_EQ(::chmod((root() / "home").c_str(), 0751), 0);
  request_.definition.include_files = {"etc", "home/alice/docs", "single"};
  make_day({"home/alice/music", "home/bob", "var"});

  write("home/alice/docs/new", "new");
  write("home/bob/not included", "x");
  write("single", "single file changed");
  make_day({"home/alice/music", "home/bob", "var"});

  request_.definition.include_files = {"home/alice/docs", "home/bob"};
  make_day({"home/alice/music", "var", "etc", "single"});
  request_.definition.include_files = {"home/alice/docs/new"};
  make_day({"home/alice/music", "home/alice/docs/x", "home/bob", "var", "etc", "single"});
  request_.definition.include_files = {"."};
  make_day();
  expect_every_day();
  const auto members = shell("tar tf " + shell_quote(file(1)) + " | sed 's,^\\./,,; s,/$,,'");
  EXPECT_THAT(members, HasSubstr("home\n"));
  EXPECT_THAT(members, HasSubstr("home/alice\n"));
  EXPECT_THAT(members, Not(HasSubstr("home/bob")));
  EXPECT_THAT(members, Not(HasSubstr("var")));
}

// Names of one file of which some can't be seen: the others are what they are today.
TEST_P(IncrementalGuarantees, KeepsTheNamesThatItSeesFromThoseThatItDoesNot) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  write("a", "old content");
  for (const char* name : {"a-shut/c", "m-shut/c", "z"}) {
    fs::create_directories((root() / name).parent_path());
    fs::create_hard_link(root() / "a", root() / name);
  }
  make_day();
  write("a", "new content");
  for (const char* name : {"a-shut", "m-shut"}) ASSERT_EQ(::chmod((root() / name).c_str(), 0), 0);
  save_tree({});
  as_nobody([&] { static_cast<void>(archiver_->backup_files_incrementally(request_)); });
  EXPECT_EQ(entry_of("z").stored_level, 1);
  EXPECT_EQ(entry_of("z").digest, entry_of("a").digest);
  EXPECT_EQ(entry_of("m-shut/c").stored_level, 0);
  RestoreRequest restore;
  for (int level = 0; level <= 1; ++level) {
    restore.levels.emplace_back();
    restore.levels.back().file = open_local_file(file(level));
    restore.levels.back().manifest = open_local_file(manifest_name(file(level).native()));
  }
  restore.target = directory_ / "seen";
  static_cast<void>(test::make_reader()->restore(restore));
  EXPECT_EQ(test::read_file(restore.target / "a"), "new content");
  EXPECT_EQ(test::read_file(restore.target / "z"), "new content");
  EXPECT_EQ(test::read_file(restore.target / "a-shut/c"), "old content");
  for (const char* name : {"a-shut", "m-shut"}) ASSERT_EQ(::chmod((root() / name).c_str(), 0755), 0);
  make_day();
  expect_day(2);
}

TEST_P(IncrementalGuarantees, KeepsAnIncludeWhoseWayIsClosed) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  for (const char* name : {"way/to/a", "beside", "other/b"}) write(name, name);
  request_.definition.include_files = {"way/to", "other"};
  const std::vector<std::string> never{"beside"};
  make_day(never);
  ASSERT_EQ(::chmod((root() / "way").c_str(), 0), 0);
  save_tree(never);
  as_nobody([&] { static_cast<void>(archiver_->backup_files_incrementally(request_)); });
  EXPECT_GE(observer_.errors().size(), 1U);
  EXPECT_EQ(entry_of("way").state, EntryState::failed);
  EXPECT_EQ(entry_of("way/to/a").stored_level, 0);
  ASSERT_EQ(::chmod((root() / "way").c_str(), 0755), 0);
  make_day(never);
  EXPECT_NE(entry_of("way").state, EntryState::failed);
  expect_day(2);
}

TEST_P(IncrementalGuarantees, RestoresDirectoriesThatHaveChangedPlaces) {
  for (const char* name : {"a/1", "b/2", "c/3", "a/same", "b/same", "c/same", "up/down/x", "into/y"}) write(name, name);
  make_day();
  // Three in a circle: GNU tar itself loses files here, with exit status 0.
  fs::rename(root() / "a", root() / "t");
  fs::rename(root() / "b", root() / "a");
  fs::rename(root() / "c", root() / "b");
  fs::rename(root() / "t", root() / "c");
  make_day();
  // A parent becomes its child's child.
  fs::rename(root() / "up/down", root() / "down");
  fs::rename(root() / "up", root() / "down/up");
  fs::rename(root() / "into", root() / "c/into");
  make_day();
  // Gone and made again: the inode may be the same.
  fs::remove_all(root() / "a");
  write("a/4", "4");
  fs::remove_all(root() / "b");
  fs::rename(root() / "c/into", root() / "b");
  make_day();
  expect_every_day();
}

TEST_P(IncrementalGuarantees, KeepsTheNamesOfAFileTogether) {
  write("first", "shared");
  write("d/alone", "alone");
  write("moved/one", "moves");
  write("broken one", "broken");
  fs::create_hard_link(root() / "first", root() / "d/second");
  fs::create_hard_link(root() / "moved/one", root() / "other one");
  fs::create_hard_link(root() / "broken one", root() / "d/broken two");
  make_day();
  fs::create_hard_link(root() / "d/second", root() / "a third");                         // made
  shell("cd " + shell_quote(root()) + " && cp -p 'broken one' t && mv t 'broken one'");  // broken
  fs::create_directory(root() / "z");
  fs::rename(root() / "moved", root() / "z/moved");  // the names of one file, in a directory with another place
  make_day();
  fs::remove(root() / "first");
  write("d/second", "shared, written through one name");
  request_.filter.exclude = {"/z/moved/"};  // one name is left out
  make_day({"z/moved"});
  request_.filter.exclude = {};
  make_day();
  expect_every_day();
}

TEST_P(IncrementalGuarantees, ReadsAgainWhatItCouldNotRead) {
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

TEST_P(IncrementalGuarantees, IsExactAgainAfterALevelThatWasDisturbed) {
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

TEST_P(IncrementalGuarantees, TellsDevicesApartByNothing) {
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

TEST_P(IncrementalGuarantees, GoesOnWithoutTheManifestBesideTheArchive) {
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
TEST_P(IncrementalGuarantees, RecordsWhereEachMemberBeginsAndItsDigest) {
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

TEST_P(IncrementalGuarantees, StoresNothingAgainThatOnlySeemsToHaveChanged) {
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

TEST_P(IncrementalGuarantees, StaysOnOneFileSystemWhenAsked) {
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
class IncrementalClocks : public IncrementalGuarantees {
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

INSTANTIATE_TEST_SUITE_P(AllArchivers, IncrementalGuarantees,
                         ::testing::ValuesIn(test::all_providers(/*incremental_only=*/true)), provider_name);
INSTANTIATE_TEST_SUITE_P(AllArchivers, IncrementalClocks,
                         ::testing::ValuesIn(test::all_providers(/*incremental_only=*/true)), provider_name);

}  // namespace
}  // namespace autoarchive
