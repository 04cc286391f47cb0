/// \file
/// Reads a manifest as a stream, or jumps to a path in it.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "autoarchive/base/export.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/storage/istorage.hpp"

namespace autoarchive {

/// Trusts nothing that it reads: whatever is cut, flipped or foreign is Error(value_error, cause damaged) with the
/// place. Keys that it does not know are ignored. Memory is one frame. Not thread-safe.
class AA_EXPORT ManifestReader {
 public:
  /// Reads the header line. Throws damaged, or cause unsupported for a newer version.
  explicit ManifestReader(std::unique_ptr<ReadableFile> file);
  ManifestReader(const ManifestReader&) = delete;
  ManifestReader& operator=(const ManifestReader&) = delete;
  ~ManifestReader();

  /// Reads the whole file once, without decoding it: throws damaged unless every byte is the one that was written. So
  /// that a merge with it does not end in the middle.
  static void check(const ReadableFile& file);

  [[nodiscard]] const ManifestHeader& header() const noexcept;
  /// The next entry into `entry`, whose buffers are reused. False after the last one, when the closing line has been
  /// checked against what was read.
  [[nodiscard]] bool next(ManifestEntry& entry);
  /// The closing line, read from the end of the file without the entries in between.
  [[nodiscard]] const ManifestClosing& closing();
  /// The next call of next() yields the first entry whose path is not before `path` in walk order.
  void seek(std::string_view path);

  /// The number of parts, of some thousand entries each, in which a manifest can be read by several readers at the same
  /// time. Together they are all of its entries, in walk order.
  [[nodiscard]] std::size_t parts();
  /// next() then gives the entries of that part only. A part is not proof that the others are whole: see check().
  /// REQUIRES: part < parts().
  void read_part(std::size_t part);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace autoarchive
