// The restore of a chain that has no manifest: by what its levels say one after the other.
#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "chain_reader.hpp"
#include "known_members.hpp"
#include "member_reader.hpp"
#include "restore_job.hpp"
#include "salvage.hpp"

namespace autoarchive::tar_internal {
namespace {

/// What can't be replayed at all. To a reader that salvages an error would be damage, which it goes on behind.
struct Refusal {
  Error error;
};

std::string link_to_nothing(const Entry& entry) {
  return "it is another name of " + quote(entry.link_target) + ", which is not in the backup before it";
}

}  // namespace

// One that is missing, to salvage; else it is told that it is no archive.
bool RestoreJob::is_to_read(const ArchiveLevel& level) const {
  return request_.salvage ? has_file(level) : level.file != nullptr;
}

void RestoreJob::restore_by_level() {
  const auto files = std::count_if(request_.levels.begin(), request_.levels.end(),
                                   [&](const auto& level) { return is_to_read(level); });
  const bool is_chain = files > 1;
  const bool has_policy = request_.overwrite != OverwritePolicy::always;  // which the last member of a path decides
  if (!is_proof() && (is_chain || request_.dry_run || has_policy || request_.delete_others))
    return restore_replayed(nullptr, is_chain);
  if (is_chain) report_absent(replay(), is_chain);
  AsRead all;
  for (const auto& level : request_.levels) {
    if (is_to_read(level)) restore_as_read(level, all);
  }
  if (!is_chain) report(all.listed.absent());
  if (!all.unlinked.empty()) restore_replayed(&all.unlinked, is_chain);
}

// One file is read once, and of several members with one path the last one is what is there in the end. Only hard links
// to what was not restored need another look.
void RestoreJob::restore_as_read(const ArchiveLevel& level, AsRead& all) {
  const auto known = known_of(level);
  auto& unlinked = all.unlinked;
  read_level(level, /*tells=*/true, [&](MemberReader& reader, const ReplayedMember& read) {
    const auto& member = read.member;
    const auto& path = member.entry.path;
    if (read.place.level == 0) note_increment(member, reader);
    if (member.dumpdir && !read.is_behind_damage) note_list(member, all);
    if (!is_wanted(path)) {
      if (member.entry.kind == EntryKind::directory && is_above(path)) tree_.note_way(member.entry);
      return;
    }
    tree_.keep(path);
    // What comes later counts, also if it is below.
    for (std::string_view at = path; !unlinked.empty() && at != "."; at = directory_of(at)) {
      if (const auto link = unlinked.find(at); link != unlinked.end()) unlinked.erase(link);
    }
    all.listed.remove(path);
    if (member.hard_link && makes()) {
      tree_.settle();
      if (!tree_.was_restored(member.entry.link_target)) return static_cast<void>(unlinked.insert(path));
    }
    // One file of a chain may have names of what is in another one.
    if (member.hard_link && is_proof() && aim_.only_level < 0 &&
        !all.proven.contains(hash_of(member.entry.link_target)))
      return problem(path, link_to_nothing(member.entry));
    const auto found = known ? known->find(member) : std::nullopt;
    const bool is_right = make(member, reader, found ? found->digest : std::nullopt);
    if (is_proof() && is_right) all.proven.insert(hash_of(path));
    tell_progress();
  });
}

void RestoreJob::note_list(const ArchiveMember& directory, AsRead& all) {
  for (const auto& name : *directory.dumpdir) {
    auto path = join(directory.entry.path, name);
    const bool is_there = is_proof() ? all.proven.contains(hash_of(path)) : tree_.was_restored(path);
    if (!is_there && is_asked_for(path)) all.listed.add(std::move(path));
  }
}

LevelReplay RestoreJob::replay() {
  LevelReplay tree;
  const auto add = [&](const MemberReader& reader, const ReplayedMember& read) {
    // A list of names that deletes may be one of an archive that is stored in the archive.
    if (read.member.dumpdir && !read.is_behind_damage) {
      const bool is_increment = read.place.level > 0;
      if (is_increment) tree.rename(reader.renames(), /*is_whole=*/!request_.salvage);
      tree.apply_list(read.member, is_increment ? reader.unstored() : std::vector<std::string>());
    }
    tree.add(read.member, read.place);
    tell_progress();
  };
  const auto add_or_refuse = [&](const MemberReader& reader, const ReplayedMember& read) {
    try {
      add(reader, read);
    } catch (const Error& error) {
      throw Refusal{error};
    }
  };
  try {
    for (const auto& level : request_.levels) {
      if (is_to_read(level)) read_level(level, /*tells=*/false, add_or_refuse);
    }
  } catch (const Refusal& refusal) {
    throw Error(refusal.error);
  }
  return tree;
}

void RestoreJob::report_absent(const LevelReplay& tree, bool is_chain) {
  AbsentNames absent;
  tree.for_each_absent([&](const std::string& path, bool is_stored) {
    if (!is_asked_for(path)) return;
    tree_.keep(path);
    tree_.leave_contents(path);
    if (is_stored) {
      problem(path, "it is listed as stored in an earlier level, and none has it: a level between them may be missing");
    } else if (is_chain) {
      problem(path, "it is listed, and no level has it: it could not be read, or is a socket, which no tar holds");
    } else {
      absent.note(path);
    }
  });
  report(absent);
}

// One that needs others has none of what they have, and that is told.
void RestoreJob::report(const AbsentNames& absent) {
  if (absent.count == 0 || is_increment_) return;
  const std::string count = absent.count == 1 ? "" : " (one of " + std::to_string(absent.count) + ")";
  problem(absent.first, "it is listed and has no member" + count +
                            ": an archive before this one has it, it could not be read, or it is a socket, which no "
                            "tar holds");
}

// Twice through all files: first for what the last level has, then for its contents.
void RestoreJob::restore_replayed(const Paths* only, bool is_chain) {
  Replayed replayed{replay(), only, {}};
  const auto is_chosen = [&](const auto& path) { return is_asked_for(path) && (!only || only->contains(path)); };
  replayed.tree.name_contents(is_chosen);
  if (makes()) {
    replayed.tree.for_each_directory([&](const std::string& path, const Timestamp& mtime) {
      Entry directory;
      directory.path = path;
      directory.kind = EntryKind::directory;
      directory.mtime = mtime;
      if (is_chosen(path)) tree_.clear_way(directory);
    });
  }
  for (const auto& level : request_.levels) {
    if (is_to_read(level)) restore_last_of(level, replayed);
  }
  if (only == nullptr) report_absent(replayed.tree, is_chain);
}

void RestoreJob::restore_last_of(const ArchiveLevel& level, Replayed& replayed) {
  const auto known = known_of(level);
  const auto restore = [&](MemberReader& reader, const ReplayedMember& read) {
    if (read.place.level == 0) note_increment(read.member, reader);
    const auto found = known ? known->find(read.member) : std::nullopt;
    restore_last(read.member, read.place, reader, found ? found->digest : std::nullopt, replayed);
    tell_progress();
  };
  read_level(level, /*tells=*/replayed.only == nullptr, restore);
}

void RestoreJob::restore_last(ArchiveMember member, LevelReplay::Place place, MemberReader& reader,
                              std::optional<std::uint64_t> digest, Replayed& replayed) {
  const auto* path = replayed.tree.last_path(member.entry.path, place);
  const bool is_chosen = path != nullptr && (!replayed.only || replayed.only->contains(*path)) && is_wanted(*path);
  if (path != nullptr) member.entry.path = *path;
  if (path != nullptr && !is_chosen && member.entry.kind == EntryKind::directory && is_above(*path))
    tree_.note_way(member.entry);
  if (is_chosen) tree_.keep(*path);
  if (is_chosen && member.hard_link) return restore_further_name(std::move(member), replayed);
  if (member.hard_link) return;
  const auto& further_names = replayed.tree.further_names(place);
  const auto bring = [&] {
    if (!tree_.may_replace(member.entry)) return false;
    make(member, reader, digest);
    if (!further_names.empty()) replayed.first_names.emplace(place, member.entry.path);
    return true;
  };
  if (is_chosen && bring()) return;
  // Its own name is that of something else by now, or not wanted.
  for (const auto& name : further_names) {
    member.entry.path = name;
    if (bring()) return;
  }
}

void RestoreJob::restore_further_name(ArchiveMember member, Replayed& replayed) {
  const auto& path = member.entry.path;
  const auto content = replayed.tree.content_of(path);
  const auto first = content ? replayed.first_names.find(*content) : replayed.first_names.end();
  if (first != replayed.first_names.end() && first->second == path) return;  // it is there
  if (!tree_.may_replace(member.entry)) return;
  if (first == replayed.first_names.end())
    return problem(path, content
                             ? "it is another name of " + quote(member.entry.link_target) + ", which could not be read"
                             : link_to_nothing(member.entry));
  member.entry.link_target = first->second;
  extract(member, nullptr);
}

// The levels' own manifests can't say what the last level has, but what the contents in their files were.
std::optional<KnownMembers> RestoreJob::known_of(const ArchiveLevel& level) {
  if (!level.manifest) return std::nullopt;
  try {
    return KnownMembers(*level.manifest);
  } catch (const Error& error) {
    if (!is_damage(error) && !error.is_os_error()) throw;
    if (&level != &request_.levels.back())  // of that one it has been told
      damage("", error.message() + "; " + quote(level.file->description()) + " is restored without it");
    return std::nullopt;
  }
}

void RestoreJob::read_level(const ArchiveLevel& level, bool tells, const LevelCall& call) {
  const auto number = static_cast<std::uint32_t>(&level - request_.levels.data());
  // To salvage: how often a path has come. Offsets are not unique there, as behind damage they count from a part on.
  std::unordered_map<std::size_t, std::uint32_t> came;
  bool is_damaged = false;
  bool is_behind_damage = false;
  SalvageCalls calls;
  calls.owners_by_number = request_.owner == OwnerPolicy::ids;
  calls.member = [&](MemberReader& reader, const ArchiveMember& member) {
    const auto& path = member.entry.path;
    const bool is_first = std::exchange(is_behind_damage, false);
    if (tells && is_first)
      problem(path, "it comes first behind the damage: its name and attributes may be those of something else");
    LevelReplay::Place place{reader.member_offset(), number};
    std::uint32_t times = 1;
    if (request_.salvage) {
      const auto hash = hash_of(path);
      times = ++came[hash];
      place.key = hash + times;
    }
    const bool is_safe = !safe_member_path(path).empty();
    if (tells && is_damaged && times > 1)
      problem(path,
              "it comes again behind the damage, as in an archive that is stored in the archive; what was restored "
              "before stays");
    else if (tells && !is_safe)
      problem(path, kUnsafeName);
    if (is_safe && !(is_damaged && times > 1)) call(reader, {member, place, is_damaged});
  };
  calls.damage = [&](const Error& error) {
    if (tells || !request_.salvage) damage_of_file(error);
    is_damaged = is_behind_damage = true;
  };
  calls.check_stop = [&] { check_stop(); };
  read_members_and_salvage(*level.file, request_.decoder_memory, calls);
}

void RestoreJob::note_increment(const ArchiveMember& member, const MemberReader& reader) {
  if (reader.unstored().empty() || std::exchange(is_increment_, true)) return;
  problem(member.entry.path, std::string("it lists files that an archive before this one has: they are not restored") +
                                 (request_.delete_others ? ", and nothing is removed" : ""));
}

}  // namespace autoarchive::tar_internal
