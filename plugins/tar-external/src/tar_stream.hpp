/// \file
/// What GNU tar writes (format posix), on its way to the destination: where each member begins, the digest of its
/// content, and the lists of names that directories carry.
///
/// A member is a pax header (a block of type x, records, padding) and a header (a block), then its content, padded to
/// whole blocks. The first member is the global header (type g). Two blocks of zeros end the archive; what follows them
/// is zeros.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/storage/sink.hpp"
#include "autoarchive/tree/entry.hpp"

namespace autoarchive::tar_external {

inline constexpr std::size_t kBlockBytes = 512;

/// A member that has gone by.
struct StreamMember {
  std::string path;                     ///< as in the tree, e.g. "alice/mail"; "." is the root
  std::string link_path;                ///< of a hard link: the member that it links to; else empty
  std::uint64_t offset = 0;             ///< where its first header begins in the stream that is passed on
  std::optional<std::uint64_t> digest;  ///< XXH3-64 of a regular file's bytes as they are stored
  std::uint64_t size = 0;               ///< of a regular file, with its holes
  EntryKind kind = EntryKind::file;     ///< not of a hard link, whose header does not say it
};

/// Whom the stream asks and tells. Called on the writing thread; what they throw ends the stream.
struct StreamCalls {
  /// The GNU.dumpdir that takes the place of tar's own in the member of this directory; none: it gets no list.
  std::function<std::optional<std::string>(const std::string& path)> dumpdir;
  /// Content of some member has been passed on.
  std::function<void(std::uint64_t bytes)> content;
  /// A member has been passed on to its end.
  std::function<void(const StreamMember&)> member;
};

/// Passes everything on but the lists of names, as it comes. A file is never held, a pax header is. Throws
/// Error(runtime_error) if the stream is not what tar writes in this format. Not thread-safe.
class TarStream final : public Sink {
 public:
  /// `out` must outlive it, and is not finished by it.
  TarStream(Sink& out, StreamCalls calls);

  void write(ByteView bytes) override;
  /// The last bytes are passed on. Throws Error(runtime_error) if the archive has not come to its end.
  void finish() override;

 private:
  enum class Part : std::uint8_t { header, records, content, end };
  ByteView collect(ByteView bytes, std::size_t wanted);
  void take_header();
  void take_records();
  void begin_member();
  void write_pax_header();
  ByteView pass_content(ByteView bytes);
  void end_member();
  void pass(ByteView bytes);
  void pass(std::string_view text) { pass(std::as_bytes(std::span(text))); }
  void flush();

  Sink& out_;
  StreamCalls calls_;
  Part part_ = Part::header;
  std::string collected_;   // of the header or the records that are coming
  std::string pax_header_;  // the block before the records; empty: the next member has none
  std::string records_;
  std::uint64_t record_bytes_ = 0;
  std::string passing_;  // not yet written to out_: large pieces cost it less
  std::uint64_t passed_ = 0;
  std::uint64_t content_left_ = 0;
  std::uint64_t padding_left_ = 0;
  StreamMember member_;
  bool is_member_ = false;  // and not the global header
  bool is_file_ = false;
  ContentDigest digest_;
};

}  // namespace autoarchive::tar_external
