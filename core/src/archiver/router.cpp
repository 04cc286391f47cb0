#include "autoarchive/archiver/router.hpp"

#include <algorithm>
#include <tuple>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

constexpr std::size_t kReasonBytes = 64;  // of most, so that their text is allocated once

std::string join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const auto& text : texts) joined += (joined.empty() ? "" : "; ") + text;
  return joined;
}

const std::set<ArchiverFeature>* features_for(const RouteCandidate& candidate, const BackupType& type) {
  const auto found = candidate.features.find(type);
  return found == candidate.features.end() ? nullptr : &found->second;
}

std::string known_types(const RouteCandidate& candidate) {
  std::string text;
  for (const auto& [type, features] : candidate.features) text += (text.empty() ? "" : ", ") + type.extension;
  return text.empty() ? "none" : text;
}

/// Why a candidate is out; empty if it can do the job.
std::vector<std::string> obstacles(const RouteRequest& request, const RoutePolicy& policy,
                                   const RouteCandidate& candidate) {
  std::vector<std::string> reasons;
  const auto* features = features_for(candidate, request.type);
  if (features == nullptr)
    reasons.push_back("does not make " + request.type.extension + ", but " + known_types(candidate));
  for (const auto& feature : request.required) {
    if (features != nullptr && !features->contains(feature)) {
      reasons.push_back("has no " + feature.name + " for " + request.type.extension);
    }
  }
  if (policy.denied.contains(candidate.provider_id))
    reasons.emplace_back("denied by the configuration (plugins.deny, or enabled: false)");
  if (!request.pinned.empty() && candidate.provider_id != request.pinned)
    reasons.push_back("not the pinned provider " + request.pinned);
  if (!candidate.availability.available) reasons.push_back("not available: " + candidate.availability.reason);
  return reasons;
}

/// The order of preference: what is compared, most important first. Greater wins; the id decides last, the smaller one
/// wins.
struct Preference {
  bool owns_chain = false;
  std::size_t preferred_features = 0;
  int priority = 0;
  int rank = 0;

  friend auto operator<=>(const Preference&, const Preference&) = default;
};

Preference preference(const RouteRequest& request, const RoutePolicy& policy, const RouteCandidate& candidate) {
  Preference value;
  value.owns_chain = !request.chain_owner.empty() && candidate.provider_id == request.chain_owner;
  const auto* features = features_for(candidate, request.type);
  value.preferred_features = static_cast<std::size_t>(
      std::count_if(request.preferred.begin(), request.preferred.end(),
                    [&](const auto& feature) { return features != nullptr && features->contains(feature); }));
  const auto priority = policy.priority.find(candidate.provider_id);
  if (priority != policy.priority.end()) value.priority = priority->second;
  value.rank = candidate.rank;
  return value;
}

struct Ranked {
  const RouteCandidate* candidate;
  Preference preference;
};

void add_missed_preferences(const RouteRequest& request, const RouteCandidate& candidate,
                            std::vector<std::string>& reasons) {
  for (const auto& feature : request.preferred) {
    if (!features_for(candidate, request.type)->contains(feature))
      reasons.push_back("has no " + feature.name + ", which is preferred");
  }
}

// Names the first point in which the two differ. Appends, as there is one for every candidate.
void add_comparison(const Preference& mine, const Preference& other, const std::string& other_id, std::string& text) {
  const auto against = [&](const char* what, auto a, auto b) {
    text.append(what).append(" ").append(std::to_string(a));
    text.append(" against ").append(std::to_string(b)).append(" of ").append(other_id);
  };
  if (mine.owns_chain != other.owns_chain) {
    text += mine.owns_chain ? "made the chain that is to be continued" : "the chain belongs to " + other_id;
  } else if (mine.preferred_features != other.preferred_features) {
    against("preferred features", mine.preferred_features, other.preferred_features);
  } else if (mine.priority != other.priority) {
    against("priority", mine.priority, other.priority);
  } else if (mine.rank != other.rank) {
    against("rank", mine.rank, other.rank);
  } else {
    text.append("equal to ").append(other_id).append(", decided by name");
  }
}

}  // namespace

RouteDecision route(const RouteRequest& request, const RoutePolicy& policy,
                    const std::vector<RouteCandidate>& candidates) {
  std::vector<Ranked> eligible;
  eligible.reserve(candidates.size());
  std::vector<RouteVerdict> out;
  for (const auto& candidate : candidates) {
    auto reasons = obstacles(request, policy, candidate);
    if (reasons.empty()) {
      eligible.push_back({&candidate, preference(request, policy, candidate)});
    } else {
      out.push_back({candidate.provider_id, false, false, std::move(reasons)});
    }
  }
  std::sort(eligible.begin(), eligible.end(), [](const Ranked& a, const Ranked& b) {
    return std::tie(b.preference, a.candidate->provider_id) < std::tie(a.preference, b.candidate->provider_id);
  });
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.provider_id < b.provider_id; });

  RouteDecision decision;
  decision.verdicts.reserve(candidates.size());
  for (std::size_t i = 0; i < eligible.size(); ++i) {
    const auto& id = eligible[i].candidate->provider_id;
    auto& verdict = decision.verdicts.emplace_back(RouteVerdict{id, true, i == 0, {}});
    auto& reason = verdict.reasons.emplace_back();
    reason.reserve(kReasonBytes);
    reason = i == 0 ? "chosen: " : "could do it: ";
    if (eligible.size() == 1) {
      reason += "the only one that can do it";
    } else {
      const auto& other = eligible[i == 0 ? 1 : 0];
      add_comparison(eligible[i].preference, other.preference, other.candidate->provider_id, reason);
    }
    add_missed_preferences(request, *eligible[i].candidate, verdict.reasons);
    if (i == 0) decision.chosen = id;
  }
  std::move(out.begin(), out.end(), std::back_inserter(decision.verdicts));
  return decision;
}

const std::string& RouteDecision::chosen_or_throw(const RouteRequest& request) const {
  if (chosen) return *chosen;
  std::string wish = request.type.extension;
  for (const auto& feature : request.required) wish += " with " + feature.name;
  std::string text = "no provider makes " + wish;
  bool only_unavailable = false;
  for (const auto& verdict : verdicts) {
    text += "; " + verdict.provider_id + ": " + join(verdict.reasons);
    only_unavailable =
        only_unavailable || (verdict.reasons.size() == 1 && verdict.reasons.front().starts_with("not available"));
  }
  text += only_unavailable ? " (AA-P701)" : " (AA-P702)";
  if (verdicts.empty()) text += ": no archiver plugin is loaded; see aa plugins list";
  throw Error(ErrorCode::value_error, text, only_unavailable ? ErrorCause::unavailable : ErrorCause::unsupported);
}

RouteCandidate route_candidate(const IArchiverProviderIdentification& identification) {
  RouteCandidate candidate;
  candidate.provider_id = identification.provider_id();
  for (const auto& type : identification.supported_backup_types()) {
    candidate.features.emplace(type, identification.supported_features(type));
  }
  candidate.availability = identification.availability();
  candidate.rank = identification.rank();
  return candidate;
}

}  // namespace autoarchive
