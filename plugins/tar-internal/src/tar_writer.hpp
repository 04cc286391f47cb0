/// \file
/// Writes the tar stream: ustar headers, with pax records only where something does not fit.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/storage/sink.hpp"
#include "autoarchive/tree/entry.hpp"
#include "pax_records.hpp"
#include "tar_header.hpp"

namespace autoarchive::tar_internal {

/// One member's header. Strings are borrowed during the call.
struct TarMember {
  const Entry& entry;
  std::string_view hard_link_to;  ///< not empty: a link to that earlier member, without content
  std::uint64_t stored_size = 0;  ///< bytes that follow the header
  /// Not empty: a sparse file in GNU's pax format 1.0, whose map is the beginning of the stored bytes.
  bool is_sparse = false;
  bool nanoseconds = true;  ///< sub-second times as a record
};

/// Collects the stream in a buffer of 1 MiB, so that the sink gets large pieces. Not thread-safe.
class TarWriter {
 public:
  /// `out` must outlive the writer, and is finished by the caller.
  explicit TarWriter(Sink& out);

  /// Bytes written so far: where the next header begins.
  [[nodiscard]] std::uint64_t offset() const noexcept { return flushed_ + used_; }

  /// A pax global header with a comment; readers ignore it.
  void add_comment(std::string_view comment);
  void add_header(const TarMember& member);

  /// Room for content that is read right into the buffer: at least one byte, at most `wanted`.
  [[nodiscard]] std::span<std::byte> reserve(std::uint64_t wanted);
  /// `count` bytes of the room have been filled.
  void commit(std::size_t count) noexcept { used_ += count; }
  void append(ByteView bytes);
  void append_zeros(std::uint64_t count);
  /// Fills up to a whole block.
  void pad();
  /// The end mark, filled up to a record of 10 KiB as other tars do. Everything is handed to the sink.
  void finish();

 private:
  void add_records(char typeflag, std::string_view name, const PaxRecords& records, std::uint64_t mtime);
  void append_header(const UstarFields& fields);
  void flush();

  Sink& out_;
  std::vector<std::byte> buffer_;
  std::size_t used_ = 0;
  std::uint64_t flushed_ = 0;
  PaxRecords records_;  // kept for its memory
  std::string name_;
};

}  // namespace autoarchive::tar_internal
