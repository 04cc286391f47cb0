/// \file
/// What the state remembers of an archive's destination, so that one that is not mounted is noticed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "autoarchive/storage/istorage.hpp"

namespace autoarchive::host {

/// The marker of the destination at the last success; none if the archive is new or has another destination now.
[[nodiscard]] std::optional<std::string> remembered_marker(const std::filesystem::path& state_dir,
                                                           const std::string& archive,
                                                           const std::filesystem::path& destination);
/// The marker that a destination has; empty: none yet. Throws Error(os_error).
[[nodiscard]] std::string marker_of(const IStorage& storage);
/// That it is not the destination of the last success, and what to do; empty: it is, or none is remembered. `directory`
/// is one of `archive`. Throws Error(os_error).
[[nodiscard]] std::string other_destination(const std::filesystem::path& state_dir, const std::string& archive,
                                            const std::filesystem::path& directory);
/// The same as an error, for who finds nothing there. Throws Error(os_error, destination).
void require_same_destination(const std::filesystem::path& state_dir, const std::string& archive,
                              const std::filesystem::path& directory);
/// Written by temporary file and rename. Throws Error(os_error).
void remember_marker(const std::filesystem::path& state_dir, const std::string& archive,
                     const std::filesystem::path& destination, const std::string& marker);

}  // namespace autoarchive::host
