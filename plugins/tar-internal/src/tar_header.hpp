/// \file
/// The ustar header (POSIX.1-1988, IEEE Std 1003.1 "ustar Interchange Format"), 512 bytes:
///
///     offset  length  field       offset  length  field
///          0     100  name           257       6  magic "ustar\0"
///        100       8  mode           263       2  version "00"
///        108       8  uid            265      32  uname
///        116       8  gid            297      32  gname
///        124      12  size           329       8  devmajor
///        136      12  mtime          337       8  devminor
///        148       8  checksum       345     155  prefix
///        156       1  typeflag
///        157     100  linkname
///
/// Numbers are octal digits with leading zeros and a NUL. What does not fit goes into a pax record (pax_records.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace autoarchive::tar_internal {

inline constexpr std::size_t kBlockBytes = 512;
using HeaderSpan = std::span<std::byte, kBlockBytes>;
using HeaderView = std::span<const std::byte, kBlockBytes>;

/// The fields as values. Strings must fit: see the limits below.
struct UstarFields {
  std::string_view name;
  std::string_view prefix;
  std::uint32_t mode = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::uint64_t size = 0;
  std::uint64_t mtime = 0;
  char typeflag = '0';
  std::string_view linkname;
  std::string_view uname;
  std::string_view gname;
  std::uint32_t devmajor = 0;
  std::uint32_t devminor = 0;
};

inline constexpr std::size_t kMaxName = 100;
inline constexpr std::size_t kMaxPrefix = 155;
inline constexpr std::size_t kMaxOwner = 31;
inline constexpr std::uint64_t kMaxId = 07777777;
inline constexpr std::uint64_t kMaxSize = 077777777777;
inline constexpr std::uint64_t kMaxTime = 077777777777;

/// Typeflags that this program knows.
enum class TypeFlag : char {
  file = '0',
  old_file = '\0',
  hard_link = '1',
  symlink = '2',
  character_device = '3',
  block_device = '4',
  directory = '5',
  fifo = '6',
  contiguous = '7',
  pax = 'x',
  pax_global = 'g',
  gnu_long_name = 'L',
  gnu_long_link = 'K',
  gnu_dumpdir = 'D',
  gnu_sparse = 'S',
};

/// Fills a block. REQUIRES: every field fits.
void format_header(const UstarFields& fields, HeaderSpan block);
/// Splits a path at a slash into prefix and name. False if it fits in no way.
[[nodiscard]] bool split_name(std::string_view path, UstarFields& fields);

[[nodiscard]] bool has_valid_checksum(HeaderView header);
/// An octal number, or a base-256 one (first bit set) as GNU tar writes it; 0 if it is neither, or negative.
[[nodiscard]] std::uint64_t parse_number(std::span<const std::byte> field);
/// Up to the first NUL.
[[nodiscard]] std::string_view parse_string(std::span<const std::byte> field);

}  // namespace autoarchive::tar_internal
