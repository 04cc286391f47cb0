// An increment catches every change, whatever times say: for every provider and type that makes levels, each day's tree
// comes back exactly.
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "incremental_levels.hpp"

namespace autoarchive {
namespace {

namespace fs = std::filesystem;
using test::shell_quote;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class IncrementalGuarantees : public test::IncrementalLevels {};

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

INSTANTIATE_TEST_SUITE_P(AllArchivers, IncrementalGuarantees,
                         ::testing::ValuesIn(test::all_providers(/*incremental_only=*/true)), test::provider_name);

}  // namespace
}  // namespace autoarchive
