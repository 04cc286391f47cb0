/// \file
/// GNU tar's snapshot of a tree (format 2): "GNU tar-VERSION-2\n", the time as two NUL-terminated numbers, then for
/// each directory "nfs sec nsec dev ino name" and its list of names, all NUL-terminated, and two NULs. A name in a list
/// has "Y", "N" or "D" before it: stored, not stored, a directory.
///
/// What tar makes of it: a directory with another inode than in its record, or without a record, is new, and all in it
/// is stored; in one that is known, a name that the list does not have is stored, and one that it has only if the
/// file's times are not older than the snapshot's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/storage/sink.hpp"
#include "autoarchive/tree/entry.hpp"

namespace autoarchive::tar_external {

/// A directory as tar knows it.
struct SnapshotDirectory {
  std::string name;  ///< as tar is asked for it, e.g. "./alice"
  Timestamp mtime;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  /// Letter and name, e.g. "Nmail". REQUIRES: sorted by name, as tar looks them up by bisection.
  std::vector<std::string> names;
};

/// Writes one. Not thread-safe.
class SnapshotWriter {
 public:
  /// `out` must outlive it, and is finished by the caller.
  SnapshotWriter(Sink& out, Timestamp time);

  /// Throws what `out` throws.
  void add(const SnapshotDirectory& directory);
  /// Writes what is left. Returns the SHA-256 of the whole. REQUIRES: called once.
  [[nodiscard]] std::string finish();

 private:
  void flush();
  Sink& out_;
  std::string buffer_;
  Sha256 digest_;
};

}  // namespace autoarchive::tar_external
