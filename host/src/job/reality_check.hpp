/// \file
/// The configuration against this machine: what would keep a backup from being made, or make it another one than is
/// meant. Nothing is changed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "output/console.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// An error: no backup can be made. A warning: one that its owner may not expect. A notice: worth knowing.
struct RealityFinding {
  Severity severity = Severity::warning;
  std::string archive;  ///< empty: not about one
  Origin origin;        ///< of the value that is wrong
  std::string text;     ///< what was found, and what to do
  std::string_view id = "config.reality";
};

/// Plugins, state, and hooks of the run.
[[nodiscard]] std::vector<RealityFinding> check_surroundings(Session& session);
/// Root, includes, excludes, destination, provider and hooks of one archive. Walks the tree, by names alone.
[[nodiscard]] std::vector<RealityFinding> check_archive(Session& session, const ArchiveConfig& archive);

}  // namespace autoarchive::host
