/// \file
/// The checks that a plugin passes before and after it is loaded, stage by stage. Each returns all faults of its stage;
/// none throws. Codes are stable and documented in docs/plugin-guide.md.
#pragma once

#include <filesystem>
#include <vector>

#include "autoarchive/plugin/descriptor.hpp"
#include "autoarchive/plugin/loader.hpp"

namespace autoarchive {

/// AA-P101..104: a regular file that nobody else could have written, below a directory that nobody else could have.
[[nodiscard]] std::vector<Refusal> check_file(const std::filesystem::path& file);
/// AA-P201..203: a complete shared library for this machine.
[[nodiscard]] std::vector<Refusal> check_elf(const std::filesystem::path& file);
/// AA-P404: in safe mode, only the installed directory.
[[nodiscard]] std::vector<Refusal> check_place(const std::filesystem::path& file, const PluginPolicy& policy);
/// AA-P401: denied by its id.
[[nodiscard]] std::vector<Refusal> check_policy(const PluginDescriptor& descriptor, const PluginPolicy& policy);
/// AA-P501..508: the fingerprint fields against those of this library.
[[nodiscard]] std::vector<Refusal> check_abi(const PluginDescriptor& descriptor);

}  // namespace autoarchive
