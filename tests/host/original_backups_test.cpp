// Sets of the original program, as GNU tar makes them: listed, given manifests, restored, and gone on with.
#include "job/original_backups.hpp"

#include <filesystem>
#include <map>

#include "application_fixture.hpp"
#include "support/run_program.hpp"

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;
using test::shell_quote;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

SystemTime hour(int number) {
  return SystemTime(std::chrono::hours(number));
}

ArchiveConfig archive() {
  ArchiveConfig archive;
  archive.name = "docs";
  return archive;
}

/// "FILE<ITS BASE" of each, "FILE!" where that can't be told.
std::vector<std::string> links(const std::vector<std::pair<std::string, int>>& files) {
  std::vector<UnnamedFile> unnamed;
  for (const auto& [name, made] : files) unnamed.push_back({name, backup_type::kTarGz, 1, hour(made), name});
  const auto backups = name_originals(archive(), unnamed);
  std::map<std::string, std::string> by_id{{"", ""}};
  for (const auto& backup : backups) by_id[backup.identity.backup_uuid] = backup.file;
  std::vector<std::string> links;
  for (const auto& backup : backups)
    links.push_back(backup.file + (backup.chain_fault.empty() ? "<" + by_id.at(backup.identity.parent_uuid) : "!"));
  return links;
}

using Links = std::vector<std::string>;

TEST(OriginalBackups, AreBasedOnTheLevelBelowInTheirGeneration) {
  EXPECT_EQ(links({{"docs.1.tar.gz", 4}, {"docs.tar.gz", 3}, {"docs.aa.tar.gz", 1}, {"docs.1.aa.tar.gz", 2}}),
            (Links{"docs.tar.gz<", "docs.aa.tar.gz<", "docs.1.tar.gz<docs.tar.gz", "docs.1.aa.tar.gz<docs.aa.tar.gz"}));
}

TEST(OriginalBackups, AreBasedOnAYoungerGenerationWhereTheirsBeginsHigher) {
  EXPECT_EQ(links({{"docs.tar.gz", 1},
                   {"docs.1.tar.gz", 2},
                   {"docs.2.tar.gz", 9},
                   {"docs.2.aa.tar.gz", 3},
                   {"docs.3.aa.tar.gz", 4}}),
            (Links{"docs.tar.gz<", "docs.1.tar.gz<docs.tar.gz", "docs.2.tar.gz<docs.1.tar.gz",
                   "docs.2.aa.tar.gz<docs.1.tar.gz", "docs.3.aa.tar.gz<docs.2.aa.tar.gz"}));
}

TEST(OriginalBackups, AreNotBasedOnWhatWasMadeLater) {
  EXPECT_EQ(links({{"docs.tar.gz", 1}, {"docs.1.tar.gz", 9}, {"docs.2.tar.gz", 3}}),
            (Links{"docs.tar.gz<", "docs.1.tar.gz<docs.tar.gz", "docs.2.tar.gz!"}));
}

TEST(OriginalBackups, AreNoFilesWithOtherNames) {
  EXPECT_EQ(links({{"docs.tar", 1}, {"docs.old.tar.gz", 1}, {"docs2.tar.gz", 1}, {"docs.1.tar.gz", 1}}),
            (Links{"docs.1.tar.gz<"}));
}

/// A set made by plain GNU tar as the original has called it, with its configuration and its snapshots.
class OriginalSetTest : public ApplicationTest {
 protected:
  OriginalSetTest() {
    environment_["HOME"] = directory_ / "home";
    test::write_file(directory_ / "aa/archive_specs/docs.aa",
                     "[Archive]\ndest-dir = " + destination() + "\nincremental = yes\nkeep-old-backups = yes\n" +
                         "[Content]\npath = " + root().native() + "\ninclude-files = text music\nexclude-files =\n");
    fs::create_directories(snapshots());
    for (const char* file : {"text/a", "text/sub/b", "text/gone", "music/m", "music/old/n"})
      test::write_file(root() / file, file);
    fs::create_hard_link(root() / "text/a", root() / "text/another name");
    fs::create_symlink("a", root() / "text/link");
  }
  [[nodiscard]] fs::path root() const { return directory_ / "source"; }
  [[nodiscard]] fs::path backups() const { return directory_ / "backups"; }
  [[nodiscard]] fs::path snapshots() const { return directory_ / "aa/snapshots"; }
  [[nodiscard]] static std::string numbered(int level) { return level == 0 ? "" : "." + std::to_string(level); }

  /// The command of the original, section by section: it starts from a copy of the snapshot below.
  void make(int level, const std::string& keeping_id = "") {
    const auto snapshot = snapshots() / ("docs" + numbered(level) + ".snar");
    fs::remove(snapshot);
    if (level > 0) fs::copy_file(snapshots() / ("docs" + numbered(level - 1) + ".snar"), snapshot);
    const auto file = backups() / ("docs" + numbered(level) + (keeping_id.empty() ? "" : "." + keeping_id) + ".tar.gz");
    const auto made = test::run_shell(
        "cd / && tar --create --format=posix --verbose --gzip --listed-incremental=" + shell_quote(snapshot) +
        " --file=" + shell_quote(file) + " --directory=" + shell_quote(root()) +
        " --anchored --exclude=text/never text music");
    ASSERT_EQ(made.status, 0) << made.output;
    days_.push_back(directory_ / ("day" + std::to_string(days_.size())));
    const auto copy = test::run_shell("cp -a " + shell_quote(root()) + " " + shell_quote(days_.back()));
    ASSERT_EQ(copy.status, 0) << copy.output;
  }

  /// Day 0 is kept as generation aa, days 1 to 3 are levels 0 to 2 of the current chain.
  void make_set() {
    make(0, "aa");
    test::write_file(root() / "text/a", "changed under both names");
    make(0);
    fs::remove(root() / "text/gone");
    fs::remove_all(root() / "music/old");
    test::write_file(root() / "text/sub/new", "new");
    make(1);
    test::write_file(root() / "text/sub/b", "b again");
    make(2);
  }

  void import() {
    EXPECT_EQ(run({"config", "import", directory_ / "aa"}), 0) << err_;
    EXPECT_THAT(err_, HasSubstr("aa rescan --snapshots"));
    configure(out_);
  }
  int rescan() { return run({"rescan", "--snapshots", snapshots()}); }

  void expect_day(std::size_t day, const std::string& selector) {
    const auto target = directory_ / "target";
    EXPECT_EQ(run({"restore", "docs" + selector, "--to", target}), 0) << err_;
    EXPECT_THAT(err_, IsEmpty()) << selector;
    for (const char* include : {"text", "music"})
      EXPECT_THAT(test::diff_trees(days_[day] / include, target / include), IsEmpty()) << selector;
    fs::remove_all(target);
  }

  std::vector<fs::path> days_;
};

TEST_F(OriginalSetTest, IsListedRestoredAndGoneOnWith) {
  make_set();
  import();
  EXPECT_EQ(rescan(), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("'docs.2.tar.gz': goes on from the snapshot"));
  EXPECT_EQ(run({"list", "docs"}), 0) << err_;
  for (const char* file : {"docs.aa.tar.gz", "docs.tar.gz", "docs.1.tar.gz", "docs.2.tar.gz"})
    EXPECT_THAT(out_, HasSubstr(file));
  expect_day(0, "@aa");
  expect_day(1, "@0");
  expect_day(2, "@1");
  expect_day(3, "@2");
  EXPECT_EQ(run({"verify", "docs", "--level", "restore"}), 0) << err_;

  test::write_file(root() / "text/after", "the import");
  fs::remove(root() / "music/m");
  EXPECT_EQ(run({"create", "docs"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("level 3 by tar-external: 8 of 10"));
  days_.push_back(root());
  expect_day(4, "");
  expect_day(3, "@2");
  EXPECT_EQ(run({"verify", "docs", "--level", "restore"}), 0) << err_;
  const auto plain = test::run_shell("cd " + shell_quote(directory_.make("plain")) +
                                     " && for f in docs docs.1 docs.2 docs.3; do tar -xg /dev/null -f " +
                                     shell_quote(backups()) + "/$f.tar.gz || exit; done");
  EXPECT_EQ(plain.status, 0) << plain.output;
  EXPECT_THAT(test::diff_trees(root(), directory_ / "plain"), IsEmpty());
  EXPECT_EQ(rescan(), 0) << err_;
  EXPECT_THAT(out_, Not(HasSubstr("rebuilt")));
}

TEST_F(OriginalSetTest, HasTheSameIdsWhenItsManifestsAreLostLater) {
  make_set();
  import();
  EXPECT_EQ(rescan(), 0) << err_;
  EXPECT_EQ(run({"create", "docs"}), 0) << err_;
  for (const char* level : {"", ".1", ".2", ".3"})
    fs::remove(backups() / (std::string("docs") + level + ".tar.gz.manifest.zst"));
  EXPECT_EQ(run({"rescan"}), 0) << err_;
  days_.push_back(root());
  expect_day(4, "");
}

TEST_F(OriginalSetTest, StaysTheSameWhenItsFilesGetOtherTimes) {
  make_set();
  import();
  EXPECT_EQ(rescan(), 0) << err_;
  const auto now = fs::file_time_type::clock::now();
  int hours = 9;
  for (const char* level : {"", ".1", ".2", ".aa"})  // the lowest is the newest
    fs::last_write_time(backups() / (std::string("docs") + level + ".tar.gz"), now + std::chrono::hours(--hours));
  fs::remove(backups() / "docs.2.tar.gz.manifest.zst");
  EXPECT_EQ(run({"rescan"}), 0) << err_;
  EXPECT_THAT(err_, IsEmpty());
  expect_day(0, "@aa");
  expect_day(3, "@2");
  EXPECT_EQ(run({"verify", "docs", "--level", "restore"}), 0) << err_;
}

TEST_F(OriginalSetTest, IsNotTakenForWhatAManifestWasMadeForThatLiesBesideAnother) {
  make_set();
  import();
  EXPECT_EQ(rescan(), 0) << err_;
  fs::copy_file(backups() / "docs.aa.tar.gz", backups() / "docs.tar.gz", fs::copy_options::overwrite_existing);
  EXPECT_EQ(run({"rescan"}), 2);
  EXPECT_THAT(err_, HasSubstr("'docs.tar.gz.manifest.zst' is the manifest of the backup"));
  EXPECT_THAT(err_, HasSubstr("'docs.1.tar.gz': level 0 (backup "));
}

TEST_F(OriginalSetTest, TellsOfALevelThatIsMissingBelowOneWithItsManifest) {
  make_set();
  import();
  EXPECT_EQ(rescan(), 0) << err_;
  fs::remove(backups() / "docs.1.tar.gz");
  fs::remove(backups() / "docs.1.tar.gz.manifest.zst");
  EXPECT_EQ(run({"rescan"}), 2);
  EXPECT_THAT(err_, HasSubstr("'docs.2.tar.gz': level 1 (backup "));
  EXPECT_THAT(err_, HasSubstr("is not here: put it here, and run again (chain.broken)"));
}

TEST_F(OriginalSetTest, IsNotTouchedWhereTheDirectoryOfSnapshotsIsMistyped) {
  make_set();
  import();
  EXPECT_EQ(run({"rescan", "--snapshots", directory_ / "aa/snapshot"}), 64);
  EXPECT_THAT(err_, HasSubstr("aa/snapshot' is not a directory; the original's is ~/.config/aa/snapshots"));
  EXPECT_FALSE(fs::exists(backups() / "docs.tar.gz.manifest.zst"));
}

TEST_F(OriginalSetTest, BeginsAgainAloudWithoutItsSnapshot) {
  make_set();
  import();
  fs::remove(snapshots() / "docs.2.snar");
  EXPECT_EQ(rescan(), 0);
  EXPECT_THAT(err_, HasSubstr("its snapshot 'docs.2.snar' is not in"));
  EXPECT_EQ(run({"create", "docs", "--level", "3"}), 64) << err_;
  // The level below still has its own: it is gone on with from there, and the old level 2 is kept.
  EXPECT_EQ(run({"create", "docs"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("level 2 by tar-external"));
  EXPECT_TRUE(fs::exists(backups() / "docs.2.aa.tar.gz"));
  expect_day(3, "@~1");
  EXPECT_EQ(run({"rescan"}), 0);
}

TEST_F(OriginalSetTest, BeginsAgainAloudWithADamagedOrForeignSnapshot) {
  make_set();
  import();
  const auto last = snapshots() / "docs.2.snar";
  const auto whole = test::read_file(last);
  test::write_file(last, whole.substr(0, whole.size() / 2));
  EXPECT_EQ(rescan(), 0) << err_;
  EXPECT_EQ(run({"create", "docs"}), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("level 0 instead of an increment: snapshot "));
  EXPECT_THAT(err_, HasSubstr("it is damaged, or not in format 2 of GNU tar's snapshots"));
  EXPECT_THAT(out_, HasSubstr("level 0 by tar-external"));
  days_.push_back(root());
  expect_day(4, "");
  expect_day(3, "@2.aa");
}

TEST_F(OriginalSetTest, BeginsAgainAloudWithASnapshotOfAnotherTree) {
  make_set();
  import();
  test::write_file(directory_ / "other/text/x", "x");
  const auto made = test::run_shell("tar -cf /dev/null -g " + shell_quote(directory_ / "other.snar") + " -C " +
                                    shell_quote(directory_ / "other") + " text");
  EXPECT_EQ(made.status, 0) << made.output;
  fs::copy_file(directory_ / "other.snar", snapshots() / "docs.2.snar", fs::copy_options::overwrite_existing);
  EXPECT_EQ(rescan(), 0) << err_;
  EXPECT_EQ(run({"create", "docs"}), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("it does not know 'music', which the backup has"));
  EXPECT_THAT(out_, HasSubstr("level 0 by tar-external"));
}

TEST_F(OriginalSetTest, WithARenamedDirectoryKeepsWhatGnuTarCanRestoreAndGoesOnFromBelow) {
  make(0);
  fs::rename(root() / "music/old", root() / "music/renamed");
  make(1);
  import();
  EXPECT_EQ(rescan(), 1);
  EXPECT_THAT(err_, HasSubstr("'docs.1.tar.gz': it tells of renamed directories"));
  EXPECT_THAT(err_, HasSubstr("tar --extract --listed-incremental=/dev/null"));
  expect_day(0, "@0");
  EXPECT_EQ(run({"create", "docs"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("level 1 by tar-external"));
  EXPECT_TRUE(fs::exists(backups() / "docs.1.aa.tar.gz"));
  days_.push_back(root());
  expect_day(2, "@1");
}

TEST_F(OriginalSetTest, TellsOfALevelThatAnEarlierChainHasLeft) {
  make(0);
  make(1);
  make(2);
  fs::last_write_time(backups() / "docs.2.tar.gz",
                      fs::last_write_time(backups() / "docs.1.tar.gz") - std::chrono::hours(1));
  fs::remove(snapshots() / "docs.2.snar");
  import();
  EXPECT_EQ(rescan(), 1);
  EXPECT_THAT(err_, HasSubstr("'docs.2.tar.gz': 'docs.1.tar.gz' is newer"));
}

TEST_F(OriginalSetTest, HasLevelsThatAreAlikeAsNothingHadChanged) {
  make(0);
  make(1);
  fs::copy_file(backups() / "docs.1.tar.gz", backups() / "docs.2.tar.gz");
  fs::copy_file(snapshots() / "docs.1.snar", snapshots() / "docs.2.snar");
  import();
  EXPECT_EQ(rescan(), 0) << err_;
  EXPECT_THAT(err_, IsEmpty());
  days_.push_back(root());
  expect_day(2, "@2");
}

TEST_F(OriginalSetTest, IsNothingToAForeignDirectory) {
  make_set();
  import();
  fs::copy(backups(), directory_ / "elsewhere");
  EXPECT_EQ(run({"rescan", directory_ / "elsewhere"}), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("'docs.tar.gz' does not say which backup it is"));
  EXPECT_FALSE(fs::exists(directory_ / "elsewhere/docs.tar.gz.manifest.zst"));
}

}  // namespace
}  // namespace autoarchive::host
