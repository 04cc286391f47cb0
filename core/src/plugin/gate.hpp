/// \file
/// The checks that a plugin passes before and after it is loaded, stage by stage. Each returns all faults of its stage;
/// none throws. Codes are stable and documented in docs/plugin-guide.md.
#pragma once

#include <filesystem>
#include <vector>

#include "autoarchive/plugin/loader.hpp"
#include "autoarchive/plugin/plugin_descriptor.hpp"
#include "elf_file.hpp"

namespace autoarchive {

/// AA-P101..104: a regular file that nobody else could have written, below a directory that nobody else could have.
[[nodiscard]] std::vector<Refusal> check_file(const std::filesystem::path& file);
/// AA-P201..205: a complete shared library for this machine, that asks for nothing that weakens the process.
[[nodiscard]] std::vector<Refusal> check_elf(const std::filesystem::path& file, const ElfFile& elf);
/// AA-P301..304: a note with a descriptor, which is read into `descriptor` as far as it is good.
[[nodiscard]] std::vector<Refusal> check_note(const std::filesystem::path& file, const ElfFile& elf,
                                              PluginDescriptor& descriptor);
/// AA-P401..406: what the user and the program allow.
[[nodiscard]] std::vector<Refusal> check_policy(const std::filesystem::path& file, const PluginDescriptor& descriptor,
                                                const PluginPolicy& policy);
/// AA-P501..508: the fingerprint fields against those of this library.
[[nodiscard]] std::vector<Refusal> check_abi(const PluginDescriptor& descriptor);
/// Whether the file lies in policy.installed_directory.
[[nodiscard]] bool is_installed(const std::filesystem::path& file, const PluginPolicy& policy);

}  // namespace autoarchive
