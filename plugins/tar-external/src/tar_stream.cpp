#include "tar_stream.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "member_name.hpp"
#include "pax_records.hpp"

namespace autoarchive::tar_external {
namespace {

// More than a million names of a directory; what is larger was not made by tar.
constexpr std::uint64_t kMaxRecordBytes = 1ULL << 30U;
constexpr std::size_t kPieceBytes = 1U << 20U;
constexpr std::string_view kDumpdirKey = "GNU.dumpdir";

// Fields of a header block: offset and length.
struct Field {
  std::size_t offset;
  std::size_t length;
};
constexpr Field kName{0, 100};
constexpr Field kSize{124, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kTypeOffset = 156;
constexpr Field kLinkName{157, 100};
constexpr Field kMagic{257, 5};
constexpr Field kPrefix{345, 155};

[[noreturn]] void malformed(const std::string& what) {
  throw Error(ErrorCode::runtime_error, "tar wrote what is no archive in the posix format: " + what);
}

std::string_view text_of(const std::string& block, Field field) {
  const auto text = std::string_view(block).substr(field.offset, field.length);
  return text.substr(0, text.find('\0'));
}

std::uint64_t number_of(std::string_view text, int base) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value, base);
  if (parsed.ec != std::errc() || (parsed.ptr != end && *parsed.ptr != ' ')) malformed("a number is none");
  return value;
}

std::uint64_t checksum_of(const std::string& block) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool in_checksum = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.length;
    sum += static_cast<unsigned char>(in_checksum ? ' ' : block[i]);
  }
  return sum;
}

void set_octal(std::string& block, Field field, std::uint64_t value, std::size_t digits) {
  for (std::size_t i = digits; i > 0; --i, value >>= 3U)
    block[field.offset + i - 1] = static_cast<char>('0' + (value & 7U));
  block[field.offset + digits] = '\0';
}

std::uint64_t padding_of(std::uint64_t bytes) {
  return (kBlockBytes - bytes % kBlockBytes) % kBlockBytes;
}

bool is_zero(const std::string& block) {
  return block.find_first_not_of('\0') == std::string::npos;
}

std::string name_of(const std::string& block, std::string_view records) {
  // Of a sparse file, "path" is a name that tells old programs of the holes.
  for (const std::string_view key : {"GNU.sparse.name", "path"}) {
    if (const auto name = pax_value(records, key)) return std::string(*name);
  }
  const auto prefix = text_of(block, kPrefix);
  const auto name = text_of(block, kName);
  return prefix.empty() ? std::string(name) : std::string(prefix) + "/" + std::string(name);
}

EntryKind kind_of_member(char type) {
  switch (type) {
    case '2':
      return EntryKind::symlink;
    case '3':
      return EntryKind::character_device;
    case '4':
      return EntryKind::block_device;
    case '5':
      return EntryKind::directory;
    case '6':
      return EntryKind::fifo;
    default:
      return EntryKind::file;
  }
}

}  // namespace

TarStream::TarStream(Sink& out, StreamCalls calls) : out_(out), calls_(std::move(calls)) {
  passing_.reserve(kPieceBytes);
}

void TarStream::write(ByteView bytes) {
  while (!bytes.empty()) {
    switch (part_) {
      case Part::header:
        bytes = collect(bytes, kBlockBytes);
        if (collected_.size() == kBlockBytes) take_header();
        break;
      case Part::records:
        bytes = collect(bytes, static_cast<std::size_t>(record_bytes_ + padding_of(record_bytes_)));
        if (collected_.size() == record_bytes_ + padding_of(record_bytes_)) take_records();
        break;
      case Part::content:
        bytes = pass_content(bytes);
        break;
      case Part::end:
        pass(bytes);
        return;
    }
  }
}

void TarStream::finish() {
  if (part_ != Part::end) malformed("it is cut short");
  flush();
}

ByteView TarStream::collect(ByteView bytes, std::size_t wanted) {
  const auto taken = std::min(bytes.size(), wanted - collected_.size());
  collected_.append(reinterpret_cast<const char*>(bytes.data()), taken);
  return bytes.subspan(taken);
}

void TarStream::take_header() {
  if (is_zero(collected_)) {
    part_ = Part::end;
    return pass(collected_);
  }
  if (text_of(collected_, kMagic) != "ustar") malformed("a header is not marked as one");
  if (number_of(text_of(collected_, kChecksum), 8) != checksum_of(collected_))
    malformed("a header's checksum is wrong");
  if (collected_[kTypeOffset] != 'x') return begin_member();
  record_bytes_ = number_of(text_of(collected_, kSize), 8);
  if (record_bytes_ == 0 || record_bytes_ > kMaxRecordBytes) malformed("a pax header of that size");
  pax_header_ = std::move(collected_);
  collected_.clear();
  part_ = Part::records;
}

void TarStream::take_records() {
  collected_.resize(static_cast<std::size_t>(record_bytes_));
  records_ = std::move(collected_);
  collected_.clear();
  part_ = Part::header;
}

void TarStream::begin_member() {
  const char type = collected_[kTypeOffset];
  is_member_ = type != 'g';
  is_file_ = type == '0' || type == '\0' || type == '7';
  member_ = StreamMember();
  member_.kind = kind_of_member(type);
  member_.offset = passed_;
  member_.path = path_of_member(name_of(collected_, records_));
  if (type == '1') {
    const auto target = pax_value(records_, "linkpath").value_or(text_of(collected_, kLinkName));
    member_.link_path = path_of_member(target);
  }
  const auto pax_size = pax_value(records_, "size");
  content_left_ = pax_size ? number_of(*pax_size, 10) : number_of(text_of(collected_, kSize), 8);
  padding_left_ = padding_of(content_left_);
  const auto sparse_size = pax_value(records_, "GNU.sparse.realsize");
  if (is_file_) member_.size = sparse_size ? number_of(*sparse_size, 10) : content_left_;
  if (pax_value(records_, kDumpdirKey))
    records_ = replace_pax_record(records_, kDumpdirKey, calls_.dumpdir(member_.path));
  write_pax_header();
  pass(collected_);
  collected_.clear();
  digest_.reset();
  part_ = Part::content;
  if (content_left_ == 0) end_member();
}

void TarStream::write_pax_header() {
  if (!records_.empty()) {
    set_octal(pax_header_, kSize, records_.size(), 11);
    set_octal(pax_header_, kChecksum, checksum_of(pax_header_), 6);
    pax_header_[kChecksum.offset + 7] = ' ';
    pass(pax_header_);
    pass(records_);
    pass(std::string(static_cast<std::size_t>(padding_of(records_.size())), '\0'));
  }
  pax_header_.clear();
  records_.clear();
}

ByteView TarStream::pass_content(ByteView bytes) {
  const auto content = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), content_left_)));
  if (is_file_) digest_.update(content);
  content_left_ -= content.size();
  const auto padding = static_cast<std::size_t>(
      content_left_ == 0 ? std::min<std::uint64_t>(bytes.size() - content.size(), padding_left_) : 0);
  padding_left_ -= padding;
  pass(bytes.first(content.size() + padding));
  if (is_member_ && !content.empty()) calls_.content(content.size());
  if (content_left_ == 0 && padding_left_ == 0) end_member();
  return bytes.subspan(content.size() + padding);
}

void TarStream::end_member() {
  if (is_file_) member_.digest = digest_.value();
  if (is_member_) calls_.member(member_);
  part_ = Part::header;
}

void TarStream::pass(ByteView bytes) {
  passed_ += bytes.size();
  while (!bytes.empty()) {
    const auto room = std::min(bytes.size(), kPieceBytes - passing_.size());
    passing_.append(reinterpret_cast<const char*>(bytes.data()), room);
    bytes = bytes.subspan(room);
    if (passing_.size() == kPieceBytes) flush();
  }
}

void TarStream::flush() {
  if (!passing_.empty()) out_.write(std::as_bytes(std::span(passing_)));
  passing_.clear();
}

}  // namespace autoarchive::tar_external
