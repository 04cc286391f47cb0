// The second pass of a restore that salvages: what a manifest names and is not at its place, as behind bytes that are
// missing from the file, is sought in all of it.
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "borrowed_file.hpp"
#include "known_members.hpp"
#include "member_reader.hpp"
#include "needed_members.hpp"
#include "restore_job.hpp"
#include "salvage.hpp"

namespace autoarchive::tar_internal {
namespace {

/// Lines of a manifest by their paths, which come mostly in walk order.
class LineSearch {
 public:
  explicit LineSearch(const ReadableFile& manifest) : reader_(std::make_unique<BorrowedFile>(manifest)) {}

  /// Valid until the next call; null if there is none.
  [[nodiscard]] const ManifestEntry* find(std::string_view path) {
    // To read on is cheaper than to seek, up to about a frame.
    constexpr int kLinesOfAFrame = 4096;
    for (int i = 0; i < kLinesOfAFrame && is_before(path); ++i) has_line_ = reader_.next(line_);
    if (!has_line_ || line_.entry.path != path) {
      reader_.seek(path);
      has_line_ = reader_.next(line_);
    }
    return has_line_ && line_.entry.path == path ? &line_ : nullptr;
  }

 private:
  [[nodiscard]] bool is_before(std::string_view path) const {
    return has_line_ && compare_paths(line_.entry.path, path) < 0;
  }

  ManifestReader reader_;
  ManifestEntry line_;
  bool has_line_ = false;
};

}  // namespace

/// By entry: what is not at its place is lost, unless it can be found elsewhere.
void RestoreJob::miss(const ManifestEntry& line, std::string_view text) {
  if (!request_.salvage) return damage(line.entry.path, text);
  missed_.add(line);
  missed_paths_.insert(hash_of(line.entry.path));
}

void RestoreJob::restore_missed() {
  missed_.seal();
  if (missed_.have_unnamed()) for_each_needed([&](const ManifestEntry& line) { missed_.name(line); });
  restore_sought(missed_, /*is_damage_told=*/false);
  restore_further_names(missed_);
  report_missing(missed_);
}

void RestoreJob::restore_sought(NeededMembers& needed, bool is_damage_told) {
  for (int level = 0; level < static_cast<int>(request_.levels.size()); ++level) {
    if (!has_file_of(level) || needed.are_done(level)) continue;
    try {
      restore_sought_of(level, needed, is_damage_told);
    } catch (const Error& error) {  // what the other levels have is still restored
      if (!is_damage(error)) throw;
      if (!is_damage_told) damage("", error.message());
    }
  }
}

// Headers tell what a member is, its content's digest whether it is that. What else is known of it, the manifest knows
// better: records of a header have no checksum.
void RestoreJob::restore_sought_of(int level, NeededMembers& needed, bool is_damage_told) {
  const auto& manifest = *request_.levels.back().manifest;
  const auto& file = *request_.levels[static_cast<std::size_t>(level)].file;
  const KnownMembers known(manifest, level);
  LineSearch lines(manifest);
  SalvageCalls calls;
  calls.member = [&](MemberReader& reader, const ArchiveMember& member) {
    const auto found = known.find(member);
    const auto* place = found ? needed.find(level, found->offset) : nullptr;
    if (place == nullptr || needed.is_done(level, place->offset)) return;
    if (const auto* line = lines.find(member.entry.path))
      restore_at(level, *place, {line->entry, false, {}}, reader, needed);
  };
  calls.damage = [&](const Error& error) {
    if (!is_damage_told) damage("", error.message());
  };
  calls.check_stop = [&] { check_stop(); };
  const auto before = result_.damaged;
  read_members_and_salvage(file, request_.decoder_memory, calls);
  if (!is_damage_told && result_.damaged == before)
    damage("", quote(file.description()) + ": members are not where the manifest says that they are");
}

}  // namespace autoarchive::tar_internal
