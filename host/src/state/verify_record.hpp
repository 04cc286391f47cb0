/// \file
/// What was proven of which backup, and when: remembered in the state, one file an archive.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/base/durations.hpp"

namespace autoarchive::host {

/// How far a check went; each includes the ones before it.
enum class VerifyDepth : std::uint8_t {
  quick,    ///< sizes, names, manifests, the chain
  data,     ///< every byte and digest
  restore,  ///< a restore into nothing
  source,   ///< compared with the live tree
};
/// "quick", "data", "restore", "source".
[[nodiscard]] std::string_view to_string(VerifyDepth depth) noexcept;
[[nodiscard]] std::optional<VerifyDepth> parse_depth(std::string_view word) noexcept;

/// The last check of one backup to one depth.
struct VerifyRecord {
  std::string backup_uuid;
  VerifyDepth depth = VerifyDepth::quick;
  SystemTime time{};
  bool whole = false;   ///< nothing wrong was found
  bool unread = false;  ///< all that was wrong is that a part could not be read: it may be whole at another time
  friend bool operator==(const VerifyRecord&, const VerifyRecord&) = default;
};

/// Of the backups in `destination`: a copy elsewhere proves nothing of them. Empty if nothing is remembered, or what is
/// remembered is damaged: then `fault` says so.
[[nodiscard]] std::vector<VerifyRecord> read_verify_records(const std::filesystem::path& state_dir,
                                                            const std::string& archive,
                                                            const std::filesystem::path& destination,
                                                            std::string& fault);
/// Adds `fresh` in place of older records of the same backup and depth, and forgets backups of `destination` that are
/// not `known`, and what is a year old of other destinations. What was found before stays beside a record of what could
/// not be read.
/// Written by temporary file and rename, by one process at a time. Throws Error: os_error, or cause lock_busy if
/// another one does not come to an end.
void remember_verified(const std::filesystem::path& state_dir, const std::string& archive,
                       const std::filesystem::path& destination, const std::vector<VerifyRecord>& fresh,
                       const std::set<std::string>& known);
/// What is known of a backup: the latest record of those that come from reading every byte or tell of a fault. A quick
/// check that found nothing counts only if there is no other. Null if there is none. Borrowed from `records`.
[[nodiscard]] const VerifyRecord* last_verified(const std::vector<VerifyRecord>& records, std::string_view backup_uuid);

/// Backups of which every byte was read and found whole the last time.
[[nodiscard]] std::set<std::string> proven_backups(const std::vector<VerifyRecord>& records);
/// Backups that were such, and of which a part could not be read the last time.
[[nodiscard]] std::set<std::string> unread_backups(const std::vector<VerifyRecord>& records);
/// When it was found damaged; none if what is known last is not that.
[[nodiscard]] std::optional<SystemTime> found_damaged(const std::vector<VerifyRecord>& records,
                                                      std::string_view backup_uuid);
/// The ids of all that a catalog has a manifest of.
[[nodiscard]] std::set<std::string> known_backups(const BackupCatalog& catalog);
/// Missing is fine. Throws Error(os_error).
void forget_verified(const std::filesystem::path& state_dir, const std::string& archive);

}  // namespace autoarchive::host
