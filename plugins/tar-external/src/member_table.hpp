/// \file
/// What tar has done, by path: which members it wrote, and which entries it had trouble with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/storage/temporary_file.hpp"
#include "tar_stream.hpp"

namespace autoarchive::tar_external {

/// What is known of one path.
struct MemberOutcome {
  bool is_stored = false;
  std::uint64_t offset = 0;             ///< of a hard link: that of the member that it links to
  std::optional<std::uint64_t> digest;  ///< likewise
  std::uint64_t size = 0;               ///< likewise; with a digest
  EntryKind kind = EntryKind::file;     ///< likewise
  bool has_names = false;               ///< it is a hard link, or a member that one links to
  EntryState problem = EntryState::ok;  ///< changed, failed or vanished, if tar said so; of a hard link: of its target
};

/// Filled in the order of the stream, sealed, then asked in any order. Kept in a file, 48 bytes a member, because tar's
/// order is not that of the manifest. A path is known by a digest of 128 bits. Not thread-safe.
class MemberTable {
 public:
  /// The file lies in `directory`. Throws Error(os_error).
  explicit MemberTable(const std::filesystem::path& directory);
  MemberTable(const MemberTable&) = delete;
  MemberTable& operator=(const MemberTable&) = delete;
  ~MemberTable();

  void add_member(const StreamMember& member);
  /// `state` as in MemberOutcome.
  void add_problem(std::string_view path, EntryState state);

  /// REQUIRES: called once, before find(), and nothing is added after it. Throws Error(os_error).
  void seal();
  [[nodiscard]] MemberOutcome find(std::string_view path);

 private:
  using Key = std::array<std::uint64_t, 2>;
  struct Record;
  [[nodiscard]] Key key_of(std::string_view path);
  [[nodiscard]] MemberOutcome find(const Key& key, bool follow_link) const;
  [[nodiscard]] std::span<Record> records_of(const Key& key) const;
  void add(const Record& record);
  void note_targets();

  TemporaryFile file_;
  std::span<Record> records_;  // mapped from file_
  ContentDigest digest_;
};

}  // namespace autoarchive::tar_external
