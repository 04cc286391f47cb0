// The restore of members that are found by reading files from one end to the other.
#include <optional>
#include <string>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "known_members.hpp"
#include "member_reader.hpp"
#include "needed_members.hpp"
#include "restore_job.hpp"
#include "salvage.hpp"

namespace autoarchive::tar_internal {

void RestoreJob::restore_by_member() {
  NeededMembers needed;
  for_each_wanted([&](const ManifestEntry& line) {
    if (!can_restore(line)) return;
    if (!line.offset) return problem(line.entry.path, "the manifest does not say where it is");
    if (is_proof() || tree_.may_replace(line.entry)) needed.add(line);
  });
  needed.seal();
  // A level's file may have what is in a directory of a later one.
  if (makes() && request_.levels.size() > 1) {
    for_each_wanted([&](const ManifestEntry& line) {
      const bool is_there = line.stored_level >= 0 && !safe_member_path(line.entry.path).empty();
      if (is_there && line.entry.kind == EntryKind::directory) tree_.clear_way(line.entry);
    });
  }
  if (needed.have_unnamed()) {
    for_each_wanted([&](const ManifestEntry& line) {
      if (is_proof() || tree_.may_replace(line.entry)) needed.name(line);
    });
  }
  restore_all_needed(needed);
  if (request_.salvage) restore_sought(needed, /*is_damage_told=*/true);
  restore_further_names(needed);
  report_missing(needed);
}

void RestoreJob::restore_all_needed(NeededMembers& needed) {
  for (int level = 0; level < static_cast<int>(request_.levels.size()); ++level) {
    if (!is_to_read(request_.levels[static_cast<std::size_t>(level)])) continue;
    try {
      restore_needed(level, needed);
    } catch (const Error& error) {  // what the other levels have is still restored
      if (!is_damage(error)) throw;
      damage("", error.message() + "; what comes after it in this file is not restored");
    }
  }
}

// By entry those that were missed, else all.
void RestoreJob::for_each_needed(const std::function<void(const ManifestEntry&)>& call) {
  for_each_wanted([&](const ManifestEntry& line) {
    if (line.stored_level < 0 || !line.offset) return;
    if (missed_paths_.empty() || missed_paths_.contains(hash_of(line.entry.path))) call(line);
  });
}

void RestoreJob::restore_needed(int level, NeededMembers& needed) {
  std::optional<KnownMembers> known;
  SalvageCalls calls;
  calls.owners_by_number = request_.owner == OwnerPolicy::ids;
  calls.member = [&](MemberReader& reader, const ArchiveMember& member) {
    const auto offset = reader.member_offset();
    if (const auto* place = needed.find(level, offset)) restore_at(level, *place, member, reader, needed);
  };
  calls.damage = [&](const Error& error) { damage_of_file(error); };
  calls.known = [&](const ArchiveMember& member) {
    if (!known) known.emplace(*request_.levels.back().manifest, level);
    return known->find(member);
  };
  calls.check_stop = [&] { check_stop(); };
  read_members_and_salvage(*request_.levels[static_cast<std::size_t>(level)].file, request_.decoder_memory, calls);
}

void RestoreJob::restore_at(int level, const NeededMembers::Place& place, ArchiveMember member, MemberReader& reader,
                            NeededMembers& needed) {
  check_stop();
  // The name that it has in its file need not be wanted.
  const auto* name = needed.name_at(level, place.offset);
  if (!place.fits(member) || (name == nullptr && !place.is_named(member.entry.path))) return;  // report_missing()
  if (name != nullptr) member.entry.path = *name;
  const auto& path = member.entry.path;
  const bool is_made = !safe_member_path(path).empty() && is_wanted(path);
  if (is_made && !make(member, reader, place.digest) && name != nullptr) wrong_.insert({level, place.offset});
  needed.note_done(level, place.offset);
  if (is_made) tell_progress();
}

// The manifest knows all that it takes, wherever their own members are.
void RestoreJob::restore_further_names(const NeededMembers& needed) {
  if (!needed.have_names()) return;
  tree_.settle();
  NeededMembers others;
  for_each_needed([&](const ManifestEntry& line) {
    const auto [level, offset] = needed.place_of(line);
    const auto* first = needed.name_at(level, offset);
    const auto& path = line.entry.path;
    if (first == nullptr || *first == path || safe_member_path(path).empty()) return;
    if (failed_names_.contains(path) || !needed.is_done(level, offset)) return;  // report_missing()
    const bool is_wrong = wrong_.contains({level, offset});
    if (is_wrong) damage(path, "it is a further name of " + quote(*first) + ", whose content is not what was stored");
    if (is_proof() ? is_wrong : !tree_.may_replace(line.entry)) return;
    if (!is_proof() && !tree_.was_restored(*first)) {
      if (is_wrong) return;
      if (!has_further_names(line.entry))
        return problem(path, "it is a further name of " + quote(*first) + ", which was not restored");
      failed_names_.insert(*first);
      if (!tree_.was_restored(path)) others.add(line);
      return;
    }
    ArchiveMember link{line.entry, true, {}};
    link.entry.link_target = *first;
    extract(link, nullptr);
  });
  // Where the first name can't be made, the next one is the file.
  others.seal();
  if (!others.have_names()) return;
  restore_all_needed(others);
  restore_further_names(others);
}

void RestoreJob::report_missing(const NeededMembers& needed) {
  if (needed.are_done()) return;
  for_each_needed([&](const ManifestEntry& line) {
    const auto [level, offset] = needed.place_of(line);
    if (needed.find(level, offset) == nullptr || needed.is_done(level, offset)) return;
    tell_missing(line);
  });
}

void RestoreJob::tell_missing(const ManifestEntry& line) {
  const auto level = "level " + std::to_string(line.stored_level);
  damage(line.entry.path, has_file_of(line.stored_level) ? "it is not, or not whole, in what could be read of " + level
                                                         : "it is in " + level + ", whose file is missing or empty");
}

}  // namespace autoarchive::tar_internal
