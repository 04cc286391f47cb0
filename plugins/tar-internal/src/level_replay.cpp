#include "level_replay.hpp"

#include <algorithm>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "member_path.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::uint64_t kBytesPerMember = 200;

std::size_t common_prefix(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

Error refused(const std::string& why) {
  return {ErrorCode::value_error,
          "a list of names tells of renamed directories " + why +
              ": restore the level before it, and from this one alone what it has",
          ErrorCause::unsupported};
}

}  // namespace

// The first path that is behind all that is below the directory, in the order of bytes.
std::string LevelReplay::behind(std::string_view directory) {
  constexpr char kBehindSlash = '/' + 1;
  return std::string(directory) + kBehindSlash;
}

void LevelReplay::take(std::uint64_t bytes) {
  taken_.count += bytes;
  if (taken_.count <= memory_.count) return;
  throw Error(ErrorCode::value_error,
              "the levels have more names than memory is for; restore them one after the other by tar --extract "
              "--listed-incremental=/dev/null",
              ErrorCause::unsupported);
}

LevelReplay::Members::iterator LevelReplay::erase(Members::iterator begin, Members::iterator end) {
  for (auto member = begin; member != end; ++member) taken_.count -= kBytesPerMember + member->first.size();
  return members_.erase(begin, end);
}

void LevelReplay::erase_below(const std::string& path) {
  erase(members_.lower_bound(path + '/'), members_.lower_bound(behind(path)));
}

// In the order of bytes, all that is between a directory and what is below it begins with its path: no more of the path
// than the entry before it shares can be there.
void LevelReplay::erase_files_above(const std::string& path) {
  auto parent = directory_of(path);
  if (parent == last_parent_) return;
  last_parent_ = parent;
  while (parent != ".") {
    const auto behind_it = members_.upper_bound(parent);
    if (behind_it == members_.begin()) return;
    const auto before = std::prev(behind_it);
    if (const auto shared = common_prefix(before->first, parent); shared < parent.size()) {
      while (parent.size() > shared && parent != ".") parent = directory_of(parent);
      continue;
    }
    if (before->second.own != kNowhere && before->second.is_directory) return;  // above it there are directories
    parent = directory_of(parent);
    if (before->second.own != kNowhere) erase(before, behind_it);
  }
}

void LevelReplay::add(const ArchiveMember& member, Place place) {
  const auto& entry = member.entry;
  // GNU tar stores so what it was told to store twice.
  if (member.hard_link && entry.link_target == entry.path && content_of(entry.path)) return;
  Member added{place, place, entry.mtime, entry.kind == EntryKind::directory && !member.hard_link};
  if (member.hard_link) added.content = content_of(entry.link_target).value_or(kNowhere);
  erase_files_above(entry.path);
  if (!added.is_directory && entry.path != ".") {
    erase_below(entry.path);
    if (is_below(last_parent_, entry.path)) last_parent_.clear();
  }
  if (members_.insert_or_assign(entry.path, added).second) take(kBytesPerMember + entry.path.size());
}

// Each name in the directory once or twice ("a", "a-b", "a/c" is the order of bytes), whatever is below it: the time is
// that of the list and of what is gone.
void LevelReplay::apply_list(const ArchiveMember& directory, const std::vector<std::string>& unstored) {
  const auto& listed = *directory.dumpdir;
  const auto prefix = directory.entry.path == "." ? std::string() : directory.entry.path + '/';
  auto member = members_.lower_bound(prefix);
  while (member != members_.end() && member->first.starts_with(prefix)) {
    const auto end = member->first.find('/', prefix.size());
    const auto child = member->first.substr(0, end);
    const bool is_below_child = end != std::string::npos;
    const auto next = is_below_child ? members_.lower_bound(behind(child)) : std::next(member);
    const bool is_there = child == "." || std::binary_search(listed.begin(), listed.end(), child.substr(prefix.size()));
    member = is_there ? next : erase(member, next);
  }
  for (const auto& name : listed)
    note_listed(prefix + name, std::binary_search(unstored.begin(), unstored.end(), name));
}

// GNU tar lists a socket as stored, too, once it is older than the level before.
void LevelReplay::note_listed(const std::string& path, bool is_stored) {
  Member listed;
  listed.is_stored = is_stored;
  if (members_.try_emplace(path, listed).second) take(kBytesPerMember + path.size());
}

// In the order of a walk, what is below a path follows it.
void LevelReplay::require_apart(const std::vector<Rename>& renames) {
  std::vector<std::string> names;
  for (const auto& [from, to] : renames) names.insert(names.end(), {from, to});
  std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return compare_paths(a, b) < 0; });
  for (std::size_t i = 1; i < names.size(); ++i) {
    if (is_below(names[i], names[i - 1]))
      throw refused("that change places (" + quote(names[i]) + "), which GNU tar can replay wrongly");
  }
}

void LevelReplay::rename(const std::vector<Rename>& renames, bool is_whole) {
  require_apart(renames);
  for (const auto& rename : renames) {
    const auto found = members_.find(rename.from);
    const bool is_there = found != members_.end() && found->second.own != kNowhere;
    if (!is_there && !is_whole) continue;
    if (!is_there || !found->second.is_directory)
      throw refused("of which no level has one (" + quote(rename.from) + ")");
    move(rename);
  }
  last_parent_.clear();
}

void LevelReplay::move(const Rename& rename) {
  const auto& [from, to] = rename;
  erase_files_above(to);
  erase_below(to);
  if (const auto there = members_.find(to); there != members_.end()) erase(there, std::next(there));
  std::vector<Members::node_type> moved;
  moved.push_back(members_.extract(from));
  const auto end = members_.lower_bound(behind(from));
  for (auto member = members_.lower_bound(from + '/'); member != end;) moved.push_back(members_.extract(member++));
  moves_ += moved.size();
  if (moves_ > max_moves_) throw refused("with too many names below them");
  if (to.size() > from.size()) take(moved.size() * (to.size() - from.size()));
  for (auto& member : moved) {
    member.key().replace(0, from.size(), to);
    member.mapped().is_moved = true;
    members_.insert(std::move(member));
  }
}

void LevelReplay::name_contents(const std::function<bool(const std::string&)>& is_wanted) {
  for (const auto& [path, member] : members_) {
    if (member.own == kNowhere) continue;
    if (member.is_moved) moved_.emplace(member.own, path);
    const bool is_link = member.content != member.own && member.content != kNowhere;
    if (is_link && is_wanted(path)) further_names_[member.content].push_back(path);
  }
}

const std::string* LevelReplay::last_path(const std::string& path, Place place) const {
  if (const auto moved = moved_.find(place); moved != moved_.end()) return &moved->second;
  const auto found = members_.find(path);
  return found != members_.end() && found->second.own == place ? &found->first : nullptr;
}

std::optional<LevelReplay::Place> LevelReplay::content_of(const std::string& path) const {
  const auto found = members_.find(path);
  if (found == members_.end() || found->second.content == kNowhere || found->second.is_directory) return std::nullopt;
  return found->second.content;
}

const std::vector<std::string>& LevelReplay::further_names(Place content) const {
  static const std::vector<std::string> none;
  const auto found = further_names_.find(content);
  return found == further_names_.end() ? none : found->second;
}

void LevelReplay::for_each_absent(const std::function<void(const std::string& path, bool is_stored)>& call) const {
  for (const auto& [path, member] : members_) {
    if (member.own == kNowhere) call(path, member.is_stored);
  }
}

void LevelReplay::for_each_directory(
    const std::function<void(const std::string& path, const Timestamp& mtime)>& call) const {
  for (const auto& [path, member] : members_) {
    if (member.is_directory) call(path, member.mtime);
  }
}

}  // namespace autoarchive::tar_internal
