#include "elf_file.hpp"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <vector>

namespace autoarchive {
namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);

// Our own header, at the beginning of this very library in memory, says what the host is.
extern "C" const Header __ehdr_start __attribute__((visibility("hidden")));

constexpr std::size_t kMaxSegments = 256;

template <class T>
bool read_at(std::ifstream& in, std::uint64_t offset, T* target, std::size_t count) {
  in.clear();
  in.seekg(static_cast<std::streamoff>(offset));
  in.read(reinterpret_cast<char*>(target), static_cast<std::streamsize>(sizeof(T) * count));
  return in.good();
}

}  // namespace

ElfFile read_elf(const std::filesystem::path& file) {
  ElfFile elf;
  std::error_code error;
  elf.file_bytes = std::filesystem::file_size(file, error);
  std::ifstream in(file, std::ios::binary);
  Header header{};
  if (error || !read_at(in, 0, header.e_ident, EI_NIDENT) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return elf;
  elf.is_elf = true;
  elf.is_host_class = header.e_ident[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS] &&
                      header.e_ident[EI_DATA] == __ehdr_start.e_ident[EI_DATA];
  if (!elf.is_host_class || !read_at(in, 0, &header, 1)) return elf;
  elf.machine = header.e_machine;
  elf.is_host_machine = header.e_machine == __ehdr_start.e_machine;
  elf.is_shared_library = header.e_type == ET_DYN;
  std::vector<Segment> segments(std::min<std::size_t>(header.e_phnum, kMaxSegments));
  elf.headers_fit = header.e_phentsize == sizeof(Segment) && header.e_phnum <= kMaxSegments && !segments.empty() &&
                    read_at(in, header.e_phoff, segments.data(), segments.size());
  if (!elf.headers_fit) return elf;
  for (const auto& segment : segments) {
    std::uint64_t end = 0;
    if (segment.p_type != PT_LOAD) continue;
    if (__builtin_add_overflow(segment.p_offset, segment.p_filesz, &end)) end = UINT64_MAX;
    elf.needed_bytes = std::max(elf.needed_bytes, end);
  }
  return elf;
}

}  // namespace autoarchive
