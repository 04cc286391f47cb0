/// \file
/// Kinds of archive files. An open set: a plugin may bring its own.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// A named kind of archive file, identified by its extension. A plain value.
struct BackupType {
  std::string name;       ///< printed form, e.g. "TarGz"
  std::string extension;  ///< the file's extension and the word in YAML, e.g. "tar.gz"

  friend bool operator==(const BackupType& a, const BackupType& b) noexcept { return a.extension == b.extension; }
  friend auto operator<=>(const BackupType& a, const BackupType& b) noexcept { return a.extension <=> b.extension; }
};

namespace backup_type {
// The types of the seed in the order of its enum, then ours.
inline const BackupType kTar{"Tar", "tar"};
inline const BackupType kTarGz{"TarGz", "tar.gz"};
inline const BackupType kTarBz2{"TarBz2", "tar.bz2"};
inline const BackupType kTarXz{"TarXz", "tar.xz"};
inline const BackupType kTarZst{"TarZst", "tar.zst"};
/// The number of a type is its place here: Tar 0, TarGz 1, TarBz2 2, TarXz 3, TarZst 4.
inline const std::array<BackupType, 5> kWellKnown{kTar, kTarGz, kTarBz2, kTarXz, kTarZst};
}  // namespace backup_type

/// The well-known type with this extension or printed name, e.g. "tar.gz" or "TarGz".
[[nodiscard]] AA_EXPORT std::optional<BackupType> well_known_backup_type(std::string_view word);

}  // namespace autoarchive
