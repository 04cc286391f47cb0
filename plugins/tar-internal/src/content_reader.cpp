#include "content_reader.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "borrowed_file.hpp"
#include "chain_reader.hpp"
#include "codec.hpp"
#include "known_members.hpp"
#include "member_reader.hpp"
#include "needed_members.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr Bytes kDecoderMemory{128ULL << 20U};

Error not_there(std::string_view path) {
  return {ErrorCode::key_error, quote(path) + " is not in this backup", ErrorCause::no_such_backup};
}

void require_file(const Entry& entry) {
  if (entry.kind == EntryKind::file) return;
  throw Error(ErrorCode::value_error,
              quote(entry.path) + " is a " + std::string(to_string(entry.kind)) + " and no file", ErrorCause::usage);
}

/// Writes zeros where the file has holes, as a reader of the file would see them.
void copy_content(MemberReader& reader, std::uint64_t size, Sink& out) {
  static constexpr std::array<std::byte, 1U << 16U> kZeros{};
  std::uint64_t at = 0;
  const auto fill_up_to = [&](std::uint64_t end) {
    while (at < end) {
      const auto count = std::min<std::uint64_t>(end - at, kZeros.size());
      out.write(ByteView(kZeros).first(static_cast<std::size_t>(count)));
      at += count;
    }
  };
  for (ContentPiece piece; reader.next_piece(piece);) {
    fill_up_to(piece.offset);
    out.write(piece.bytes);
    at += piece.bytes.size();
  }
  fill_up_to(size);
}

std::optional<ManifestEntry> find_line(const ArchiveLevel& newest, std::string_view path) {
  if (!newest.manifest) return std::nullopt;
  ManifestReader manifest(std::make_unique<BorrowedFile>(*newest.manifest));
  manifest.seek(path);
  ManifestEntry line;
  if (!manifest.next(line) || line.entry.path != path) throw not_there(path);
  return line;
}

/// Where a path is in a file without a manifest: of several members of one name, the last one counts.
struct FoundMember {
  std::uint64_t offset = 0;
  ArchiveMember member;
};

/// `before`: only members in front of it.
std::optional<FoundMember> find_last(const ReadableFile& file, std::string_view path, std::uint64_t before) {
  MemberReader reader(file, kDecoderMemory);
  std::optional<FoundMember> found;
  for (ArchiveMember member; reader.next(member) && reader.member_offset() < before;) {
    if (member.entry.path == path) found = FoundMember{reader.member_offset(), member};
  }
  return found;
}

Error wrong_content(std::string_view path) {
  return {ErrorCode::value_error, quote(path) + ": its content is not what was stored: its digest differs",
          ErrorCause::damaged};
}

/// What the level's own manifest says that the content was; none if it is not whole.
std::optional<std::uint64_t> digest_of(const ArchiveLevel& level, const ArchiveMember& member) {
  if (!level.manifest) return std::nullopt;
  try {
    const auto known = KnownMembers(*level.manifest).find(member);
    return known ? known->digest : std::nullopt;
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged && !error.is_os_error()) throw;
    return std::nullopt;
  }
}

void copy_member(const ArchiveLevel& level, const FoundMember& found, Sink& out) {
  const auto digest = digest_of(level, found.member);
  MemberReader reader(*level.file, kDecoderMemory);
  for (ArchiveMember member; reader.next(member);) {
    if (reader.member_offset() != found.offset) continue;
    copy_content(reader, member.entry.size, out);
    if (digest && reader.content_digest() != *digest) throw wrong_content(member.entry.path);
    return;
  }
}

/// Without a place: the levels from the newest to the oldest; the first that has the member decides.
void search(const std::vector<ArchiveLevel>& levels, std::string_view path, Sink& out) {
  std::string wanted(path);
  for (auto level = levels.rbegin(); level != levels.rend(); ++level) {
    auto found = find_last(*level->file, wanted, std::numeric_limits<std::uint64_t>::max());
    // The content of a further name is an earlier member of the same file, or of a level before it.
    while (found && found->member.hard_link) {
      wanted = found->member.entry.link_target;
      found = find_last(*level->file, wanted, found->offset);
    }
    if (!found) continue;
    require_file(found->member.entry);
    return copy_member(*level, *found, out);
  }
  throw not_there(path);
}

}  // namespace

void write_content(const std::vector<ArchiveLevel>& levels, std::string_view path, Sink& out) {
  const auto line = find_line(levels.back(), path);
  if (!line) return search(levels, path, out);
  require_file(line->entry);
  if (line->stored_level < 0) {
    throw Error(ErrorCode::key_error, quote(path) + " could not be read when this backup was made",
                ErrorCause::no_such_backup);
  }
  if (!line->offset) return search(levels, path, out);
  ChainReader chain(levels, kDecoderMemory);
  ArchiveMember stored;
  auto& reader = chain.seek(line->stored_level, *line->offset, stored);
  if (!NeededMembers::Place::of(*line).fits(stored)) {
    throw Error(ErrorCode::value_error,
                quote(path) + ": the member at its place is another one: the manifest is not that of the archive",
                ErrorCause::damaged);
  }
  copy_content(reader, line->entry.size, out);
  if (line->digest && reader.content_digest() != *line->digest) throw wrong_content(path);
}

}  // namespace autoarchive::tar_internal
