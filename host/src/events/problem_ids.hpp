/// \file
/// The stable ids of problems. docs/problems.md explains each; a test compares the two.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/error.hpp"

namespace autoarchive::host {

/// One id and what it tells.
struct ProblemId {
  std::string_view id;
  bool of_a_path = false;  ///< it is about one entry of the tree: `problems:` may say what it counts as
  std::string_view meaning;
};

[[nodiscard]] std::span<const ProblemId> problem_ids();
/// The ids that rules may name.
[[nodiscard]] std::vector<std::string> path_problem_ids();
/// "file.changed" and "*" fit exactly that and everything; "file.*" fits all that begin with "file.".
[[nodiscard]] bool id_matches(std::string_view rule, std::string_view id);
/// The id of what has ended a job; empty where the exit status says all.
[[nodiscard]] std::string_view problem_id_of(const Error& error) noexcept;
/// docs/problems.md.
[[nodiscard]] std::string problem_reference();

}  // namespace autoarchive::host
