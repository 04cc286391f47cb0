#include "salvage.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "codec.hpp"
#include "file_input.hpp"
#include "member_reader.hpp"
#include "tar_header.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::size_t kChunkBytes = 1U << 20U;
constexpr std::array<std::string_view, 5> kFormats{"tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"};

// What only begins like a part fails soon. What could be decoded for longer, read or written, was one, or several: no
// other is sought before the last of them. Nor within that once so much work was in vain that everything seems to begin
// like a part; then it goes on in such steps.
constexpr std::uint64_t kDoubtfulBytes = 64U << 10U;
constexpr std::uint64_t kMaxWork = 256U << 20U;
constexpr std::uint64_t kMaxWorkPerByte = 4;
constexpr std::uint64_t kStepBytes = 64U << 10U;
// Of a plain tar, looked at at once: little is looked at again where headers follow each other.
constexpr std::size_t kPieceBytes = 4096;

/// A member's first header: decoding begins with `block`, and it stands at `stream_offset` of the tar stream.
struct ReadingPlace {
  ArchiveBlock block;
  std::uint64_t stream_offset = 0;
  /// Else both offsets into the stream count from where the block begins.
  bool is_in_stream = true;
};

/// A file that is read only as long as nobody wants to stop.
class StoppableFile final : public ReadableFile {
 public:
  StoppableFile(const ReadableFile& file, const std::function<void()>& check) : file_(file), check_(check) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return file_.size(); }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
    if (check_) check_();
    return file_.read_at(offset, buffer);
  }
  [[nodiscard]] std::string description() const override { return file_.description(); }

 private:
  const ReadableFile& file_;
  const std::function<void()>& check_;
};

constexpr std::size_t kMagicAt = 257;

bool is_header(HeaderView block) {
  constexpr std::size_t kChecksumAt = 148;
  const auto first = std::to_integer<char>(block[kChecksumAt]);
  const bool may_have_checksum = first == ' ' || (first >= '0' && first <= '7');  // before it is computed
  return may_have_checksum && std::memcmp(block.data() + kMagicAt, "ustar", 5) == 0 && has_valid_checksum(block);
}

/// Finds headers in text that comes in pieces, at any offset: parts of other programs end within blocks.
class HeaderSearch {
 public:
  /// Where in all text so far the first header begins.
  [[nodiscard]] std::optional<std::uint64_t> find(ByteView piece) {
    text_.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    for (;;) {
      const auto magic = text_.find("ustar", next_);
      if (magic == std::string::npos) break;
      if (magic + kBlockBytes > text_.size() + kMagicAt) {  // its block has not come as a whole
        drop(std::min(text_.size() - magic + kMagicAt, text_.size()));
        next_ = std::min(magic, kMagicAt);
        return std::nullopt;
      }
      next_ = magic + 1;
      if (magic < kMagicAt) continue;
      const auto* begin = reinterpret_cast<const std::byte*>(text_.data()) + (magic - kMagicAt);
      if (is_header(HeaderView(begin, kBlockBytes))) return dropped_ + magic - kMagicAt;
    }
    drop(std::min(text_.size(), kBlockBytes));
    next_ = text_.size() - std::min<std::size_t>(text_.size(), 4);
    return std::nullopt;
  }

 private:
  /// All but the last `kept` bytes.
  void drop(std::size_t kept) {
    dropped_ += text_.size() - kept;
    text_.erase(0, text_.size() - kept);
  }

  std::string text_;
  std::size_t next_ = 0;
  std::uint64_t dropped_ = 0;
};

/// How a part that decodes by itself begins; empty for formats that have none.
std::string_view signature_of(std::string_view format) {
  if (format == "tar.gz") return "\x1f\x8b\x08";
  if (format == "tar.zst") return "\x28\xb5\x2f\xfd";
  return {};
}

/// Finds where one file can be read again.
class PlaceSearch {
 public:
  PlaceSearch(const ReadableFile& file, std::string_view format, Bytes decoder_memory,
              const std::function<void()>& check_stop)
      : file_(file), format_(format), decoder_memory_(decoder_memory), check_stop_(check_stop) {}

  /// The first place at or behind `from`, a byte of the file.
  [[nodiscard]] std::optional<ReadingPlace> find(std::uint64_t from) {
    if (format_ == "tar") return find_in_plain(from);
    return find_part(from);
  }
  /// Notes that so many bytes were read and decoded in vain. False once it is too much to look at them again.
  [[nodiscard]] bool may_spend(std::uint64_t bytes) {
    work_ += bytes;
    return work_ <= kMaxWork + kMaxWorkPerByte * file_.size();
  }

 private:
  struct Look {
    std::optional<std::uint64_t> before_header;  // bytes of the stream
    std::uint64_t decoded_bytes = 0;
    std::uint64_t end = 0;        // of the file, how far it was decoded
    std::uint64_t next_from = 0;  // of the file, from where on what follows the damaged part is to be sought
    bool is_to_the_end = false;
  };

  // At any byte: what is missing, or was put in, need not be whole blocks.
  [[nodiscard]] std::optional<ReadingPlace> find_in_plain(std::uint64_t from) {
    from = std::max(from, behind_header_);
    HeaderSearch headers;
    for (auto at = from; load(at, 1);) {
      const auto rest = chunk_from(at);
      const auto piece = rest.first(std::min(kPieceBytes, rest.size()));
      if (const auto found = headers.find(piece)) {
        behind_header_ = from + *found + kBlockBytes;
        return ReadingPlace{{from + *found, from + *found}, from + *found, true};
      }
      at += piece.size();
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<ReadingPlace> find_part(std::uint64_t from) {
    while (const auto offset = find_part_begin(from)) {
      const auto look = look_from(*offset);
      if (look.before_header) return ReadingPlace{{*offset, 0}, *look.before_header, false};
      if (look.is_to_the_end) break;
      const auto work = look.decoded_bytes + (look.end - *offset);
      const bool is_thorough = may_spend(kStepBytes + work);
      from = *offset + (is_thorough ? 1 : kStepBytes);
      if (work >= kDoubtfulBytes) from = std::max(from, is_thorough ? look.next_from : look.end);
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::uint64_t> find_part_begin(std::uint64_t from) {
    if (format_ == "tar.xz") return find_xz_part(from);
    return format_ == "tar.bz2" ? find_bzip2_part_from(from) : find_signature(from);
  }

  [[nodiscard]] std::optional<std::uint64_t> find_signature(std::uint64_t from) {
    const auto signature = signature_of(format_);
    while (load(from, signature.size())) {
      const auto found = chunk_.find(signature, static_cast<std::size_t>(from - chunk_begin_));
      if (found != std::string::npos) return chunk_begin_ + found;
      from = chunk_begin_ + chunk_.size() - signature.size() + 1;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::uint64_t> find_bzip2_part_from(std::uint64_t from) {
    while (load(from, kBzip2PartHeadBytes)) {
      const auto found = find_bzip2_part(chunk_from(from));
      if (found) return from + *found;
      from = chunk_begin_ + chunk_.size() - kBzip2PartHeadBytes + 1;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::uint64_t> find_xz_part(std::uint64_t from) {
    while (load(from, std::min<std::uint64_t>(kXzPartHeadBytes, file_.size() - std::min(file_.size(), from)))) {
      const auto head = chunk_from(from);
      if (head.empty()) break;
      if (is_xz_part(head)) return from;
      ++from;
    }
    return std::nullopt;
  }

  /// What is loaded, from that byte of the file on.
  [[nodiscard]] ByteView chunk_from(std::uint64_t offset) const {
    return std::as_bytes(std::span(chunk_)).subspan(static_cast<std::size_t>(offset - chunk_begin_));
  }

  /// Whether the file has so many bytes there; then they are in chunk_.
  [[nodiscard]] bool load(std::uint64_t offset, std::size_t bytes) {
    if (offset >= chunk_begin_ && offset + bytes <= chunk_begin_ + chunk_.size()) return true;
    chunk_begin_ = offset;
    const auto rest = file_.size() - std::min(file_.size(), offset);
    chunk_.assign(static_cast<std::size_t>(std::min<std::uint64_t>(rest, kChunkBytes)), '\0');
    for (std::size_t filled = 0; filled < chunk_.size();) {
      try {
        const auto got =
            read_up_to_damage(file_, offset + filled, std::as_writable_bytes(std::span(chunk_)).subspan(filled));
        if (got == 0) chunk_.resize(filled);  // it has become shorter
        filled += got;
      } catch (const Error& error) {
        if (!is_damage(error)) throw;
        // Where nothing can be read, zeros: no place is found there.
        filled =
            std::min<std::size_t>(chunk_.size(), filled + kMediumBlockBytes - (offset + filled) % kMediumBlockBytes);
      }
    }
    return chunk_.size() >= bytes;
  }

  // Decodes from a part on, and on through those that follow, up to the first header.
  [[nodiscard]] Look look_from(std::uint64_t offset) {
    FileInput input(file_, offset, kStepBytes);
    std::unique_ptr<Decoder> decoder;
    Look look;
    try {
      HeaderSearch headers;
      decoder = make_block_decoder(format_, file_, input, decoder_memory_);
      while (!look.before_header) {
        if (check_stop_) check_stop_();  // little of a file can be much when it is decoded
        const auto got = decoder->read(decoded_);
        look.is_to_the_end = got == 0;
        if (got == 0) break;
        look.decoded_bytes += got;
        look.before_header = headers.find(ByteView(decoded_).first(got));
      }
    } catch (const Error& error) {
      if (!is_damage(error)) throw;  // else it only began like a part, or is damaged, too
    }
    look.end = input.position();
    look.next_from = decoder ? decoder->next_part_from().value_or(0) : 0;
    return look;
  }

  const ReadableFile& file_;
  std::string_view format_;
  Bytes decoder_memory_;
  const std::function<void()>& check_stop_;
  std::string chunk_;
  std::uint64_t chunk_begin_ = 0;
  std::uint64_t behind_header_ = 0;  // in a plain tar, of the last place
  std::uint64_t work_ = 0;
  std::vector<std::byte> decoded_ = std::vector<std::byte>(16U << 10U);
};

/// The offset into the stream of what `reader` has begun with, by a member that is known by its content, or by two that
/// agree.
std::optional<std::uint64_t> begin_in_stream(MemberReader& reader, const SalvageCalls& calls) {
  std::optional<std::uint64_t> supposed;
  for (ArchiveMember member; reader.next(member);) {
    const auto known = calls.known(member);
    if (!known || known->offset < reader.member_offset()) continue;
    ContentPiece piece;
    while (known->digest && reader.next_piece(piece)) {
    }
    const auto begin = known->offset - reader.member_offset();
    const bool is_it = known->digest ? reader.content_digest() == *known->digest : begin == supposed;
    if (is_it) return begin;
    if (!known->digest) supposed = begin;
  }
  return std::nullopt;
}

/// By the beginning of the file; where that is damaged, by its name.
std::string_view salvageable_format_of(const ReadableFile& file, const SalvageCalls& calls) {
  const auto name = file.description();
  const auto named = std::find_if(kFormats.begin(), kFormats.end(),
                                  [&](auto format) { return name.ends_with("." + std::string(format)); });
  try {
    const auto format = format_of(file);
    // An archive without a member begins with zeros, and so does one whose beginning is lost.
    std::array<std::byte, 1> first{};
    const bool is_lost = named != kFormats.end() && *named != format && format == "tar" &&
                         file.read_at(0, first) == 1 && first.front() == std::byte{0};
    if (!is_lost) return format;
    calls.damage(Error(ErrorCode::value_error, "archive " + quote(name) + " begins with zeros", ErrorCause::damaged));
  } catch (const Error& error) {
    if (!is_damage(error) || named == kFormats.end()) throw;
    calls.damage(error);
  }
  return *named;
}

class SalvagingReader {
 public:
  SalvagingReader(const ReadableFile& file, std::string_view format, Bytes decoder_memory, const SalvageCalls& calls)
      : file_(file),
        format_(format),
        decoder_memory_(decoder_memory),
        calls_(calls),
        search_(file, format, decoder_memory, calls.check_stop) {}

  void read() {
    std::optional<ReadingPlace> place = ReadingPlace{};
    while (place) place = find_from(read_from(*place));
  }

 private:
  // Returns from where on the next place is to be sought: nothing behind the end of the file.
  std::uint64_t read_from(const ReadingPlace& place) {
    std::unique_ptr<MemberReader> reader;
    try {
      reader = open(place);
      for (ArchiveMember member; reader->next(member);) calls_.member(*reader, member);
      reader->drain();  // what follows the last member may be what was damaged
      return file_.size();
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      calls_.damage(error);
      return behind(place, reader.get());
    }
  }

  [[nodiscard]] std::optional<ReadingPlace> find_from(std::uint64_t from) {
    for (;;) {
      auto place = from < file_.size() ? search_.find(from) : std::nullopt;
      if (!place || place->is_in_stream || !calls_.known) return place;
      from = put_into_stream(*place);
      if (place->is_in_stream) return place;
    }
  }

  // Returns from where on to seek if the place can't be put there.
  std::uint64_t put_into_stream(ReadingPlace& place) {
    std::unique_ptr<MemberReader> reader;
    try {
      reader = open(place);
      if (const auto begin = begin_in_stream(*reader, calls_)) {
        place = {{place.block.offset, place.block.stream_offset + *begin}, place.stream_offset + *begin, true};
        return 0;
      }
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
    }
    return behind(place, reader.get());
  }

  [[nodiscard]] std::unique_ptr<MemberReader> open(const ReadingPlace& place) const {
    auto reader = std::make_unique<MemberReader>(file_, format_, decoder_memory_, place.block, place.stream_offset);
    if (calls_.owners_by_number) reader->take_owners_by_number();
    reader->check_with(calls_.check_stop);
    return reader;
  }
  [[nodiscard]] std::uint64_t behind(const ReadingPlace& place, const MemberReader* reader) {
    const auto least = place.block.offset + 1;
    if (reader == nullptr) return least;
    const auto part = reader->damaged_part();
    const bool is_sought_in = part && search_.may_spend(part->work);
    return std::max(least, is_sought_in ? part->next_from : reader->damaged_at());
  }

  const ReadableFile& file_;
  std::string_view format_;
  Bytes decoder_memory_;
  const SalvageCalls& calls_;
  PlaceSearch search_;
};

}  // namespace

bool is_damage(const Error& error) {
  return error.cause() == ErrorCause::damaged || error.cause() == ErrorCause::unsupported;
}

void read_members_and_salvage(const ReadableFile& file, Bytes decoder_memory, const SalvageCalls& calls) {
  const StoppableFile stoppable(file, calls.check_stop);
  SalvagingReader(stoppable, salvageable_format_of(file, calls), decoder_memory, calls).read();
}

}  // namespace autoarchive::tar_internal
