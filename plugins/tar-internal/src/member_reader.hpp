/// \file
/// Reads the members of a tar archive of any dialect and compression: our decoder, libarchive on top of it, and the
/// header scanner on the same stream.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/base/bytes.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "scanned_entry.hpp"

namespace autoarchive::tar_internal {

class Decoder;

/// A piece of a file's content; what lies between the pieces is a hole.
struct ContentPiece {
  std::uint64_t offset = 0;
  ByteView bytes;  ///< valid until the next call
};

/// One pass through one file. Throws Error (value_error, cause damaged or unsupported) that names the file. Not
/// thread-safe.
class MemberReader {
 public:
  /// `file` must outlive the reader. `blocks`, if not null, must too, and gets the places of the parts that decode by
  /// themselves, as they are read; none in formats that don't show them.
  MemberReader(const ReadableFile& file, Bytes decoder_memory, std::vector<ArchiveBlock>* blocks = nullptr);
  /// Begins with the member whose header is at `stream_offset` of the tar stream, decoding from `block` on, which is at
  /// or before it. `format` is one of format_of().
  MemberReader(const ReadableFile& file, std::string_view format, Bytes decoder_memory, ArchiveBlock block,
               std::uint64_t stream_offset);
  /// Takes the tar stream from `decoder`, whose first byte is `decoder_offset` of it, and begins with the member at
  /// `stream_offset`.
  MemberReader(const ReadableFile& file, std::unique_ptr<Decoder> decoder, std::uint64_t decoder_offset,
               std::uint64_t stream_offset);
  ~MemberReader();
  MemberReader(const MemberReader&) = delete;
  MemberReader& operator=(const MemberReader&) = delete;

  /// Who an ACL names is who has the number beside the name.
  void take_owners_by_number() noexcept;
  /// Has it called whenever more of the stream is needed; it ends the reading by throwing. It must outlive the reader.
  void check_with(const std::function<void()>& check_stop) noexcept;

  /// The next member; its content is what next_piece() yields. False after the last one. A path that can't be made
  /// relative to a target is left as it stands.
  [[nodiscard]] bool next(ArchiveMember& member);
  /// Where the header of the member that next() has given begins in the tar stream.
  [[nodiscard]] std::uint64_t member_offset() const noexcept;
  /// Of the list of names of that member, as GNU tar writes it: those that an archive before this one has, sorted.
  [[nodiscard]] const std::vector<std::string>& unstored() const noexcept;
  /// What that list tells of renamed directories; safe paths. Throws Error(unsupported) if that can't be replayed.
  [[nodiscard]] std::vector<Rename> renames() const;
  /// In order, none behind the size of the entry.
  [[nodiscard]] bool next_piece(ContentPiece& piece);
  /// XXH3-64 of that member's content as it is stored, which is what a manifest records. REQUIRES: next_piece() has
  /// returned false.
  [[nodiscard]] std::uint64_t content_digest() const;
  /// How much of the tar stream has been decoded: what lies before it is not read again.
  [[nodiscard]] std::uint64_t decoded_end() const noexcept;
  /// Reads to the very end of the file, behind the end mark. Throws damaged if the end mark is missing or something
  /// stands behind it.
  void drain();
  /// After damage: the byte of the file from which on another member may be found.
  [[nodiscard]] std::uint64_t damaged_at() const noexcept;
  /// The part that decodes by itself in which the damage was found. None in a plain tar.
  struct Part {
    std::uint64_t begin = 0;      ///< in the file
    std::uint64_t next_from = 0;  ///< from which byte of the file on the next one may be sought
    std::uint64_t work = 0;       ///< bytes of it that were read and decoded
  };
  [[nodiscard]] std::optional<Part> damaged_part() const noexcept;
  /// The comment of the pax global header, as far as it has been read.
  [[nodiscard]] std::string comment() const;

 private:
  struct State;
  void open();

  std::unique_ptr<State> state_;
};

/// What stands below a path has it in its own, so that a few bytes of a compressed archive would be gigabytes.
inline constexpr std::size_t kMaxPathBytes = 64U << 10U;
/// "./a//b/" is "a/b"; empty if the path is absolute, has "..", is empty or longer than kMaxPathBytes: it must not be
/// restored.
[[nodiscard]] std::string safe_member_path(std::string_view path);

}  // namespace autoarchive::tar_internal
