#include "plugin/elf_file.hpp"

#include <elf.h>
#include <gtest/gtest.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/plugin/abi.h"
#include "autoarchive/plugin/plugin_descriptor.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive {
namespace {

const std::filesystem::path kGood = std::filesystem::path(AA_FIXTURE_DIR) / "good.so";

ElfFile read_bytes(const std::string& bytes) {
  const UniqueFd file(::memfd_create("elf", MFD_CLOEXEC));
  EXPECT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return read_elf(file.get());
}

TEST(ElfFile, IsReadWithItsNoteAndWhatItNeeds) {
  const auto elf = read_elf(kGood);
  EXPECT_TRUE(elf.is_elf && elf.is_host_class && elf.is_host_machine && elf.is_shared_library && elf.headers_fit);
  EXPECT_FALSE(elf.executable_stack || elf.text_relocations);
  EXPECT_LE(elf.needed_bytes, elf.file_bytes);
  const auto core = "libautoarchive_core.so." + std::to_string(AUTOARCHIVE_ABI_EPOCH);
  EXPECT_EQ(std::count(elf.needed.begin(), elf.needed.end(), core), 1);
  ASSERT_TRUE(elf.descriptor);
  EXPECT_EQ(parse_descriptor(*elf.descriptor).descriptor.id, "org.example.good");
}

TEST(ElfFile, CountsWhatCanNotBeReadAsNotElf) {
  const test::TempDir directory;
  EXPECT_FALSE(read_elf(directory / "missing").is_elf);
  EXPECT_FALSE(read_elf(directory.path()).is_elf);
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(read_elf(directory / "pipe").is_elf);
  EXPECT_FALSE(read_bytes("").is_elf);
  EXPECT_FALSE(read_bytes("\x7f"
                          "ELF")
                   .is_elf);
}

TEST(ElfFile, TellsAForeignMachineAndAForeignByteOrder) {
  auto bytes = test::read_file(kGood);
  auto foreign = bytes;
  foreign[offsetof(ElfW(Ehdr), e_machine)] = 3;
  EXPECT_FALSE(read_bytes(foreign).is_host_machine);
  bytes[EI_DATA] = static_cast<char>(bytes[EI_DATA] ^ 3);
  EXPECT_FALSE(read_bytes(bytes).is_host_class);
}

TEST(ElfFile, IsReadAtAnyLengthWithoutHarm) {
  const auto bytes = test::read_file(kGood);
  const auto whole = read_bytes(bytes);
  for (std::size_t size = 0; size < bytes.size(); size += std::max<std::size_t>(1, size / 16)) {
    const auto elf = read_bytes(bytes.substr(0, size));
    EXPECT_TRUE(!elf.headers_fit || elf.needed_bytes > elf.file_bytes || elf.needed_bytes == whole.needed_bytes)
        << size;
    EXPECT_EQ(elf.descriptor.value_or(*whole.descriptor), *whole.descriptor) << size;
  }
}

// Where the reader looks: the header, the program headers, the notes and the dynamic section.
TEST(ElfFile, BelievesNoNumberInTheFile) {
  const auto bytes = test::read_file(kGood);
  ElfW(Ehdr) header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  std::uint32_t state = 11;
  const auto random = [&](std::size_t below) {
    state = state * 1'664'525 + 1'013'904'223;
    return (state >> 8U) % below;
  };
  for (int round = 0; round < 3000; ++round) {
    auto damaged = bytes;
    const std::size_t areas[] = {0, header.e_phoff, header.e_phoff + random(header.e_phnum) * sizeof(ElfW(Phdr)),
                                 random(bytes.size() - 64)};
    const auto area = areas[random(4)];
    for (int i = 0; i < 3; ++i) damaged[area + random(64)] = static_cast<char>(round % 2 == 0 ? 0xFF : random(256));
    static_cast<void>(read_bytes(damaged));
  }
}

/// A file with these notes, and nothing else but the headers.
std::string with_notes(const std::string& notes, std::uint64_t claimed_size) {
  auto bytes = test::read_file(kGood).substr(0, sizeof(ElfW(Ehdr)));
  ElfW(Ehdr) header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  header.e_phoff = sizeof header;
  header.e_phnum = 1;
  ElfW(Phdr) segment{};
  segment.p_type = PT_NOTE;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_filesz = claimed_size;
  segment.p_align = 4;
  std::memcpy(bytes.data(), &header, sizeof header);
  bytes.append(reinterpret_cast<const char*>(&segment), sizeof segment);
  return bytes + notes;
}

std::string note(const std::string& owner, std::uint32_t type, std::uint32_t content_size, std::string content) {
  const std::uint32_t header[] = {static_cast<std::uint32_t>(owner.size()), content_size, type};
  std::string bytes(reinterpret_cast<const char*>(header), sizeof header);
  bytes += owner;
  bytes.resize((bytes.size() + 3) / 4 * 4);
  content.resize((content.size() + 3) / 4 * 4);
  return bytes + content;
}

TEST(ElfFile, FindsOurNoteAmongOthersAndStopsAtOneThatLeavesTheFile) {
  const std::string ours("AA\0", 3);
  const auto good = note("GNU", 3, 5, "12345") + note(ours, 2, 1, "x") + note(ours, 1, 5, "a=b\nc");
  EXPECT_EQ(read_bytes(with_notes(good, good.size())).descriptor, "a=b\nc");
  EXPECT_EQ(read_bytes(with_notes(good, UINT64_MAX)).descriptor, "a=b\nc");
  EXPECT_FALSE(read_bytes(with_notes(good, 60)).descriptor);
  const auto too_long = note(ours, 1, 0xFFFFFFFF, "a=b");
  EXPECT_FALSE(read_bytes(with_notes(too_long, too_long.size())).descriptor);
  const auto too_long_owner = note("GNU", 3, 0xFFFFFFF0, "") + good;
  EXPECT_FALSE(read_bytes(with_notes(too_long_owner, too_long_owner.size())).descriptor);
}

}  // namespace
}  // namespace autoarchive
