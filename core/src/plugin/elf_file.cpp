#include "elf_file.hpp"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/plugin/abi.h"

namespace autoarchive {
namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Dynamic = ElfW(Dyn);
using NoteHeader = ElfW(Nhdr);

// Our own header, at the beginning of this very library in memory, says what the host is.
extern "C" const Header __ehdr_start __attribute__((visibility("hidden")));

constexpr std::size_t kMaxSegments = 256;
constexpr std::size_t kMaxDynamicEntries = 4096;
constexpr std::size_t kMaxNoteBytes = 64 * 1024;  // of all notes of one segment
constexpr std::size_t kMaxStringBytes = 4096;

/// Reads at any place, never more than the file has.
class FileReader {
 public:
  FileReader(int fd, std::uint64_t size) : fd_(fd), size_(size) {}

  /// Up to `count` bytes, less only at the end of the file.
  [[nodiscard]] std::string read(std::uint64_t offset, std::size_t count) const {
    if (offset >= size_) return {};
    std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - offset)), '\0');
    std::size_t got = 0;
    while (got < bytes.size()) {
      const auto now = ::pread(fd_, bytes.data() + got, bytes.size() - got, static_cast<off_t>(offset + got));
      if (now <= 0) break;
      got += static_cast<std::size_t>(now);
    }
    bytes.resize(got);
    return bytes;
  }
  /// As many complete ones as there are, at most `count`.
  template <class T>
  [[nodiscard]] std::vector<T> read_all(std::uint64_t offset, std::size_t count) const {
    const auto bytes = read(offset, count * sizeof(T));
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
  }

 private:
  int fd_;
  std::uint64_t size_;
};

std::uint64_t end_of(std::uint64_t offset, std::uint64_t size) {
  std::uint64_t end = 0;
  return __builtin_add_overflow(offset, size, &end) ? UINT64_MAX : end;
}

bool read_header(const FileReader& file, ElfFile& elf, Header& header) {
  const auto bytes = file.read(0, sizeof header);
  if (bytes.size() < EI_NIDENT || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0) return false;
  elf.is_elf = true;
  const auto same = [&](std::size_t index) {
    return static_cast<unsigned char>(bytes[index]) == __ehdr_start.e_ident[index];
  };
  elf.is_host_class = same(EI_CLASS) && same(EI_DATA);
  if (!elf.is_host_class || bytes.size() < sizeof header) return false;
  std::memcpy(&header, bytes.data(), sizeof header);
  elf.machine = header.e_machine;
  elf.is_host_machine = header.e_machine == __ehdr_start.e_machine;
  elf.is_shared_library = header.e_type == ET_DYN;
  return true;
}

// Where an address of the loaded library lies in the file; none if nowhere.
std::optional<std::uint64_t> place_of(std::uint64_t address, const std::vector<Segment>& segments) {
  for (const auto& segment : segments) {
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz)
      return end_of(segment.p_offset, address - segment.p_vaddr);
  }
  return std::nullopt;
}

void add_parts(std::string_view list, std::vector<std::string>& parts) {
  for (;;) {
    const auto colon = list.find(':');
    parts.emplace_back(list.substr(0, colon));
    if (colon == std::string_view::npos) return;
    list.remove_prefix(colon + 1);
  }
}

void read_dynamic(const FileReader& file, const Segment& segment, const std::vector<Segment>& segments, ElfFile& elf) {
  const auto count = std::min<std::uint64_t>(segment.p_filesz / sizeof(Dynamic), kMaxDynamicEntries);
  auto entries = file.read_all<Dynamic>(segment.p_offset, static_cast<std::size_t>(count));
  const auto end =
      std::find_if(entries.begin(), entries.end(), [](const auto& entry) { return entry.d_tag == DT_NULL; });
  entries.erase(end, entries.end());
  std::optional<std::uint64_t> strings;
  for (const auto& entry : entries) {
    if (entry.d_tag == DT_STRTAB) strings = place_of(entry.d_un.d_ptr, segments);
    if (entry.d_tag == DT_TEXTREL || (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_TEXTREL) != 0))
      elf.text_relocations = true;
  }
  if (!strings) return;
  for (const auto& entry : entries) {
    if (entry.d_tag != DT_NEEDED && entry.d_tag != DT_RPATH && entry.d_tag != DT_RUNPATH) continue;
    const auto bytes = file.read(end_of(*strings, entry.d_un.d_val), kMaxStringBytes);
    const std::string_view text(bytes.data(), std::min(bytes.size(), bytes.find('\0')));
    if (entry.d_tag == DT_NEEDED) {
      elf.needed.emplace_back(text);
    } else {
      add_parts(text, elf.run_paths);
    }
  }
}

// Notes follow each other: header, name, content, the last two padded to the segment's alignment.
void read_notes(const FileReader& file, const Segment& segment, ElfFile& elf) {
  constexpr std::string_view kOwner(AUTOARCHIVE_NOTE_OWNER, sizeof(AUTOARCHIVE_NOTE_OWNER));
  const std::uint64_t alignment = segment.p_align == 8 ? 8 : 4;
  const auto padded = [&](std::uint64_t size) { return (size + alignment - 1) / alignment * alignment; };
  const auto all =
      file.read(segment.p_offset, static_cast<std::size_t>(std::min<std::uint64_t>(segment.p_filesz, kMaxNoteBytes)));
  std::string_view rest = all;
  while (rest.size() >= sizeof(NoteHeader) && !elf.descriptor) {
    NoteHeader note{};
    std::memcpy(&note, rest.data(), sizeof note);
    rest.remove_prefix(sizeof note);
    const auto content_at = padded(note.n_namesz);
    if (content_at > rest.size() || note.n_descsz > rest.size() - content_at) return;
    if (note.n_type == AUTOARCHIVE_NOTE_TYPE && rest.substr(0, note.n_namesz) == kOwner)
      elf.descriptor = rest.substr(content_at, note.n_descsz);
    rest.remove_prefix(std::min<std::size_t>(rest.size(), content_at + padded(note.n_descsz)));
  }
}

}  // namespace

ElfFile read_elf(int fd) {
  ElfFile elf;
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return elf;
  elf.file_bytes = static_cast<std::uint64_t>(status.st_size);
  const FileReader file(fd, elf.file_bytes);
  Header header{};
  if (!read_header(file, elf, header)) return elf;
  std::vector<Segment> segments;
  if (header.e_phentsize == sizeof(Segment) && header.e_phnum <= kMaxSegments)
    segments = file.read_all<Segment>(header.e_phoff, header.e_phnum);
  elf.headers_fit = !segments.empty() && segments.size() == header.e_phnum;
  if (!elf.headers_fit) return elf;
  for (const auto& segment : segments) {
    if (segment.p_type == PT_LOAD)
      elf.needed_bytes = std::max(elf.needed_bytes, end_of(segment.p_offset, segment.p_filesz));
    if (segment.p_type == PT_GNU_STACK) elf.executable_stack = (segment.p_flags & PF_X) != 0;
    if (segment.p_type == PT_DYNAMIC) read_dynamic(file, segment, segments, elf);
    if (segment.p_type == PT_NOTE && !elf.descriptor) read_notes(file, segment, elf);
  }
  return elf;
}

ElfFile read_elf(const std::filesystem::path& file) {
  // Not blocking: a pipe by this name must not keep us.
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  return fd ? read_elf(fd.get()) : ElfFile();
}

}  // namespace autoarchive
