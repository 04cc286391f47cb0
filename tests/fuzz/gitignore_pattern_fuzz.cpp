// A pattern of a gitignore file (the first line) against paths (the others): compiled whatever it is, matched in linear
// time, and with the answer of a plain matcher that tries every way.
#include <algorithm>
#include <vector>

#include "autoarchive/tree/filter.hpp"
#include "gitignore_pattern.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {
namespace {

constexpr std::size_t kMaxPaths = 20;

std::string_view take_line(std::string_view& rest) {
  const auto line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line;
}

/// "*" and "?" within a name, as they are in the pattern language; every way is tried.
bool matches_plainly(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() == '*') {
    for (std::size_t i = 0; i <= name.size(); ++i) {
      if (matches_plainly(pattern.substr(1), name.substr(i))) return true;
    }
    return false;
  }
  if (name.empty() || (pattern.front() != '?' && pattern.front() != name.front())) return false;
  return matches_plainly(pattern.substr(1), name.substr(1));
}

/// Where the meaning is so simple that the plain matcher can tell.
void compare(std::string_view line, std::string_view name, bool matches) {
  const bool is_simple = !line.empty() && line.find_first_not_of("abcxyz.-_?*") == std::string_view::npos &&
                         std::count(line.begin(), line.end(), '*') <= 4 && name.size() <= 30 &&
                         name.find('/') == std::string_view::npos && !name.empty();
  if (is_simple) expect(matches == matches_plainly(line, name), "the plain matcher says the same");
}

}  // namespace

void take_input(ByteView input) {
  auto rest = text_of(input);
  const auto line = take_line(rest);
  if (line.find('\0') != std::string_view::npos) return;  // a filter refuses it
  const GitignorePattern pattern(line);
  FilterRules rules;
  rules.exclude = {std::string(line)};
  const Filter filter(rules);
  for (std::size_t paths = 0; paths < kMaxPaths && !rest.empty(); ++paths) {
    const auto path = take_line(rest);
    const bool matches = pattern.matches(path, /*is_directory=*/false);
    expect(!matches || pattern.matches(path, /*is_directory=*/true), "a directory matches whatever a file matches");
    const bool is_excluded = matches && !pattern.negated() && path != ".";  // the root never is
    expect(filter.decide(path, false).excluded == is_excluded, "the filter says the same");
    compare(line, path, matches);
  }
}

}  // namespace autoarchive::fuzz
