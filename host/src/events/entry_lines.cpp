#include "events/entry_lines.hpp"

#include <fmt/format.h>

#include "autoarchive/base/text.hpp"

namespace autoarchive::host {

void EntryLines::entry_done(const Entry& entry, EntryStatus status, std::string_view rule) {
  const auto level = status == EntryStatus::unchanged ? Verbosity::very_verbose : Verbosity::verbose;
  if (console_.options().verbosity < level) return;
  const auto because = rule.empty() ? std::string() : fmt::format("  ({})", escaped(rule));
  console_.detail(level, fmt::format("{} {}{}", static_cast<char>(status), quote(entry.path), because));
}

}  // namespace autoarchive::host
