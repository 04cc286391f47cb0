// From the archive files alone to backups that restore, and a chain that goes on.
#include "job/rescan.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "application_fixture.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "job/backup_search.hpp"
#include "job/found_backups.hpp"
#include "job/found_manifests.hpp"
#include "output/json.hpp"
#include "support/memory_file.hpp"
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

std::vector<std::string> names(const std::vector<FoundBackup>& backups, const std::set<std::string>& taken = {},
                               const std::set<std::string>& others = {}) {
  std::vector<std::string> names;
  for (const auto& answer : name_backups(backups, taken, others)) {
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
      case FoundName::Fate::renamed:
        names.push_back("renamed to " + answer.name.archive);
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

TEST(FoundBackups, MayHaveBeenRenamedToAnotherArchive) {
  const std::set<std::string> others{"docs", "home", "tape"};
  EXPECT_EQ(names({found("docs.tar.gz", 0, "0", "0", 1), found("docs.1.aa.tar.gz", 1, "1", "0", 2)}, {}, others),
            (Names{"renamed to docs", "renamed to docs"}));
  EXPECT_EQ(names({found("docs.tar.gz", 0, "0", "0", 1), found("tape 1", 0, "0", "0", 1)}, {}, others),
            (Names{"renamed to docs", "home.tar.gz"}));
  EXPECT_EQ(names({found("docs.tar.gz", 0, "0", "0", 1)}), (Names{"home.tar.gz"}));
}

TEST(FoundManifests, CountAsAbsentOnlyIfTheyAreDamaged) {
  const test::TempDir directory;
  ManifestHeader header;
  header.backup_uuid = "0b8e";
  header.version = kManifestVersion + 1;
  test::MemorySink newer;
  ManifestWriter(newer, header).finish({});
  test::write_file(directory / "newer.manifest.zst", newer.text);
  test::write_file(directory / "damaged.manifest.zst", newer.text.substr(1));
  std::filesystem::create_symlink("unreadable.manifest.zst", directory / "unreadable.manifest.zst");
  const FoundManifests found(
      directory.path(), {"newer.manifest.zst", "damaged.manifest.zst", "unreadable.manifest.zst"}, directory / "state");
  EXPECT_THAT(found.unreadable("newer.manifest.zst"), HasSubstr("use a newer aa"));
  EXPECT_THAT(found.unreadable("unreadable.manifest.zst"), HasSubstr("symbolic links"));
  EXPECT_THAT(found.unreadable("damaged.manifest.zst"), IsEmpty());
  EXPECT_THAT(found.unreadable("another.manifest.zst"), IsEmpty());
}

/// A directory on a disk of which a part of one file can't be read.
class BrokenDisk final : public IStorage {
 public:
  BrokenDisk(fs::path directory, std::string file, std::uint64_t from, std::uint64_t to)
      : below_(std::move(directory)), file_(std::move(file)), from_(from), to_(to) {}

  [[nodiscard]] std::string description() const override { return below_.description(); }
  [[nodiscard]] bool has(StorageCapability capability) const noexcept override { return below_.has(capability); }
  [[nodiscard]] std::unique_ptr<ITransaction> begin(const TransactionOptions& options) override {
    return below_.begin(options);
  }
  [[nodiscard]] std::unique_ptr<ReadableFile> open(std::string_view name) const override {
    auto file = below_.open(name);
    if (name != file_) return file;
    return std::make_unique<BrokenFile>(std::move(file), from_, to_);
  }
  [[nodiscard]] std::optional<StoredFile> stat(std::string_view name) const override { return below_.stat(name); }
  [[nodiscard]] std::vector<StoredFile> list(std::string_view prefix) const override { return below_.list(prefix); }
  [[nodiscard]] std::optional<std::uint64_t> free_bytes() const override { return below_.free_bytes(); }

 private:
  class BrokenFile final : public ReadableFile {
   public:
    BrokenFile(std::unique_ptr<ReadableFile> below, std::uint64_t from, std::uint64_t to)
        : below_(std::move(below)), from_(from), to_(to) {}
    [[nodiscard]] std::uint64_t size() const noexcept override { return below_->size(); }
    [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
      if (offset < to_ && offset + buffer.size() > from_) throw Error::from_errno(EIO, "reading " + description());
      return below_->read_at(offset, buffer);
    }
    [[nodiscard]] std::string description() const override { return below_->description(); }

   private:
    std::unique_ptr<ReadableFile> below_;
    std::uint64_t from_;
    std::uint64_t to_;
  };

  LocalStorage below_;
  std::string file_;
  std::uint64_t from_;
  std::uint64_t to_;
};

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
  EXPECT_THAT(err_, HasSubstr("is damaged "));
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

TEST_F(RescanTest, LeavesAManifestAloneThatItCanNotRead) {
  make_days("tar.gz", "tar-internal");
  ManifestHeader header;
  header.backup_uuid = "0b8e";
  header.version = kManifestVersion + 1;
  test::MemorySink newer;
  ManifestWriter(newer, header).finish({});
  const auto manifest = backups_ / "home.tar.gz.manifest.zst";
  test::write_file(manifest, newer.text);
  fs::remove(backups_ / "home.1.tar.gz.manifest.zst");
  fs::remove_all(directory_ / "state");
  EXPECT_EQ(run({"rescan", backups_}), 1);
  EXPECT_EQ(test::read_file(manifest), newer.text);
  EXPECT_THAT(err_, HasSubstr("use a newer aa; left alone"));
  EXPECT_THAT(err_, HasSubstr("'home.1.tar.gz': level 0"));
  EXPECT_FALSE(fs::exists(backups_ / "home.1.tar.gz.manifest.zst"));
  fs::remove(manifest);
  EXPECT_EQ(run({"rescan", backups_}), 0) << err_;
  disk_ = backups_;
  expect_all_days();
}

TEST_F(RescanTest, GoesOnBehindAnArchiveThatCanNotBeRead) {
  const auto disk = directory_.make("disk");
  for (const std::string name : {"one", "two"}) {
    test::write_file(directory_ / "root/large", std::string(2U << 20U, name.front()));
    ASSERT_EQ(create({"--type", "tar"}), 0) << err_;
    fs::rename(directory_ / "backups/home.tar", disk / name);
  }
  fs::remove_all(directory_ / "state");
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  const ProcessContext process{in, out, err, false, false, false, environment_, false, fs::path(AA_PROGRAM), {}};
  constexpr std::uint64_t kMiddle = 1U << 20U;
  for (const auto& [from, to] : {std::pair{kMiddle, kMiddle + 1}, std::pair{2 * kMiddle, 4 * kMiddle}}) {
    Session session(process, {});
    BrokenDisk broken(disk, "one", from, to);
    const auto results = rescan_archive(session, broken, disk, "home", {});
    ASSERT_EQ(results.size(), 2U);
    const std::size_t at = results[0].was == "one" ? 0 : 1;
    const auto& unreadable = results[at];
    EXPECT_EQ(unreadable.file, "one");
    EXPECT_EQ(unreadable.manifest, "none");
    EXPECT_THAT(unreadable.trouble, HasSubstr("Input/output error; left alone"));
    EXPECT_EQ(unreadable.problem, "archive.unproven");
    EXPECT_EQ(results[1 - at].file, "home.tar");
    EXPECT_THAT(results[1 - at].trouble, IsEmpty());
    EXPECT_TRUE(fs::exists(disk / "one"));
    EXPECT_TRUE(fs::exists(disk / "home.tar.manifest.zst"));
  }
  BrokenDisk broken(disk, "one", 0, 1);
  Session session(process, {});
  const auto found = look_for_backups(session, broken, disk);
  ASSERT_EQ(found.others.size(), 1U);
  EXPECT_EQ(found.others[0].file, "one");
  EXPECT_EQ(found.others[0].problem, "archive.unproven");
  EXPECT_EQ(run({"rescan", disk}), 0) << err_;
  EXPECT_FALSE(fs::exists(disk / "one"));
}

TEST_F(RescanTest, LeavesWhatIsCalledAsABackupOfAnotherArchiveAlone) {
  make_days("tar.gz", "tar-internal");
  for (int level = 0; level < 3; ++level) {
    for (const std::string end : {"", ".manifest.zst", ".sha256"})
      fs::rename(backups_ / (name(level) + end), backups_ / ("docs" + name(level).substr(4) + end));
  }
  fs::copy(backups_ / "docs.tar.gz", backups_ / "a copy");
  configure("version: 1\narchives:\n  docs: {root: /, destination: " + backups_.native() + "}\n");
  EXPECT_EQ(run({"rescan", backups_}), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("'docs.1.tar.gz': is called as a backup of the archive docs, and left alone"));
  for (int level = 0; level < 3; ++level) {
    EXPECT_TRUE(fs::exists(backups_ / ("docs" + name(level).substr(4))));
    EXPECT_TRUE(fs::exists(backups_ / ("docs" + name(level).substr(4) + ".manifest.zst")));
  }
  EXPECT_TRUE(fs::exists(backups_ / "home.tar.gz.manifest.zst"));
}

TEST_F(RescanTest, NeedsADirectoryThatIsThere) {
  EXPECT_EQ(run({"rescan"}), 64);
  EXPECT_EQ(run({"rescan", directory_ / "nowhere"}), 73) << err_;
  EXPECT_EQ(run({"rescan", directory_.make("empty"), "--json"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("\"backups\":[]"));
}

}  // namespace
}  // namespace autoarchive::host
