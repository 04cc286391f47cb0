#include "member_reader.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <exception>
#include <utility>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/tree/attributes.hpp"
#include "codec.hpp"
#include "header_scanner.hpp"
#include "pax_records.hpp"
#include "scanned_entry.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::size_t kChunkBytes = 256 * 1024;

struct ArchiveDeleter {
  void operator()(archive* reader) const noexcept { archive_read_free(reader); }
};

// Kept for good: to make one, files are read. Null: there is none.
locale_t utf8_locale() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

/// libarchive turns names into the locale's characters. In a UTF-8 locale it leaves the bytes of all names alone; only
/// this thread is switched, and only while libarchive works.
class Utf8Locale {
 public:
  Utf8Locale() {
    if (utf8_locale() != nullptr) before_ = ::uselocale(utf8_locale());
  }
  ~Utf8Locale() {
    if (before_ != nullptr) ::uselocale(before_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t before_{};
};

EntryKind kind_of_entry(archive_entry* entry) {
  const auto type = archive_entry_filetype(entry);
  return type == 0 ? EntryKind::file : kind_of(type);
}

std::string text(const char* value) {
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

std::string safe_member_path(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.size() > kMaxPathBytes) return {};
  try {
    return normalize_path(path);
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): the caller reports it
    return {};
  }
}

struct MemberReader::State {
  State(const ReadableFile& file, std::string_view format, Bytes decoder_memory, ArchiveBlock block,
        std::uint64_t stream_offset)
      : input(file, block.offset),
        decoder(block.offset == 0 ? make_decoder(format, input, decoder_memory)
                                  : make_block_decoder(format, file, input, decoder_memory)),
        begin(stream_offset),
        is_plain(format == "tar") {
    skip(stream_offset - block.stream_offset);
  }
  State(const ReadableFile& file, std::unique_ptr<Decoder> given, std::uint64_t decoder_offset,
        std::uint64_t stream_offset)
      : input(file), decoder(std::move(given)), begin(stream_offset) {
    skip(stream_offset - decoder_offset);
  }

  FileInput input;
  std::unique_ptr<Decoder> decoder;
  std::unique_ptr<archive, ArchiveDeleter> reader{archive_read_new()};
  std::unique_ptr<std::byte[]> buffer = std::make_unique_for_overwrite<std::byte[]>(kChunkBytes);
  std::span<std::byte> chunk{buffer.get(), kChunkBytes};
  HeaderScanner scanner;
  OwnerNames owners;
  std::uint64_t begin = 0;   // of what is fed to the scanner, in the tar stream
  std::uint64_t offset = 0;  // of the last member
  std::uint64_t size_of_content = 0;
  std::uint64_t end_of_pieces = 0;  // that next_piece() has given
  std::exception_ptr failure;       // thrown inside of a callback
  std::vector<ArchiveBlock>* blocks = nullptr;
  bool owners_by_number = false;
  std::optional<ArchiveBlock> last_part;
  bool is_plain = false;  // not compressed
  bool at_end = false;
  bool has_member = false;
  Dumpdir list;  // without the names
  const std::function<void()>* check_stop = nullptr;

  void skip(std::uint64_t bytes) {
    while (bytes > 0) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, chunk.size()));
      const auto got = decoder->read(chunk.first(wanted));
      if (got == 0) throw fail("it ends before a member that its manifest names");
      bytes -= got;
    }
  }

  ByteView read_chunk() {
    if (check_stop != nullptr && *check_stop) (*check_stop)();  // little of a file can be much when it is decoded
    // Not before the members in front of it are read.
    if (scanner.excessive_map_of()) throw excessive_map(*scanner.excessive_map_of());
    const auto size = decoder->read(chunk);
    if (const auto part = decoder->take_part_begin()) {
      last_part = {*part, begin + scanner.fed_bytes()};
      if (blocks != nullptr && size > 0) blocks->push_back(*last_part);
    }
    scanner.feed(chunk.first(size));
    return chunk.first(size);
  }

  static la_ssize_t read_callback(archive* /*reader*/, void* self, const void** buffer) {
    auto& state = *static_cast<State*>(self);
    try {
      const auto bytes = state.read_chunk();
      *buffer = bytes.data();
      return static_cast<la_ssize_t>(bytes.size());
    } catch (...) {  // no exception may cross libarchive
      state.failure = std::current_exception();
      return ARCHIVE_FATAL;
    }
  }

  [[nodiscard]] Error fail(std::string_view what) const {
    return {ErrorCode::value_error,
            "archive " + quote(input.description()) + " is damaged at byte " +
                std::to_string(begin + scanner.fed_bytes()) + " of its tar stream or before it: " + std::string(what),
            ErrorCause::damaged};
  }

  [[nodiscard]] Error excessive_map(std::string_view path) const {
    return {ErrorCode::value_error,
            "archive " + quote(input.description()) + ": the sparse file " + quote(path) + " has more than " +
                std::to_string(kMaxDataPieces) +
                " pieces of data, which this program does not read; if it is no forgery, restore it with tar --extract",
            ErrorCause::unsupported};
  }

  void check(int result) {
    if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
    if (result == ARCHIVE_OK || result == ARCHIVE_EOF || result == ARCHIVE_WARN) return;
    throw fail(text(archive_error_string(reader.get())));
  }

  void fill(archive_entry* from, ArchiveMember& member) {
    auto& entry = member.entry;
    entry.kind = kind_of_entry(from);
    entry.uid = owner_number(archive_entry_uid(from));
    entry.gid = owner_number(archive_entry_gid(from));
    entry.user = text(archive_entry_uname(from));
    entry.group = text(archive_entry_gname(from));
    entry.mtime = {archive_entry_mtime(from), static_cast<std::uint32_t>(archive_entry_mtime_nsec(from))};
    entry.rdev_major = static_cast<std::uint32_t>(archive_entry_rdevmajor(from));
    entry.rdev_minor = static_cast<std::uint32_t>(archive_entry_rdevminor(from));
    const auto* link = archive_entry_hardlink(from);
    member.hard_link = link != nullptr;
    if (entry.kind == EntryKind::file && !member.hard_link)
      entry.size = static_cast<std::uint64_t>(archive_entry_size(from));
    if (member.hard_link) {
      const auto target = safe_member_path(link);
      entry.link_target = target.empty() ? link : target;
    } else if (entry.kind == EntryKind::symlink) {
      entry.link_target = text(archive_entry_symlink(from));
    }
  }

  /// False at the end of the member's content.
  bool read_block(ContentPiece& piece) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t at = 0;
    const int result = archive_read_data_block(reader.get(), &data, &size, &at);
    check(result);
    piece.offset = static_cast<std::uint64_t>(at);
    piece.bytes = ByteView(static_cast<const std::byte*>(data), size);
    return result != ARCHIVE_EOF;
  }

  // A list of names is a content to libarchive, and belongs to the header here.
  void read_list() {
    ContentPiece piece;
    while (scanner.members().empty() && scanner.is_inside_list() && read_block(piece)) {
    }
  }

  // libarchive passes over some of what it can't read, and can't pass over some of what it can. All is decoded anyway.
  void pass_content() {
    ContentPiece piece;
    while (has_member && read_block(piece)) {
    }
  }

  // libarchive has read this member's headers from our callback, so that the scanner has seen them, too.
  void add_scanned(ArchiveMember& member) {
    list = {};
    read_list();
    auto& members = scanner.members();
    if (members.empty()) throw fail("a member's header is wrong");
    const auto scanned = std::move(members.front());
    members.pop_front();
    const auto header_begin = static_cast<std::uint64_t>(archive_read_header_position(reader.get()));
    const auto header_end = static_cast<std::uint64_t>(archive_filter_bytes(reader.get(), 0));
    if (scanned.offset < header_begin || scanned.offset >= header_end)
      throw fail("a header before a member can be understood in two ways");
    if (scanned.typeflag == 'M') {
      throw Error(ErrorCode::value_error,
                  "archive " + quote(input.description()) +
                      " has the rest of a file of the volume before it, and this program reads no volumes; "
                      "restore it with tar --extract --multi-volume",
                  ErrorCause::unsupported);
    }
    offset = begin + scanned.offset;
    // libarchive gives the group the rights of "group::" where there is an ACL.
    member.entry.mode = scanned.mode;
    const auto path = safe_member_path(scanned.path);
    member.entry.path = path.empty() ? scanned.path : path;
    // libarchive adds the fraction of a time before 1970 on the wrong side.
    if (const auto record = scanned.records.find("mtime"); record != scanned.records.end()) {
      if (const auto time = parse_pax_time(record->second)) member.entry.mtime = *time;
    }
    add_owner(scanned, member.entry);
    add_attributes(scanned, owners, owners_by_number, member.entry);
    if (const auto dumpdir = scanned.records.find("GNU.dumpdir"); dumpdir != scanned.records.end()) {
      list = parse_dumpdir(dumpdir->second);
      member.dumpdir = std::move(list.names);
    }
  }
};

MemberReader::MemberReader(const ReadableFile& file, Bytes decoder_memory, std::vector<ArchiveBlock>* blocks)
    : state_(std::make_unique<State>(file, format_of(file), decoder_memory, ArchiveBlock{}, 0)) {
  state_->blocks = blocks;
  open();
}

MemberReader::MemberReader(const ReadableFile& file, std::string_view format, Bytes decoder_memory, ArchiveBlock block,
                           std::uint64_t stream_offset)
    : state_(std::make_unique<State>(file, format, decoder_memory, block, stream_offset)) {
  open();
}

MemberReader::MemberReader(const ReadableFile& file, std::unique_ptr<Decoder> decoder, std::uint64_t decoder_offset,
                           std::uint64_t stream_offset)
    : state_(std::make_unique<State>(file, std::move(decoder), decoder_offset, stream_offset)) {
  open();
}

void MemberReader::open() {
  auto* reader = state_->reader.get();
  if (reader == nullptr) throw std::bad_alloc();
  const Utf8Locale locale;
  archive_read_support_format_tar(reader);
  archive_read_support_format_empty(reader);
  state_->check(archive_read_open(reader, state_.get(), nullptr, &State::read_callback, nullptr));
}

MemberReader::~MemberReader() = default;

void MemberReader::take_owners_by_number() noexcept {
  state_->owners_by_number = true;
}

bool MemberReader::next(ArchiveMember& member) {
  if (state_->at_end) return false;
  const Utf8Locale locale;
  state_->pass_content();
  archive_entry* entry = nullptr;
  const int result = archive_read_next_header(state_->reader.get(), &entry);
  state_->check(result);
  auto& digests = state_->scanner.digests();
  if (std::exchange(state_->has_member, result != ARCHIVE_EOF) && !digests.empty()) digests.pop_front();
  if (result == ARCHIVE_EOF) {
    state_->at_end = true;
    return false;
  }
  member = ArchiveMember{};
  state_->fill(entry, member);
  state_->add_scanned(member);
  state_->size_of_content = static_cast<std::uint64_t>(archive_entry_size(entry));  // of whatever has some
  state_->end_of_pieces = 0;
  return true;
}

std::uint64_t MemberReader::member_offset() const noexcept {
  return state_->offset;
}

const std::vector<std::string>& MemberReader::unstored() const noexcept {
  return state_->list.unstored;
}

void MemberReader::check_with(const std::function<void()>& check_stop) noexcept {
  state_->check_stop = &check_stop;
}

std::vector<Rename> MemberReader::renames() const {
  const auto refused = [](const std::string& why) {
    return Error(ErrorCode::value_error, "a list of names tells of renamed directories " + why,
                 ErrorCause::unsupported);
  };
  if (state_->list.has_circles) {
    throw refused(
        "in a circle, which GNU tar writes in a way that can lose files: restore the level before it, and from this "
        "one "
        "alone what it has");
  }
  auto renames = state_->list.renames;
  for (auto& [from, to] : renames) {
    for (auto* path : {&from, &to}) {
      auto safe = safe_member_path(*path);
      if (path->size() > kMaxPathBytes) throw refused("with names of more than 64 KiB");
      if (safe.empty() || safe == ".") throw refused("whose names lead out of the target: " + quote(*path));
      *path = std::move(safe);
    }
  }
  return renames;
}

std::uint64_t MemberReader::content_digest() const {
  const auto& digests = state_->scanner.digests();
  if (!state_->has_member || digests.empty()) throw state_->fail("a member's content is not complete");
  return digests.front();
}

std::uint64_t MemberReader::decoded_end() const noexcept {
  return state_->begin + state_->scanner.fed_bytes();
}

bool MemberReader::next_piece(ContentPiece& piece) {
  do {
    if (!state_->read_block(piece)) return false;
  } while (piece.bytes.empty());
  // An offset below zero is a large one.
  const bool is_in_order = piece.offset >= state_->end_of_pieces && piece.offset <= state_->size_of_content &&
                           piece.bytes.size() <= state_->size_of_content - piece.offset;
  if (!is_in_order) throw state_->fail("a sparse file's pieces are not in order, or lie behind its end");
  state_->end_of_pieces = piece.offset + piece.bytes.size();
  return true;
}

void MemberReader::drain() {
  // What stands behind the end mark may be much, and is wrong from its first byte on.
  while (!state_->scanner.trailing_at() && !state_->read_chunk().empty()) {
  }
  if (!state_->scanner.members().empty()) throw state_->fail("it has members that can't be read");
  if (!state_->scanner.ended()) throw state_->fail("its end mark is missing");
  if (state_->scanner.trailing_at()) throw state_->fail("something stands behind its end mark");
}

std::uint64_t MemberReader::damaged_at() const noexcept {
  if (!state_->is_plain) return state_->input.position();
  // Where what is decoded is the file itself, the place is known. The scanner may be ahead of who reads.
  const auto& scanner = state_->scanner;
  if (!scanner.members().empty()) return state_->begin + scanner.members().front().offset;
  return state_->begin + scanner.next_header_at();
}

std::optional<MemberReader::Part> MemberReader::damaged_part() const noexcept {
  auto& state = *state_;
  if (const auto begun = state.decoder->take_part_begin())
    state.last_part = {*begun, decoded_end()};  // and gave nothing
  const auto next_from = state.decoder->next_part_from();
  if (!state.last_part || !next_from) return std::nullopt;
  const auto position = state.input.position();
  const auto read_again = position - std::min(position, *next_from);
  return Part{state.last_part->offset, *next_from, read_again + decoded_end() - state.last_part->stream_offset};
}

std::string MemberReader::comment() const {
  return std::string(state_->scanner.comment());
}

}  // namespace autoarchive::tar_internal
