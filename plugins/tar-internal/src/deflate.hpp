/// \file
/// Deflate (RFC 1951) and gzip (RFC 1952) by one of three libraries, one file a library. zlib is always there; where
/// the build has not got one of the others, what would make it yields null.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "autoarchive/base/bytes.hpp"

namespace autoarchive::tar_internal {

/// Deflates blocks, each by itself. One object a thread.
class Deflater {
 public:
  Deflater() = default;
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  virtual ~Deflater() = default;

  /// Bytes of `block`, deflated into `out`; 0 if it has no place there.
  [[nodiscard]] virtual std::size_t deflate(ByteView block, std::span<std::byte> out) = 0;
  /// The CRC that a gzip member carries of its content.
  [[nodiscard]] virtual std::uint32_t crc32(ByteView content) const = 0;
};

/// Takes the members of a gzip file apart, one after the other, each as a stream. Checks header, CRC and length.
class Inflater {
 public:
  struct Step {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    bool member_ended = false;
    const char* error = nullptr;  ///< What is wrong with the member. Only begin_member() may follow.
  };

  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  virtual ~Inflater() = default;

  virtual void begin_member() = 0;
  /// Goes on with the member, never beyond its end. With nothing consumed and nothing produced it wants more input.
  [[nodiscard]] virtual Step inflate(ByteView in, std::span<std::byte> out) = 0;
};

// One line a library, each in the library's own file. `level` is the library's.
[[nodiscard]] std::unique_ptr<Deflater> make_isal_deflater(int level);  // 0..3
[[nodiscard]] std::unique_ptr<Inflater> make_isal_inflater();
[[nodiscard]] std::unique_ptr<Deflater> make_libdeflate_deflater(int level);  // 0..12
[[nodiscard]] std::unique_ptr<Deflater> make_zlib_deflater(int level);        // 0..9
[[nodiscard]] std::unique_ptr<Inflater> make_zlib_inflater();

}  // namespace autoarchive::tar_internal
