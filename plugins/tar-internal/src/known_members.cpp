#include "known_members.hpp"

#include <algorithm>
#include <memory>
#include <span>

#include "autoarchive/base/digest.hpp"
#include "borrowed_file.hpp"

namespace autoarchive::tar_internal {

KnownMembers::KnownMembers(const ReadableFile& manifest, int level) {
  ManifestReader reader(std::make_unique<BorrowedFile>(manifest));
  load(reader, level);
}

KnownMembers::KnownMembers(const ReadableFile& manifest) {
  ManifestReader::check(manifest);
  ManifestReader reader(std::make_unique<BorrowedFile>(manifest));
  load(reader, reader.header().level);
}

void KnownMembers::load(ManifestReader& reader, int level) {
  for (ManifestEntry line; reader.next(line);) {
    if (line.stored_level == level && line.offset) lines_.push_back({key_of(line.entry), {*line.offset, line.digest}});
  }
  std::sort(lines_.begin(), lines_.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
}

std::uint64_t KnownMembers::key_of(const Entry& entry) {
  ContentDigest digest;
  digest.update(std::as_bytes(std::span(entry.path)));
  const std::uint64_t size = entry.kind == EntryKind::file ? entry.size : 0;
  digest.update(std::as_bytes(std::span(&size, 1)));
  digest.update(std::as_bytes(std::span(&entry.mtime.seconds, 1)));
  digest.update(std::as_bytes(std::span(&entry.kind, 1)));
  return digest.value();
}

std::optional<KnownMember> KnownMembers::find(const ArchiveMember& member) const {
  if (member.hard_link) return std::nullopt;
  const auto key = key_of(member.entry);
  const auto found = std::lower_bound(lines_.begin(), lines_.end(), key,
                                      [](const auto& line, auto wanted) { return line.key < wanted; });
  return found != lines_.end() && found->key == key ? std::optional(found->member) : std::nullopt;
}

}  // namespace autoarchive::tar_internal
