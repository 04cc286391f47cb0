/// \file
/// What can be told of a shared library from its ELF headers, without loading it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace autoarchive {

/// A bounded reading of the ELF header and program headers; no size in the file is trusted.
struct ElfFile {
  bool is_elf = false;
  bool is_host_class = false;  ///< 32 or 64 bit, byte order
  bool is_host_machine = false;
  bool is_shared_library = false;
  std::uint16_t machine = 0;
  std::uint64_t needed_bytes = 0;  ///< where the last segment ends
  std::uint64_t file_bytes = 0;
  bool headers_fit = false;  ///< the program headers lie inside of the file
};

/// A file that can't be read counts as not ELF.
[[nodiscard]] ElfFile read_elf(const std::filesystem::path& file);

}  // namespace autoarchive
