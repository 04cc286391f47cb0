/// \file
/// Names of backup files: NAME[.LEVEL][.KEEPID].EXT, with the level left out for 0.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "autoarchive/archiver/backup_type.hpp"
#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// Identifies one backup file of an archive. A plain value.
struct BackupName {
  std::string archive;  ///< e.g. "home"
  BackupType type;
  std::optional<int> level;  ///< none and 0 have the same file name
  std::string keeping_id;    ///< e.g. "aa"; empty: the current generation

  /// e.g. "home.2.aa.tar.gz"
  [[nodiscard]] AA_EXPORT std::string file_name() const;
  /// Joined to a destination: "." gives "./home.tar.gz", "" gives "home.tar.gz".
  [[nodiscard]] AA_EXPORT std::string path(std::string_view destination) const;

  friend bool operator==(const BackupName&, const BackupName&) = default;
};

/// The backup that `file_name` names, if it belongs to exactly `archive`: NAME[.digits][.two lower-case letters].EXT
/// with an extension of `types`. The level is 0 where the name has none. "a" never matches a file of "a.b".
[[nodiscard]] AA_EXPORT std::optional<BackupName> parse_backup_name(std::string_view file_name,
                                                                    std::string_view archive,
                                                                    std::span<const BackupType> types);

/// Throws Error(value_error) with the reason unless the id is letters, digits, "_", "-" and ".", 1 to 200 bytes, not
/// beginning with "-" or ".", and not ending in ".held", ".<digits>" or ".<two lower-case letters>".
AA_EXPORT void check_archive_name(std::string_view archive);
/// Throws Error(value_error) if it is empty, or has a "/" or a NUL in it.
AA_EXPORT void check_keeping_id(std::string_view keeping_id);

/// Generations as programs name them: 0 is "aa", 1 "ab", … 675 "zz".
[[nodiscard]] AA_EXPORT std::string keeping_id_of(int generation);
/// None unless it is two lower-case letters.
[[nodiscard]] AA_EXPORT std::optional<int> generation_of(std::string_view keeping_id);
inline constexpr int kMaxGenerations = 676;

/// Files beside a backup file: "home.tar.gz.manifest.zst", "home.tar.gz.sha256".
[[nodiscard]] AA_EXPORT std::string manifest_name(std::string_view file_name);
[[nodiscard]] AA_EXPORT std::string sha256_name(std::string_view file_name);

}  // namespace autoarchive
