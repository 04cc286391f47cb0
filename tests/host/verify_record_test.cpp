#include "state/verify_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/temp_dir.hpp"

namespace autoarchive::host {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kHere = "/backups";

SystemTime at(int seconds) {
  return SystemTime(std::chrono::seconds(1'700'000'000 + seconds));
}

TEST(VerifyRecord, RemembersTheLastCheckOfEachDepthAndForgetsBackupsThatAreGone) {
  const test::TempDir state;
  std::string fault;
  EXPECT_THAT(read_verify_records(state.path(), "home", kHere, fault), IsEmpty());
  remember_verified(state.path(), "home", kHere,
                    {{"one", VerifyDepth::data, at(0), true}, {"two", VerifyDepth::quick, at(0), true}},
                    {"one", "two"});
  remember_verified(state.path(), "home", kHere, {{"one", VerifyDepth::data, at(5), false}}, {"one"});
  remember_verified(state.path(), "home", kHere, {{"one", VerifyDepth::quick, at(3), true}}, {"one"});
  const auto records = read_verify_records(state.path(), "home", kHere, fault);
  ASSERT_THAT(records, SizeIs(2));
  const auto* last = last_verified(records, "one");
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(*last, (VerifyRecord{"one", VerifyDepth::data, at(5), false}));
  EXPECT_EQ(last_verified(records, "two"), nullptr);
  EXPECT_THAT(fault, IsEmpty());
}

TEST(VerifyRecord, TellsOfEveryFlippedBitAndStartsAnew) {
  const test::TempDir state;
  remember_verified(state.path(), "home", kHere, {{"one", VerifyDepth::data, at(0), true}}, {"one"});
  const auto file = state / "verified/home";
  const auto text = test::read_file(file);
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto flipped = text;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    test::write_file(file, flipped);
    std::string fault;
    EXPECT_THAT(read_verify_records(state.path(), "home", kHere, fault), IsEmpty()) << i;
    EXPECT_THAT(fault, Not(IsEmpty())) << i;
  }
  remember_verified(state.path(), "home", kHere, {{"one", VerifyDepth::data, at(1), true}}, {"one"});
  std::string fault;
  EXPECT_THAT(read_verify_records(state.path(), "home", kHere, fault), SizeIs(1));
}

TEST(VerifyRecord, LosesNothingWhenTwoProcessesRememberAtOnce) {
  const test::TempDir state;
  constexpr int kEach = 50;
  std::set<std::string> known;
  for (const char* process : {"a", "b"}) {
    for (int i = 0; i < kEach; ++i) known.insert(process + std::to_string(i));
  }
  const auto remember = [&](const std::string& process) {
    for (int i = 0; i < kEach; ++i) {
      const auto uuid = process + std::to_string(i);
      remember_verified(state.path(), "home", kHere, {{uuid, VerifyDepth::data, at(i), true}}, known);
    }
  };
  std::thread other(remember, "a");
  remember("b");
  other.join();
  std::string fault;
  EXPECT_EQ(proven_backups(read_verify_records(state.path(), "home", kHere, fault)), known);
}

TEST(VerifyRecord, KeepsWhatWasProvenBesideWhatCouldNotBeRead) {
  const test::TempDir state;
  const auto remember = [&](int time, bool whole, bool unread) {
    remember_verified(state.path(), "home", kHere, {{"one", VerifyDepth::data, at(time), whole, unread}}, {"one"});
    std::string fault;
    return read_verify_records(state.path(), "home", kHere, fault);
  };
  const std::set<std::string> one{"one"};
  EXPECT_EQ(proven_backups(remember(0, true, false)), one);
  EXPECT_THAT(unread_backups(remember(0, true, false)), IsEmpty());
  for (const int time : {1, 2}) {
    const auto records = remember(time, false, true);
    EXPECT_THAT(records, SizeIs(2));
    EXPECT_THAT(proven_backups(records), IsEmpty());
    EXPECT_EQ(unread_backups(records), one);
  }
  EXPECT_THAT(remember(3, true, false), SizeIs(1));
  static_cast<void>(remember(4, false, true));
  const auto damaged = remember(5, false, false);
  EXPECT_THAT(damaged, SizeIs(1));
  EXPECT_THAT(proven_backups(damaged), IsEmpty());
  EXPECT_THAT(unread_backups(damaged), IsEmpty());
}

TEST(VerifyRecords, NameTheBackupsThatWereProven) {
  const std::vector<VerifyRecord> records{
      {"a", VerifyDepth::data, at(1), true},    {"b", VerifyDepth::quick, at(1), true},
      {"c", VerifyDepth::restore, at(1), true}, {"c", VerifyDepth::data, at(2), false},
      {"d", VerifyDepth::data, at(1), false},   {"d", VerifyDepth::restore, at(2), true}};
  EXPECT_EQ(proven_backups(records), (std::set<std::string>{"a", "d"}));
}

TEST(VerifyRecords, AreNotImprovedByAQuickCheckThatFindsNothing) {
  const std::vector<VerifyRecord> records{
      {"a", VerifyDepth::restore, at(1), true}, {"a", VerifyDepth::data, at(2), false},
      {"a", VerifyDepth::quick, at(3), true},   {"b", VerifyDepth::data, at(1), true},
      {"b", VerifyDepth::quick, at(2), true},   {"c", VerifyDepth::data, at(1), true},
      {"c", VerifyDepth::quick, at(2), false},  {"d", VerifyDepth::quick, at(1), true}};
  EXPECT_EQ(proven_backups(records), std::set<std::string>{"b"});
  EXPECT_EQ(found_damaged(records, "a"), at(2));
  EXPECT_EQ(found_damaged(records, "b"), std::nullopt);
  EXPECT_EQ(found_damaged(records, "c"), at(2));
  EXPECT_EQ(last_verified(records, "d")->time, at(1));
}

TEST(VerifyRecord, KnowsEachDestinationForItself) {
  const test::TempDir state;
  const auto now = std::chrono::system_clock::now();
  const auto found_in = [&](const std::string& destination) {
    std::string fault;
    return proven_backups(read_verify_records(state.path(), "home", destination, fault));
  };
  remember_verified(state.path(), "home", kHere, {{"one", VerifyDepth::data, now, true}}, {"one"});
  // A copy elsewhere that is damaged, and then one in a place that has nothing else.
  remember_verified(state.path(), "home", "/copy", {{"one", VerifyDepth::data, now, false}}, {"one"});
  remember_verified(state.path(), "home", "/old", {{"two", VerifyDepth::data, at(0), true}}, {"two"});
  EXPECT_EQ(found_in("/backups/."), std::set<std::string>{"one"});
  EXPECT_THAT(found_in("/copy"), IsEmpty());
  EXPECT_EQ(found_in("/old"), std::set<std::string>{"two"});
  // What is a year old is forgotten with the next that is remembered elsewhere.
  remember_verified(state.path(), "home", kHere, {}, {"one"});
  EXPECT_EQ(found_in(kHere), std::set<std::string>{"one"});
  EXPECT_THAT(found_in("/old"), IsEmpty());
}

}  // namespace
}  // namespace autoarchive::host
