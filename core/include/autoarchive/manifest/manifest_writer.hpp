/// \file
/// Writes a manifest as its entries come.
#pragma once

#include <memory>
#include <string>

#include "autoarchive/base/export.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/storage/sink.hpp"

namespace autoarchive {

/// JSON Lines under zstd, in frames of about 1 MiB of text whose first paths the closing line records. Not thread-safe.
class AA_EXPORT ManifestWriter {
 public:
  /// Writes the header line. `sink` must outlive the writer, and is finished by the caller.
  ManifestWriter(Sink& sink, const ManifestHeader& header);
  ManifestWriter(const ManifestWriter&) = delete;
  ManifestWriter& operator=(const ManifestWriter&) = delete;
  ~ManifestWriter();

  /// REQUIRES: entries come in walk order (compare_paths), no path twice. Throws what the sink throws.
  void add(const ManifestEntry& entry);
  /// Writes the closing line with the counts filled in, and returns it. REQUIRES: called once.
  ManifestClosing finish(ManifestClosing closing);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace autoarchive
