/// \file
/// The two lists of rules in a configuration: hooks and problems.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/yaml_tree.hpp"
#include "output/json.hpp"

namespace autoarchive::host {

/// `of_the_run`: before_all and after_all; else all others. Throws Error with the place, the nearest key and what is
/// allowed.
[[nodiscard]] std::vector<HookRule> read_hooks(const YamlNode& list, bool of_the_run);
[[nodiscard]] std::vector<ProblemRule> read_problem_rules(const YamlNode& list);

/// As YAML, for `config show`.
[[nodiscard]] std::string text_of(const std::vector<HookRule>& hooks);
[[nodiscard]] std::string text_of(const std::vector<ProblemRule>& rules);

/// JSON Schema of one item of `hooks` or `problems`.
[[nodiscard]] Json::Object rule_schema(std::string_view key);

}  // namespace autoarchive::host
