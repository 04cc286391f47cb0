// The restore of a chain that has no manifest: level after level.
#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <unordered_set>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "known_members.hpp"
#include "member_reader.hpp"
#include "restore_job.hpp"
#include "salvage.hpp"

namespace autoarchive::tar_internal {
namespace {

/// Whether a directory's list has what `path`, which is below it, is in.
bool is_listed(const std::vector<std::string>& names, std::string_view directory, std::string_view path) {
  const auto rest = path.substr(directory == "." ? 0 : directory.size() + 1);
  return std::binary_search(names.begin(), names.end(), rest.substr(0, rest.find('/')));
}

}  // namespace

void RestoreJob::restore_by_level() {
  for (const auto& level : request_.levels) {
    if (level.file) restore_level(level);
  }
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

void RestoreJob::restore_level(const ArchiveLevel& level) {
  const bool is_first = &level == &request_.levels.front();
  const auto known = known_of(level);
  std::unordered_set<std::size_t> brought;  // hashes of paths; to salvage
  bool is_damaged = false;
  bool is_behind_damage = false;
  SalvageCalls calls;
  calls.member = [&](MemberReader& reader, const ArchiveMember& member) {
    const auto& path = member.entry.path;
    if (std::exchange(is_behind_damage, false))
      problem(path, "it comes first behind the damage: its name and attributes may be those of something else");
    const bool is_new = !request_.salvage || brought.insert(std::hash<std::string>()(path)).second;
    if (is_damaged && !is_new)
      return problem(path,
                     "it comes again behind the damage, as in an archive that is stored in the archive; what was "
                     "restored before stays");
    // A list of names that deletes may be one of an archive that is stored in the archive.
    const auto found = known ? known->find(member) : std::nullopt;
    take(member, reader, found ? found->digest : std::nullopt, is_first || is_damaged);
  };
  calls.damage = [&](const Error& error) {
    damage_of_file(error);
    is_damaged = is_behind_damage = true;
  };
  calls.check_stop = [&] { check_stop(); };
  read_members_and_salvage(*level.file, request_.decoder_memory, calls);
}

void RestoreJob::take(const ArchiveMember& member, MemberReader& reader, std::optional<std::uint64_t> digest,
                      bool is_first) {
  const auto& path = member.entry.path;
  if (safe_member_path(path).empty()) return problem(path, "its name leads out of the target; it is not restored");
  reader.require_no_renames("the list of names of " + quote(path));
  if (is_first && reader.lists_unstored() && !std::exchange(is_increment_, true)) {
    problem(path, std::string("it lists files that an archive before this one has: they are not restored") +
                      (request_.delete_others ? ", and nothing is removed" : ""));
  }
  const bool wanted = is_wanted(path);
  // A level's directory lists all that it holds; what an earlier level has brought and the list does not have is
  // deleted.
  if (member.dumpdir && !is_first && !is_proof() && (wanted || is_above(path))) apply_dumpdir(member);
  if (!wanted) {
    if (member.entry.kind == EntryKind::directory && is_above(path)) tree_.note_way(member.entry);
    return;
  }
  tree_.keep(path);
  if (!is_proof() && !tree_.may_replace(member.entry)) return;
  const bool is_right = make(member, reader, digest);
  // What a level before this one had there is not what was there.
  if (!is_right && !request_.salvage && tree_.was_restored(path)) tree_.remove(path);
  tell_progress();
}

void RestoreJob::apply_dumpdir(const ArchiveMember& directory) {
  const auto& path = directory.entry.path;
  const auto& listed = *directory.dumpdir;
  for (const auto& name : tree_.restored_names_in(path)) {
    const auto child = join(path, name);
    if (!std::binary_search(listed.begin(), listed.end(), name) && is_wanted(child)) tree_.remove(child);
  }
  for (std::size_t i = 0; i < request_.paths.size(); ++i) {
    const auto& wanted = request_.paths[i];
    if (wanted == path || !is_below(wanted, path) || is_listed(*directory.dumpdir, path, wanted)) continue;
    if (tree_.was_restored(wanted)) tree_.remove(wanted);
    found_[i] = false;
  }
}

// Nothing says what the last level has but the levels themselves: they are replayed into a table of names.
void RestoreJob::plan_by_level() {
  struct Planned {  // there may be millions
    Timestamp mtime;
    std::uint64_t size = 0;
    EntryKind kind = EntryKind::unknown;
    bool hard_link = false;
  };
  std::map<std::string, Planned> members;
  SalvageCalls calls;
  calls.member = [&](MemberReader& /*reader*/, const ArchiveMember& member) {
    const auto& path = member.entry.path;
    const bool wanted = is_wanted(path);
    if (safe_member_path(path).empty() || (!wanted && !is_above(path))) return;
    if (member.dumpdir) {
      std::erase_if(members, [&](const auto& item) {
        return item.first != path && is_below(item.first, path) && !is_listed(*member.dumpdir, path, item.first);
      });
    }
    if (wanted) members[path] = {member.entry.mtime, member.entry.size, member.entry.kind, member.hard_link};
  };
  calls.damage = [&](const Error& error) { damage_of_file(error); };
  calls.check_stop = [&] { check_stop(); };
  for (const auto& level : request_.levels) {
    if (level.file) read_members_and_salvage(*level.file, request_.decoder_memory, calls);
  }
  std::fill(found_.begin(), found_.end(), false);
  for (const auto& [path, planned] : members) {
    static_cast<void>(is_wanted(path));
    tree_.keep(path);
    ArchiveMember member;
    member.entry.path = path;
    member.entry.kind = planned.kind;
    member.entry.size = planned.size;
    member.entry.mtime = planned.mtime;
    member.hard_link = planned.hard_link;
    if (tree_.may_replace(member.entry)) count(member);
  }
}

}  // namespace autoarchive::tar_internal
