// Chains without manifests: what their levels leave, and nothing else, whatever the target has.
#include "level_replay.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

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
    const auto made =
        test::run_shell("sleep 0.02 && cd " + test::shell_quote(directory_.path()) + " && mkdir -p tree && (cd tree; " +
                        change + ") && tar --format=posix --listed-incremental=snar -cf " + level + " -C tree .");
    ASSERT_EQ(made.status, 0) << made.output;
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
      "mkdir -p d/e; echo f > d/e/f; echo g > d/g; ln d/g d/h; ln -s g d/s; mkdir gone; echo x > gone/x; sleep 0.1");
  add_level("rm -r gone; mv d gone; mv gone/e e; rm gone/s; sleep 0.1");
  add_level("mv e gone/e2; echo new > gone/e2/new");
  const auto listing = test::run_shell("cd " + test::shell_quote(directory_.path()) +
                                       " && tar --listed-incremental=/dev/null -tvvf level1.tar && tar "
                                       "--listed-incremental=/dev/null -tvvf level2.tar");
  EXPECT_THAT(listing.output, HasSubstr("R ./d\nT ./gone\nR ./gone/e\nT ./e\n"));
  EXPECT_THAT(listing.output, HasSubstr("R ./e\nT ./gone/e2\n"));
  static_cast<void>(restore_chain(OverwritePolicy::always));
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_THAT(test::diff_trees(directory_ / "tree", target()), IsEmpty());

  fs::remove_all(target());
  auto request = chain_request();
  request.paths = {"gone/e2/f", "gone/h", "d/g"};
  EXPECT_THAT(restore(std::move(request)).not_found, ElementsAre("d/g"));
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_THAT(names(), ElementsAre("gone", "gone/e2", "gone/e2/f", "gone/h"));
  EXPECT_EQ(content("gone/e2/f") + content("gone/h"), "f\ng\n");
}

// Its records are not what has happened.
TEST_F(LevelReplayTest, RefusesDirectoriesThatWentInACircle) {
  add_level("for d in a b c; do mkdir $d; echo $d > $d/f; done; sleep 0.1");
  add_level("mv a t; mv b a; mv c b; mv t c");
  try {
    static_cast<void>(restore_chain(OverwritePolicy::always));
    ADD_FAILURE() << "restored";
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::unsupported);
    EXPECT_THAT(error.message(), HasSubstr("in a circle"));
  }
  EXPECT_THAT(names(), IsEmpty());
}

TEST(Dumpdir, TellsRenamesFromWhatIsNone) {
  using namespace std::string_view_literals;
  const auto parsed = parse_dumpdir("Yb\0Na\0Rx\0Ty\0Ry/z\0Tw\0\0Dpadding\0"sv);
  EXPECT_THAT(parsed.names, ElementsAre("a", "b"));
  EXPECT_TRUE(parsed.has_unstored && !parsed.has_circles);
  ASSERT_EQ(parsed.renames.size(), 2U);
  EXPECT_EQ(parsed.renames[1].from + ">" + parsed.renames[1].to, "y/z>w");
  for (const auto text : {"X.\0"sv, "Rx\0"sv, "Ty\0"sv, "Rx\0Yf\0Ty\0"sv, "Rx\0Rz\0Ty\0"sv, "R\0Ty\0"sv, "Rx\0T\0"sv})
    EXPECT_TRUE(parse_dumpdir(text).has_circles) << text;
}

TEST(LevelReplay, EndsRenamesThatGoOnAndOn) {
  LevelReplay replay;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    ArchiveMember member;
    member.entry.path = "a/" + std::to_string(i);
    replay.add(member, {i, 0});
  }
  const auto forever = [&] {
    for (;;) {
      replay.rename({"a", "b"});
      replay.rename({"b", "a"});
    }
  };
  EXPECT_THROW(forever(), Error);
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
  const auto add = [&](const std::string& path, EntryKind kind) {
    ArchiveMember member;
    member.entry.path = path;
    member.entry.kind = kind;
    replay.add(member, {++offset, 0});
  };
  for (const char* path : {"d", "d/a", "d/a/x", "d/b"}) add(path, EntryKind::directory);
  for (const char* path : {"d/a-b", "d/a/x/f", "d/b/f", "d-e", "e"}) add(path, EntryKind::file);
  const auto is_there = [&](const std::string& path) { return replay.content_of(path).has_value(); };
  ArchiveMember list;
  list.entry.path = "d";
  list.dumpdir = std::vector<std::string>{"a"};
  replay.apply_list(list);
  for (const char* path : {"d", "d/a", "d/a/x", "d/a/x/f", "d-e", "e"}) EXPECT_TRUE(is_there(path)) << path;
  for (const char* path : {"d/a-b", "d/b", "d/b/f"}) EXPECT_FALSE(is_there(path)) << path;
  add("d/a", EntryKind::file);
  for (const char* path : {"d/a/x", "d/a/x/f"}) EXPECT_FALSE(is_there(path)) << path;
  list.entry.path = ".";
  list.dumpdir = std::vector<std::string>{"e"};
  replay.apply_list(list);
  for (const char* path : {"d", "d/a", "d-e"}) EXPECT_FALSE(is_there(path)) << path;
  EXPECT_TRUE(is_there("e"));
}

}  // namespace
}  // namespace autoarchive::tar_internal
