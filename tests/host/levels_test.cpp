#include "job/levels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "autoarchive/base/error.hpp"
#include "job/next_backup.hpp"

namespace autoarchive::host {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr SystemTime kNow{std::chrono::seconds(1'800'000'000)};
constexpr auto kDay = 24h;

/// A chain of levels 0..highest, each a day younger than the one before, the highest a day old; level 0 has 100 bytes.
LevelQuestion after(int highest, const std::vector<std::uint64_t>& sizes = {}) {
  LevelQuestion question;
  question.incremental = true;
  question.max_level = highest + 1;
  question.now = kNow;
  for (int level = 0; level <= highest; ++level) {
    const auto size = static_cast<std::size_t>(level) < sizes.size() ? sizes[static_cast<std::size_t>(level)] : 100;
    question.chain[level] = {kNow - (highest - level + 1) * kDay, size, ""};
  }
  return question;
}

struct Case {
  const char* name;
  LevelQuestion question;
  int level;
  LevelRule rule;
  const char* reason;
};

LevelQuestion with(LevelQuestion question, void (*change)(LevelQuestion&)) {
  change(question);
  return question;
}

class LevelPolicy : public ::testing::TestWithParam<Case> {};

TEST_P(LevelPolicy, ChoosesWithAReason) {
  const auto& [name, question, level, rule, reason] = GetParam();
  const auto choice = choose_level(question);
  EXPECT_EQ(choice.level, level);
  EXPECT_EQ(choice.rule, rule) << to_string(choice.rule);
  EXPECT_THAT(choice.reason, HasSubstr(reason));
  if (rule != LevelRule::not_incremental) {
    const auto after_those = question.chain.empty() ? question.max_level : question.chain.rbegin()->first + 1;
    EXPECT_EQ(choice.in_a_row, std::min(question.max_level, after_those));
  }
}

using Q = LevelQuestion;
const Case kCases[] = {
    {"AnArchiveWithoutLevels", Q{}, 0, LevelRule::not_incremental, "not incremental"},
    {"TheFirstBackup", with(after(0), [](Q& q) { q.max_level = 0, q.chain.clear(); }), 0, LevelRule::first,
     "no earlier level"},
    {"TheNextInARow", after(3), 4, LevelRule::next, "next in a row"},
    {"AFullOneWhenAsked", with(after(3), [](Q& q) { q.full = true; }), 0, LevelRule::asked, "full backup was asked"},
    {"TheLevelThatIsAsked", with(after(3), [](Q& q) { q.wanted = 2; }), 2, LevelRule::asked, "asked for"},
    {"TheHighestThatIsAsked", with(after(3), [](Q& q) { q.wanted = 4; }), 4, LevelRule::asked, "asked for"},
    // An explicit level is beyond the rules.
    {"AskedDespiteTheRules", with(after(3), [](Q& q) { q.wanted = 4, q.rules.max = 2, q.rules.full_after = 1s; }), 4,
     LevelRule::asked, "asked for"},
    {"NextDespiteTheRules", with(after(3), [](Q& q) { q.next = true, q.rules.max = 2; }), 4, LevelRule::asked, ""},
    // levels.max
    {"AtMax", with(after(9), [](Q& q) { q.rules.max = 10; }), 10, LevelRule::next, ""},
    {"AboveMax", with(after(10), [](Q& q) { q.rules.max = 10; }), 1, LevelRule::max, "would be 11, levels.max is 10"},
    {"MaxOfOne", with(after(1), [](Q& q) { q.rules.max = 1; }), 1, LevelRule::max, ""},
    {"NoRestartBelowLevel2", with(after(0), [](Q& q) { q.rules.max = 1, q.rules.restart_after = 1s; }), 1,
     LevelRule::next, ""},
    // levels.restart_after: the last low level of after(3) is level 1, three days old.
    {"YoungerThanRestartAfter", with(after(3), [](Q& q) { q.rules.restart_after = 4 * kDay; }), 4, LevelRule::next, ""},
    {"AsOldAsRestartAfter", with(after(3), [](Q& q) { q.rules.restart_after = 3 * kDay; }), 4, LevelRule::next, ""},
    {"OlderThanRestartAfter", with(after(3), [](Q& q) { q.rules.restart_after = 3 * kDay - 1s; }), 1,
     LevelRule::restart_after, "is 3d old, levels.restart_after is 2d 23h"},
    {"ALaterRestartCounts",
     with(after(3), [](Q& q) { q.rules.restart_after = 2 * kDay, q.last_restart = kNow - kDay; }), 4, LevelRule::next,
     ""},
    // levels.full_after: level 0 of after(3) is four days old.
    {"AsOldAsFullAfter", with(after(3), [](Q& q) { q.rules.full_after = 4 * kDay; }), 4, LevelRule::next, ""},
    {"OlderThanFullAfter", with(after(3), [](Q& q) { q.rules.full_after = 4 * kDay - 1s; }), 0, LevelRule::full_after,
     "level 0 is 4d old"},
    {"FullAfterFromLevel1On", with(after(0), [](Q& q) { q.rules.full_after = 1s; }), 0, LevelRule::full_after, ""},
    // levels.full_after_restarts
    {"FewerRestarts", with(after(3), [](Q& q) { q.rules.full_after_restarts = 3, q.restarts = 2; }), 4, LevelRule::next,
     ""},
    {"EnoughRestarts", with(after(1), [](Q& q) { q.rules.full_after_restarts = 3, q.restarts = 3; }), 0,
     LevelRule::full_after_restarts, "3 restarts since level 0"},
    {"MoreRestartsThanTheRuleNowSays", with(after(1), [](Q& q) { q.rules.full_after_restarts = 1, q.restarts = 7; }), 0,
     LevelRule::full_after_restarts, "7 restarts"},
    // The order: a full restart comes before one with a low level.
    {"FullBeforeLow",
     with(after(5),
          [](Q& q) {
            q.rules.max = 1, q.rules.restart_after = 1s;
            q.rules.full_after_restarts = 1, q.rules.full_after = 1s, q.restarts = 1;
          }),
     0, LevelRule::full_after_restarts, ""},
    {"MaxBeforeRestartAfter", with(after(5), [](Q& q) { q.rules.max = 1, q.rules.restart_after = 1s; }), 1,
     LevelRule::max, ""},
    // levels.max_restart_size: the first level that is not larger than the part of level 0, at most the highest.
    {"ASmallLevel1",
     with(after(4, {100, 70, 1, 1, 1}),
          [](Q& q) {
            q.rules = {3, {}, {}, {}, 70};
          }),
     1, LevelRule::max, ""},
    {"ALargeLevel1",
     with(after(4, {100, 71, 70, 1, 1}),
          [](Q& q) {
            q.rules = {3, {}, {}, {}, 70};
          }),
     2, LevelRule::max, ""},
    {"OnlyLargeLevels",
     with(after(4, {100, 90, 90, 90, 90}),
          [](Q& q) {
            q.rules = {3, {}, {}, {}, 70};
          }),
     4, LevelRule::max, ""},
    {"AnEmptyLevel0",
     with(after(4, {0, 5, 5, 5, 5}),
          [](Q& q) {
            q.rules = {3, {}, {}, {}, 70};
          }),
     4, LevelRule::max, ""},
    {"SizesBeyond32Bits",
     with(after(4, {1ULL << 62U, 1ULL << 62U, 1, 1, 1}),
          [](Q& q) {
            q.rules = {3, {}, {}, {}, 70};
          }),
     2, LevelRule::max, ""},
    // A clock that was set back: what lies in the future has no age.
    {"AFullOneInTheFuture",
     with(after(3),
          [](Q& q) {
            for (auto& [level, made] : q.chain) made.made = kNow + kDay;
            q.rules.full_after = 1s, q.rules.restart_after = 1s;
          }),
     4, LevelRule::next, ""},
    {"ARestartInTheFuture", with(after(3), [](Q& q) { q.rules.restart_after = 1s, q.last_restart = kNow + 1s; }), 4,
     LevelRule::next, ""},
    // A chain that can't be continued.
    {"AChainThatIsBroken", with(after(3), [](Q& q) { q.chain_break = "the state is lost"; }), 0,
     LevelRule::broken_chain, "the state is lost"},
    {"StateLostAltogether", with(after(3), [](Q& q) { q.max_level = 0, q.chain_break = "lost"; }), 0,
     LevelRule::broken_chain, "lost"},
    {"LevelsThatAreGone", with(after(4), [](Q& q) { q.chain.erase(3), q.chain.erase(4); }), 3, LevelRule::next,
     "the level 3 that was made before is not in the destination"},
    {"AskedOnLevelsThatAreGone", with(after(4), [](Q& q) { q.chain.erase(4), q.wanted = 5; }), 0,
     LevelRule::broken_chain, "asked for, but the backup of level 4 is not in the destination"},
    {"NextOfLevelsThatAreGone", with(after(4), [](Q& q) { q.chain.erase(4), q.next = true; }), 4, LevelRule::asked, ""},
    {"MaxOfLevelsThatAreGone", with(after(4), [](Q& q) { q.chain.erase(4), q.rules.max = 4; }), 4, LevelRule::next, ""},
    {"AGapInTheChain", with(after(3), [](Q& q) { q.chain.erase(1); }), 0, LevelRule::broken_chain,
     "level 1 is not in the destination"},
    {"ADamagedLevel", with(after(3), [](Q& q) { q.chain[2].fault = "'a.2.tar' has no readable manifest"; }), 0,
     LevelRule::broken_chain, "'a.2.tar' has no readable"},
    {"AskedOnADamagedLevel", with(after(3), [](Q& q) { q.wanted = 3, q.chain[2].fault = "bad"; }), 0,
     LevelRule::broken_chain, "the level was asked for, but bad"},
    // What is broken above the level that is made does not matter.
    {"ARestartBelowTheDamage", with(after(3), [](Q& q) { q.rules.max = 2, q.chain[2].fault = "bad"; }), 1,
     LevelRule::max, ""},
    {"AskedBelowTheDamage", with(after(3), [](Q& q) { q.wanted = 2, q.chain[2].fault = "bad"; }), 2, LevelRule::asked,
     ""},
    {"Level0OnABrokenChain", with(after(3), [](Q& q) { q.wanted = 0, q.chain_break = "bad"; }), 0, LevelRule::asked,
     ""},
};

INSTANTIATE_TEST_SUITE_P(Levels, LevelPolicy, ::testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Levels, ThatCantBeMadeAreRefused) {
  EXPECT_THROW(static_cast<void>(choose_level(with(after(3), [](Q& q) { q.wanted = 5; }))), Error);
  EXPECT_THROW(static_cast<void>(choose_level(with(after(3), [](Q& q) { q.wanted = -1; }))), Error);
  LevelQuestion plain;
  plain.wanted = 1;
  EXPECT_THROW(static_cast<void>(choose_level(plain)), Error);
}

CatalogEntry backup(int level, const std::string& keep, const std::string& parent) {
  CatalogEntry entry;
  entry.name = {"a", backup_type::kTarGz, level, keep};
  entry.header.emplace();
  entry.header->level = level;
  entry.header->chain_uuid = "c";
  entry.header->parent_uuid = parent;
  return entry;
}

TEST(Restarts, AreSeenInBackupsThatHaveTheSameParent) {
  EXPECT_EQ(visible_restarts(BackupCatalog({backup(0, "", ""), backup(1, "", "c"), backup(2, "", "1")}), "c"), 0);
  EXPECT_EQ(visible_restarts(BackupCatalog({backup(0, "", ""), backup(1, "", "c"), backup(1, "aa", "c"),
                                            backup(1, "ab", "c"), backup(2, "aa", "1"), backup(2, "ab", "2")}),
                             "c"),
            2);
  EXPECT_EQ(visible_restarts(BackupCatalog({backup(1, "", "c"), backup(1, "aa", "c")}), "another"), 0);
}

TEST(Restarts, AreCountedByTheRecordOfTheChain) {
  ArchiveRecord record;
  NextBackup made;
  const auto make = [&](int level, LevelRule rule, const std::string& chain, int day) {
    made.restarts = record.chain == chain ? record.restarts : 0;
    made.choice = {level, rule, "", 0};
    add_level(record, made, chain, SystemTime(day * kDay));
  };
  make(0, LevelRule::first, "c", 1);
  make(1, LevelRule::next, "c", 2);
  make(2, LevelRule::next, "c", 3);
  EXPECT_EQ(record.restarts, 0);
  EXPECT_EQ(record.last_restart, SystemTime(2 * kDay));
  make(2, LevelRule::max, "c", 4);  // a restart to a higher level than 1
  EXPECT_EQ(record.restarts, 1);
  EXPECT_EQ(record.last_restart, SystemTime(4 * kDay));
  make(1, LevelRule::asked, "c", 5);  // a low level, but no restart
  EXPECT_EQ(record.restarts, 1);
  EXPECT_EQ(record.last_restart, SystemTime(5 * kDay));
  make(0, LevelRule::full_after, "d", 6);
  EXPECT_EQ(record.restarts, 0);
}

TEST(Restarts, GoThroughTheOriginalsExample) {
  ArchiveRecord record;
  std::vector<int> levels;
  int highest = -1;
  for (int night = 0; night < 9; ++night) {
    auto question = after(highest);
    question.rules.max = 2;
    question.rules.full_after_restarts = 2;
    question.restarts = record.restarts;
    NextBackup made;
    made.restarts = record.restarts;
    made.choice = choose_level(question);
    highest = made.choice.level;
    levels.push_back(highest);
    add_level(record, made, "c", SystemTime(night * kDay));
  }
  EXPECT_THAT(levels, ::testing::ElementsAre(0, 1, 2, 1, 2, 1, 0, 1, 2));
}

}  // namespace
}  // namespace autoarchive::host
