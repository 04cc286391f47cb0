/// \file
/// A file that stays open while several segments take their parts of it: one that is larger than a segment, or has
/// several names.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/tree/walker.hpp"
#include "sparse_map.hpp"

namespace autoarchive::tar_internal {

/// What is stored of a file: its content, or of a file with holes the map and the data. read() is thread-safe; all else
/// is used by one thread at a time.
class OpenFile {
 public:
  /// `opened` is what open_entry() has given; its entry is what is stored. `sparse`: holes are left out.
  OpenFile(OpenedEntry opened, bool sparse);

  [[nodiscard]] const Entry& entry() const noexcept { return opened_.entry; }
  [[nodiscard]] Entry& entry() noexcept { return opened_.entry; }
  [[nodiscard]] int fd() const noexcept { return opened_.fd.get(); }
  [[nodiscard]] bool is_sparse() const noexcept { return !map_.pieces.empty(); }
  /// Bytes of the member behind its header, padding excluded.
  [[nodiscard]] std::uint64_t stored_bytes() const noexcept { return stored_bytes_; }

  /// How reading a part went.
  struct ReadResult {
    EntryState state = EntryState::ok;  ///< changed: the file has become shorter; failed: it can't be read
    int os_errno = 0;
  };
  /// Fills `out` with the stored bytes from `offset` on. What can't be had is zeros.
  [[nodiscard]] ReadResult read(std::uint64_t offset, std::span<std::byte> out) const;
  /// Whether the file is still what it was when it was opened. REQUIRES: all has been read.
  [[nodiscard]] bool is_unchanged() const;

  /// Of the stored bytes, fed in order by whoever writes them.
  ContentDigest digest;
  /// The worst that has been seen in any part.
  EntryState state = EntryState::ok;
  /// Of its header in the tar stream, once that is written.
  std::uint64_t stream_offset = 0;

 private:
  [[nodiscard]] ReadResult read_content(std::uint64_t offset, std::span<std::byte> out) const;

  OpenedEntry opened_;
  SparseMap map_;
  std::string map_text_;
  std::uint64_t stored_bytes_ = 0;
};

/// Reads exactly `out.size()` bytes of `fd` from `offset` on, or fills up with zeros.
[[nodiscard]] OpenFile::ReadResult read_exactly(int fd, std::uint64_t offset, std::span<std::byte> out);
/// Whether `fd` still has size, times, mode and owner of `entry`.
[[nodiscard]] bool is_as_it_was(int fd, const Entry& entry);
/// The holes of a file that has fewer blocks than its size needs; no pieces: it has none.
[[nodiscard]] SparseMap find_holes(const OpenedEntry& file);

}  // namespace autoarchive::tar_internal
