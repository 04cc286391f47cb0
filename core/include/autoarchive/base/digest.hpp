/// \file
/// Digests: SHA-256 (FIPS 180-4) of whole files, XXH3-64 of contents.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// SHA-256 of a stream. Not thread-safe.
class AA_EXPORT Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(ByteView bytes);
  /// Ends the stream; 64 lower-case hexadecimal digits. REQUIRES: called once, no update() after it.
  [[nodiscard]] std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// XXH3-64 of a stream (xxHash 0.8, seed 0): tells changed content apart, does not withstand an attacker.
class AA_EXPORT ContentDigest {
 public:
  ContentDigest();
  ContentDigest(ContentDigest&&) noexcept;
  ContentDigest& operator=(ContentDigest&&) noexcept;
  ~ContentDigest();

  void reset();
  void update(ByteView bytes);
  /// Of all since the last reset(); may be asked more than once.
  [[nodiscard]] std::uint64_t value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// As ContentDigest of all of `bytes`; cheaper than a stream for what is in memory.
[[nodiscard]] AA_EXPORT std::uint64_t content_digest_of(ByteView bytes);
/// As Sha256 of all of `bytes`.
[[nodiscard]] AA_EXPORT std::string sha256_of(ByteView bytes);
/// Of the file behind `fd`, from its beginning to its end; the file offset does not move. Throws Error(os_error).
[[nodiscard]] AA_EXPORT std::string sha256_of_file(int fd);

}  // namespace autoarchive
