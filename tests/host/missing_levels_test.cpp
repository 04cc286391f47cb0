// Chains of which files are missing: refused, and with --salvage restored as far as they are there.
#include <unistd.h>

#include <filesystem>

#include "application_fixture.hpp"

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class MissingLevelsTest : public ApplicationTest {
 protected:
  /// Levels 0 to 3, with a file each that comes with it, and one that each of them changes.
  void SetUp() override {
    for (int level = 0; level < 4; ++level) {
      test::write_file(directory_ / "root/doc", "version " + std::to_string(level));
      test::write_file(directory_ / ("root/of" + std::to_string(level)), "x");
      ASSERT_EQ(create({"--incremental", "--type", "tar"}), 0) << err_;
    }
  }
  [[nodiscard]] fs::path backup(int level) const {
    return directory_ / "backups" / (level == 0 ? "home.tar" : "home." + std::to_string(level) + ".tar");
  }
  void drop_manifest(int level) const {
    for (const char* suffix : {".manifest.zst", ".sha256"}) fs::remove(backup(level) += suffix);
  }
  void drop_manifests() const {
    for (int level = 0; level < 4; ++level) drop_manifest(level);
  }
  int restore(const std::vector<std::string>& more = {}) {
    fs::remove_all(directory_ / "restored");
    std::vector<std::string> words{"restore",     "home@3", "--destination",
                                   destination(), "--to",   directory_ / "restored"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  [[nodiscard]] bool is_there(const std::string& name) const { return fs::exists(directory_ / "restored" / name); }
  [[nodiscard]] std::string content(const std::string& name) const {
    return is_there(name) ? test::read_file(directory_ / "restored" / name) : "";
  }
  /// Of the files that come with levels, all but that one.
  void expect_all_but(int missing) {
    for (int level = 0; level < 4; ++level)
      EXPECT_EQ(is_there("of" + std::to_string(level)), level != missing) << "level " << level;
    EXPECT_EQ(is_there("d/b"), missing != 0);
    EXPECT_EQ(content("doc"), missing == 3 ? "" : "version 3");
  }
};

TEST_F(MissingLevelsTest, AreRefusedUnlessTheRestIsSalvaged) {
  for (int level = 0; level < 3; ++level) {
    fs::rename(backup(level), directory_ / "kept");
    EXPECT_EQ(restore(), 2);
    EXPECT_THAT(err_, HasSubstr("is missing"));
    EXPECT_FALSE(fs::exists(directory_ / "restored"));
    EXPECT_EQ(restore({"--salvage"}), 2);
    const auto number = std::to_string(level);
    EXPECT_THAT(err_, AllOf(HasSubstr("what is there is read all the same"),
                            HasSubstr("the file of level " + number + " is missing"),
                            HasSubstr("'of" + number + "': it is in level "), HasSubstr(", whose file is missing")));
    expect_all_but(level);
    fs::rename(directory_ / "kept", backup(level));
  }
  EXPECT_EQ(restore({"--salvage"}), 0) << err_;
}

TEST_F(MissingLevelsTest, AreToldOfByADryRun) {
  fs::remove(backup(1));
  EXPECT_EQ(restore({"--salvage", "--dry-run"}), 2);
  EXPECT_THAT(err_, HasSubstr("'of1': it is in level 1, whose file is missing"));
  EXPECT_THAT(err_, Not(HasSubstr("'of2'")));
  EXPECT_THAT(err_, Not(HasSubstr("as it was before")));
  EXPECT_FALSE(fs::exists(directory_ / "restored"));
}

TEST_F(MissingLevelsTest, LeaveWhatTheOthersHaveWithoutManifests) {
  drop_manifests();
  fs::remove(backup(1));
  EXPECT_EQ(restore(), 2);
  for (const bool is_dry : {true, false}) {
    std::vector<std::string> words{"--salvage"};
    if (is_dry) words.emplace_back("--dry-run");
    EXPECT_EQ(restore(words), 2);
    EXPECT_THAT(err_, AllOf(HasSubstr("the file of level 1 is missing"), HasSubstr("come back as it was before")));
  }
  expect_all_but(1);
}

TEST_F(MissingLevelsTest, LeaveTheLastOnesWhereTheFirstIsMissingWithoutManifests) {
  drop_manifests();
  for (const int level : {0, 1}) fs::remove(backup(level));
  EXPECT_EQ(restore({"--salvage"}), 2);
  EXPECT_THAT(err_, HasSubstr("the files of the levels 0 to 1 are missing"));
  EXPECT_TRUE(is_there("of2") && is_there("of3"));
  EXPECT_EQ(content("doc"), "version 3");
}

TEST_F(MissingLevelsTest, AreFoundAgainBelowAGap) {
  for (const int level : {1, 2}) fs::remove(backup(level));
  EXPECT_EQ(restore({"--salvage"}), 2);
  EXPECT_TRUE(is_there("of0") && is_there("of3"));
  EXPECT_THAT(err_, HasSubstr("the files of the levels 1 to 2 are missing"));
}

TEST_F(MissingLevelsTest, AreNotTakenFromAnotherChain) {
  fs::remove(backup(1));
  ASSERT_EQ(run({"create", "home", "--root", directory_ / "root/d", "--destination", directory_.make("elsewhere"),
                 "--type", "tar", "--incremental", "--full", "--new-destination"}),
            0)
      << err_;
  for (const char* suffix : {"", ".manifest.zst"})
    fs::copy(directory_ / ("elsewhere/home.tar" + std::string(suffix)), backup(0) += suffix,
             fs::copy_options::overwrite_existing);
  EXPECT_EQ(restore({"--salvage"}), 2);
  EXPECT_THAT(err_, HasSubstr("the files of the levels 0 to 1 are missing"));
  EXPECT_FALSE(is_there("b"));
  EXPECT_TRUE(is_there("of2") && is_there("of3"));
}

TEST_F(MissingLevelsTest, AreWhatIsCalledLikeThemAndSaysNothing) {
  auto bytes = test::read_file(backup(0));
  bytes.replace(0, 1536, std::string(1536, '!'));
  test::write_file(backup(0), bytes);
  drop_manifest(0);
  EXPECT_EQ(restore(), 2);
  EXPECT_FALSE(fs::exists(directory_ / "restored"));
  EXPECT_EQ(restore({"--salvage"}), 2);
  expect_all_but(-1);
}

TEST_F(MissingLevelsTest, AreThoseThatCannotBeOpened) {
  if (::geteuid() == 0) GTEST_SKIP() << "root opens everything";
  fs::permissions(backup(1), fs::perms::none);
  EXPECT_NE(restore(), 0);
  EXPECT_EQ(restore({"--salvage"}), 2);
  expect_all_but(1);
}

TEST_F(MissingLevelsTest, RemoveNothing) {
  fs::remove(backup(1));
  EXPECT_EQ(restore({"--salvage", "--delete"}), 2);
  EXPECT_THAT(err_, HasSubstr("leave out --delete"));
}

TEST_F(MissingLevelsTest, AreRefusedByWhatOnlyReads) {
  fs::remove(backup(1));
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"ls", "home@3"}, {"cat", "home@3", "doc"}, {"verify", "home@3"}}) {
    auto all = words;
    all.insert(all.end(), {"--destination", destination()});
    EXPECT_EQ(run(all), 2) << words.front();
    EXPECT_THAT(err_, HasSubstr("is missing")) << words.front();
  }
  EXPECT_EQ(restore({"--script"}), 2);
}

TEST_F(MissingLevelsTest, AreLeftOutOfAChainThatIsNamedByItsFile) {
  fs::remove(backup(1));
  EXPECT_EQ(run({"restore", backup(3), "--salvage", "--to", directory_ / "restored"}), 2);
  expect_all_but(1);
}

}  // namespace
}  // namespace autoarchive::host
