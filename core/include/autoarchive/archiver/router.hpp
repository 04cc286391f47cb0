/// \file
/// Chooses the provider for a request. Pure: everything that it decides on is in its arguments.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/archiver/archiver_feature.hpp"
#include "autoarchive/archiver/archiver_identification.hpp"
#include "autoarchive/archiver/backup_type.hpp"
#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// What is wanted.
struct RouteRequest {
  BackupType type;
  std::set<ArchiverFeature> required;   ///< a provider without one of them is out
  std::set<ArchiverFeature> preferred;  ///< counted in the order
  std::string pinned;                   ///< provider id that the user has asked for; empty: any
  std::string chain_owner;              ///< provider that made the chain to be continued; empty: a new chain
};

/// The user's say. Ids that no provider has are fine.
struct RoutePolicy {
  std::map<std::string, int> priority;  ///< by provider id, higher first; unnamed ones have 0
  std::set<std::string> denied;
};

/// A provider, with all that the decision needs.
struct RouteCandidate {
  std::string provider_id;
  std::map<BackupType, std::set<ArchiverFeature>> features;
  Availability availability;
  int rank = 0;
};

/// The verdict on one candidate.
struct RouteVerdict {
  std::string provider_id;
  bool eligible = false;
  bool chosen = false;
  /// At least one sentence, e.g. "has no Incremental for tar.gz", "chosen: priority 5 against 0 of tar-internal", "has
  /// no RandomAccess, which is preferred".
  std::vector<std::string> reasons;
};

/// The verdicts in the order of preference: the chosen one, the other eligible ones, then those that are out.
struct RouteDecision {
  std::optional<std::string> chosen;
  std::vector<RouteVerdict> verdicts;
  /// Throws Error(value_error, cause unsupported; or unavailable) that names the request and each candidate's reason,
  /// if nothing was chosen; else returns the id.
  [[nodiscard]] AA_EXPORT const std::string& chosen_or_throw(const RouteRequest& request) const;
};

/// The order is total: chain owner, pin, number of preferred features, priority, rank, then the id by bytes.
[[nodiscard]] AA_EXPORT RouteDecision route(const RouteRequest& request, const RoutePolicy& policy,
                                            const std::vector<RouteCandidate>& candidates);
/// Asks the identification for everything that a RouteCandidate holds.
[[nodiscard]] AA_EXPORT RouteCandidate route_candidate(const IArchiverProviderIdentification& identification);

}  // namespace autoarchive
