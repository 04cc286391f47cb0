#include "autoarchive/archiver/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "autoarchive/base/error.hpp"

namespace autoarchive {
namespace {

using namespace archiver_feature;
using namespace backup_type;
using ::testing::HasSubstr;

std::vector<RouteCandidate> candidates() {
  return {{"external", {{kTar, {kIncremental}}, {kTarGz, {kIncremental, kCompressionStrength}}}, {}, 0},
          {"internal", {{kTar, {}}, {kTarGz, {kCompressionStrength}}}, {}, 10}};
}

RouteRequest request(const BackupType& type, std::set<ArchiverFeature> required = {}) {
  return {type, std::move(required), {}, "", ""};
}

const RouteVerdict& verdict(const RouteDecision& decision, const std::string& id) {
  return *std::find_if(decision.verdicts.begin(), decision.verdicts.end(),
                       [&](const auto& one) { return one.provider_id == id; });
}

TEST(Router, SendsAPlainRequestByRankAndAnIncrementalOneToWhoCanDoIt) {
  EXPECT_EQ(route(request(kTarGz), {}, candidates()).chosen, "internal");
  const auto incremental = route(request(kTarGz, {kIncremental}), {}, candidates());
  EXPECT_EQ(incremental.chosen, "external");
  EXPECT_THAT(verdict(incremental, "internal").reasons, ::testing::ElementsAre("has no Incremental for tar.gz"));
}

TEST(Router, GivesEveryCandidateAReason) {
  for (const auto& wanted : {request(kTar), request(kTarXz), request(kTarGz, {kRandomAccess})}) {
    for (const auto& one : route(wanted, {}, candidates()).verdicts)
      EXPECT_FALSE(one.reasons.empty()) << one.provider_id;
  }
}

TEST(Router, PrefersChainOwnerThenFeaturesThenPriorityThenRankThenName) {
  auto wanted = request(kTarGz);
  RoutePolicy policy;
  policy.priority["external"] = 5;
  EXPECT_EQ(route(wanted, policy, candidates()).chosen, "external");
  wanted.preferred = {kIncremental};
  EXPECT_EQ(route(wanted, {}, candidates()).chosen, "external");
  wanted.chain_owner = "internal";
  EXPECT_EQ(route(wanted, policy, candidates()).chosen, "internal");
  auto equal = candidates();
  equal[1].rank = 0;
  EXPECT_EQ(route(request(kTarGz), {}, equal).chosen, "external");
}

TEST(Router, SaysWhichPreferredFeaturesAreMissed) {
  auto wanted = request(kTarGz);
  wanted.preferred = {kIncremental, kRandomAccess};
  const auto decision = route(wanted, {}, candidates());
  EXPECT_THAT(verdict(decision, "external").reasons,
              ::testing::ElementsAre("chosen: preferred features 1 against 0 of internal",
                                     "has no RandomAccess, which is preferred"));
  EXPECT_THAT(
      verdict(decision, "internal").reasons,
      ::testing::ElementsAre("could do it: preferred features 0 against 1 of external",
                             "has no Incremental, which is preferred", "has no RandomAccess, which is preferred"));
}

TEST(Router, DoesNotDependOnTheOrderOfItsCandidates) {
  auto shuffled = candidates();
  shuffled.push_back({"zip", {{kTarGz, {}}}, {}, 10});
  std::sort(shuffled.begin(), shuffled.end(),
            [](const auto& a, const auto& b) { return a.provider_id < b.provider_id; });
  const auto expected = route(request(kTarGz), {}, shuffled);
  do {
    const auto decision = route(request(kTarGz), {}, shuffled);
    for (std::size_t i = 0; i < decision.verdicts.size(); ++i)
      EXPECT_EQ(decision.verdicts[i].provider_id, expected.verdicts[i].provider_id);
  } while (std::next_permutation(shuffled.begin(), shuffled.end(),
                                 [](const auto& a, const auto& b) { return a.provider_id < b.provider_id; }));
}

TEST(Router, HoldsToPinsDenialsAndAvailability) {
  auto wanted = request(kTarGz);
  wanted.pinned = "external";
  EXPECT_EQ(route(wanted, {}, candidates()).chosen, "external");
  RoutePolicy policy;
  policy.denied = {"internal"};
  EXPECT_EQ(route(request(kTarGz), policy, candidates()).chosen, "external");
  auto unavailable = candidates();
  unavailable[1].availability = {false, "no such library"};
  const auto decision = route(request(kTarGz), {}, unavailable);
  EXPECT_EQ(decision.chosen, "external");
  EXPECT_THAT(verdict(decision, "internal").reasons.front(), HasSubstr("no such library"));
}

TEST(Router, SaysWhyNobodyCan) {
  const auto wanted = request(kTarXz);
  try {
    static_cast<void>(route(wanted, {}, candidates()).chosen_or_throw(wanted));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::unsupported);
    EXPECT_THAT(error.message(), HasSubstr("internal: does not make tar.xz, but tar, tar.gz"));
    EXPECT_THAT(error.message(), HasSubstr("external: "));
  }
}

}  // namespace
}  // namespace autoarchive
