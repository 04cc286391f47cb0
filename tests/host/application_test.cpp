// The whole program in memory: every command on real trees, and every exit status.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "application_fixture.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::host {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(ApplicationTest, SaysWithALetterWhatBecameOfEachEntry) {
  ASSERT_EQ(create({"--incremental", "-v", "--exclude", "x"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("A 'a'\n"));
  EXPECT_THAT(out_, HasSubstr("A 'd/b'\n"));
  test::write_file(directory_ / "root/a", "other content of a");
  test::write_file(directory_ / "root/x", "left out");
  std::filesystem::remove(directory_ / "root/d/b");
  test::write_file(directory_ / "root/e", "new");
  ASSERT_EQ(create({"--incremental", "-vv", "--exclude", "x"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("M 'a'\n"));
  EXPECT_THAT(out_, HasSubstr("A 'e'\n"));
  EXPECT_THAT(out_, HasSubstr("- 'x'  ("));
}

TEST_F(ApplicationTest, MakesListsLooksIntoAndRestoresABackupWithoutAConfiguration) {
  EXPECT_EQ(create(), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("home: level 0 by tar-internal: 4 of 4 entries"));
  EXPECT_EQ(run({"list", "home", "--destination", destination()}), 0);
  EXPECT_THAT(out_, HasSubstr("home.tar.gz"));
  EXPECT_EQ(run({"ls", "home", "d", "--destination", destination()}), 0);
  EXPECT_THAT(out_, HasSubstr("'d/b'"));
  EXPECT_THAT(out_, Not(HasSubstr("'a'")));
  EXPECT_EQ(run({"ls", directory_ / "backups/home.tar.gz"}), 0);
  EXPECT_THAT(out_, HasSubstr("'d/b'"));
  EXPECT_EQ(run({"restore", "home", "--destination", destination(), "--to", directory_ / "restored"}), 0) << err_;
  EXPECT_THAT(test::diff_trees(directory_ / "root", directory_ / "restored"), IsEmpty());
}

TEST_F(ApplicationTest, MakesLevelsAndGenerationsFromAConfiguration) {
  configure("version: 1\narchives:\n  home: {root: " + (directory_ / "root").native() +
            ", destination: " + destination() + ", incremental: true, keep: {generations: 2}}\n");
  EXPECT_EQ(run({"route"}), 0);
  EXPECT_THAT(out_, HasSubstr("-> tar-internal: chosen: rank 10 against 0 of tar-external"));
  EXPECT_THAT(out_, HasSubstr("+ tar-external: could do it"));
  EXPECT_EQ(run({"create", "home"}), 0) << err_;
  test::write_file(directory_ / "root/new", "new");
  EXPECT_EQ(run({"create", "home"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("level 1"));
  EXPECT_EQ(run({"restore", "home@0", "--to", directory_ / "r0"}), 0);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "r0/new"));
  EXPECT_EQ(run({"restore", "home", "--to", directory_ / "r1"}), 0);
  EXPECT_THAT(test::diff_trees(directory_ / "root", directory_ / "r1"), IsEmpty());
  EXPECT_EQ(run({"create", "--all", "--full"}), 0) << err_;
  EXPECT_EQ(run({"restore", "home@aa", "--to", directory_ / "raa"}), 0) << err_;
  EXPECT_THAT(test::diff_trees(directory_ / "r1", directory_ / "raa"), IsEmpty());
  EXPECT_EQ(run({"list"}), 0);
  EXPECT_THAT(out_, HasSubstr("home.1.aa.tar.gz"));
}

TEST_F(ApplicationTest, AnswersLostStateWithALevel0SaidAloud) {
  for (const bool garbage : {true, false}) {
    EXPECT_EQ(create({"--incremental", "--full", "--provider", "tar-external"}), 0) << err_;
    for (const auto& file : std::filesystem::directory_iterator(directory_ / "state/snapshots")) {
      if (garbage) test::write_file(file.path(), "garbage");
      if (!garbage) std::filesystem::remove(file.path());
    }
    EXPECT_EQ(create({"--incremental", "--provider", "tar-external"}), 0) << err_;
    EXPECT_THAT(err_, HasSubstr("level 0 instead of an increment"));
    EXPECT_THAT(out_, HasSubstr("level 0 by tar-external"));
  }
}

// The manifest beside the archive and the copy in the state: either of them is enough.
TEST_F(ApplicationTest, LosesNothingWithOneCopyOfTheManifestAndSaysSoWithBothLost) {
  const auto state = directory_ / "state/snapshots/home.manifest.zst";
  EXPECT_EQ(create({"--incremental"}), 0) << err_;
  test::write_file(state, "garbage");
  EXPECT_EQ(create({"--incremental"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("level 1 by tar-internal"));
  std::filesystem::remove_all(directory_ / "state");
  EXPECT_EQ(create({"--incremental"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("level 2 by tar-internal"));
  std::filesystem::remove_all(directory_ / "state");
  for (const char* name : {"home", "home.1", "home.2"})
    test::write_file(directory_ / "backups" / (std::string(name) + ".tar.gz.manifest.zst"), "garbage");
  EXPECT_EQ(create({"--incremental"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("level 0 by tar-internal"));
  EXPECT_THAT(err_, HasSubstr("level 0 instead of an increment"));
  EXPECT_THAT(err_, HasSubstr("no readable manifest"));
}

TEST_F(ApplicationTest, SaysWhichRuleLeavesAPathAndWhichBackupsHoldIt) {
  test::write_file(directory_ / "root/a.tmp", "x");
  configure("version: 1\narchives:\n  home: {root: " + (directory_ / "root").native() +
            ", destination: " + destination() + "}\n");
  EXPECT_EQ(run({"create", "home"}), 0) << err_;
  configure("version: 1\narchives:\n  home: {root: " + (directory_ / "root").native() +
            ", destination: " + destination() + ", exclude: ['*.tmp']}\n");
  EXPECT_EQ(run({"why", "home", "a.tmp", "nothing"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("'a.tmp': left out: exclude[0] '*.tmp'\n  in 'home.tar.gz'\n"));
  EXPECT_THAT(out_, HasSubstr("'nothing': not there: 'nothing': No such file or directory"));
  EXPECT_EQ(run({"why", "home", "/etc"}), 64);
}

TEST_F(ApplicationTest, StartsAChainAnewWhenItsRootHasChanged) {
  EXPECT_EQ(create({"--incremental"}), 0);
  test::write_file(directory_ / "other/x", "x");
  EXPECT_EQ(run({"create", "home", "--root", directory_ / "other", "--destination", destination(), "--incremental"}),
            0);
  EXPECT_THAT(err_, HasSubstr("the root has changed from"));
}

TEST_F(ApplicationTest, RemovesABackupWithAllThatDependsOnIt) {
  create({"--incremental"});
  create({"--incremental"});
  const std::vector<std::string> remove{"remove", "home@0", "--destination", destination()};
  EXPECT_EQ(run(remove), 64);  // it does not ask without a terminal
  EXPECT_EQ(run(remove, "n\n"), 0);
  EXPECT_THAT(err_, HasSubstr("remove home.tar.gz, and home.1.tar.gz, which can't be restored then? [y/N]"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "backups/home.tar.gz"));
  EXPECT_EQ(run(remove, "y\n"), 0) << err_;
  EXPECT_FALSE(std::filesystem::exists(directory_ / "backups/home.tar.gz") ||
               std::filesystem::exists(directory_ / "backups/home.1.tar.gz"));
  EXPECT_EQ(create({"--incremental"}), 0);
  EXPECT_THAT(out_, HasSubstr("level 0"));
}

TEST_F(ApplicationTest, PurgesTheStateOfOrphansOnly) {
  create({"--incremental"});
  configure("version: 1\narchives: {home: {root: /r, destination: /d}}\n");
  EXPECT_EQ(run({"purge", "--orphans"}), 0);
  EXPECT_THAT(out_, HasSubstr("nothing to purge"));
  EXPECT_EQ(run({"purge", "home"}), 64);
  configure("version: 1\n");
  EXPECT_EQ(run({"purge", "--orphans"}), 0);
  EXPECT_THAT(out_, HasSubstr("home: stored state deleted"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "backups/home.tar.gz"));
}

// A definition that can't be looked at now is no orphan.
TEST_F(ApplicationTest, LeavesTheStateOfAnArchiveWhoseDefinitionIsOutOfReach) {
  const auto folder = directory_ / "config/autoarchive/archives.d";
  configure("version: 1\n");
  test::write_file(folder / "home.yaml", "version: 1\narchives:\n  home: {root: " + (directory_ / "root").native() +
                                             ", destination: " + destination() + ", incremental: true}\n");
  EXPECT_EQ(run({"create", "home"}), 0) << err_;
  std::filesystem::rename(folder, directory_ / "away");
  EXPECT_EQ(run({"purge", "--orphans"}), 0);
  EXPECT_THAT(out_, HasSubstr("nothing to purge"));
  EXPECT_THAT(err_, HasSubstr("not purged: it was defined in"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "state/snapshots/home.manifest.zst"));
  EXPECT_EQ(run({"purge", "home"}), 0);
  EXPECT_THAT(out_, HasSubstr("home: stored state deleted"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "state/snapshots/home.manifest.zst"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "state/archives/home.json"));
}

TEST_F(ApplicationTest, KeepsGenerationsByTheRulesAndPinsByHand) {
  const auto rules = [&](int generations) {
    configure("version: 1\narchives:\n  home: {root: " + (directory_ / "root").native() +
              ", destination: " + destination() + ", keep: {generations: " + std::to_string(generations) + "}}\n");
  };
  rules(3);
  for (int i = 0; i < 4; ++i) {
    test::write_file(directory_ / "root/number", std::to_string(i));
    EXPECT_EQ(run({"create", "home"}), 0) << err_;
  }
  rules(1);
  EXPECT_EQ(run({"keep", "home@ac", "--pin"}), 0) << err_;
  EXPECT_EQ(run({"keep", "--dry-run"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("would go  beyond keep.generations 1"));
  EXPECT_THAT(out_, ::testing::ContainsRegex("home.ac.tar.gz +stays +pinned"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "backups/home.ab.tar.gz"));
  EXPECT_EQ(run({"keep"}), 0) << err_;
  EXPECT_FALSE(std::filesystem::exists(directory_ / "backups/home.ab.tar.gz"));
  EXPECT_EQ(run({"restore", "home@ac", "--to", directory_ / "r"}), 0) << err_;
  EXPECT_EQ(test::read_file(directory_ / "r/number"), "0");
  EXPECT_EQ(run({"remove", "home@ac", "-y"}), 64);
  EXPECT_THAT(err_, HasSubstr("is pinned"));
  EXPECT_EQ(run({"keep", "home@ac", "--unpin"}), 0) << err_;
  EXPECT_EQ(run({"keep", "--json"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("{\"file\":\"home.ac.tar.gz\",\"goes\":true"));
  test::write_file(directory_ / "backups/.home.pins", "nonsense\n");
  EXPECT_EQ(run({"create", "home"}), 2);  // what is pinned is not known: nothing may go
  EXPECT_THAT(err_, HasSubstr("are damaged"));
}

TEST_F(ApplicationTest, TellsWhatStandsInTheWayOfAGenerationBeforeAnythingChanges) {
  EXPECT_EQ(create(), 0);
  std::filesystem::create_directory(directory_ / "backups/home.aa.tar.gz");
  EXPECT_EQ(create(), 2);
  EXPECT_THAT(err_, HasSubstr("home.aa.tar.gz' is in the way"));
  EXPECT_EQ(run({"restore", "home", "--destination", destination(), "--to", directory_ / "r"}), 0) << err_;
  std::filesystem::remove(directory_ / "backups/home.aa.tar.gz");
  EXPECT_EQ(create(), 0) << err_;
}

TEST_F(ApplicationTest, EndsWithTheDocumentedStatus) {
  EXPECT_EQ(run({"frobnicate"}), 64);
  EXPECT_EQ(run({"create", "home"}), 66);  // no such archive
  EXPECT_EQ(create({"--type", "zip"}), 69);
  EXPECT_EQ(create({"--type", "tar", "--strength", "5"}), 69);
  EXPECT_EQ(create({"--strength", "12"}), 64);
  EXPECT_EQ(create({"--provider", "nobody"}), 69);
  EXPECT_EQ(create({"--incremental", "--level", "4"}), 64);
  EXPECT_EQ(run({"create", "home", "--root", directory_ / "missing", "--destination", destination()}), 2);
  EXPECT_EQ(run({"create", "home", "--root", directory_ / "root", "--destination", directory_ / "missing"}), 73);
  EXPECT_EQ(run({"create", "home", "--root", directory_ / "root", "--destination", directory_ / "root/a"}), 73);
  std::filesystem::create_directory(directory_ / "empty");
  EXPECT_EQ(run({"create", "home", "--root", directory_ / "empty", "--destination", destination()}), 2);
  EXPECT_EQ(run({"create", "home", "--root", directory_ / "empty", "--destination", destination(), "--allow-empty"}),
            0);
  EXPECT_EQ(create({"--include", "a", "--include", "not there"}), 1);
  EXPECT_EQ(run({"restore", "home@7", "--destination", destination(), "--to", directory_ / "r"}), 66);
  EXPECT_EQ(run({"ls", "home", "no/such/path", "--destination", destination()}), 66);
  test::write_file(directory_ / "noise", "this is not an archive");
  EXPECT_EQ(run({"ls", directory_ / "noise"}), 69);
  configure("version: 1\nnonsense: 1\n");
  EXPECT_EQ(run({"list"}), 78);
  EXPECT_THAT(err_, HasSubstr("config.yaml:2:1: unknown key 'nonsense'"));
}

TEST_F(ApplicationTest, WarnsOfAPluginDirectoryThatIsNamedAndMissing) {
  const auto missing = (directory_ / "missing").native();
  configure("version: 1\nplugins: {directories: [" + missing + "/2]}\n");
  environment_["AA_PLUGIN_PATH"] = missing + "/1:" + directory_.path().native();
  EXPECT_EQ(run({"plugins", "list", "--quiet", "--plugin-dir", missing}), 0);
  EXPECT_THAT(err_, HasSubstr("warning: plugin directory '" + missing + "': AA-P105 named by --plugin-dir, it can't"));
  EXPECT_THAT(err_, HasSubstr(missing + "/1': AA-P105 named by AA_PLUGIN_PATH, "));
  EXPECT_THAT(err_, HasSubstr(missing + "/2': AA-P105 named by " + directory_.path().native()));
  EXPECT_THAT(err_, HasSubstr("config.yaml:2:25, it can't be read as a directory: No such file or directory; create"));
  EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 3);
  EXPECT_THAT(out_, HasSubstr("unsearched"));
}

TEST_F(ApplicationTest, TellsASecondRunAtOnce) {
  EXPECT_EQ(create(), 0);
  const int fd = ::open((directory_ / "backups/.home.lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(fd, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(create(), 75);
  EXPECT_THAT(err_, HasSubstr("--lock-wait"));
  ::close(fd);
  EXPECT_EQ(create(), 0);
}

TEST_F(ApplicationTest, NoticesADestinationThatIsNotMounted) {
  EXPECT_EQ(create(), 0);
  std::filesystem::remove_all(directory_ / "backups");
  std::filesystem::create_directory(directory_ / "backups");
  EXPECT_EQ(create(), 73);
  EXPECT_THAT(err_, HasSubstr("--new-destination"));
  EXPECT_EQ(create({"--new-destination"}), 0);
}

TEST_F(ApplicationTest, PrintsOneJsonDocumentErrorsIncluded) {
  EXPECT_EQ(create({"--json"}), 0);
  EXPECT_THAT(out_, ::testing::StartsWith(
                        "{\"exit_code\":0,\"archives\":[{\"archive\":\"home\",\"status\":\"ok\",\"level\":0"));
  EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 1);
  EXPECT_EQ(run({"create", "nobody", "--json"}), 66);
  EXPECT_THAT(out_, ::testing::StartsWith("{\"error\":{\"id\":\"no_such_backup\""));
  EXPECT_EQ(run({"frobnicate", "--json"}), 64);
  EXPECT_THAT(out_, HasSubstr("\"exit_code\":64"));
  for (const auto& words :
       {std::vector<std::string>{"plugins", "list", "--json"}, std::vector<std::string>{"list", "--json"},
        std::vector<std::string>{"version", "--json"}}) {
    EXPECT_EQ(run(words), 0);
    EXPECT_THAT(out_, ::testing::StartsWith("{"));
  }
}

TEST_F(ApplicationTest, SaysWhatADryRunWouldDoAndDoesNothing) {
  EXPECT_EQ(create({"--dry-run", "-v", "--exclude", "a"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("- 'a'  (exclude[0] 'a')"));
  EXPECT_THAT(out_, HasSubstr("would make level 0 (the archive is not incremental) by tar-internal: 3 of 3 entries"));
  EXPECT_TRUE(std::filesystem::is_empty(directory_ / "backups"));
}

TEST_F(ApplicationTest, SaysWhatALevelWouldHoldAndWhy) {
  EXPECT_EQ(create({"--incremental"}), 0) << err_;
  test::write_file(directory_ / "root/new", "new");
  std::filesystem::remove(directory_ / "root/d/b");
  EXPECT_EQ(create({"--incremental", "--dry-run", "-v"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("A 'new'\n"));
  EXPECT_THAT(out_, HasSubstr("D 'd/b'\n"));
  EXPECT_THAT(out_, HasSubstr("? 'a'\n"));  // it is younger than a minute: its times can't tell
  EXPECT_THAT(out_, HasSubstr("would make level 1 (next in a row) by tar-internal: 3 of 4 entries, 3 B"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "backups/home.1.tar.gz"));
}

// The original's example: restart after level 2, a full one after two restarts.
TEST_F(ApplicationTest, BeginsLevelsAgainByTheRules) {
  configure("version: 1\narchives:\n  home: {root: " + (directory_ / "root").native() +
            ", destination: " + destination() + ", incremental: true, levels: {max: 2, full_after_restarts: 2}}\n");
  for (const int level : {0, 1, 2, 1, 2, 1, 0, 1}) {
    EXPECT_EQ(run({"create", "home", "--json"}), 0) << err_;
    EXPECT_THAT(out_, HasSubstr("\"level\":" + std::to_string(level) + ",")) << out_;
  }
  EXPECT_EQ(run({"create", "home"}), 0) << err_;
  EXPECT_EQ(run({"create", "home"}), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("notice: level 1 instead of 3: the next in a row would be 3, levels.max is 2"));
  EXPECT_EQ(run({"create", "home", "--level", "next"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("level 2"));
  EXPECT_EQ(run({"create", "home", "--level", "next"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("level 3"));
  EXPECT_EQ(run({"create", "home", "--level", "1", "--full"}), 64);
  EXPECT_EQ(run({"restore", "home", "--to", directory_ / "r"}), 0) << err_;
  EXPECT_THAT(test::diff_trees(directory_ / "root", directory_ / "r"), IsEmpty());
}

// What the record holds can be lost: the restarts that are still to be seen are counted, and it is said.
TEST_F(ApplicationTest, CountsTheRestartsThatCanBeSeenWhenItsRecordIsDamaged) {
  configure("version: 1\narchives:\n  home: {root: " + (directory_ / "root").native() +
            ", destination: " + destination() + ", incremental: true, keep: {generations: 9}, " +
            "levels: {max: 1, full_after_restarts: 2}}\n");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(run({"create", "home"}), 0) << err_;  // 0 1 1 1: two restarts
  test::write_file(directory_ / "state/archives/home.json", "{}\nnonsense\n");
  EXPECT_EQ(run({"create", "home", "--json"}), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("home.json' is damaged"));
  EXPECT_THAT(out_, HasSubstr("\"level_rule\":\"full_after_restarts\""));
}

TEST_F(ApplicationTest, OneArchivesFailureDoesNotStopTheNext) {
  configure("version: 1\ndefaults: {destination: " + destination() +
            "}\narchives:\n  a: {root: /no/such/root}\n  b: {root: " + (directory_ / "root").native() + "}\n");
  EXPECT_EQ(run({"create", "--all"}), 2);
  EXPECT_THAT(err_, HasSubstr("[a] error: root '/no/such/root'"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "backups/b.tar.gz"));
}

}  // namespace
}  // namespace autoarchive::host
