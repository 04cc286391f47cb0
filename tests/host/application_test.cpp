// The whole program in memory: every command on real trees, and every exit status.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>

#include "application_fixture.hpp"
#include "command_line.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::host {
namespace {

using ::testing::AllOf;
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

TEST_F(ApplicationTest, FindsTheArchivesOfADestinationWhenNoneIsNamed) {
  ASSERT_EQ(create(), 0) << err_;
  ASSERT_EQ(run({"create", "home.2", "--root", directory_ / "root/d", "--destination", destination()}), 64)
      << "a name that could be a level's";
  ASSERT_EQ(run({"create", "other", "--root", directory_ / "root/d", "--destination", destination()}), 0) << err_;
  test::write_file(directory_ / "backups/foreign.tar.gz", "not ours");
  std::filesystem::copy_file(directory_ / "backups/home.tar.gz.manifest.zst",
                             directory_ / "backups/foreign.tar.gz.manifest.zst");
  EXPECT_EQ(run({"list", "--destination", destination()}), 1) << "what may be a backup is not passed over";
  EXPECT_THAT(err_, AllOf(HasSubstr("foreign.tar.gz"), HasSubstr("archive.unproven")));
  EXPECT_THAT(out_, HasSubstr(" home.tar.gz\n"));
  EXPECT_THAT(out_, HasSubstr(" other.tar.gz\n"));
  EXPECT_THAT(out_, Not(HasSubstr("foreign")));
  std::filesystem::remove(directory_ / "backups/foreign.tar.gz");
  EXPECT_EQ(run({"find", "b", "--destination", destination()}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("home@0 "));
  EXPECT_THAT(out_, HasSubstr("other@0 "));
  EXPECT_EQ(run({"verify", "--destination", destination()}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("other"));
}

TEST_F(ApplicationTest, FindsAnArchiveByItsFilesWhereTheManifestIsDamagedOrMissing) {
  ASSERT_EQ(create(), 0) << err_;
  const auto archive = directory_ / "backups/home.tar.gz";
  const auto manifest = directory_ / "backups/home.tar.gz.manifest.zst";
  const auto whole = test::read_file(archive);
  test::write_file(manifest, "damaged");
  EXPECT_EQ(run({"verify", "--destination", destination()}), 2);
  EXPECT_THAT(out_, HasSubstr("home: 1 files")) << err_;
  EXPECT_EQ(run({"list", "--destination", destination()}), 0);
  EXPECT_THAT(out_, HasSubstr(" home.tar.gz\n"));

  std::filesystem::remove(manifest);
  EXPECT_EQ(run({"verify", "--destination", destination()}), 1) << "nothing to compare with";
  EXPECT_THAT(out_, HasSubstr("home: 1 files")) << err_;
  EXPECT_EQ(run({"find", "b", "--destination", destination()}), 1);

  test::write_file(archive, std::string(whole.size(), '\0'));
  for (const auto* verb : {"list", "verify", "find"}) {
    std::vector<std::string> words{verb, "--destination", destination()};
    if (words.front() == "find") words.emplace_back("b");
    EXPECT_EQ(run(words), words.front() == "verify" ? 66 : 1);
    EXPECT_THAT(err_, AllOf(HasSubstr("'home.tar.gz' can't be assigned"), HasSubstr("archive.unproven")));
    test::write_file(manifest, "damaged");
    EXPECT_EQ(run(words), 2);
    EXPECT_THAT(err_, AllOf(HasSubstr("'home.tar.gz.manifest.zst' can't be assigned"), HasSubstr("archive.damaged")));
    std::filesystem::remove(manifest);
  }
}

TEST_F(ApplicationTest, TakesANameForAnArchiveOfTheDestinationAndNotForAFileThatLiesHere) {
  ASSERT_EQ(create(), 0) << err_;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory_ / "root");
  test::write_file(directory_ / "root/home", "a regular file, no archive");
  const int status = run({"verify", "home", "--destination", destination()});
  std::filesystem::current_path(before);
  EXPECT_EQ(status, 0) << err_;
  EXPECT_THAT(out_, HasSubstr("home: 1 files, 4 members"));
}

TEST_F(ApplicationTest, DoesNotTakeAnEmptyDestinationForAWholeOne) {
  EXPECT_EQ(run({"verify", "--destination", destination()}), 66);
  EXPECT_THAT(err_, HasSubstr("has no backup that can be verified"));
}

TEST_F(ApplicationTest, SaysWhatToDoWhenThereIsNoArchiveToList) {
  EXPECT_EQ(run({"list"}), 0);
  EXPECT_THAT(out_, HasSubstr("aa config example"));
  EXPECT_THAT(out_, Not(HasSubstr("ARCHIVE")));
  EXPECT_EQ(run({"list", "--destination", destination()}), 0);
  EXPECT_THAT(out_, HasSubstr("aa rescan"));
  EXPECT_EQ(run({"list", "--destination", directory_ / "missing"}), 73) << err_;
}

TEST_F(ApplicationTest, NamesTheArchiveOfADestinationThatIsNearest) {
  ASSERT_EQ(create(), 0) << err_;
  EXPECT_EQ(run({"restore", "hmoe", "--destination", destination(), "--to", directory_ / "restored"}), 66);
  EXPECT_THAT(err_, HasSubstr("has no backup of 'hmoe'; did you mean home?"));
  EXPECT_EQ(run({"restore", "home@7", "--destination", destination(), "--to", directory_ / "restored"}), 66);
  EXPECT_THAT(err_, HasSubstr("no backup is '7'; there are home.tar.gz"));
}

TEST_F(ApplicationTest, EndsWith66WhereThereMustBeAnArchiveAndIsNone) {
  for (const std::string command : {"status", "keep", "route"}) {
    EXPECT_EQ(run({command}), 66) << command;
    EXPECT_THAT(err_, HasSubstr("no archive is configured; see aa config example"));
  }
  ASSERT_EQ(create(), 0) << err_;
  EXPECT_EQ(run({"why", "home", "a", "--destination", destination()}), 64);
  EXPECT_THAT(err_, HasSubstr("give --root DIR"));
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

TEST_F(ApplicationTest, ShowsEveryValueOfTheRunWithItsOrigin) {
  const auto file = (directory_ / "config/autoarchive/config.yaml").native();
  configure(
      "version: 1\nstate_dir: /s\njobs: 3\nnice: 5\nionice: idle\nhooks: [{at: before_all, run: "
      "[/bin/true]}]\nplugins:\n"
      "  directories: [" +
      directory_.path().native() +
      "]\n  allow: [a]\n  deny: [d]\n  pins: {p: {file: /p.so}}\n"
      "  dev_overrides: {o: /o.so}\n  environment_path: true\n"
      "  settings: {tar-external: {priority: 5, enabled: false, required: false, options: {tar: /usr/bin/tar, key: "
      "\"${env:KEY}\"}}}\n");
  EXPECT_EQ(run({"config", "show"}), 0) << err_;
  for (const std::string& line :
       std::vector<std::string>{"jobs: 3  # " + file + ":3:7", "nice: 5  # " + file + ":4:7",
                                "ionice: idle  # " + file + ":5:9", "# " + file + ":6:8",
                                "plugins.allow: ['a']  # " + file + ":9:10", "plugins.deny: ['d']  # " + file + ":10:9",
                                "plugins.pins: ['p': {file: '/p.so', sha256: ''}]  # " + file + ":11:9",
                                "plugins.dev_overrides: ['o': '/o.so']  # " + file + ":12:18",
                                "plugins.environment_path: true  # " + file + ":13:21",
                                "plugins.settings.tar-external.priority: 5  # " + file + ":14:39",
                                "plugins.settings.tar-external.enabled: false  # " + file + ":14:",
                                "plugins.settings.tar-external.required: false  # " + file + ":14:",
                                "plugins.settings.tar-external.options.tar: (set)  # " + file + ":14:",
                                "plugins.settings.tar-external.options.key: ${env:KEY}  # " + file + ":14:"})
    EXPECT_THAT(out_, HasSubstr(line));
  EXPECT_THAT(out_, HasSubstr("plugins.directories: ['" + directory_.path().native() + "']  # " + file + ":8:16"));
  EXPECT_THAT(out_, HasSubstr("state_dir: " + (directory_ / "state").native() + "  # environment AA_STATE_DIR"));
  EXPECT_THAT(out_, HasSubstr("files: ['" + file + "']  # built-in"));
  environment_.erase("AA_STATE_DIR");
  environment_["AA_CONFIG"] = file;
  EXPECT_EQ(run({"config", "show"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("files: ['" + file + "']  # environment AA_CONFIG"));
  environment_.erase("AA_CONFIG");
  EXPECT_EQ(run({"config", "show", "-c", file}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("files: ['" + file + "']  # command line"));
  EXPECT_THAT(out_, HasSubstr("state_dir: /s  # " + file + ":2:12"));
  configure("version: 1\nplugins: {settings: {tar-external: {priority: 5}}}\n");
  environment_["XDG_STATE_HOME"] = directory_ / "xdg";
  EXPECT_EQ(run({"config", "show"}), 0) << err_;
  EXPECT_THAT(out_,
              HasSubstr("state_dir: " + (directory_ / "xdg/autoarchive").native() + "  # environment XDG_STATE_HOME"));
  for (const char* key :
       {"jobs: 1", "nice: as it is", "ionice: as it is", "hooks: []", "plugins.directories: []", "plugins.allow: []",
        "plugins.deny: []", "plugins.pins: []", "plugins.dev_overrides: []", "plugins.environment_path: false",
        "plugins.settings.tar-external.enabled: true", "plugins.settings.tar-external.required: false"})
    EXPECT_THAT(out_, HasSubstr(std::string(key) + "  # built-in"));
}

TEST_F(ApplicationTest, ShowsWhatTheCommandLineAndTheEnvironmentGive) {
  configure("version: 1\narchives: {a: {root: /r, destination: /d, strength: 7}}\n");
  ASSERT_EQ(::setenv("AA_TYPE", "tar.xz", 1), 0);
  ASSERT_EQ(::setenv("AA_STRENGTH", "3", 1), 0);
  ASSERT_EQ(::setenv("AA_PROGRESS", "plain", 1), 0);
  ASSERT_EQ(::setenv("AA_LOCK_WAIT", "3s", 1), 0);
  EXPECT_EQ(run({"config", "show", "a", "--strength=4", "--root", "/other", "--exclude", "x", "--incremental", "-vv",
                 "--lock-wait", "5s", "--json"}),
            0);
  ::unsetenv("AA_TYPE");
  ::unsetenv("AA_STRENGTH");
  ::unsetenv("AA_PROGRESS");
  ::unsetenv("AA_LOCK_WAIT");
  const auto has = [&](const std::string& key, const std::string& value, const std::string& origin) {
    EXPECT_THAT(out_, HasSubstr("\"" + key + "\":{\"value\":\"" + value + "\",\"origin\":\"" + origin + "\"}"));
  };
  has("type", "tar.xz", "environment AA_TYPE");
  has("strength", "4", "command line");
  has("root", "/other", "command line");
  has("exclude", "['x']", "command line");
  has("incremental", "true", "command line");
  has("provider", "auto", "built-in");
  has("progress", "plain", "environment AA_PROGRESS");
  has("lock-wait", "5s", "command line");
  has("verbose", "2", "command line");
  has("json", "1", "command line");
  has("quiet", "0", "built-in");
  has("color", "auto", "built-in");
}

TEST_F(ApplicationTest, ShowsWhatAFlagIsSetToAndByWhom) {
  ASSERT_EQ(::setenv("AA_DRY_RUN", "false", 1), 0);
  ASSERT_EQ(::setenv("AA_VERBOSE", "2", 1), 0);
  EXPECT_EQ(run({"config", "show"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("dry-run: 0  # environment AA_DRY_RUN"));
  EXPECT_THAT(out_, HasSubstr("verbose: 2  # environment AA_VERBOSE"));
  EXPECT_EQ(run({"config", "show", "-vn"}), 0) << err_;
  ::unsetenv("AA_DRY_RUN");
  ::unsetenv("AA_VERBOSE");
  EXPECT_THAT(out_, HasSubstr("dry-run: 1  # command line"));
  EXPECT_THAT(out_, HasSubstr("verbose: 1  # command line"));
}

TEST_F(ApplicationTest, ShowsEachOptionAndEachKeyOfTheReference) {
  configure(config_example());
  EXPECT_EQ(run({"config", "show", "--json"}), 0) << err_;
  for (const auto& option : describe_command_line().options) {
    const auto name = option.names.front().substr(2);
    if (name == "help" || name == "version") continue;
    EXPECT_THAT(out_, HasSubstr("\"" + name + "\":{\"value\":"));
  }
  // A row of the reference begins with the key, but for groups of which each key has a row below it.
  std::istringstream lines(config_reference());
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    const auto key = line.substr(3, line.find('`', 3) - 3);
    if (key == "extends" || key == "plugins.settings") continue;
    EXPECT_THAT(out_, HasSubstr("\"" + key + "\":{\"value\":"));
  }
}

TEST_F(ApplicationTest, ShowsEffectiveValuesWithTheirOrigin) {
  configure("version: 1\narchives: {a: {root: /r, destination: /d, strength: 7}}\n");
  EXPECT_EQ(run({"config", "show"}), 0);
  EXPECT_THAT(out_, HasSubstr("strength: 7  # " + (directory_ / "config/autoarchive/config.yaml").native() + ":2:"));
  EXPECT_THAT(out_, HasSubstr("type: tar.gz  # built-in"));
  EXPECT_EQ(run({"config", "check", "--file-only"}), 0);
  EXPECT_EQ(run({"help"}), 0);
  EXPECT_THAT(out_, HasSubstr("restore"));
}

}  // namespace
}  // namespace autoarchive::host
