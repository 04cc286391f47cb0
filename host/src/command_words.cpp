#include "command_words.hpp"

#include <filesystem>
#include <optional>
#include <utility>

#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/error.hpp"

namespace autoarchive::host {
namespace {

std::optional<int> parse_level(const std::string& text) {
  if (text.empty() || text == "next") return std::nullopt;
  std::size_t end = 0;
  int level = -1;
  try {
    level = std::stoi(text, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  if (end != text.size()) {
    throw Error(ErrorCode::value_error, "--level " + text + ": give a number from 0, or next", ErrorCause::usage);
  }
  return level;
}

}  // namespace

void Commands::set_variables(const std::map<std::string, std::string>& variables) {
  for (auto* overrides : {&create.overrides, &diff.overrides, &route.overrides, &why.overrides, &config.overrides})
    overrides->variables = variables;
}

Command command_of(const std::string& verb, Commands& commands, const Words& words) {
  if (verb == "create") {
    commands.create.level = parse_level(words.level);
    commands.create.next_level = words.level == "next";
    return std::move(commands.create);
  }
  if (verb == "list") return std::move(commands.list);
  if (verb == "find") return std::move(commands.find);
  if (verb == "versions") return std::move(commands.versions);
  if (verb == "explain") return std::move(commands.explain);
  if (verb == "diff") {
    commands.diff.first = parse_target(words.targets.front());
    if (words.targets.size() > 1) commands.diff.second = parse_target(words.targets.back());
    return std::move(commands.diff);
  }
  if (verb == "verify") {
    for (const auto& target : words.targets) commands.verify.targets.push_back(parse_target(target));
    return std::move(commands.verify);
  }
  if (verb == "route") return std::move(commands.route);
  if (verb == "why") return std::move(commands.why);
  if (verb == "status") return std::move(commands.status);
  if (verb == "schedule") return std::move(commands.schedule);
  if (verb == "keep") return std::move(commands.keep);
  if (verb == "rescan") return std::move(commands.rescan);
  if (verb == "purge") return std::move(commands.purge);
  if (verb == "plugins") return std::move(commands.plugins);
  if (verb == "config") return std::move(commands.config);
  if (verb == "completion") return std::move(commands.completion);
  if (verb == "complete") return std::move(commands.complete);
  if (verb == "manual") return std::move(commands.manual);
  if (verb == "version") return VersionCommand{};
  commands.ls.target = commands.cat.target = commands.restore.target = commands.remove.target =
      parse_target(words.target);
  commands.remove.has_selector = words.target.find('@') != std::string::npos;
  if (verb == "cat") return std::move(commands.cat);
  if (verb == "ls") return std::move(commands.ls);
  if (verb == "restore") return std::move(commands.restore);
  return std::move(commands.remove);
}

GlobalOptions options_of(Words& words) {
  if (words.quiet) {
    words.options.verbosity = Verbosity::quiet;
  } else if (words.verbose > 0) {
    words.options.verbosity = words.verbose > 1 ? Verbosity::very_verbose : Verbosity::verbose;
  }
  words.options.color = words.color == "always" ? When::always : words.color == "never" ? When::never : When::automatic;
  if (!words.lock_wait.empty()) {
    const auto wait = parse_duration(words.lock_wait);
    if (!wait) {
      throw Error(ErrorCode::value_error, "--lock-wait " + words.lock_wait + ": give a duration, e.g. 90s, 10m",
                  ErrorCause::usage);
    }
    words.options.lock_wait = *wait;
  }
  return std::move(words.options);
}

Target parse_target(const std::string& text) {
  const auto at = text.rfind('@');
  std::error_code ignored;
  if (at == std::string::npos || at == 0 || std::filesystem::is_regular_file(text, ignored)) return {text, ""};
  return {text.substr(0, at), text.substr(at + 1)};
}

}  // namespace autoarchive::host
