// The newest backup of an archive is gone, and what is left is whole.
#include "job/missing_backup.hpp"

#include <filesystem>

#include "chains_fixture.hpp"

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class MissingBackupTest : public ChainsTest {
 protected:
  MissingBackupTest() {
    configure_home("");
    for (int level = 0; level < 3; ++level) make(level);
  }
  void make(int level, const std::vector<std::string>& more = {}) {
    test::write_file(directory_ / "root/doc", "version " + std::to_string(level));
    std::vector<std::string> words{"create", "home"};
    words.insert(words.end(), more.begin(), more.end());
    EXPECT_EQ(run(words), 0) << err_;
  }
  void lose(const std::string& name) const {
    for (const char* end : {"", ".manifest.zst", ".sha256"}) fs::remove(backup(name + end));
  }
  void expect_told(const std::string& what) {
    EXPECT_EQ(verify("data"), 2);
    EXPECT_THAT(err_, AllOf(HasSubstr("[home] error: the newest backup, level "), HasSubstr(what),
                            HasSubstr(" is not in '" + destination() + "': "), HasSubstr("make a new backup"),
                            HasSubstr("(archive.missing)")));
    EXPECT_EQ(status(), 2);
    EXPECT_THAT(out_, AllOf(HasSubstr("home: the newest backup, level "), HasSubstr(what)));
    EXPECT_THAT(out_, Not(HasSubstr("there is no backup yet")));
  }
  void expect_well() {
    EXPECT_EQ(verify("data"), 0) << err_;
    EXPECT_EQ(status(), 0) << out_;
  }
};

TEST_F(MissingBackupTest, IsToldByTheManifestThatIsLeftOfIt) {
  fs::remove_all(directory_ / "state");
  expect_well();
  fs::rename(backup("home.2.tar.gz"), directory_ / "lost");
  expect_told("there is its manifest 'home.2.tar.gz.manifest.zst', but no 'home.2.tar.gz'");
  EXPECT_EQ(run({"verify", "--destination", destination()}), 2);
  EXPECT_EQ(run({"verify", "home@1"}), 0) << "it is another one that is asked for: " << err_;
  EXPECT_EQ(restore(""), 1);
  EXPECT_THAT(err_, HasSubstr("warning: the newest backup, level 2"));
  EXPECT_EQ(restore("1"), 0) << err_;
  fs::rename(directory_ / "lost", backup("home.2.tar.gz"));
  expect_well();
}

TEST_F(MissingBackupTest, IsToldAlsoIfNothingElseIsThere) {
  for (const char* name : {"home.tar.gz", "home.1.tar.gz", "home.2.tar.gz"}) fs::remove(backup(name));
  expect_told("level 2");
  for (const char* name : {"home.tar.gz", "home.1.tar.gz", "home.2.tar.gz"}) lose(name);
  expect_told("there is none at all");
}

TEST_F(MissingBackupTest, IsNotOneThatANewerOneHasFollowed) {
  fs::remove(backup("home.2.tar.gz"));
  fs::copy_file(backup("home.2.tar.gz.manifest.zst"), directory_ / "left");
  make(2);
  EXPECT_THAT(err_ + out_, AllOf(HasSubstr("level 2 again: the level 2 that was made before is not in the destination"),
                                 HasSubstr("home: level 2 by ")));
  fs::copy_file(directory_ / "left", backup("home.7.tar.gz.manifest.zst"));
  expect_well();
}

TEST_F(MissingBackupTest, IsMadeAgainOnWhatIsLeft) {
  for (const std::string provider : {"tar-internal", "tar-external"}) {
    make(0, {"--full", "--provider", provider});
    make(1, {"--provider", provider});
    const auto before = test::read_file(directory_ / "root/doc");
    test::write_file(directory_ / "root/comes", "x");
    make(2, {"--provider", provider});
    lose("home.2.tar.gz");
    fs::remove(directory_ / "root/comes");
    make(3, {"--provider", provider});
    EXPECT_THAT(out_, HasSubstr("home: level 2 by ")) << provider << err_;
    EXPECT_EQ(restore(""), 0) << err_;
    EXPECT_THAT(test::diff_trees(directory_ / "root", directory_ / "restored"), IsEmpty());
    EXPECT_EQ(restore("1"), 0) << err_;
    EXPECT_EQ(test::read_file(directory_ / "restored/doc"), before);
    expect_well();
  }
}

TEST_F(MissingBackupTest, IsNotOneThatACommitIsMoving) {
  fs::remove(backup("home.2.tar.gz"));
  test::write_file(backup(".home.journal"), "a run was killed here");
  expect_well();
}

TEST_F(MissingBackupTest, IsKnownByTheLastRun) {
  lose("home.2.tar.gz");
  expect_told("the newest that is there is 'home.1.tar.gz' of ");
  make(2);
  expect_well();
}

TEST_F(MissingBackupTest, IsKnownWhereAnOlderOneStandsInItsPlace) {
  fs::copy(directory_ / "backups", directory_ / "copy", fs::copy_options::recursive);
  make(0, {"--full"});
  for (const char* name : {"home.tar.gz", "home.1.tar.gz", "home.2.tar.gz"}) {
    for (const std::string end : {"", ".manifest.zst", ".sha256"})
      fs::copy_file(directory_ / "copy" / (name + end), backup(name + end), fs::copy_options::overwrite_existing);
  }
  expect_told("level 0");
}

TEST_F(MissingBackupTest, MayBeAFileThatSaysNothing) {
  fs::remove_all(directory_ / "state");
  for (const char* name : {"home.tar.gz", "home.1.tar.gz", "home.2.tar.gz"}) drop_manifest(name);
  const auto whole = test::read_file(backup("home.2.tar.gz"));
  const auto time = fs::last_write_time(backup("home.2.tar.gz"));
  test::write_file(backup("home.2.tar.gz"), std::string(27, '\0') + whole.substr(27));
  EXPECT_EQ(restore(""), 1);
  EXPECT_THAT(err_, HasSubstr("the newest backup may be 'home.2.tar.gz', of which nothing can be read"));
  EXPECT_EQ(verify("data"), 2);
  EXPECT_THAT(err_, AllOf(HasSubstr("the newest backup may be 'home.2.tar.gz'"), HasSubstr("(archive.missing)")));
  EXPECT_EQ(status(), 2);
  EXPECT_EQ(run({"restore", backup("home.2.tar.gz"), "--salvage", "--to", directory_ / "salvaged"}), 2);
  fs::last_write_time(backup("home.2.tar.gz"), fs::last_write_time(backup("home.1.tar.gz")) - std::chrono::hours(1));
  EXPECT_EQ(restore(""), 0) << "what is older is no newer backup";
  test::write_file(backup("home.2.tar.gz"), whole);
  fs::last_write_time(backup("home.2.tar.gz"), time);
  EXPECT_EQ(restore(""), 0) << err_;
}

TEST_F(MissingBackupTest, IsNotMissedInAnotherDestination) {
  lose("home.2.tar.gz");
  fs::rename(backup(".autoarchive-destination"), directory_ / "marker");
  expect_well();
  test::write_file(backup(".autoarchive-destination"), "00000000-0000-4000-8000-000000000000\n");
  expect_well();
  fs::rename(directory_ / "marker", backup(".autoarchive-destination"));
  expect_told("level 2");
  fs::copy(directory_ / "backups", directory_ / "copy", fs::copy_options::recursive);
  EXPECT_EQ(run({"verify", "home", "--destination", directory_ / "copy"}), 0) << err_;
}

TEST_F(MissingBackupTest, IsNotTakenForNoneWhereTheDestinationIsNotMounted) {
  fs::rename(destination(), directory_ / "not mounted");
  fs::create_directory(destination());
  const std::vector<std::vector<std::string>> readers{
      {"list"}, {"ls", "home"}, {"verify", "home"}, {"explain", "home"}};
  for (const auto& words : readers) {
    EXPECT_EQ(run(words), 73) << words.front();
    EXPECT_THAT(err_, HasSubstr("is not the one that the last backup went to: is that not mounted?")) << words.front();
  }
  EXPECT_EQ(restore(""), 73);
  EXPECT_EQ(status(), 2);
  EXPECT_THAT(out_, AllOf(HasSubstr("is that not mounted?"), Not(HasSubstr("there is no backup yet"))));
  make(0, {"--new-destination"});
  expect_well();
}

TEST_F(MissingBackupTest, IsNotOneThatWasRemovedWithTheProgram) {
  fs::copy(directory_ / "backups", directory_ / "copy", fs::copy_options::recursive);
  EXPECT_EQ(run({"remove", "home@2", "--destination", directory_ / "copy", "--yes"}), 0) << err_;
  fs::rename(backup("home.2.tar.gz"), directory_ / "lost");
  expect_told("level 2");
  fs::rename(backup("home.2.tar.gz.manifest.zst"), directory_ / "lost too");
  expect_told("level 2");
  fs::rename(directory_ / "lost", backup("home.2.tar.gz"));
  fs::rename(directory_ / "lost too", backup("home.2.tar.gz.manifest.zst"));
  EXPECT_EQ(run({"remove", "home@1", "--yes"}), 0) << err_;
  expect_well();
  make(1);
  fs::remove(backup("home.1.tar.gz"));
  expect_told("level 1");
}

TEST_F(MissingBackupTest, IsNotOneThatSomebodyElseHasFollowed) {
  environment_["AA_STATE_DIR"] = directory_ / "another state";
  make(0, {"--full"});
  EXPECT_EQ(run({"keep", "home", "--yes"}), 0) << err_;
  lose("home.2.aa.tar.gz");
  environment_["AA_STATE_DIR"] = directory_ / "state";
  expect_well();
}

}  // namespace
}  // namespace autoarchive::host
