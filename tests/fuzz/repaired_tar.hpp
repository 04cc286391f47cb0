/// \file
/// Tar streams that are wrong, but not so wrong that nobody looks at them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace autoarchive::fuzz {

/// Gives each block that is marked as a header ("ustar" at its place) the checksum that it has. So a change of a header
/// is seen by what parses it.
[[nodiscard]] inline std::string with_checksums(std::string_view stream) {
  constexpr std::size_t kBlockBytes = 512;
  constexpr std::size_t kChecksumAt = 148;
  std::string repaired(stream);
  for (std::size_t at = 0; at + kBlockBytes <= repaired.size(); at += kBlockBytes) {
    if (std::string_view(repaired).substr(at + 257, 5) != "ustar") continue;
    repaired.replace(at + kChecksumAt, 8, 8, ' ');
    unsigned sum = 0;
    for (std::size_t i = at; i < at + kBlockBytes; ++i) sum += static_cast<unsigned char>(repaired[i]);
    for (std::size_t digit = 6; digit-- > 0; sum >>= 3U)
      repaired[at + kChecksumAt + digit] = static_cast<char>('0' + (sum & 7U));
    repaired[at + kChecksumAt + 6] = '\0';
  }
  return repaired;
}

}  // namespace autoarchive::fuzz
