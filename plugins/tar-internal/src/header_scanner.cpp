#include "header_scanner.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

#include "pax_records.hpp"

namespace autoarchive::tar_internal {
namespace {

// A directory of a million names has a list of some 30 MB. What is larger is not collected but passed over.
constexpr std::uint64_t kMaxCollectedBytes = 64U << 20U;
constexpr std::size_t kOldSparseFlag = 482;        // "is extended" in an old GNU sparse header
constexpr std::size_t kSparseExtensionFlag = 504;  // and in the blocks that follow it
constexpr std::size_t kExtensionPieces = 21;       // in each of them

std::uint64_t padded(std::uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

bool is_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

// Old GNU headers have other things where ustar has the prefix.
bool is_ustar(HeaderView block) {
  return parse_string(block.subspan<257, 6>()) == "ustar" && block[262] == std::byte{0};
}

std::string full_name(HeaderView block) {
  const auto name = parse_string(block.subspan<0, 100>());
  const auto prefix = is_ustar(block) ? parse_string(block.subspan<345, 155>()) : std::string_view();
  return prefix.empty() ? std::string(name) : std::string(prefix) + "/" + std::string(name);
}

// In pax archives the names of a file may all have its content.
bool has_content(char typeflag, bool is_pax) {
  if (typeflag == '1') return is_pax;
  return typeflag != '2' && typeflag != '3' && typeflag != '4' && typeflag != '5' && typeflag != '6';
}

// What libarchive reads as such, whatever the type: the map of an old GNU sparse header goes on behind it.
bool is_extended_map(HeaderView block, char typeflag) {
  constexpr std::size_t kFirstPiece = 386;
  const bool is_gnu = parse_string(block.subspan<257, 8>()) == "ustar  ";
  return block[kOldSparseFlag] != std::byte{0} && (typeflag == 'S' || (is_gnu && block[kFirstPiece] != std::byte{0}));
}

/// What a global header may say of all members; of others it would be nonsense, or decide where the next header is.
bool is_for_all(std::string_view key) {
  return key == "uid" || key == "gid" || key == "uname" || key == "gname" || key == "mtime";
}

/// Of which an empty value says that there is none, whatever was said before (POSIX). Attributes may be empty, and an
/// owner without a name has one in no other place either.
bool is_nothing_if_empty(std::string_view key) {
  return key == "path" || key == "GNU.sparse.name" || key == "GNU.dumpdir" || key == "RHT.security.selinux" ||
         key == "SCHILY.acl.access" || key == "SCHILY.acl.default";
}

/// Of which the header's value counts then.
constexpr std::array<std::string_view, 3> kNumbers{"uid", "gid", "mtime"};

std::uint64_t number_of(std::string_view key, HeaderView block) {
  if (key == "uid") return parse_number(block.subspan<108, 8>());
  if (key == "gid") return parse_number(block.subspan<116, 8>());
  return parse_number(block.subspan<136, 12>());
}

std::uint32_t permissions(HeaderView block) {
  return static_cast<std::uint32_t>(parse_number(block.subspan<100, 8>()) & 07777U);
}

}  // namespace

void HeaderScanner::begin(State state, std::uint64_t bytes) {
  remaining_ = bytes;
  state_ = bytes == 0 && state == State::skip ? State::header : state;
}

void HeaderScanner::begin_content(std::uint64_t bytes) {
  digest_.reset();
  content_left_ = bytes;
  digest({});
  begin(State::skip, padded(bytes));
}

void HeaderScanner::digest(ByteView bytes) {
  if (!content_left_) return;
  const auto content = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), *content_left_)));
  digest_.update(content);
  *content_left_ -= content.size();
  if (*content_left_ != 0) return;
  digests_.push_back(digest_.value());
  content_left_.reset();
}

void HeaderScanner::note_excessive_map() {
  pieces_.reset();
  if (!excessive_map_of_) excessive_map_of_ = members_.empty() ? std::string() : members_.back().path;
}

std::uint64_t HeaderScanner::next_header_at() const noexcept {
  if (lost_at_) return *lost_at_;
  if (trailing_at_) return *trailing_at_;
  // A size may be anything.
  const auto rest = std::min(remaining_, std::numeric_limits<std::uint64_t>::max() / 2);
  return fed_bytes_ - block_.size() + rest;
}

void HeaderScanner::feed(ByteView bytes) {
  fed_bytes_ += bytes.size();
  const auto all = fed_bytes_;
  while (!bytes.empty() && state_ != State::lost) {
    if (ended()) {
      const auto first = std::find_if(bytes.begin(), bytes.end(), [](auto byte) { return byte != std::byte{0}; });
      if (!trailing_at_ && first != bytes.end()) trailing_at_ = all - static_cast<std::uint64_t>(bytes.end() - first);
      return;
    }
    if (state_ == State::header || state_ == State::sparse_extension) {
      const auto count = std::min(bytes.size(), kBlockBytes - block_.size());
      block_.append(reinterpret_cast<const char*>(bytes.data()), count);
      bytes = bytes.subspan(count);
      if (block_.size() < kBlockBytes) return;
      take_block(HeaderView(reinterpret_cast<const std::byte*>(block_.data()), kBlockBytes), all - bytes.size());
      block_.clear();
      continue;
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), remaining_));
    if (state_ == State::collect) collected_.append(reinterpret_cast<const char*>(bytes.data()), count);
    if (state_ == State::skip) {
      if (pieces_ && content_left_) pieces_->feed(bytes.first(count));
      if (pieces_ && pieces_->is_too_large()) note_excessive_map();
      digest(bytes.first(count));
    }
    bytes = bytes.subspan(count);
    remaining_ -= count;
    if (remaining_ != 0) return;
    if (state_ == State::collect) take_collected();
    state_ = State::header;
  }
}

// `end` is where the block ends.
void HeaderScanner::take_block(HeaderView block, std::uint64_t end) {
  if (state_ == State::sparse_extension) {
    extension_pieces_ += kExtensionPieces;
    if (extension_pieces_ > kMaxDataPieces) note_excessive_map();
    if (block[kSparseExtensionFlag] == std::byte{0}) begin_content(content_after_extension_);
    return;
  }
  if (is_zero(block)) {
    ++zero_blocks_;
    return;
  }
  zero_blocks_ = 0;
  const auto link_bytes = std::exchange(link_bytes_, 0);
  if (!has_valid_checksum(block)) {
    if (link_bytes > 0) return begin(State::skip, padded(link_bytes) - kBlockBytes);
    state_ = State::lost;
    lost_at_ = end - kBlockBytes;
    return;
  }
  const auto typeflag = std::to_integer<char>(block[156]);
  const auto size = parse_number(block.subspan<124, 12>());
  if (typeflag != 'g' && !member_offset_) member_offset_ = end - kBlockBytes;
  // 'A' is a Solaris ACL: no member, and its content nothing that is understood here.
  if (std::string_view("xXgLKDA").find(typeflag) == std::string_view::npos) return finish_member(block, typeflag);
  is_pax_ = is_pax_ || typeflag == 'x' || typeflag == 'X' || typeflag == 'g';
  if (typeflag == 'D') {
    long_name_ = long_name_.empty() ? full_name(block) : long_name_;
    next_.mode = permissions(block);
  }
  collecting_ = typeflag;
  wanted_ = size;
  collected_.clear();
  if (size > kMaxCollectedBytes) {
    begin(State::skip, padded(size));
  } else if (size == 0) {
    take_collected();
  } else {
    begin(State::collect, padded(size));
  }
}

void HeaderScanner::take_collected() {
  collected_.resize(static_cast<std::size_t>(wanted_));
  if (collecting_ == 'L') {
    long_name_ = collected_.substr(0, collected_.find('\0'));
  } else if (collecting_ == 'D') {
    next_.path = std::move(long_name_);
    next_.records["GNU.dumpdir"] = std::move(collected_);
    next_.typeflag = 'D';
    push_member();
    digests_.push_back(0);  // its content is the list
    next_ = {};
    long_name_.clear();
  } else if (collecting_ != 'K' && collecting_ != 'A') {
    take_records();
  }
}

void HeaderScanner::take_records() {
  std::string_view rest(collected_);
  std::string_view key;
  std::string_view value;
  while (next_pax_record(rest, key, value)) {
    if (collecting_ != 'g' && value.empty() && is_nothing_if_empty(key)) {
      next_.records.erase(std::string(key));
    } else if (collecting_ != 'g') {
      next_.records.insert_or_assign(std::string(key), std::string(value));
    } else if (key == "comment") {
      comment_ = value;
    } else if (value.empty() && std::find(kNumbers.begin(), kNumbers.end(), key) != kNumbers.end()) {
      global_.erase(std::string(key));
    } else if (is_for_all(key)) {
      global_.insert_or_assign(std::string(key), std::string(value));
    }
  }
}

void HeaderScanner::fill_empty_records(HeaderView block) {
  for (const auto key : kNumbers) {
    const auto record = next_.records.find(key);
    if (record != next_.records.end() && record->second.empty()) record->second = std::to_string(number_of(key, block));
  }
}

void HeaderScanner::push_member() {
  next_.offset = *std::exchange(member_offset_, std::nullopt);
  next_.records.insert(global_.begin(), global_.end());  // its own go before
  members_.push_back(std::move(next_));
}

void HeaderScanner::finish_member(HeaderView block, char typeflag) {
  const bool is_stored = has_content(typeflag, is_pax_ && is_ustar(block));
  if (typeflag == '1' && !is_stored) link_bytes_ = parse_number(block.subspan<124, 12>());
  auto size = is_stored ? parse_number(block.subspan<124, 12>()) : 0;
  if (const auto record = next_.records.find("size"); record != next_.records.end() && is_stored) {
    std::from_chars(record->second.data(), record->second.data() + record->second.size(), size);
  }
  const bool is_extended = is_extended_map(block, typeflag);
  pieces_.reset();
  const auto version = next_.records.find("GNU.sparse.major");
  if (version != next_.records.end() && version->second.find('1') != std::string::npos) pieces_.emplace();
  const bool is_member = typeflag != 'V';  // a volume's name is none
  if (is_member) {
    const auto stored = next_.records.find("GNU.sparse.name");
    const auto path = stored != next_.records.end() ? stored : next_.records.find("path");
    next_.path = path != next_.records.end() ? path->second : !long_name_.empty() ? long_name_ : full_name(block);
    next_.mode = permissions(block);
    next_.typeflag = typeflag;
    fill_empty_records(block);
    push_member();
  }
  next_ = {};
  member_offset_.reset();
  long_name_.clear();
  if (is_extended) {
    content_after_extension_ = size;
    extension_pieces_ = 0;
    state_ = State::sparse_extension;
  } else if (is_member) {
    begin_content(size);
  } else {
    begin(State::skip, padded(size));
  }
}

}  // namespace autoarchive::tar_internal
