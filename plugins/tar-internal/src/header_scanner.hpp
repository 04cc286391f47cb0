/// \file
/// Watches a tar stream go by and remembers what libarchive does not show: GNU.dumpdir, ACL texts and attributes as
/// they stand in the records, names as raw bytes, the global comment, digests of the contents as they are stored, and
/// whether the end mark is there.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/digest.hpp"
#include "sparse_map.hpp"
#include "tar_header.hpp"

namespace autoarchive::tar_internal {

/// One member, as its headers say.
struct ScannedMember {
  std::string path;          ///< raw bytes, as stored
  std::uint64_t offset = 0;  ///< in what was fed, of its first header, records included
  std::uint32_t mode = 0;    ///< permissions, as the header has them
  char typeflag = '0';
  std::map<std::string, std::string, std::less<>> records;  ///< pax records of this member, and owners and times of a
                                                            ///< global header; a 'D' member's list as GNU.dumpdir
};

/// Fed with the stream in pieces of any size. Never fails: where the stream is no tar any more, it stops looking, and
/// ended() stays false. Not thread-safe.
class HeaderScanner {
 public:
  void feed(ByteView bytes);

  /// Members that have been seen and not been taken, in order.
  [[nodiscard]] std::deque<ScannedMember>& members() noexcept { return members_; }
  [[nodiscard]] const std::deque<ScannedMember>& members() const noexcept { return members_; }
  /// XXH3-64 of the content of each of them, as stored and without padding; one comes when the content has gone by.
  [[nodiscard]] std::deque<std::uint64_t>& digests() noexcept { return digests_; }
  /// The list of a 'D' member has begun to go by, and has not ended: the member comes when it has.
  [[nodiscard]] bool is_inside_list() const noexcept { return state_ == State::collect && collecting_ == 'D'; }
  [[nodiscard]] std::uint64_t fed_bytes() const noexcept { return fed_bytes_; }
  [[nodiscard]] std::string_view comment() const noexcept { return comment_; }
  /// The end mark, two empty blocks, has been seen.
  [[nodiscard]] bool ended() const noexcept { return zero_blocks_ >= 2; }
  /// Where the next header is looked for, or was, and something else was found. May lie behind all that was fed.
  [[nodiscard]] std::uint64_t next_header_at() const noexcept;
  /// The member whose map of data pieces says that it has more than kMaxDataPieces, or goes on for more.
  [[nodiscard]] const std::optional<std::string>& excessive_map_of() const noexcept { return excessive_map_of_; }
  /// Where something other than zeros stands behind the end mark.
  [[nodiscard]] std::optional<std::uint64_t> trailing_at() const noexcept { return trailing_at_; }

 private:
  enum class State : std::uint8_t { header, collect, skip, sparse_extension, lost };

  void take_block(HeaderView block, std::uint64_t end);
  void take_collected();
  void take_records();
  void fill_empty_records(HeaderView block);
  void push_member();
  void finish_member(HeaderView block, char typeflag);
  void begin(State state, std::uint64_t bytes);
  void begin_content(std::uint64_t bytes);
  void digest(ByteView bytes);
  void note_excessive_map();

  State state_ = State::header;
  std::uint64_t fed_bytes_ = 0;                 // up to the piece that is looked at
  std::optional<std::uint64_t> member_offset_;  // of the first header of the member to come
  std::uint64_t remaining_ = 0;                 // of collect and skip, padding included
  std::uint64_t wanted_ = 0;                    // of collect, padding excluded
  std::uint64_t content_after_extension_ = 0;
  std::size_t extension_pieces_ = 0;  // of the old GNU sparse headers that go by
  std::optional<PieceCount> pieces_;  // of the member that goes by, if its content begins with a map
  std::optional<std::string> excessive_map_of_;
  std::optional<std::uint64_t> content_left_;  // of the member that goes by, padding excluded
  std::string block_;                          // a header that is coming in
  std::string collected_;
  char collecting_ = 0;                                     // typeflag whose content is collected
  ScannedMember next_;                                      // records and long name of the member to come
  std::map<std::string, std::string, std::less<>> global_;  // records of what is for all members
  bool is_pax_ = false;                                     // there were records before
  std::uint64_t link_bytes_ = 0;  // that the hard link before says it has, which may be there or not
  std::string long_name_;
  std::deque<ScannedMember> members_;
  ContentDigest digest_;
  std::deque<std::uint64_t> digests_;
  std::string comment_;
  std::optional<std::uint64_t> lost_at_;
  unsigned zero_blocks_ = 0;
  std::optional<std::uint64_t> trailing_at_;
};

}  // namespace autoarchive::tar_internal
