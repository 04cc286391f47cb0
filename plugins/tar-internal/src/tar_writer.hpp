/// \file
/// Writes the tar stream: ustar headers, with pax records only where something does not fit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "autoarchive/tree/entry.hpp"
#include "pax_records.hpp"
#include "segment_buffer.hpp"
#include "tar_header.hpp"

namespace autoarchive::tar_internal {

/// One member's header. Strings are borrowed during the call.
struct TarMember {
  const Entry& entry;
  std::string_view hard_link_to;  ///< not empty: a link to that earlier member, without content
  std::uint64_t stored_size = 0;  ///< bytes that follow the header
  /// Not empty: a sparse file in GNU's pax format 1.0, whose map is the beginning of the stored bytes.
  bool is_sparse = false;
  bool nanoseconds = true;        ///< sub-second times as a record
  std::string_view dumpdir = {};  ///< not empty: a directory's complete list of names, as GNU tar's incremental ones
};

/// Appends to a segment that begins on a block's boundary. Not thread-safe.
class TarWriter {
 public:
  /// `out` must outlive the writer.
  explicit TarWriter(SegmentBuffer& out) : out_(out) {}

  /// A pax global header with a comment; readers ignore it.
  void add_comment(std::string_view comment);
  void add_header(const TarMember& member);
  /// Fills up to a whole block.
  void pad();

 private:
  void add_records(char typeflag, std::string_view name, const PaxRecords& records, std::uint64_t mtime);
  void append_header(const UstarFields& fields);

  SegmentBuffer& out_;
  PaxRecords records_;  // kept for its memory, as are the names
  std::string name_;
  std::string records_name_;
};

/// The end mark, filled up to a record of 10 KiB as other tars do. `offset`: bytes of the stream before it.
void append_end(SegmentBuffer& out, std::uint64_t offset);

}  // namespace autoarchive::tar_internal
