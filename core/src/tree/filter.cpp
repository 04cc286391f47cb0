#include "autoarchive/tree/filter.hpp"

#include <algorithm>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/tree/entry.hpp"
#include "gitignore_pattern.hpp"

namespace autoarchive {
namespace {

std::set<std::string> normalize_paths(const std::set<std::string>& paths) {
  std::set<std::string> normal;
  for (const auto& path : paths) normal.insert(normalize_path(path));
  return normal;
}

}  // namespace

struct Filter::Compiled {
  explicit Compiled(FilterRules given) : rules(std::move(given)), paths(normalize_paths(rules.exclude_paths)) {
    for (const auto& line : rules.exclude) {
      if (line.find('\0') != std::string::npos) {
        throw Error(ErrorCode::value_error, "exclude pattern " + quote(line) + " has a NUL byte in it",
                    ErrorCause::usage);
      }
      patterns.emplace_back(line);
    }
  }

  FilterRules rules;
  std::set<std::string> paths;
  std::vector<GitignorePattern> patterns;
};

Filter::Filter(FilterRules rules) : compiled_(std::make_unique<const Compiled>(std::move(rules))) {}
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

const FilterRules& Filter::rules() const noexcept {
  return compiled_->rules;
}

FilterVerdict Filter::decide(std::string_view path, bool is_directory) const {
  if (!compiled_->paths.empty() && compiled_->paths.contains(std::string(path))) {
    return {true, "exclude_files " + quote(path)};
  }
  if (path == ".") return {};
  const auto& patterns = compiled_->patterns;
  for (std::size_t i = patterns.size(); i-- > 0;) {  // the last match wins
    if (!patterns[i].matches(path, is_directory)) continue;
    return {!patterns[i].negated(), "exclude[" + std::to_string(i) + "] " + quote(compiled_->rules.exclude[i])};
  }
  return {};
}

FilterVerdict Filter::decide_with_parents(std::string_view path, bool is_directory) const {
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    if (auto verdict = decide(path.substr(0, slash), /*is_directory=*/true); verdict.excluded) return verdict;
  }
  return decide(path, is_directory);
}

}  // namespace autoarchive
