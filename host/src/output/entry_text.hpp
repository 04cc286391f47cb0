/// \file
/// Entries, times and backups as text and as JSON: the same in every command that looks inside.
#pragma once

#include <string>
#include <string_view>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/base/durations.hpp"
#include "autoarchive/tree/entry.hpp"
#include "output/json.hpp"

namespace autoarchive::host {

/// One line as `ls -l` has it, safe on a terminal.
[[nodiscard]] std::string entry_line(const Entry& entry, bool hard_link);
[[nodiscard]] Json::Object entry_json(const Entry& entry, bool hard_link);

/// "2026-11-01 03:00:00" in the local time zone.
[[nodiscard]] std::string local_time(SystemTime time);

/// What is said of an entry, with its path before it unless that is empty.
[[nodiscard]] std::string remark_on(std::string_view path, std::string_view text);

/// What stands after the "@" for this backup, e.g. "2" or "2.aa".
[[nodiscard]] std::string selector_of(const CatalogEntry& entry);

}  // namespace autoarchive::host
