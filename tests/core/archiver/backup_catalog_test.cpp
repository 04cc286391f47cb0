#include "autoarchive/archiver/backup_catalog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "support/memory_file.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive {
namespace {

using ::testing::ElementsAre;

CatalogEntry entry(int level, const std::string& keeping_id, int day, const std::string& uuid = "",
                   const std::string& parent = "") {
  CatalogEntry made;
  made.name = {"home", backup_type::kTarGz, level, keeping_id};
  made.file.name = made.name.file_name();
  made.file.modified = SystemTime(std::chrono::hours(24 * day));
  if (uuid.empty()) return made;
  made.header.emplace();
  made.header->backup_uuid = uuid;
  made.header->parent_uuid = parent;
  made.header->chain_uuid = "chain";
  made.header->level = level;
  made.header->started = made.file.modified;
  made.closing.emplace();
  return made;
}

/// Plain 0 1 2; the old 1 of the same chain was kept as 1.aa; ab is an older chain.
BackupCatalog catalog() {
  return BackupCatalog({entry(0, "ab", 1, "o0"), entry(1, "ab", 2, "o1", "o0"), entry(0, "", 10, "n0"),
                        entry(1, "aa", 11, "k1", "n0"), entry(1, "", 12, "n1", "n0"), entry(2, "", 13, "n2", "n1")});
}

std::string found(const std::string& selector) {
  const auto all = catalog();
  return all.entries()[all.resolve(selector)].name.file_name();
}

TEST(Selector, MeansWhatTheManualSays) {
  EXPECT_EQ(found(""), "home.2.tar.gz");
  EXPECT_EQ(found("0"), "home.tar.gz");
  EXPECT_EQ(found("1"), "home.1.tar.gz");
  EXPECT_EQ(found("aa"), "home.1.aa.tar.gz");
  EXPECT_EQ(found("ab"), "home.1.ab.tar.gz");
  EXPECT_EQ(found("0.ab"), "home.ab.tar.gz");
  EXPECT_EQ(found("~1"), "home.1.tar.gz");
  EXPECT_EQ(found("~2"), "home.1.aa.tar.gz");
  EXPECT_EQ(found("1970-01-11T12:00:00Z"), "home.tar.gz");
}

TEST(Selector, CountsADayAMinuteAndASecondToItsEnd) {
  auto entry = catalog().entries().front();
  const auto time = *parse_time("2026-11-01T03:00:07.5Z");
  entry.header.emplace().started = time;
  const BackupCatalog all({entry});
  const auto is_found = [&](const std::string& selector) {
    try {
      return all.resolve(selector) == 0;
    } catch (const Error& error) {
      EXPECT_EQ(error.cause(), ErrorCause::no_such_backup) << selector;
      return false;
    }
  };
  for (const char* selector : {"2026-11-01T03:00:07.5Z", "2026-11-01T03:00:07Z", "2026-11-01 03:00:07Z",
                               "2026-11-01T03:00Z", "2026-11-01T04:00+01:00", "2026-11-02"})
    EXPECT_TRUE(is_found(selector)) << selector;
  for (const char* selector : {"2026-11-01T03:00:07.4Z", "2026-11-01T03:00:06Z", "2026-11-01T02:59Z", "2026-10-31"})
    EXPECT_FALSE(is_found(selector)) << selector;
}

TEST(Selector, TrustsWhatIsKnownMoreThanTheClock) {
  constexpr int kFuture = 36500;
  const auto order = [](const BackupCatalog& all) {
    std::vector<std::string> names;
    for (const auto i : all.newest_first()) names.push_back(all.entries()[i].name.file_name());
    return names;
  };
  EXPECT_THAT(order(BackupCatalog({entry(0, "", 10, "n0"), entry(1, "", kFuture, "n1", "n0"),
                                   entry(2, "", 12, "n2", "n1"), entry(3, "", 11, "n3", "n2")})),
              ElementsAre("home.3.tar.gz", "home.2.tar.gz", "home.1.tar.gz", "home.tar.gz"));
  // Of level 1 and above, aa was replaced by what is level 1 now.
  EXPECT_THAT(order(BackupCatalog({entry(0, "", 10, "n0"), entry(1, "", 12, "n1", "n0"),
                                   entry(1, "aa", kFuture, "k1", "n0"), entry(0, "ab", 11, "o")})),
              ElementsAre("home.1.tar.gz", "home.1.aa.tar.gz", "home.ab.tar.gz", "home.tar.gz"));
  EXPECT_EQ(order(BackupCatalog({entry(1, "", 1, "x", "y"), entry(2, "", 1, "y", "x")})).size(), 2U);
}

TEST(Selector, TellsNonsenseFromWhatIsNotThere) {
  const auto cause = [](const std::string& selector) {
    try {
      static_cast<void>(found(selector));
    } catch (const Error& error) {
      return error.cause();
    }
    return ErrorCause::unspecified;
  };
  for (const char* selector : {"7", "zz", "~9", "2.ab", "1969-01-01"})
    EXPECT_EQ(cause(selector), ErrorCause::no_such_backup) << selector;
  for (const char* selector : {"x", "-1", "aaa", "~", "1.2.3", "~x"})
    EXPECT_EQ(cause(selector), ErrorCause::usage) << selector;
}

TEST(Catalog, ResolvesAKeptLevelThroughThePlainLevel0) {
  const auto all = catalog();
  std::vector<std::string> names;
  for (const auto i : all.chain_to(all.resolve("aa"))) names.push_back(all.entries()[i].name.file_name());
  EXPECT_THAT(names, ElementsAre("home.tar.gz", "home.1.aa.tar.gz"));
}

TEST(Catalog, KnowsWhatDependsOnABackup) {
  const auto all = catalog();
  std::vector<std::string> names;
  for (const auto i : all.dependants_of(all.resolve("0"))) names.push_back(all.entries()[i].name.file_name());
  EXPECT_THAT(names, ElementsAre("home.1.tar.gz", "home.2.tar.gz", "home.1.aa.tar.gz"));
}

TEST(Catalog, GoesByLevelsWhereThereAreNoManifests) {
  const BackupCatalog all({entry(0, "", 1), entry(1, "", 2), entry(3, "", 4)});
  EXPECT_EQ(all.chain_to(all.resolve("1")).size(), 2U);
  EXPECT_THROW(static_cast<void>(all.chain_to(all.resolve("3"))), Error);
}

TEST(Catalog, SeesFilesThatACommitHasSetAsideAndNoNeighbours) {
  const test::TempDir directory;
  for (const char* name :
       {"home.tar.gz._old", "home.1.tar.gz", "home.x.tar.gz", "home.1.tar.gz._partial", "homes.tar.gz"}) {
    test::write_file(directory / name, "x");
  }
  const auto all = BackupCatalog::read(LocalStorage(directory.path()), "home", backup_type::kWellKnown);
  ASSERT_EQ(all.entries().size(), 2U);
  EXPECT_EQ(all.entries()[0].file.name, "home.tar.gz._old");
  EXPECT_EQ(all.entries()[0].name.file_name(), "home.tar.gz");
}

TEST(Catalog, FindsAManifestThatACommitHasLeftBehind) {
  const test::TempDir directory;
  test::MemorySink sink;
  ManifestHeader header;
  header.backup_uuid = "kept";
  header.archive = "home";
  header.level = 1;
  ManifestWriter manifest(sink, header);
  ManifestClosing closing;
  closing.archive_bytes = 3;
  static_cast<void>(manifest.finish(closing));
  const auto read = [&] {
    return BackupCatalog::read(LocalStorage(directory.path()), "home", backup_type::kWellKnown).entries();
  };
  test::write_file(directory / "home.1.aa.tar.gz", "abc");  // moved, and its manifest not yet
  test::write_file(directory / "home.2.aa.tar.gz", "abc");
  test::write_file(directory / "home.1.tar.gz.manifest.zst", sink.text);
  ASSERT_EQ(read().size(), 2U);
  EXPECT_EQ(read()[0].manifest, "home.1.tar.gz.manifest.zst");
  EXPECT_EQ(read()[0].header->backup_uuid, "kept");
  EXPECT_FALSE(read()[1].header) << "it is of another level";
  test::write_file(directory / "home.1.aa.tar.gz", "abcd");
  EXPECT_FALSE(read()[0].header) << "it is for another size";
  EXPECT_EQ(read()[0].fault, "");
  test::write_file(directory / "home.1.aa.tar.gz", "abc");
  test::write_file(directory / "home.1.tar.gz", "xyz");
  EXPECT_EQ(read()[1].file.name, "home.1.aa.tar.gz");
  EXPECT_FALSE(read()[1].header) << "it has its own archive beside it";
  test::write_file(directory / "home.1.tar.gz.manifest.zst._partial", sink.text);
  std::filesystem::remove(directory / "home.1.tar.gz.manifest.zst");
  EXPECT_EQ(read()[0].manifest, "home.1.tar.gz.manifest.zst._partial") << "the commit was cut off before it";
  test::MemorySink replaced;
  header.backup_uuid = "replaced";
  ManifestWriter old(replaced, header);
  static_cast<void>(old.finish(closing));
  test::write_file(directory / "home.1.tar.gz.manifest.zst", replaced.text);
  EXPECT_EQ(read()[0].header->backup_uuid, "kept") << "the one that has the name is that of the backup before";
  test::write_file(directory / "home.1.tar.gz._partial", "xyz");
  EXPECT_EQ(read()[0].header->backup_uuid, "replaced") << "the new one is of a backup in the making";
  std::filesystem::remove(directory / "home.1.tar.gz.manifest.zst");
  EXPECT_FALSE(read()[0].header);
}

TEST(Catalog, NamesAManifestThatCanNotBeRead) {
  const test::TempDir directory;
  test::write_file(directory / "home.tar", "x");
  test::write_file(directory / "home.tar.manifest.zst", "not a manifest");
  const auto all = BackupCatalog::read(LocalStorage(directory.path()), "home", backup_type::kWellKnown);
  ASSERT_EQ(all.entries().size(), 1U);
  EXPECT_FALSE(all.entries()[0].header);
  EXPECT_NE(all.entries()[0].fault, "");
}

}  // namespace
}  // namespace autoarchive
