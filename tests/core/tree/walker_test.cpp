#include "autoarchive/tree/walker.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "autoarchive/base/error.hpp"
#include "autoarchive/tree/attributes.hpp"
#include "autoarchive/tree/path_verdict.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive {
namespace {

using test::write_file;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// "path", "-path" if excluded, "!path" if something failed.
std::vector<std::string> walk(WalkOptions options, const FilterRules& rules = {}) {
  const Filter filter(rules);
  Walker walker(std::move(options), filter);
  std::vector<std::string> paths;
  for (WalkItem item; walker.next(item);) {
    const char* mark = item.event == WalkEvent::entry ? "" : item.event == WalkEvent::excluded ? "-" : "!";
    paths.push_back(mark + item.entry.path);
  }
  return paths;
}

class WalkerTest : public ::testing::Test {
 protected:
  [[nodiscard]] WalkOptions whole() const { return {directory_.path(), {"."}, {}, false}; }
  test::TempDir directory_;
};

TEST_F(WalkerTest, YieldsADirectoryAndThenItsContentsSortedByBytes) {
  write_file(directory_ / "b", "");
  write_file(directory_ / "a/z", "");
  write_file(directory_ / "a/B", "");
  write_file(directory_ / "a.c", "");
  EXPECT_THAT(walk(whole()), ElementsAre(".", "a", "a/B", "a/z", "a.c", "b"));
}

TEST_F(WalkerTest, CountsNestedIncludesOnceAndYieldsAncestorsWhenAsked) {
  write_file(directory_ / "a/b/c", "");
  write_file(directory_ / "d", "");
  EXPECT_THAT(walk({directory_.path(), {"./a/b", "a/b/c", "d"}, {}, false}), ElementsAre("a/b", "a/b/c", "d"));
  EXPECT_THAT(walk({directory_.path(), {"a/b", "d"}, {}, true}), ElementsAre(".", "a", "a/b", "a/b/c", "d"));
}

TEST_F(WalkerTest, ReportsAMissingIncludeAndWalksOn) {
  write_file(directory_ / "a", "");
  EXPECT_THAT(walk({directory_.path(), {"gone", "a", "no/such"}, {}, false}), ElementsAre("a", "!gone", "!no/such"));
}

// So that its rules are the same as for what a listing finds.
TEST_F(WalkerTest, KnowsWhetherAnIncludeIsADirectoryForTheRules) {
  write_file(directory_ / "d/directory/x", "");
  write_file(directory_ / "d/file", "");
  std::filesystem::create_directory_symlink("directory", directory_ / "d/link");
  FilterRules rules;
  rules.exclude = {"directory/", "file/", "link/"};
  for (const bool with_ancestors : {false, true}) {
    const auto walked = walk({directory_.path(), {"d/directory", "d/file", "d/link"}, {}, with_ancestors}, rules);
    EXPECT_THAT(walked, ::testing::IsSupersetOf({"-d/directory", "d/file", "d/link"}));
    EXPECT_THAT(walked, ::testing::Not(::testing::Contains("d/directory/x")));
  }
}

TEST_F(WalkerTest, ListsNothingThatIsNoDirectoryOnTheWayToAnInclude) {
  write_file(directory_ / "file", "");
  write_file(directory_ / "in/x", "");
  std::filesystem::create_directory_symlink("in", directory_ / "link");
  const Filter filter{{}};
  Walker walker({directory_.path(), {"file/a", "in/x", "link/x"}, {}, true}, filter);
  WalkItem root;
  ASSERT_TRUE(walker.next(root));
  EXPECT_THAT(root.names, ElementsAre(ChildName{"in", true}));
  for (WalkItem item; walker.next(item);) {
    const bool is_wrong = item.event == WalkEvent::stat_failed && item.os_errno != ENOTDIR;
    EXPECT_FALSE(is_wrong) << item.entry.path;
  }
}

TEST_F(WalkerTest, LeavesStatsToOthers) {
  write_file(directory_ / "d/file", "content");
  write_file(directory_ / "d/gone", "");
  write_file(directory_ / "d/replaced", "");
  std::filesystem::create_symlink("target", directory_ / "link");
  auto options = whole();
  options.with_stats = false;
  const Filter filter{{}};
  Walker walker(options, filter);
  std::vector<WalkItem> items;
  for (WalkItem item; walker.next(item);) items.push_back(std::move(item));
  std::filesystem::remove(directory_ / "d/gone");
  std::filesystem::remove(directory_ / "d/replaced");
  std::filesystem::create_directory(directory_ / "d/replaced");
  std::vector<std::string> seen;
  for (auto& item : items) {
    EXPECT_EQ(item.has_stat, item.entry.kind == EntryKind::directory) << item.entry.path;
    complete(item);
    complete(item);
    EXPECT_TRUE(item.has_stat);
    const bool failed = item.event == WalkEvent::stat_failed;
    const auto error = failed ? std::to_string(item.os_errno) : std::string();
    EXPECT_EQ(item.entry.kind == EntryKind::unknown, failed) << item.entry.path;
    seen.push_back(item.entry.path + " " + std::to_string(item.entry.size) + item.entry.link_target + error);
  }
  EXPECT_THAT(seen, ElementsAre(". 0", "d 0", "d/file 7", "d/gone 0" + std::to_string(ENOENT),
                                "d/replaced 0" + std::to_string(ENOENT), "link 0target"));
}

TEST_F(WalkerTest, NeverFollowsASymlink) {
  test::TempDir other;
  write_file(other / "secret", "");
  std::filesystem::create_directory_symlink(other.path(), directory_ / "link");
  EXPECT_THAT(walk({directory_.path(), {"link"}, {}, false}), ElementsAre("link"));
  EXPECT_THAT(walk({directory_.path(), {"link/secret"}, {}, false}), ElementsAre("!link/secret"));
}

TEST_F(WalkerTest, LeavesOutWhatTheRulesSay) {
  write_file(directory_ / "cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n");
  write_file(directory_ / "cache/x", "");
  write_file(directory_ / "fake/CACHEDIR.TAG", "something else");
  write_file(directory_ / "marked/.nobackup", "");
  write_file(directory_ / "marked/y", "");
  write_file(directory_ / "large", std::string(100, 'x'));
  FilterRules rules;
  rules.exclude_caches = true;
  rules.exclude_if_present = {".nobackup"};
  rules.exclude_larger_than = Bytes{99};
  EXPECT_THAT(walk(whole(), rules),
              ElementsAre(".", "cache", "cache/CACHEDIR.TAG", "-cache/x", "fake", "fake/CACHEDIR.TAG", "-large",
                          "marked", "marked/.nobackup", "-marked/y"));
}

TEST_F(WalkerTest, DoesNotMentionOurOwnFiles) {
  write_file(directory_ / "ours/archive", "");
  write_file(directory_ / "theirs", "");
  struct stat status {};
  ASSERT_EQ(::stat((directory_ / "ours").c_str(), &status), 0);
  auto options = whole();
  options.own_files.emplace(status.st_dev, status.st_ino);
  EXPECT_THAT(walk(options), ElementsAre(".", "theirs"));
}

TEST_F(WalkerTest, TellsTheNamesThatADirectoryHolds) {
  write_file(directory_ / "kept", "");
  write_file(directory_ / "left.tmp", "");
  FilterRules rules;
  rules.exclude = {"*.tmp"};
  const Filter filter(rules);
  Walker walker(whole(), filter);
  WalkItem root;
  ASSERT_TRUE(walker.next(root));
  EXPECT_THAT(root.names, ElementsAre(ChildName{"kept", false}));
}

// `aa why` must say what a walk does, for every path of a tree with every kind of rule.
TEST_F(WalkerTest, IsExplainedByThePathVerdictOfEachPath) {
  write_file(directory_ / "cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n");
  for (const char* name :
       {"cache/d/x", "marked/.nobackup", "marked/d/x", "a/keep.tmp", "a/x.tmp", "a/b", "z/literal/x"})
    write_file(directory_ / name, "x");
  write_file(directory_ / "a/large", std::string(100, 'x'));
  FilterRules rules;
  rules.exclude = {"*.tmp", "!keep.tmp"};
  rules.exclude_paths = {"z/literal"};
  rules.exclude_caches = true;
  rules.exclude_if_present = {".nobackup"};
  rules.exclude_larger_than = Bytes{99};
  const Filter filter(rules);
  const auto walked = walk(whole(), rules);
  for (const auto& found : std::filesystem::recursive_directory_iterator(directory_.path())) {
    const auto path = found.path().lexically_relative(directory_.path()).native();
    const bool taken = std::find(walked.begin(), walked.end(), path) != walked.end();
    EXPECT_EQ(explain_path(whole(), filter, path).fate, taken ? PathFate::taken : PathFate::excluded) << path;
  }
  EXPECT_EQ(explain_path(whole(), filter, "cache/d/x").place, "cache/d");
  EXPECT_EQ(explain_path(whole(), filter, "cache/d/x").rule, "exclude_caches");
  EXPECT_EQ(explain_path(whole(), filter, "a/keep.tmp").rule, "exclude[1] '!keep.tmp'");
  EXPECT_EQ(explain_path(whole(), filter, "a/none").fate, PathFate::missing);
  EXPECT_EQ(explain_path({directory_.path(), {"a"}, {}, false}, filter, "z").fate, PathFate::not_included);
}

TEST_F(WalkerTest, ReportsASocket) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = (directory_ / "s").native();
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_THAT(walk(whole()), ElementsAre(".", "!s"));
  ::close(fd);
}

TEST_F(WalkerTest, ReportsAnUnreadableDirectoryAndWalksOn) {
  write_file(directory_ / "closed/x", "");
  write_file(directory_ / "open/y", "");
  ::chmod((directory_ / "closed").c_str(), 0);
  ::chmod(directory_.path().c_str(), 0755);
  const bool is_root = ::geteuid() == 0;
  if (is_root && ::seteuid(65534) != 0) GTEST_SKIP() << "can't become another user";
  const auto paths = walk(whole());
  ASSERT_TRUE(!is_root || ::seteuid(0) == 0);
  EXPECT_THAT(paths, ElementsAre(".", "closed", "!closed", "open", "open/y"));
}

TEST_F(WalkerTest, YieldsAnAncestorThatCannotBeOpened) {
  write_file(directory_ / "closed/in/x", "");
  write_file(directory_ / "open/y", "");
  ::chmod((directory_ / "closed").c_str(), 0);
  ::chmod(directory_.path().c_str(), 0755);
  const bool is_root = ::geteuid() == 0;
  if (is_root && ::seteuid(65534) != 0) GTEST_SKIP() << "can't become another user";
  const auto with_ancestors = walk({directory_.path(), {"closed/in", "closed/on", "open/y", "gone/z"}, {}, true});
  const auto without = walk({directory_.path(), {"closed/in", "open/y"}, {}, false});
  ASSERT_TRUE(!is_root || ::seteuid(0) == 0);
  EXPECT_THAT(with_ancestors,
              ElementsAre(".", "closed", "!closed", "!closed/in", "!closed/on", "!gone/z", "open", "open/y"));
  EXPECT_THAT(without, ElementsAre("!closed/in", "open/y"));
}

TEST_F(WalkerTest, TellsAnIncludeOnAFileSystemThatItMayNotEnter) {
  write_file(directory_ / "open/y", "");
  const auto place = directory_.make("mounted");
  if (::mount("none", place.c_str(), "tmpfs", 0, "size=1M") != 0) GTEST_SKIP() << "needs to mount";
  write_file(place / "x", "");
  ::chmod(place.c_str(), 0);
  ::chmod(directory_.path().c_str(), 0755);
  FilterRules rules;
  rules.one_file_system = true;
  const bool become = ::seteuid(65534) == 0;
  const auto paths = walk({directory_.path(), {"mounted/x", "open/y"}, {}, true}, rules);
  ASSERT_EQ(::seteuid(0), 0);
  ::umount(place.c_str());
  if (!become) GTEST_SKIP() << "can't become another user";
  EXPECT_THAT(paths, ElementsAre(".", "mounted", "!mounted", "!mounted/x", "open", "open/y"));
}

TEST_F(WalkerTest, RefusesARootThatIsMissingOrNoDirectory) {
  write_file(directory_ / "file", "");
  for (const char* root : {"missing", "file"}) {
    try {
      static_cast<void>(walk({directory_ / root, {"."}, {}, false}));
      FAIL() << root;
    } catch (const Error& error) {
      EXPECT_EQ(error.cause(), ErrorCause::source);
    }
  }
}

TEST_F(WalkerTest, GoesAnyDepthWithFewDescriptors) {
  constexpr int kDepth = 1200;
  int fd = ::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; i < kDepth; ++i) {
    ASSERT_EQ(::mkdirat(fd, "directory", 0700), 0);
    const int next = ::openat(fd, "directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::close(::openat(next, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    ::close(fd);
    fd = next;
  }
  ::close(fd);
  const Filter filter{FilterRules()};
  Walker walker(whole(), filter);
  std::size_t entries = 0;
  std::size_t most_open = 0;
  for (WalkItem item; walker.next(item); ++entries) {
    ASSERT_EQ(item.event, WalkEvent::entry);
    if (entries % 100 != 0) continue;
    const auto open = std::filesystem::directory_iterator("/proc/self/fd");
    most_open = std::max(most_open, static_cast<std::size_t>(std::distance(begin(open), end(open))));
  }
  EXPECT_EQ(entries, 1U + 2 * kDepth);
  EXPECT_LT(most_open, 80U);
}

TEST_F(WalkerTest, OpensOnlyWhatItHasSeen) {
  write_file(directory_ / "x", "content");
  const Filter filter{FilterRules()};
  Walker walker(whole(), filter);
  WalkItem item;
  while (walker.next(item) && item.entry.path != "x") {
  }
  EXPECT_TRUE(open_entry(item).fd);
  std::filesystem::rename(directory_ / "x", directory_ / "y");
  ASSERT_EQ(::mkfifo((directory_ / "x").c_str(), 0600), 0);
  EXPECT_EQ(open_entry(item).os_errno, ESTALE);  // and it has not waited for a writer
  std::filesystem::remove(directory_ / "x");
  std::filesystem::create_symlink("y", directory_ / "x");
  EXPECT_EQ(open_entry(item).os_errno, ELOOP);
  EXPECT_EQ(stat_entry(item).os_errno, ESTALE);
}

TEST_F(WalkerTest, ReadsAttributesWithoutOpening) {
  test::make_nasty_tree(directory_.path());
  const UniqueFd fd(::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  int os_errno = -1;
  EXPECT_THAT(read_xattrs_at(fd.get(), "attributes", {}, &os_errno),
              ElementsAre(Xattr{"user.comment", std::string("a=b\0c", 5)}));
  EXPECT_EQ(os_errno, 0);
  MetadataOptions none;
  none.xattrs = none.acls = none.selinux = false;
  EXPECT_THAT(read_xattrs_at(fd.get(), "attributes", none, &os_errno), IsEmpty());
}

TEST(OwnerNames, KnowsRootAndNobodyElseByAccident) {
  OwnerNames names;
  EXPECT_EQ(names.user(0), "root");
  EXPECT_EQ(names.user(3'999'999'999U), "");
  EXPECT_EQ(names.uid("root"), 0);
  EXPECT_EQ(names.gid("no such group here"), -1);
}

// So deep that directories on the way were closed, and the way back is gone.
TEST_F(WalkerTest, ReportsDirectoriesThatAreMovedAwayWhileItIsBelowThem) {
  std::filesystem::path deep = directory_ / "root";
  for (int i = 0; i < 150; ++i) deep /= "d";
  std::filesystem::create_directories(deep);
  auto middle = directory_ / "root";
  for (int i = 0; i < 20; ++i) {
    middle /= "d";
    write_file(middle / "z", "after the directory");
  }
  auto below = middle;
  for (int i = 0; i < 20; ++i) below /= "d";
  const Filter filter(FilterRules{});
  Walker walker({directory_ / "root", {"."}, {}, false}, filter);
  int failures = 0;
  for (WalkItem item; walker.next(item);) {
    if (std::count(item.entry.path.begin(), item.entry.path.end(), '/') == 149)
      std::filesystem::rename(below, directory_ / "elsewhere");
    if (item.event == WalkEvent::list_failed) ++failures;
  }
  EXPECT_GT(failures, 0);
}

}  // namespace
}  // namespace autoarchive
