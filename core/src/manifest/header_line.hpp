/// \file
/// The first and the last line of a manifest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/manifest/entry.hpp"

namespace autoarchive {

/// What the name of a file can say. Readers have a table of all levels.
inline constexpr int kMaxLevel = 999'999;

/// Where a frame begins, and the first path in it.
struct FrameStart {
  std::uint64_t offset = 0;
  std::string path;
};

/// The closing line: what users of manifests see, and what only reader and writer need.
struct ClosingLine {
  ManifestClosing closing;
  std::vector<FrameStart> frames;
  std::uint64_t text_digest = 0;  ///< XXH3-64 of all lines before this one
};

[[nodiscard]] std::string header_line(const ManifestHeader& header);
/// Throws Error: cause damaged, or unsupported for a newer version.
[[nodiscard]] ManifestHeader parse_header_line(std::string_view line);
[[nodiscard]] std::string closing_line(const ClosingLine& closing);
[[nodiscard]] ClosingLine parse_closing_line(std::string_view line);
/// Whether it is the closing line and no entry.
[[nodiscard]] bool is_closing_line(std::string_view line) noexcept;

}  // namespace autoarchive
