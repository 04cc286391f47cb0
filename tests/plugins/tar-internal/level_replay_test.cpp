// Chains without manifests: what their levels leave, and nothing else, whatever the target has.
#include "level_replay.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <optional>

#include "autoarchive/base/error.hpp"
#include "restore_fixture.hpp"
#include "scanned_entry.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::tar_internal {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LevelReplayTest : public RestoreFixture {
 protected:
  void restored(const ArchiveMember& member) override { restored_.push_back(member.entry.path); }
  /// The next level, by GNU tar, once `change` has been done in the tree.
  void add_level(const std::string& change) {
    const auto level = "level" + std::to_string(levels_.size()) + ".tar";
    shell("sleep 0.02 && mkdir -p tree && (cd tree; " + change +
          ") && tar --format=posix --listed-incremental=snar -cf " + level + " -C tree .");
    levels_.push_back(directory_ / level);
  }
  [[nodiscard]] RestoreRequest chain_request() const {
    RestoreRequest request;
    for (const auto& level : levels_) request.levels.emplace_back().file = open_local_file(level);
    return request;
  }
  RestoreResult restore_chain(OverwritePolicy overwrite, bool delete_others = false) {
    auto request = chain_request();
    request.overwrite = overwrite;
    request.delete_others = delete_others;
    return restore(std::move(request));
  }
  /// Why the restore ends; none if it does not.
  std::optional<ErrorCause> refusal_of(RestoreRequest request) {
    try {
      static_cast<void>(restore(std::move(request)));
      return std::nullopt;
    } catch (const Error& error) {
      return error.cause();
    }
  }
  /// As GNU tar lists them.
  [[nodiscard]] std::string renames_of(const std::string& level) const {
    return test::run_shell("tar --listed-incremental=/dev/null -tvvf " + test::shell_quote(directory_ / level) +
                           " | grep '^[RTX] '")
        .output;
  }
  [[nodiscard]] std::string content(const std::string& name) const { return test::read_file(target() / name); }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(target()))
      found.push_back(entry.path().lexically_relative(target()).native());
    std::sort(found.begin(), found.end());
    return found;
  }

  std::vector<fs::path> levels_;
  std::vector<std::string> restored_;
};

TEST_F(LevelReplayTest, TakesFromTheUserOnlyWhatTheLastLevelReplaces) {
  add_level("mkdir d gone x; for f in d/f gone/x keep x/f; do echo 0 > $f; done");
  add_level("rm -r d gone x");
  add_level("mkdir x; echo 2 > x/f");
  add_level("rm -r x");
  for (const char* name : {"d/mine", "d/f", "gone", "x/f", "keep"}) test::write_file(target() / name, "mine");
  const auto result = restore_chain(OverwritePolicy::always);
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_EQ(result.removed, 0U);
  EXPECT_THAT(names(), ElementsAre("d", "d/f", "d/mine", "gone", "keep", "x", "x/f"));
  for (const char* name : {"d/f", "gone", "x/f"}) EXPECT_EQ(content(name), "mine") << name;
  EXPECT_EQ(content("keep"), "0\n");
}

TEST_F(LevelReplayTest, RemovesForThoseWhoAskWhatTheLastLevelDoesNotHave) {
  add_level("mkdir d; echo 0 > d/f; echo 0 > keep");
  add_level("rm -r d");
  for (const char* name : {"d/f", "other"}) test::write_file(target() / name, "mine");
  EXPECT_EQ(restore_chain(OverwritePolicy::never, /*delete_others=*/true).removed, 2U);
  EXPECT_THAT(names(), ElementsAre("keep"));
}

TEST_F(LevelReplayTest, ComparesTheLastLevelsTimesWithWhatIsThere) {
  add_level("echo 0 > f; touch -d 2020-01-01 f; echo 0 > g");
  add_level("echo 1 > f; touch -d 2010-01-01 f");
  test::write_file(target() / "f", "mine");
  const timespec times[2] = {{1'400'000'000, 0}, {1'400'000'000, 0}};  // between the two
  ASSERT_EQ(::utimensat(AT_FDCWD, (target() / "f").c_str(), times, 0), 0);
  static_cast<void>(restore_chain(OverwritePolicy::newer));
  EXPECT_EQ(content("f"), "mine");
  EXPECT_EQ(content("g"), "0\n");
}

TEST_F(LevelReplayTest, BringsOnceWhatSeveralLevelsHave) {
  add_level("echo 0 > f; echo 0 > g");
  add_level("echo 1 > f");
  auto request = chain_request();
  request.dry_run = true;
  EXPECT_EQ(restore(std::move(request)).entries, 3U);  // with the root
  EXPECT_FALSE(fs::exists(target()));
  const auto planned = restored_;
  restored_.clear();
  EXPECT_EQ(restore_chain(OverwritePolicy::always).entries, 3U);
  std::sort(restored_.begin(), restored_.end());
  EXPECT_THAT(restored_, ElementsAre(".", "f", "g"));
  EXPECT_THAT(planned, ::testing::UnorderedElementsAreArray(restored_));
  EXPECT_EQ(content("f"), "1\n");
}

// Where a file has another name, whichever of them is there or wanted.
TEST_F(LevelReplayTest, GivesEveryNameTheContentThatItHad) {
  add_level("echo old > a; ln a b");
  add_level("echo new > c; ln c d; rm a; echo other > a");
  static_cast<void>(restore_chain(OverwritePolicy::always));
  EXPECT_THAT(problems_, IsEmpty());
  for (const auto& [name, text] : {std::pair("a", "other\n"), {"b", "old\n"}, {"c", "new\n"}, {"d", "new\n"}})
    EXPECT_EQ(content(name), text) << name;
  EXPECT_EQ(fs::hard_link_count(target() / "c"), 2U);
  EXPECT_EQ(fs::hard_link_count(target() / "b"), 1U);

  fs::remove_all(target());
  auto request = chain_request();
  request.paths = {"b", "d"};
  EXPECT_THAT(restore(std::move(request)).not_found, IsEmpty());
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_THAT(names(), ElementsAre("b", "d"));
  EXPECT_EQ(content("b"), "old\n");
  EXPECT_EQ(content("d"), "new\n");
}

TEST_F(LevelReplayTest, BringsAFurtherNameOutOfASingleFile) {
  make_archive(
      "add('a', data=b'1')\nadd('b', tarfile.LNKTYPE, 'a')\nadd('c', tarfile.LNKTYPE, 'a')\n"
      "add('x', tarfile.LNKTYPE, 'nowhere')");
  auto request = whole_request();
  request.paths = {"b", "c", "x"};
  EXPECT_EQ(restore(std::move(request)).entries, 2U);
  EXPECT_EQ(content("b"), "1");
  EXPECT_EQ(fs::hard_link_count(target() / "b"), 2U);
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("x: it is another name of 'nowhere', which is not in the backup")));

  test::write_file(target() / "a", "mine");
  fs::remove(target() / "b");
  request = whole_request();
  request.overwrite = OverwritePolicy::never;
  request.paths = {"a", "b"};
  EXPECT_EQ(restore(std::move(request)).entries, 1U);
  EXPECT_EQ(content("a"), "mine");
  EXPECT_EQ(content("b"), "1");
}

TEST_F(LevelReplayTest, FollowsDirectoriesThatWereRenamed) {
  add_level(
      "mkdir -p d/e m; echo f > d/e/f; echo g > d/g; ln d/g d/h; ln -s g d/s; mkdir gone; echo x > gone/x; echo m > "
      "m/f; sleep 0.1");
  add_level("rm -r gone; mv d gone; mv m n; rm gone/s; sleep 0.1");
  add_level("mv gone/e e; echo new > e/new");
  EXPECT_THAT(renames_of("level1.tar"), HasSubstr("R ./d\nT ./gone\n"));
  EXPECT_THAT(renames_of("level2.tar"), HasSubstr("R ./gone/e\nT ./e\n"));
  static_cast<void>(restore_chain(OverwritePolicy::always));
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_THAT(test::diff_trees(directory_ / "tree", target()), IsEmpty());

  fs::remove_all(target());
  auto request = chain_request();
  request.paths = {"e/f", "gone/h", "n/f", "d/g"};
  EXPECT_THAT(restore(std::move(request)).not_found, ElementsAre("d/g"));
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_THAT(names(), ElementsAre("e", "e/f", "gone", "gone/h", "n", "n/f"));
  EXPECT_EQ(content("e/f") + content("gone/h"), "f\ng\n");
}

// What GNU tar writes of these is not what has happened, or not in that order.
TEST_F(LevelReplayTest, RefusesDirectoriesThatChangePlaces) {
  const std::string make = "mkdir -p a b z/y/x; for d in a b z z/y z/y/x; do echo $d > $d/f; done; sleep 0.1";
  for (const char* change : {"mv a t; mv b a; mv t b", "mv b c; mv a b", "mv z c; mv b z; mv a b",
                             "mv z/y t; rm -r z; mv t z", "mv z/y t; mv z t/z; mv t y"}) {
    levels_.clear();
    fs::remove(directory_ / "snar");
    fs::remove_all(directory_ / "tree");
    add_level(make);
    add_level(change);
    for (const bool salvage : {false, true}) {
      auto request = chain_request();
      request.salvage = salvage;
      EXPECT_EQ(refusal_of(std::move(request)), ErrorCause::unsupported) << change << renames_of("level1.tar");
    }
    auto request = chain_request();
    request.observer = this;
    EXPECT_THROW(static_cast<void>(TarArchiveReader({}).prove(request)), Error) << change;
  }
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(LevelReplayTest, RefusesARenameOfWhatIsNotThere) {
  make_archive("add('b', tarfile.DIRTYPE)\nadd('b/f', data=b'x')\nadd('f', data=b'x')");
  fs::rename(archive(), directory_ / "level0.tar");
  for (const char* name : {"nowhere", "f"}) {
    make_archive("add('.', tarfile.DIRTYPE, pax={'GNU.dumpdir': 'R" + std::string(name) + "\\0Tb\\0Db\\0Yf\\0\\0'})");
    levels_ = {directory_ / "level0.tar", archive()};
    EXPECT_EQ(refusal_of(chain_request()), ErrorCause::unsupported) << name;
  }
}

TEST_F(LevelReplayTest, NamesWhatAMissingLevelHadAndLeavesIt) {
  add_level("mkdir d; echo 0 > d/f; python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('d/socket')\"");
  add_level("echo 1 > d/g");
  add_level("echo 2 > d/h");
  add_level("echo 3 > d/i");
  levels_.erase(levels_.begin() + 1);
  test::write_file(target() / "d/g", "mine");
  test::write_file(target() / "other", "mine");
  EXPECT_EQ(restore_chain(OverwritePolicy::always, /*delete_others=*/true).removed, 1U);
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("d/g: it is listed as stored in an earlier level"),
                                     HasSubstr("d/socket: it is listed, and no level has it")));
  EXPECT_THAT(names(), ElementsAre("d", "d/f", "d/g", "d/h", "d/i"));
}

TEST_F(LevelReplayTest, MakesWayForDirectoriesBeforeWhatIsInThem) {
  add_level("mkdir -p d/e l; echo 0 > d/e/f; echo 0 > l/f");
  add_level("echo 1 > d/g; echo 1 > l/g");
  test::write_file(target() / "d", "a file");
  fs::create_directory(directory_ / "elsewhere");
  fs::create_directory_symlink(directory_ / "elsewhere", target() / "l");
  static_cast<void>(restore_chain(OverwritePolicy::never));
  EXPECT_TRUE(fs::is_symlink(target() / "l"));
  EXPECT_EQ(content("d"), "a file");
  problems_.clear();
  static_cast<void>(restore_chain(OverwritePolicy::always));
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_THAT(names(), ElementsAre("d", "d/e", "d/e/f", "d/g", "l", "l/f", "l/g"));
  EXPECT_TRUE(fs::is_empty(directory_ / "elsewhere"));
}

TEST_F(LevelReplayTest, ComparesTheLastOfSeveralMembersOfOneName) {
  make_archive(
      "add('f', data=b'2020', pax={'mtime': '1577836800'})\nadd('f', data=b'2010', pax={'mtime': '1262304000'})");
  test::write_file(target() / "f", "2014");
  const timespec times[2] = {{1'400'000'000, 0}, {1'400'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (target() / "f").c_str(), times, 0), 0);
  auto request = whole_request();
  request.overwrite = OverwritePolicy::newer;
  EXPECT_EQ(restore(std::move(request)).entries, 0U);
  EXPECT_EQ(content("f"), "2014");
}

TEST_F(LevelReplayTest, GivesALinkToADirectoryNoContentAndAFileNothingBelowIt) {
  make_archive(
      "add('dir', tarfile.DIRTYPE)\nadd('dir/f', data=b'1')\nadd('link', tarfile.LNKTYPE, 'dir')\nadd('b', data=b'b')");
  fs::rename(archive(), directory_ / "level0.tar");
  make_archive("add('b/c', data=b'c')");
  levels_ = {directory_ / "level0.tar", archive()};
  auto request = chain_request();
  request.dry_run = true;
  EXPECT_EQ(restore(std::move(request)).entries, 3U);
  EXPECT_EQ(restore_chain(OverwritePolicy::always).entries, 3U);
  EXPECT_THAT(names(), ElementsAre("b", "b/c", "dir", "dir/f"));
  EXPECT_THAT(problems_, ::testing::Each(HasSubstr("link: it is another name of 'dir'")));
}

TEST_F(LevelReplayTest, LinksNothingInThePlaceOfADirectoryThatCameLater) {
  make_archive("add('a', data=b'a')\nadd('b', tarfile.LNKTYPE, 'a')\nadd('b/c', data=b'c')");
  auto request = whole_request();
  request.paths = {"b"};
  request.delete_others = true;
  EXPECT_EQ(restore(std::move(request)).removed, 0U);
  EXPECT_THAT(names(), ElementsAre("b", "b/c"));
}

// Behind damage offsets count from a part on, and so come again and again.
TEST_F(LevelReplayTest, SalvagesEachNamesOwnContentOutOfParts) {
  test::write_file(
      directory_ / "make.py",
      "import gzip, io, tarfile\n"
      "def part(*members):\n"
      " out = b''\n"
      " for name, data, link in members:\n"
      "  m = tarfile.TarInfo(name); m.size = len(data); m.linkname = link\n"
      "  m.type = tarfile.LNKTYPE if link else tarfile.REGTYPE\n"
      "  out += m.tobuf() + data + bytes(-len(data) % 512)\n"
      " return gzip.compress(out)\n"
      "bad = bytearray(part(('lost', bytes(range(256)) * 40, '')))\n"
      "for i in range(40, len(bad) - 8): bad[i] ^= 0x55\n"
      "end = gzip.compress(bytes(1024))\n"
      "open('level0.tar.gz', 'wb').write(part(('first', b'FIRST', '')) + bad + part(('x', b'XX', ''), ('b', "
      "b'', 'x')) + bad + part(('y', b'YY', ''), ('c', b'', 'y')) + end)\n"
      "open('level1.tar.gz', 'wb').write(part(('new', b'N', '')) + end)\n");
  shell("python3 make.py");
  levels_ = {directory_ / "level0.tar.gz", directory_ / "level1.tar.gz"};
  for (const bool is_chain : {true, false}) {
    if (!is_chain) levels_.pop_back();
    auto request = chain_request();
    request.salvage = true;
    request.paths = {"b", "c", "first"};
    EXPECT_GT(restore(std::move(request)).damaged, 0U);
    EXPECT_EQ(content("b") + content("c") + content("first"), "XXYYFIRST") << is_chain;
    fs::remove_all(target());
  }
}

TEST(Dumpdir, TellsRenamesFromWhatIsNone) {
  using namespace std::string_view_literals;
  const auto parsed = parse_dumpdir("Yb\0Na\0Y\0N\0Yb\0Na\0Rx\0Ty\0Ry/z\0Tw\0\0Dpadding\0"sv);
  EXPECT_THAT(parsed.names, ElementsAre("a", "b"));
  EXPECT_THAT(parsed.unstored, ElementsAre("a"));
  EXPECT_FALSE(parsed.has_circles);
  ASSERT_EQ(parsed.renames.size(), 2U);
  EXPECT_EQ(parsed.renames[1].from + ">" + parsed.renames[1].to, "y/z>w");
  for (const auto text : {"X.\0"sv, "Rx\0"sv, "Ty\0"sv, "Rx\0Yf\0Ty\0"sv, "Rx\0Rz\0Ty\0"sv, "R\0Ty\0"sv, "Rx\0T\0"sv})
    EXPECT_TRUE(parse_dumpdir(text).has_circles) << text;
}

TEST(LevelReplay, GoesThroughSoManyNamesForRenamesAndNoMore) {
  LevelReplay tree(1_MiB, /*max_moves=*/7);
  ArchiveMember member;
  member.entry.path = "a";
  member.entry.kind = EntryKind::directory;
  tree.add(member, {0, 0});
  member.entry.path = "a/x";
  member.entry.kind = EntryKind::file;
  tree.add(member, {1, 0});
  for (int i = 0; i < 3; ++i) tree.rename({i % 2 == 0 ? Rename{"a", "b"} : Rename{"b", "a"}}, /*is_whole=*/true);
  EXPECT_TRUE(tree.content_of("b/x"));
  EXPECT_THROW(tree.rename({{"b", "a"}}, /*is_whole=*/true), Error);
}

TEST(LevelReplay, FindsTheFilesOnAnyWay) {
  LevelReplay tree;
  ArchiveMember member;
  member.entry.kind = EntryKind::file;
  for (const char* path : {"a", "a-b", "a.c", "a/b", "a/b!", "a/b/c/d", "a/b/c/e"}) {
    member.entry.path = path;
    tree.add(member, {1, 0});
  }
  EXPECT_FALSE(tree.content_of("a") || tree.content_of("a/b"));
  for (const char* path : {"a-b", "a.c", "a/b!", "a/b/c/d", "a/b/c/e"}) EXPECT_TRUE(tree.content_of(path)) << path;
}

TEST(LevelReplay, CountsLongNamesOfRenamesAsMemory) {
  LevelReplay replay(4_MiB);
  ArchiveMember member;
  member.entry.path = "a";
  member.entry.kind = EntryKind::directory;
  replay.add(member, {0, 0});
  member.entry.kind = EntryKind::file;
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    member.entry.path = "a/" + std::to_string(i);
    replay.add(member, {1 + i, 0});
  }
  replay.rename({{"a", "b"}}, /*is_whole=*/true);
  replay.rename({{"b", std::string(1'000, 'c')}}, /*is_whole=*/true);
  EXPECT_THROW(replay.rename({{std::string(1'000, 'c'), std::string(9'000, 'd')}}, /*is_whole=*/true), Error);
}

TEST(LevelReplay, TakesNoMoreMemoryThanItMay) {
  LevelReplay replay(1_MiB);
  ArchiveMember member;
  const auto add = [&](int number) {
    member.entry.path = std::string(1000, 'x') + std::to_string(number % 500);
    replay.add(member, {static_cast<std::uint64_t>(number), 0});
  };
  for (int i = 0; i < 5'000; ++i) add(i);
  const auto add_many_names = [&] {
    for (int i = 0;; ++i) {
      member.entry.path = std::to_string(i);
      replay.add(member, {static_cast<std::uint64_t>(i), 1});
    }
  };
  EXPECT_THROW(add_many_names(), Error);
}

TEST(LevelReplay, KnowsWhatALevelsListsLeave) {
  LevelReplay replay;
  std::uint64_t offset = 0;
  std::map<std::string, LevelReplay::Place> places;
  const auto add = [&](const std::string& path, EntryKind kind) {
    ArchiveMember member;
    member.entry.path = path;
    member.entry.kind = kind;
    places[path] = {++offset, 0};
    replay.add(member, places[path]);
  };
  for (const char* path : {"d", "d/a", "d/a/x", "d/b"}) add(path, EntryKind::directory);
  for (const char* path : {"d/a-b", "d/a/x/f", "d/b/f", "d-e", "e"}) add(path, EntryKind::file);
  const auto is_there = [&](const std::string& path) { return replay.last_path(path, places[path]) != nullptr; };
  ArchiveMember list;
  list.entry.path = "d";
  list.dumpdir = std::vector<std::string>{"a"};
  replay.apply_list(list, {});
  for (const char* path : {"d", "d/a", "d/a/x", "d/a/x/f", "d-e", "e"}) EXPECT_TRUE(is_there(path)) << path;
  for (const char* path : {"d/a-b", "d/b", "d/b/f"}) EXPECT_FALSE(is_there(path)) << path;
  add("d/a", EntryKind::file);
  for (const char* path : {"d/a/x", "d/a/x/f"}) EXPECT_FALSE(is_there(path)) << path;
  list.entry.path = ".";
  list.dumpdir = std::vector<std::string>{"e"};
  replay.apply_list(list, {});
  for (const char* path : {"d", "d/a", "d-e"}) EXPECT_FALSE(is_there(path)) << path;
  EXPECT_TRUE(is_there("e"));
}

}  // namespace
}  // namespace autoarchive::tar_internal
