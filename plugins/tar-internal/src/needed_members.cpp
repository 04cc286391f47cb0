#include "needed_members.hpp"

#include <algorithm>
#include <functional>

namespace autoarchive::tar_internal {
namespace {

std::size_t link_key(int level, std::string_view path) {
  return std::hash<std::string_view>()(path) + static_cast<std::size_t>(level);
}

}  // namespace

void NeededMembers::add(const ManifestEntry& line) {
  if (line.stored_level < 0 || !line.offset) return;
  const auto level = static_cast<std::size_t>(line.stored_level);
  if (level >= levels_.size()) levels_.resize(level + 1);
  levels_[level].push_back({*line.offset, line.digest});
  if (line.entry.link_count > 1 && line.entry.kind != EntryKind::directory)
    links_.insert(link_key(line.stored_level, line.entry.path));
}

void NeededMembers::seal() {
  // Names of one file have one place.
  for (auto& places : levels_) {
    std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
    const auto same = [](const auto& a, const auto& b) { return a.offset == b.offset; };
    places.erase(std::unique(places.begin(), places.end(), same), places.end());
    found_.emplace_back(places.size(), false);
  }
}

std::size_t NeededMembers::index_of(int level, const Place& place) const {
  return static_cast<std::size_t>(&place - levels_[static_cast<std::size_t>(level)].data());
}

void NeededMembers::note_found(int level, const Place& place) {
  found_[static_cast<std::size_t>(level)][index_of(level, place)] = true;
}

bool NeededMembers::was_found(int level, const Place& place) const {
  return found_[static_cast<std::size_t>(level)][index_of(level, place)];
}

const NeededMembers::Place* NeededMembers::find(int level, std::uint64_t offset) const {
  if (level < 0 || static_cast<std::size_t>(level) >= levels_.size()) return nullptr;
  const auto& places = levels_[static_cast<std::size_t>(level)];
  const auto found = std::lower_bound(places.begin(), places.end(), offset,
                                      [](const auto& place, auto wanted) { return place.offset < wanted; });
  return found != places.end() && found->offset == offset ? &*found : nullptr;
}

bool NeededMembers::are_found() const {
  return std::all_of(found_.begin(), found_.end(), [](const auto& level) {
    return std::all_of(level.begin(), level.end(), [](bool found) { return found; });
  });
}

std::uint64_t NeededMembers::count(int level) const noexcept {
  return static_cast<std::size_t>(level) < levels_.size() ? levels_[static_cast<std::size_t>(level)].size() : 0;
}

bool NeededMembers::is_link(int level, std::string_view path) const {
  return links_.contains(link_key(level, path));
}

}  // namespace autoarchive::tar_internal
