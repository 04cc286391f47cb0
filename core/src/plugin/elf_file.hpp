/// \file
/// What can be told of a shared library from its file, without loading it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace autoarchive {

/// A bounded reading of the ELF header, the program headers, the dynamic section and the notes. No size, offset or
/// count in the file is trusted: what does not lie inside of the file is not there. A plain value.
struct ElfFile {
  bool is_elf = false;
  bool is_host_class = false;  ///< 32 or 64 bit, byte order
  bool is_host_machine = false;
  bool is_shared_library = false;
  std::uint16_t machine = 0;
  std::uint64_t needed_bytes = 0;  ///< where the last segment ends
  std::uint64_t file_bytes = 0;
  bool headers_fit = false;         ///< the program headers lie inside of the file
  bool executable_stack = false;    ///< it asks for one
  bool text_relocations = false;    ///< its code has to be written to when it is loaded
  std::vector<std::string> needed;  ///< libraries, e.g. "libzip.so.4"
  /// Where its libraries are looked for first (RPATH and RUNPATH, cut at the colons), e.g. "$ORIGIN/../lib".
  std::vector<std::string> run_paths;
  /// The content of the first note of a plugin (autoarchive/plugin/abi.h); none: it has no such note.
  std::optional<std::string> descriptor;
};

/// Never throws: a file that can't be read counts as not ELF.
[[nodiscard]] ElfFile read_elf(const std::filesystem::path& file);
/// The same of an open file, whose offset does not move.
[[nodiscard]] ElfFile read_elf(int fd);

}  // namespace autoarchive
