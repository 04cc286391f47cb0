#include "level_replay.hpp"

#include <algorithm>

#include "autoarchive/base/error.hpp"
#include "target_tree.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::uint64_t kBytesPerMember = 150;
// A member goes with a rename of any directory above it, a few times a level.
constexpr std::uint64_t kMaxMoves = 1U << 20U;
constexpr std::uint64_t kMaxMovesPerMember = 64;

}  // namespace

// The first path that is behind all that is below the directory, in the order of bytes.
std::string LevelReplay::behind(std::string_view directory) {
  constexpr char kBehindSlash = '/' + 1;
  return std::string(directory) + kBehindSlash;
}

void LevelReplay::erase_below(const std::string& path) {
  members_.erase(members_.lower_bound(path + '/'), members_.lower_bound(behind(path)));
}

void LevelReplay::add(const ArchiveMember& member, Place place) {
  const auto& entry = member.entry;
  // GNU tar stores so what it was told to store twice.
  if (member.hard_link && entry.link_target == entry.path && content_of(entry.path)) return;
  const auto content = member.hard_link ? content_of(entry.link_target) : place;
  if (entry.kind != EntryKind::directory && entry.path != ".") erase_below(entry.path);
  if (!members_.insert_or_assign(entry.path, Member{place, content.value_or(kNowhere)}).second) return;
  taken_.count += kBytesPerMember + entry.path.size();
  if (taken_.count > memory_.count) {
    throw Error(ErrorCode::value_error,
                "the levels have more names than memory is for; restore them one after the other by tar --extract "
                "--listed-incremental=/dev/null",
                ErrorCause::unsupported);
  }
}

// Each name in the directory once or twice ("a", "a-b", "a/c" is the order of bytes), whatever is below it: the time is
// that of the list and of what is gone.
void LevelReplay::apply_list(const ArchiveMember& directory) {
  const auto& listed = *directory.dumpdir;
  const auto prefix = directory.entry.path == "." ? std::string() : directory.entry.path + '/';
  auto member = members_.lower_bound(prefix);
  while (member != members_.end() && member->first.starts_with(prefix)) {
    const auto end = member->first.find('/', prefix.size());
    const auto child = member->first.substr(0, end);
    const bool is_below_child = end != std::string::npos;
    const auto next = is_below_child ? members_.lower_bound(behind(child)) : std::next(member);
    const bool is_there = child == "." || std::binary_search(listed.begin(), listed.end(), child.substr(prefix.size()));
    member = is_there ? next : members_.erase(member, next);
  }
}

void LevelReplay::rename(const Rename& rename) {
  const auto& [from, to] = rename;
  if (from == to || is_below(to, from) || is_below(from, to)) return;
  erase_below(to);
  members_.erase(to);
  std::vector<Members::node_type> moved;
  if (const auto directory = members_.find(from); directory != members_.end())
    moved.push_back(members_.extract(directory));
  const auto end = members_.lower_bound(behind(from));
  for (auto member = members_.lower_bound(from + '/'); member != end;) moved.push_back(members_.extract(member++));
  moves_ += moved.size();
  if (moves_ > kMaxMoves + kMaxMovesPerMember * members_.size()) {
    throw Error(ErrorCode::value_error, "its lists of names rename directories again and again: it is not replayed",
                ErrorCause::unsupported);
  }
  for (auto& member : moved) {
    member.key().replace(0, from.size(), to);
    member.mapped().is_moved = true;
    members_.insert(std::move(member));
  }
}

void LevelReplay::name_contents(const std::function<bool(const std::string&)>& is_wanted) {
  for (const auto& [path, member] : members_) {
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
  if (found == members_.end() || found->second.content == kNowhere) return std::nullopt;
  return found->second.content;
}

const std::vector<std::string>& LevelReplay::further_names(Place content) const {
  static const std::vector<std::string> kNone;
  const auto found = further_names_.find(content);
  return found == further_names_.end() ? kNone : found->second;
}

}  // namespace autoarchive::tar_internal
