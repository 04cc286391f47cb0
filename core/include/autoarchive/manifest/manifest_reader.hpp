/// \file
/// Reads a manifest as a stream, or jumps to a path in it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/export.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/storage/istorage.hpp"

namespace autoarchive {

/// Some thousand entries of a manifest, from `first_path` on in walk order and before `next_path`.
struct ManifestPart {
  std::uint64_t begin = 0;  ///< bytes of the file
  std::uint64_t end = 0;
  std::string first_path;
  std::string next_path;  ///< empty: to the last entry
};

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
  /// checked against what was read; see also read_part().
  [[nodiscard]] bool next(ManifestEntry& entry);
  /// The closing line, read from the end of the file without the entries in between.
  [[nodiscard]] const ManifestClosing& closing();
  /// The next call of next() yields the first entry whose path is not before `path` in walk order.
  void seek(std::string_view path);

  /// The parts in which a manifest can be read by several readers at the same time, in order. Throws damaged if they
  /// can't be parts of one file.
  [[nodiscard]] std::vector<ManifestPart> parts();
  /// next() then gives the entries of that part and returns false behind them, whatever the closing line says: whoever
  /// has read all parts compares their number with closing().entries, and calls check().
  void read_part(const ManifestPart& part);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace autoarchive
