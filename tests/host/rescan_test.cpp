// From the archive files alone to backups that restore, and a chain that goes on.
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "application_fixture.hpp"
#include "job/found_backups.hpp"
#include "output/json.hpp"
#include "support/run_program.hpp"

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

SystemTime day(int number) {
  return SystemTime(std::chrono::hours(24 * number));
}

FoundBackup found(const std::string& file, int level, const std::string& backup, const std::string& chain, int made) {
  return {file, {"home", level, backup, chain, ""}, backup_type::kTarGz, 100, day(made)};
}

std::vector<std::string> names(const std::vector<FoundBackup>& backups, const std::set<std::string>& taken = {}) {
  std::vector<std::string> names;
  for (const auto& answer : name_backups(backups, taken)) {
    switch (answer.fate) {
      case FoundName::Fate::stays:
        names.push_back("= " + answer.name.file_name());
        break;
      case FoundName::Fate::moves:
        names.push_back(answer.name.file_name());
        break;
      case FoundName::Fate::copy:
        names.push_back("copy of " + answer.copy_of);
        break;
      case FoundName::Fate::nameless:
        names.emplace_back("nameless");
    }
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(FoundBackups, GetTheNamesOfTheirLevels) {
  EXPECT_EQ(names({found("a", 1, "1", "0", 2), found("b", 0, "0", "0", 1)}), (Names{"home.1.tar.gz", "home.tar.gz"}));
}

TEST(FoundBackups, KeepANameThatIsRight) {
  EXPECT_EQ(names({found("home.1.ab.tar.gz", 1, "1", "0", 2), found("home.ab.tar.gz", 0, "0", "0", 1),
                   found("home.2.tar.gz", 1, "x", "0", 1), found("home.tar", 0, "y", "y", 1)}),
            (Names{"= home.1.ab.tar.gz", "= home.ab.tar.gz", "home.1.tar.gz", "home.aa.tar.gz"}));
}

TEST(FoundBackups, OfTheNewestChainAreTheCurrentOnes) {
  EXPECT_EQ(names({found("a", 0, "old", "old", 1), found("b", 1, "old1", "old", 2), found("c", 0, "new", "new", 3)}),
            (Names{"home.aa.tar.gz", "home.1.aa.tar.gz", "home.tar.gz"}));
}

TEST(FoundBackups, OfOneLevelStandBesideEachOther) {
  EXPECT_EQ(names({found("a", 0, "0", "0", 1), found("b", 1, "1", "0", 2), found("c", 1, "1'", "0", 3)}),
            (Names{"home.tar.gz", "home.1.aa.tar.gz", "home.1.tar.gz"}));
}

TEST(FoundBackups, NeverTakeANameThatIsThere) {
  EXPECT_EQ(names({found("a", 0, "0", "0", 1), found("b", 1, "1", "0", 2)}, {"home.tar.gz", "home.1.aa.tar.gz"}),
            (Names{"home.aa.tar.gz", "home.1.tar.gz"}));
}

TEST(FoundBackups, AreCopiesOfTheOneWithTheRightNameOrOfTheLargest) {
  auto cut = found("b", 0, "0", "0", 1);
  cut.bytes = 50;
  EXPECT_EQ(names({cut, found("c", 0, "0", "0", 1)}), (Names{"copy of c", "home.tar.gz"}));
  EXPECT_EQ(names({found("c", 0, "0", "0", 1), found("home.aa.tar.gz", 0, "0", "0", 1)}),
            (Names{"copy of home.aa.tar.gz", "= home.aa.tar.gz"}));
}

TEST(FoundBackups, HaveNoNameThatLeavesTheirDirectory) {
  EXPECT_TRUE(is_archive_name("home"));
  EXPECT_TRUE(is_archive_name("home.held"));
  for (const std::string name : {"../home", "a/b", "", ".held", "-x", "a.1", "a\nb"})
    EXPECT_FALSE(is_archive_name(name)) << name;
}

class RescanTest : public ApplicationTest {
 protected:
  /// Three days of a tree with all that is hard about levels. Each is kept as it was.
  void make_days(const std::string& type, const std::string& provider) {
    type_ = type;
    provider_ = provider;
    root_ = directory_.make(type + provider);
    backups_ = directory_.make(type + provider + ".backups");
    disk_ = directory_.make(type + provider + ".disk");
    test::make_nasty_tree(root_ / "nasty");
    test::write_file(root_ / "large", std::string(1U << 20U, 'x'));
    test::write_file(root_ / "goes/away", "x");
    test::write_file(root_ / "turns/into a file", "x");
    test::write_file(root_ / "a/in a", "a");
    test::write_file(root_ / "b/in b", "b");
    test::write_file(root_ / "names/one", "several names");
    fs::create_hard_link(root_ / "names/one", root_ / "names/two");
    next_day();
    fs::remove_all(root_ / "goes");
    fs::remove_all(root_ / "turns");
    test::write_file(root_ / "turns", "a file");
    fs::rename(root_ / "a", root_ / "c");
    fs::rename(root_ / "b", root_ / "a");
    test::write_file(root_ / "new/deep/file", "new");
    fs::create_hard_link(root_ / "names/one", root_ / "another name");
    next_day();
    fs::remove(root_ / "names/one");
    fs::remove(root_ / "turns");
    test::write_file(root_ / "turns/back", "x");
    test::write_file(root_ / "new/deep/file", "newer");
    next_day();
  }

  void next_day() {
    EXPECT_LE(create_in(backups_), 1) << err_;
    days_.push_back(directory_ / (type_ + provider_ + ".day" + std::to_string(days_.size())));
    const auto copy = test::run_shell("cp -a " + test::shell_quote(root_) + " " + test::shell_quote(days_.back()));
    EXPECT_EQ(copy.status, 0) << copy.output;
  }

  int create_in(const fs::path& destination) {
    return run({"create", "home", "--incremental", "--json", "--type", type_, "--provider", provider_, "--root", root_,
                "--destination", destination});
  }

  [[nodiscard]] std::string name(int level) const {
    return "home." + (level == 0 ? "" : std::to_string(level) + ".") + type_;
  }

  /// Nothing but the tar files, under other names, on another disk; and no state.
  void lose_all_but_the_archives() {
    for (int level = 0; level < static_cast<int>(days_.size()); ++level)
      fs::rename(backups_ / name(level), disk_ / ("tape " + std::to_string(9 - level)));
    fs::remove_all(backups_);
    fs::remove_all(directory_ / "state");
  }

  void expect_all_days() {
    for (std::size_t level = 0; level < days_.size(); ++level) {
      const auto target = directory_.make("target");
      EXPECT_EQ(run({"restore", "home@" + std::to_string(level), "--destination", disk_, "--to", target}), 0) << err_;
      EXPECT_THAT(err_, IsEmpty());
      EXPECT_THAT(test::diff_trees(days_[level], target), IsEmpty()) << type_ << provider_ << level;
      fs::remove_all(target);
    }
  }

  std::string type_;
  std::string provider_;
  fs::path root_;
  fs::path backups_;
  fs::path disk_;
  std::vector<fs::path> days_;
};

std::int64_t number(const std::string& document, const std::string& member) {
  const auto json = Json::parse(document);
  const auto* archives = json ? json->find("archives") : nullptr;
  const auto* value = archives != nullptr && archives->as_array() != nullptr && !archives->as_array()->empty()
                          ? archives->as_array()->front().find(member)
                          : nullptr;
  return value != nullptr ? value->as_integer().value_or(-1) : -1;
}

TEST_F(RescanTest, FindsTheChainAgainInArchivesOfAnyNameAndGoesOnWithIt) {
  for (const std::string type : {"tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"}) {
    for (const std::string provider : {"tar-internal", "tar-external"}) {
      days_.clear();
      make_days(type, provider);
      lose_all_but_the_archives();
      EXPECT_EQ(run({"rescan", disk_}), 0) << err_ << out_;
      EXPECT_THAT(out_, HasSubstr("rebuilt"));
      expect_all_days();
      EXPECT_EQ(run({"verify", "home", "--destination", disk_, "--level", "restore"}), 0) << err_;

      test::write_file(root_ / "after", "the disk was lost");
      EXPECT_LE(create_in(disk_), 1) << err_;
      const bool goes_on = provider == "tar-internal";
      EXPECT_EQ(number(out_, "level"), goes_on ? 3 : 0) << out_;
      EXPECT_TRUE(!goes_on || number(out_, "content_bytes") < 1 << 18) << "what has not changed was stored again";
      const auto target = directory_.make("target");
      EXPECT_EQ(run({"restore", "home", "--destination", disk_, "--to", target}), 0) << err_;
      EXPECT_THAT(test::diff_trees(root_, target), IsEmpty()) << type << provider;
      fs::remove_all(target);
      EXPECT_EQ(run({"rescan", disk_}), 0) << err_;
      EXPECT_THAT(out_, Not(HasSubstr("rebuilt")));
    }
  }
}

TEST_F(RescanTest, UsesTheManifestsThatAreLeft) {
  make_days("tar.gz", "tar-internal");
  const auto manifest = test::read_file(backups_ / "home.1.tar.gz.manifest.zst");
  fs::rename(backups_ / "home.1.tar.gz.manifest.zst", backups_ / "somebody's.manifest.zst");
  fs::remove(backups_ / "home.2.tar.gz.manifest.zst");  // the state has it, too
  test::write_file(backups_ / "home.tar.gz.manifest.zst", "damaged");
  fs::remove(directory_ / "state/snapshots/home.manifest.zst");
  EXPECT_EQ(run({"rescan", backups_}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("from state"));
  EXPECT_EQ(test::read_file(backups_ / "home.1.tar.gz.manifest.zst"), manifest);
  EXPECT_FALSE(fs::exists(backups_ / "somebody's.manifest.zst"));
  disk_ = backups_;
  expect_all_days();
}

TEST_F(RescanTest, TellsWhatIsForeignCopiedOrInTheWayAndLeavesItAlone) {
  make_days("tar.gz", "tar-internal");
  lose_all_but_the_archives();
  fs::copy(disk_ / "tape 9", disk_ / "once more");
  test::write_file(disk_ / "letter.txt", "dear aunt");
  EXPECT_EQ(test::run_shell("tar -C " + test::shell_quote(root_) + " -cf " + test::shell_quote(disk_ / "other.tar") +
                            " large")
                .status,
            0);
  test::write_file(disk_ / "home.1.tar.gz", "in the way");
  EXPECT_EQ(run({"rescan", disk_, "-n"}), 0) << err_;
  EXPECT_TRUE(fs::exists(disk_ / "tape 9"));
  EXPECT_FALSE(fs::exists(disk_ / "RESTORE.txt"));
  EXPECT_EQ(run({"rescan", disk_}), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("'letter.txt' is no archive"));
  EXPECT_THAT(err_, HasSubstr("'other.tar' does not say which backup it is"));
  EXPECT_THAT(err_, HasSubstr("'tape 9': a copy of 'once more', left alone"));
  EXPECT_EQ(test::read_file(disk_ / "home.1.tar.gz"), "in the way");
  EXPECT_TRUE(fs::exists(disk_ / "tape 9"));
  EXPECT_TRUE(fs::exists(disk_ / "home.1.aa.tar.gz"));
  EXPECT_EQ(run({"verify", "home@2", "--destination", disk_}), 0) << err_;
}

TEST_F(RescanTest, NamesTheLevelThatIsMissingAndFindsTheRest) {
  make_days("tar.gz", "tar-internal");
  lose_all_but_the_archives();
  const auto level1 = directory_ / "elsewhere";
  fs::rename(disk_ / "tape 8", level1);
  EXPECT_EQ(run({"rescan", disk_}), 2);
  EXPECT_THAT(err_, HasSubstr("'home.2.tar.gz': level 1 (backup "));
  EXPECT_THAT(err_, HasSubstr("is not here: put it here, and run again"));
  EXPECT_EQ(run({"restore", "home@0", "--destination", disk_, "--to", directory_ / "target"}), 0) << err_;
  EXPECT_THAT(test::diff_trees(days_[0], directory_ / "target"), IsEmpty());
  fs::rename(level1, disk_ / "it was here");
  EXPECT_EQ(run({"rescan", disk_}), 0) << err_;
  expect_all_days();
}

TEST_F(RescanTest, GivesADamagedArchiveNoManifest) {
  make_days("tar.gz", "tar-internal");
  const auto sha256 = test::read_file(backups_ / "home.tar.gz.sha256");
  lose_all_but_the_archives();
  const auto whole = test::read_file(disk_ / "tape 9");
  auto bytes = whole;
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  test::write_file(disk_ / "tape 9", bytes);
  EXPECT_EQ(run({"rescan", disk_}), 2);
  EXPECT_THAT(err_, HasSubstr("is damaged near byte"));
  EXPECT_THAT(err_, HasSubstr("aa restore --salvage"));
  EXPECT_THAT(err_, HasSubstr("has no manifest"));
  EXPECT_FALSE(fs::exists(disk_ / "home.tar.gz.manifest.zst"));

  test::write_file(disk_ / "home.tar.gz", whole);
  test::write_file(disk_ / "home.tar.gz.sha256", std::string(64, '0') + "  home.tar.gz\n");
  EXPECT_EQ(run({"rescan", disk_}), 2);
  EXPECT_THAT(err_, HasSubstr("says another"));
  test::write_file(disk_ / "home.tar.gz.sha256", sha256);
  EXPECT_EQ(run({"rescan", disk_}), 0) << err_;
  expect_all_days();
}

TEST_F(RescanTest, RenewsWhatToDoWithoutTheProgram) {
  make_days("tar", "tar-internal");
  lose_all_but_the_archives();
  EXPECT_EQ(run({"rescan", disk_}), 0) << err_;
  EXPECT_THAT(test::read_file(disk_ / "RESTORE.txt"), HasSubstr("sha256sum --check home.2.tar.sha256"));
  const auto check = test::run_shell("cd " + test::shell_quote(disk_) + " && sha256sum --check *.sha256");
  EXPECT_EQ(check.status, 0) << check.output;
}

TEST_F(RescanTest, NeedsADirectoryThatIsThere) {
  EXPECT_EQ(run({"rescan"}), 64);
  EXPECT_EQ(run({"rescan", directory_ / "nowhere"}), 73) << err_;
  EXPECT_EQ(run({"rescan", directory_.make("empty"), "--json"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("\"backups\":[]"));
}

}  // namespace
}  // namespace autoarchive::host
