/// \file
/// Manifests from lines that may be wrong, so that what parses them is reached.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "autoarchive/base/digest.hpp"
#include "manifest/frame_writer.hpp"
#include "manifest/header_line.hpp"
#include "support/memory_file.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {

/// The lines as a file with a frame for every `lines_a_frame` of them and a closing line of which digest and count are
/// right; size and digest of the archive, too, unless it is null.
[[nodiscard]] inline std::string framed_manifest(std::string_view lines, std::size_t lines_a_frame,
                                                 const ByteView* archive) {
  test::MemorySink sink;
  FrameWriter writer(sink);
  ContentDigest digest;
  ClosingLine closing;
  std::string frame;
  std::size_t in_frame = 0;
  std::uint64_t entries = 0;
  for (bool first = true; !lines.empty(); first = false) {
    const auto line = std::string(lines.substr(0, lines.find('\n')));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    if (is_closing_line(line)) {
      static_cast<void>(accepts([&] { closing = parse_closing_line(line); }));
      break;
    }
    digest.update(bytes_of(line + '\n'));
    if (!first) ++entries;
    frame += line + '\n';
    if (++in_frame < lines_a_frame) continue;
    writer.write_frame(std::exchange(frame, {}));
    in_frame = 0;
  }
  if (!frame.empty()) writer.write_frame(frame);
  closing.closing.entries = entries;
  closing.text_digest = digest.value();
  if (archive != nullptr) {
    closing.closing.archive_bytes = archive->size();
    closing.closing.archive_sha256 = sha256_of(*archive);
  }
  const auto last_frame = writer.offset();
  writer.write_frame(closing_line(closing));
  writer.write_footer(last_frame);
  return std::move(sink.text);
}

}  // namespace autoarchive::fuzz
