#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "job/pins.hpp"
#include "output/json.hpp"
#include "state/archive_record.hpp"
#include "state/state_file.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

RunRecord run(int second, const std::string& status) {
  RunRecord made;
  made.began = SystemTime(std::chrono::seconds(second));
  made.status = status;
  return made;
}

TEST(ArchiveRecord, ComesBackAsItWasWritten) {
  test::TempDir directory;
  ArchiveRecord record;
  record.chain = "0b8e";
  record.restarts = 3;
  record.last_restart = SystemTime(std::chrono::nanoseconds(1'700'000'000'000'000'001));
  auto success = run(1'700'000'000, "warnings");
  success.level = 2;
  success.level_rule = "next";
  success.seconds = 1.5;
  success.archive_bytes = 1ULL << 40U;
  success.backup = "77ab";
  add_run(record, success);
  add_run(record, run(1'700'000'001, "failed"));
  write_archive_record(directory.path(), "home", record);
  const auto file = read_archive_record(directory.path(), "home");
  EXPECT_EQ(file.fault, "");
  EXPECT_EQ(file.record.chain, "0b8e");
  EXPECT_EQ(file.record.restarts, 3);
  EXPECT_EQ(file.record.last_restart, record.last_restart);
  ASSERT_TRUE(file.record.last_success);
  EXPECT_EQ(file.record.last_success->archive_bytes, 1ULL << 40U);
  EXPECT_EQ(file.record.last_success->seconds, 1.5);
  EXPECT_EQ(file.record.last_success->level_rule, "next");
  EXPECT_EQ(file.record.failing_since, SystemTime(std::chrono::seconds(1'700'000'001)));
  EXPECT_EQ(file.record.runs.size(), 2U);
  EXPECT_THAT(recorded_archives(directory.path()), ElementsAre("home"));
  remove_archive_record(directory.path(), "home");
  remove_archive_record(directory.path(), "home");
  EXPECT_THAT(recorded_archives(directory.path()), IsEmpty());
}

TEST(ArchiveRecord, IsEmptyWhenThereIsNoneYet) {
  test::TempDir directory;
  const auto file = read_archive_record(directory.path(), "home");
  EXPECT_EQ(file.fault, "");
  EXPECT_THAT(file.record.runs, IsEmpty());
  EXPECT_THAT(recorded_archives(directory.path()), IsEmpty());
}

TEST(ArchiveRecord, KnowsSinceWhenItFails) {
  ArchiveRecord record;
  for (const auto& [second, status] : {std::pair(1, "ok"), {2, "failed"}, {3, "failed"}, {4, "not_now"}})
    add_run(record, run(second, status));
  EXPECT_EQ(record.failing_since, SystemTime(std::chrono::seconds(2)));
  EXPECT_EQ(record.last_success->began, SystemTime(std::chrono::seconds(1)));
  add_run(record, run(5, "warnings"));
  EXPECT_FALSE(record.failing_since);
  for (int i = 0; i < 200; ++i) add_run(record, run(10 + i, "ok"));
  EXPECT_EQ(record.runs.size(), kRememberedRuns);
  EXPECT_EQ(record.runs.back().began, SystemTime(std::chrono::seconds(209)));
}

CatalogEntry backup(int second, const std::string& keep, const std::string& id) {
  CatalogEntry entry;
  entry.name = {"home", backup_type::kTar, 0, keep};
  entry.header.emplace();
  entry.header->backup_uuid = id;
  entry.header->started = SystemTime(std::chrono::seconds(second));
  return entry;
}

TEST(Holds, AreThePinsAndTheNewestThatIsVerified) {
  const BackupCatalog catalog({backup(3, "", "c"), backup(2, "aa", "b"), backup(1, "ab", "a")});
  EXPECT_THAT(holds(catalog, {"a"}, {"a", "b"}),
              ElementsAre(std::pair(std::string("a"), Hold{"pinned", true}),
                          std::pair(std::string("b"), Hold{"the newest that is verified", false})));
  EXPECT_THAT(holds(catalog, {}, {"gone"}), IsEmpty());
  const auto unread = holds(catalog, {}, {"a"}, {"b", "c"});
  EXPECT_THAT(unread, ElementsAre(Key("a"), Key("c")));
  EXPECT_EQ(unread.at("c").reason, "the newest that was verified and could not be read since");
}

TEST(Holds, AreOfChainsThatAreVerifiedAsAWhole) {
  auto level = backup(3, "", "level");
  level.name.level = level.header->level = 1;
  level.header->parent_uuid = level.header->chain_uuid = "base";
  auto base = backup(2, "", "base");
  base.header->chain_uuid = "base";
  const BackupCatalog catalog({level, base, backup(1, "aa", "old")});
  EXPECT_THAT(holds(catalog, {}, {"old", "level"}), ElementsAre(Key("old")));
  EXPECT_THAT(holds(catalog, {}, {"old", "level", "base"}), ElementsAre(Key("level")));
  EXPECT_THAT(holds(catalog, {}, {"old", "level"}, {"base"}), UnorderedElementsAre(Key("level"), Key("old")));
}

TEST(StateFile, NoticesEveryBitThatIsFlippedAndEveryByteThatIsMissing) {
  test::TempDir directory;
  const auto file = directory / "folder/x.json";
  write_state_file(file, Json::Object{{"a", 1}});
  const auto good = test::read_file(file);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    test::write_file(file, bad);
    EXPECT_FALSE(read_state_file(file).document) << i;
    EXPECT_THAT(read_state_file(file).fault, HasSubstr("is damaged"));
    test::write_file(file, good.substr(0, i));
    EXPECT_FALSE(read_state_file(file).document) << i;
  }
  test::write_file(file, good);
  EXPECT_TRUE(read_state_file(file).document);
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  EXPECT_THAT(read_state_file(file).fault, HasSubstr("can't be read"));
}

TEST(Json, IsReadAgain) {
  const auto json = Json::parse("{\"a\":[1,2.5,\"x\",true,null],\"b\":{\"c\":-3}}");
  ASSERT_TRUE(json);
  EXPECT_EQ(json->dump(), "{\"a\":[1,2.5,\"x\",true,null],\"b\":{\"c\":-3}}");
  EXPECT_EQ(json->find("b")->find("c")->as_integer(), -3);
  EXPECT_EQ(json->find("b")->find("d"), nullptr);
  EXPECT_EQ(json->find("a")->as_array()->at(1).as_number(), 2.5);
  EXPECT_EQ(json->find("a")->find("b"), nullptr);
  EXPECT_FALSE(Json::parse("{"));
  EXPECT_FALSE(Json::parse("1 2"));
  EXPECT_FALSE(Json::parse(std::string(100, '[') + std::string(100, ']')));
}

}  // namespace
}  // namespace autoarchive::host
