#include "job/keeping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autoarchive/base/error.hpp"
#include "exit_status.hpp"

namespace autoarchive::host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

KeptFile file(int level, const std::string& keep = "", const BackupType& type = backup_type::kTarGz) {
  KeptFile made{{"a", type, level, keep}};
  made.backup = made.name.file_name();
  return made;
}
KeptFile held(KeptFile file) {
  file.held = "pinned";
  file.is_pinned = true;
  return file;
}
KeptFile verified(KeptFile file) {
  file.held = "the newest that is verified";
  return file;
}
KeptFile based_on(KeptFile file, const KeptFile& parent) {
  file.parent = parent.backup;
  return file;
}
BackupName made(int level, const BackupType& type = backup_type::kTarGz) {
  return {"a", type, level, ""};
}

CommitPlan plan_generations(std::vector<KeptFile> files, const BackupName& name, int generations) {
  return plan_keeping({std::move(files), name, generations}).plan;
}

std::vector<std::string> steps(const CommitPlan& plan) {
  std::vector<std::string> lines;
  for (const auto& step : plan.steps) {
    const char* word = step.action == CommitStep::Action::retire ? "retire "
                       : step.action == CommitStep::Action::keep ? "keep "
                                                                 : "move ";
    lines.push_back(word + step.from + (step.to.empty() ? "" : " " + step.to));
  }
  return lines;
}

TEST(Keeping, DoesNothingForTheFirstBackupAndForTheNextLevel) {
  EXPECT_THAT(steps(plan_generations({}, made(0), 2)), IsEmpty());
  EXPECT_THAT(steps(plan_generations({file(0)}, made(1), 2)), IsEmpty());
}

TEST(Keeping, LinksThePlainBackupAndShiftsTheOlderOnes) {
  EXPECT_THAT(steps(plan_generations({file(0), file(0, "aa")}, made(0), 3)),
              ElementsAre("move a.aa.tar.gz a.ab.tar.gz", "keep a.tar.gz a.aa.tar.gz"));
}

TEST(Keeping, LetsTheLastGenerationFallOff) {
  EXPECT_THAT(steps(plan_generations({file(0), file(0, "aa"), file(0, "ab"), file(1, "ab")}, made(0), 2)),
              ElementsAre("retire a.1.ab.tar.gz", "retire a.ab.tar.gz", "move a.aa.tar.gz a.ab.tar.gz",
                          "keep a.tar.gz a.aa.tar.gz"));
}

TEST(Keeping, StopsAtAHole) {
  EXPECT_THAT(steps(plan_generations({file(0), file(0, "aa"), file(0, "ac")}, made(0), 6)),
              ElementsAre("move a.aa.tar.gz a.ab.tar.gz", "keep a.tar.gz a.aa.tar.gz"));
}

// The original's example: levels 0..3 exist, level 2 is made.
TEST(Keeping, MovesAllLevelsFromTheNewOneOnTogether) {
  EXPECT_THAT(steps(plan_generations({file(0), file(1), file(2), file(3)}, made(2), 1)),
              ElementsAre("keep a.2.tar.gz a.2.aa.tar.gz", "move a.3.tar.gz a.3.aa.tar.gz"));
}

TEST(Keeping, LeavesNoSecondChainAfterAChangeOfType) {
  EXPECT_THAT(steps(plan_generations({file(0)}, made(0, backup_type::kTarXz), 1)),
              ElementsAre("move a.tar.gz a.aa.tar.gz"));
  EXPECT_THAT(steps(plan_generations({file(0), file(1)}, made(0, backup_type::kTarXz), 0)),
              ElementsAre("retire a.1.tar.gz", "retire a.tar.gz"));
}

TEST(Keeping, TakesWhatLiesBesideAlong) {
  auto plain = file(0);
  plain.has_manifest = plain.has_sha256 = true;
  plain.sha256 = "d1";
  const auto plan = plan_generations({plain}, made(0), 1);
  EXPECT_THAT(steps(plan),
              ElementsAre("keep a.tar.gz a.aa.tar.gz", "keep a.tar.gz.manifest.zst a.aa.tar.gz.manifest.zst"));
  ASSERT_EQ(plan.texts.size(), 1U);
  EXPECT_EQ(plan.texts[0].name + ": " + plan.texts[0].content, "a.aa.tar.gz.sha256: d1  a.aa.tar.gz\n");
}

TEST(Keeping, HoldsTheLimitsOf0And676) {
  EXPECT_THAT(steps(plan_generations({file(0)}, made(0), 0)), IsEmpty());  // replaced by the new one
  EXPECT_THAT(steps(plan_generations({file(0), file(0, "zz")}, made(0), 676)),
              ElementsAre("keep a.tar.gz a.aa.tar.gz"));
}

TEST(Keeping, MovesWithoutAnyHoleUpToTheLastOf676) {
  std::vector<KeptFile> files{file(0)};
  for (int i = 0; i < kMaxGenerations; ++i) files.push_back(file(0, keeping_id_of(i)));
  const auto lines = steps(plan_generations(files, made(0), kMaxGenerations));
  ASSERT_EQ(lines.size(), 677U);
  EXPECT_EQ(lines.front(), "retire a.zz.tar.gz");
  EXPECT_EQ(lines[1], "move a.zy.tar.gz a.zz.tar.gz");
  EXPECT_EQ(lines.back(), "keep a.tar.gz a.aa.tar.gz");
}

TEST(Keeping, NeitherCountsNorDropsAGenerationThatIsHeld) {
  // One generation stays beside the pinned one, which keeps its place.
  EXPECT_THAT(steps(plan_generations({file(0), file(0, "aa"), held(file(0, "ab"))}, made(0), 1)),
              ElementsAre("retire a.aa.tar.gz", "keep a.tar.gz a.aa.tar.gz"));
  // The pinned one moves on to make room.
  EXPECT_THAT(steps(plan_generations({file(0), held(file(0, "aa")), file(0, "ab")}, made(0), 1)),
              ElementsAre("retire a.ab.tar.gz", "move a.aa.tar.gz a.ab.tar.gz", "keep a.tar.gz a.aa.tar.gz"));
  // The one that is pinned now, with no generations at all.
  EXPECT_THAT(steps(plan_generations({held(file(0)), file(1)}, made(0), 0)),
              ElementsAre("keep a.tar.gz a.aa.tar.gz", "move a.1.tar.gz a.1.aa.tar.gz"));
}

// With every backup verified, as many generations stay as with none.
TEST(Keeping, CountsTheNewestVerifiedGenerationButNeverDropsIt) {
  EXPECT_THAT(steps(plan_generations({verified(file(0)), file(0, "aa")}, made(0), 1)),
              ElementsAre("retire a.aa.tar.gz", "keep a.tar.gz a.aa.tar.gz"));
  EXPECT_THAT(steps(plan_generations({file(0), verified(file(0, "aa")), file(0, "ab")}, made(0), 1)),
              ElementsAre("retire a.ab.tar.gz", "move a.aa.tar.gz a.ab.tar.gz", "keep a.tar.gz a.aa.tar.gz"));
  EXPECT_THAT(steps(plan_generations({verified(file(0)), file(0, "aa")}, made(0), 0)),
              ElementsAre("retire a.aa.tar.gz", "keep a.tar.gz a.aa.tar.gz"));
  EXPECT_THAT(steps(plan_keeping({{file(0), file(0, "aa"), verified(file(0, "ab"))}, {}, 1, true}).plan), IsEmpty());
}

TEST(Keeping, SaysThatNoPlaceIsFreeWhenAllAreHeld) {
  std::vector<KeptFile> files{file(0)};
  for (int i = 0; i < kMaxGenerations; ++i) files.push_back(held(file(0, keeping_id_of(i))));
  EXPECT_THROW(static_cast<void>(plan_generations(files, made(0), 1)), Error);
}

TEST(Keeping, DropsWhatCantBeRestoredWithoutWhatGoes) {
  const auto base = file(0);
  const auto old = based_on(file(1, "aa"), base);
  EXPECT_THAT(steps(plan_generations({base, based_on(file(1), base), old}, made(0), 0)),
              ElementsAre("retire a.1.aa.tar.gz", "retire a.1.tar.gz"));
  // A number that has become smaller: the level 0 goes, and the generation behind it that is based on it.
  const auto aa = file(0, "aa");
  EXPECT_THAT(steps(plan_generations({file(0), aa, based_on(file(1, "ab"), aa)}, made(0), 1)),
              ElementsAre("retire a.1.ab.tar.gz", "retire a.aa.tar.gz", "keep a.tar.gz a.aa.tar.gz"));
}

TEST(Keeping, LeavesWhatIsBasedOnACopyOfWhatGoes) {
  auto copy = file(0, "aa");
  copy.backup = file(0).backup;
  EXPECT_THAT(steps(plan_generations({file(0), based_on(file(1), file(0)), copy}, made(2), 0)), IsEmpty());
  KeepQuestion question{{file(0), based_on(file(1), file(0)), copy}, made(2), 0, true};
  EXPECT_THAT(steps(plan_keeping(question).plan), ElementsAre("retire a.aa.tar.gz"));
  question.made = made(0);  // both go
  EXPECT_THAT(steps(plan_keeping(question).plan), ElementsAre("retire a.aa.tar.gz", "retire a.1.tar.gz"));
}

TEST(Keeping, LeavesSurplusGenerationsUnlessTheyAreToGo) {
  const std::vector<KeptFile> files{file(0), file(0, "aa"), file(0, "ab"), held(file(0, "ac")), file(0, "ae")};
  EXPECT_THAT(steps(plan_generations(files, made(0), 1)),
              ElementsAre("retire a.aa.tar.gz", "keep a.tar.gz a.aa.tar.gz"));
  EXPECT_THAT(
      steps(plan_keeping({files, made(0), 1, true}).plan),
      ElementsAre("retire a.ae.tar.gz", "retire a.ab.tar.gz", "retire a.aa.tar.gz", "keep a.tar.gz a.aa.tar.gz"));
  EXPECT_THAT(steps(plan_keeping({files, {}, 2, true}).plan), ElementsAre("retire a.ae.tar.gz"));
  EXPECT_THAT(steps(plan_keeping({files, {}, 0, true}).plan),
              ElementsAre("retire a.ae.tar.gz", "retire a.ab.tar.gz", "retire a.aa.tar.gz"));
}

TEST(Keeping, PassesOverAPlaceWhereAForeignFileStands) {
  KeepQuestion question{{file(0), file(0, "aa")}, made(0), 5};
  question.foreign = {"a.ab.tar.gz.manifest.zst"};
  EXPECT_THAT(steps(plan_keeping(question).plan),
              ElementsAre("move a.aa.tar.gz a.ac.tar.gz", "keep a.tar.gz a.aa.tar.gz"));
}

TEST(Keeping, GivesEachFileItsFateAndTheReason) {
  const auto verdicts =
      plan_keeping({{file(0), file(0, "aa"), held(file(0, "ab")), file(0, "ac"), file(0, "ad")}, {}, 2, true}).verdicts;
  std::vector<std::string> lines;
  for (const auto& verdict : verdicts)
    lines.push_back(verdict.file + (verdict.fate == KeepVerdict::Fate::goes ? " goes: " : " stays: ") + verdict.reason);
  EXPECT_THAT(
      lines, ElementsAre("a.tar.gz stays: current", "a.aa.tar.gz stays: generation 1 of 2", "a.ab.tar.gz stays: pinned",
                         "a.ac.tar.gz stays: generation 2 of 2", "a.ad.tar.gz goes: beyond keep.generations 2"));
}

TEST(ExitStatus, IsTheWorstInTheDocumentedOrder) {
  const ExitStatus order[] = {
      ExitStatus::ok,          ExitStatus::warnings,      ExitStatus::not_now,     ExitStatus::no_such_backup,
      ExitStatus::no_provider, ExitStatus::not_permitted, ExitStatus::destination, ExitStatus::failed,
      ExitStatus::internal};
  for (std::size_t i = 0; i + 1 < std::size(order); ++i) {
    EXPECT_EQ(worse(order[i], order[i + 1]), order[i + 1]);
    EXPECT_EQ(worse(order[i + 1], order[i]), order[i + 1]);
  }
}

TEST(ExitStatus, FollowsTheSeedsKindsAndTheCause) {
  EXPECT_EQ(exit_status_of({ErrorCode::value_error, ""}), ExitStatus::usage);
  EXPECT_EQ(exit_status_of({ErrorCode::value_error, "", ErrorCause::configuration}), ExitStatus::configuration);
  EXPECT_EQ(exit_status_of({ErrorCode::value_error, "", ErrorCause::unsupported}), ExitStatus::no_provider);
  EXPECT_EQ(exit_status_of({ErrorCode::key_error, ""}), ExitStatus::no_such_backup);
  EXPECT_EQ(exit_status_of({ErrorCode::runtime_error, ""}), ExitStatus::failed);
  EXPECT_EQ(exit_status_of({ErrorCode::os_error, "", ErrorCause::destination}), ExitStatus::destination);
  EXPECT_EQ(exit_status_of({ErrorCode::os_error, ""}), ExitStatus::failed);
  EXPECT_EQ(exit_status_of({ErrorCode::runtime_error, "", ErrorCause::lock_busy}), ExitStatus::not_now);
}

}  // namespace
}  // namespace autoarchive::host
