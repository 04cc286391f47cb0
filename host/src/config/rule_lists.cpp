#include "config/rule_lists.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/tree/filter.hpp"
#include "config/archive_keys.hpp"
#include "events/problem_ids.hpp"

namespace autoarchive::host {
namespace {

constexpr std::array kPoints{"before_all", "before", "snapshot", "after", "succeeded", "warned", "failed", "after_all"};
constexpr std::array kTreatments{"ignore", "notice", "warning", "error"};

Error unknown_word(const YamlNode& node, std::string_view what, const std::vector<std::string>& allowed) {
  const auto suggestion = nearest(node.text, allowed);
  return config_error(node.origin,
                      fmt::format("{} {}; {}", what, quote(node.text),
                                  suggestion.empty() ? fmt::format("allowed are {}", fmt::join(allowed, " "))
                                                     : "did you mean " + suggestion + "?"));
}

std::string text(const YamlNode& node, std::string_view key) {
  if (node.kind == YamlKind::scalar && !node.text.empty()) return node.text;
  throw config_error(node.origin, fmt::format("{} has to be a text", key));
}

std::vector<std::string> words(const YamlNode& node, std::string_view key) {
  const bool good =
      node.kind == YamlKind::sequence && !node.items.empty() &&
      std::all_of(node.items.begin(), node.items.end(), [](const auto& item) { return item.kind == YamlKind::scalar; });
  if (!good)
    throw config_error(node.origin,
                       fmt::format("{} has to be a list of words, e.g. [findmnt, /mnt/backup]; for a command line "
                                   "that a shell takes apart there is shell:",
                                   key));
  std::vector<std::string> values;
  for (const auto& item : node.items) values.push_back(item.text);
  return values;
}

HookPoint point(const YamlNode& node, bool of_the_run) {
  std::vector<std::string> allowed;
  for (std::size_t i = 0; i < kPoints.size(); ++i) {
    const bool is_all = i == 0 || i + 1 == kPoints.size();
    if (is_all == of_the_run) allowed.emplace_back(kPoints[i]);
    if (is_all == of_the_run && node.text == kPoints[i]) return static_cast<HookPoint>(i);
  }
  throw unknown_word(node, of_the_run ? "a run has no hook at" : "an archive has no hook at", allowed);
}

std::set<int> statuses(const YamlNode& node) {
  std::set<int> values{75};
  if (node.kind != YamlKind::sequence) throw config_error(node.origin, "not_now has to be a list of exit statuses");
  for (const auto& item : node.items) {
    const auto number = as_integer(item);
    if (!number || *number < 1 || *number > 255)
      throw config_error(item.origin, "not_now has to be a list of exit statuses from 1 to 255");
    values.insert(static_cast<int>(*number));
  }
  return values;
}

std::chrono::seconds time_limit(const YamlNode& node) {
  const auto limit = parse_duration(node.text);
  constexpr std::chrono::hours kMost{24 * 365};
  if (node.kind != YamlKind::scalar || !limit || limit->count() == 0 || *limit > kMost)
    throw config_error(node.origin, "time_limit has to be a duration such as 90s or 10m, at most 365d");
  return *limit;
}

HookRule hook(const YamlNode& node, bool of_the_run) {
  HookRule rule;
  rule.origin = node.origin;
  bool has_point = false;
  for (const auto& [key, value] : node.members) {
    if (key.text == "at") {
      rule.at = point(value, of_the_run);
      has_point = true;
    } else if (key.text == "run") {
      if (!rule.run.empty()) throw config_error(key.origin, "a hook has either run or shell");
      rule.run = words(value, "run");
    } else if (key.text == "shell") {
      if (!rule.run.empty()) throw config_error(key.origin, "a hook has either run or shell");
      rule.run = {"/bin/sh", "-c", text(value, "shell")};
    } else if (key.text == "release") {
      rule.release = words(value, "release");
    } else if (key.text == "time_limit") {
      rule.time_limit = time_limit(value);
    } else if (key.text == "not_now") {
      rule.not_now = statuses(value);
    } else {
      throw unknown_word(key, "unknown key", {"at", "run", "shell", "release", "time_limit", "not_now"});
    }
  }
  if (!has_point || rule.run.empty()) throw config_error(node.origin, "a hook needs at, and run or shell");
  if (!rule.release.empty() && rule.at != HookPoint::snapshot)
    throw config_error(node.origin, "release belongs to at: snapshot");
  if (rule.release.empty() && rule.at == HookPoint::snapshot)
    throw config_error(node.origin, "a snapshot needs release: what takes it away again");
  return rule;
}

ProblemRule::Treatment treatment(const YamlNode& node) {
  const auto* found = std::find(kTreatments.begin(), kTreatments.end(), node.text);
  if (found == kTreatments.end()) throw unknown_word(node, "as", {kTreatments.begin(), kTreatments.end()});
  return static_cast<ProblemRule::Treatment>(found - kTreatments.begin());
}

std::string problem_id(const YamlNode& node) {
  const auto ids = path_problem_ids();
  const auto fits = [&](std::string_view id) { return id_matches(node.text, id); };
  if (std::any_of(ids.begin(), ids.end(), fits)) return node.text;
  throw unknown_word(node, "no problem of a path is called", {ids.begin(), ids.end()});
}

ProblemRule problem_rule(const YamlNode& node) {
  ProblemRule rule;
  bool has_treatment = false;
  for (const auto& [key, value] : node.members) {
    if (key.text == "on") {
      rule.on = problem_id(value);
    } else if (key.text == "match") {
      rule.match = text(value, "match");
      try {
        FilterRules pattern;
        pattern.exclude = {rule.match};
        static_cast<void>(Filter(std::move(pattern)));
      } catch (const Error& error) {
        throw config_error(value.origin, "match: " + error.message());
      }
    } else if (key.text == "as") {
      rule.as = treatment(value);
      has_treatment = true;
    } else {
      throw unknown_word(key, "unknown key", {"on", "match", "as"});
    }
  }
  if (rule.on.empty() || !has_treatment) throw config_error(node.origin, "a rule on problems needs on and as");
  return rule;
}

std::vector<YamlNode> items(const YamlNode& list, std::string_view key) {
  if (list.kind != YamlKind::sequence) throw config_error(list.origin, fmt::format("{} has to be a list", key));
  for (const auto& item : list.items) {
    if (item.kind != YamlKind::mapping)
      throw config_error(item.origin, fmt::format("an item of {} has to be a mapping of keys", key));
  }
  return list.items;
}

Json::Object text_schema() {
  return {{"type", "string"}, {"minLength", 1}};
}
Json::Object words_schema() {
  return {{"type", "array"}, {"items", Json::Object{{"type", "string"}}}, {"minItems", 1}};
}

}  // namespace

std::string_view to_string(HookPoint point) noexcept {
  return kPoints.at(static_cast<std::size_t>(point));
}

std::vector<HookRule> read_hooks(const YamlNode& list, bool of_the_run) {
  std::vector<HookRule> hooks;
  for (const auto& item : items(list, "hooks")) hooks.push_back(hook(item, of_the_run));
  const auto snapshots =
      std::count_if(hooks.begin(), hooks.end(), [](const auto& rule) { return rule.at == HookPoint::snapshot; });
  if (snapshots > 1) throw config_error(list.origin, "an archive has one snapshot hook at most");
  return hooks;
}

std::vector<ProblemRule> read_problem_rules(const YamlNode& list) {
  std::vector<ProblemRule> rules;
  for (const auto& item : items(list, "problems")) rules.push_back(problem_rule(item));
  return rules;
}

std::string text_of(const std::vector<HookRule>& hooks) {
  std::vector<std::string> texts;
  texts.reserve(hooks.size());
  for (const auto& hook : hooks) {
    std::vector<std::string> run;
    for (const auto& word : hook.run) run.push_back(quote(word));
    texts.push_back(fmt::format("{{at: {}, run: [{}], time_limit: {}}}", to_string(hook.at), fmt::join(run, ", "),
                                format_duration(hook.time_limit)));
  }
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

std::string text_of(const std::vector<ProblemRule>& rules) {
  std::vector<std::string> texts;
  texts.reserve(rules.size());
  for (const auto& rule : rules) {
    texts.push_back(fmt::format("{{on: {}, {}as: {}}}", quote(rule.on),
                                rule.match.empty() ? "" : "match: " + quote(rule.match) + ", ",
                                kTreatments.at(static_cast<std::size_t>(rule.as))));
  }
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

Json::Object rule_schema(std::string_view key) {
  Json::Object properties;
  Json::Array required;
  if (key == "hooks") {
    properties = {{"at", Json::Object{{"enum", Json::Array(kPoints.begin(), kPoints.end())}}},
                  {"run", words_schema()},
                  {"shell", text_schema()},
                  {"release", words_schema()},
                  {"time_limit", text_schema()},
                  {"not_now", Json::Object{{"type", "array"}, {"items", Json::Object{{"type", "integer"}}}}}};
    required = {"at"};
  } else {
    properties = {{"on", text_schema()},
                  {"match", text_schema()},
                  {"as", Json::Object{{"enum", Json::Array(kTreatments.begin(), kTreatments.end())}}}};
    required = {"on", "as"};
  }
  return {{"type", "object"},
          {"additionalProperties", false},
          {"required", std::move(required)},
          {"properties", std::move(properties)}};
}

}  // namespace autoarchive::host
