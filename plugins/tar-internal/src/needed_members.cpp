#include "needed_members.hpp"

#include <algorithm>

namespace autoarchive::tar_internal {
namespace {

bool is_special_with_names(const Entry& entry) {
  return has_further_names(entry) && entry.kind != EntryKind::file && entry.inode != 0;
}

}  // namespace

void NeededMembers::add(const ManifestEntry& line) {
  if (line.stored_level < 0 || !line.offset) return;
  if (is_special_with_names(line.entry)) special_files_.try_emplace(identity_of(line), line.stored_level, *line.offset);
  if (place_of(line) != LevelOffset(line.stored_level, *line.offset)) return;
  const auto level = static_cast<std::size_t>(line.stored_level);
  if (level >= levels_.size()) levels_.resize(level + 1);
  levels_[level].push_back(Place::of(line));
  if (has_further_names(line.entry)) names_.try_emplace({line.stored_level, *line.offset}, line.entry.path);
}

void NeededMembers::seal() {
  // Names of one file have one place.
  for (auto& places : levels_) {
    const int level = static_cast<int>(done_.size());
    std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
    const auto same = [&](const auto& a, const auto& b) {
      if (a.offset == b.offset && name_at(level, a.offset) == nullptr) unnamed_.emplace(level, a.offset);
      return a.offset == b.offset;
    };
    places.erase(std::unique(places.begin(), places.end(), same), places.end());
    done_.emplace_back(places.size(), false);
  }
}

void NeededMembers::name(const ManifestEntry& line) {
  if (line.stored_level < 0 || !line.offset) return;
  const LevelOffset place{line.stored_level, *line.offset};
  if (unnamed_.contains(place)) names_.try_emplace(place, line.entry.path);
}

NeededMembers::LevelOffset NeededMembers::place_of(const ManifestEntry& line) const {
  const LevelOffset own{line.stored_level, *line.offset};
  if (!is_special_with_names(line.entry)) return own;
  const auto first = special_files_.find(identity_of(line));
  return first == special_files_.end() ? own : first->second;
}

std::size_t NeededMembers::index_of(int level, std::uint64_t offset) const {
  const auto& places = levels_[static_cast<std::size_t>(level)];
  const auto found = std::lower_bound(places.begin(), places.end(), offset,
                                      [](const auto& place, auto wanted) { return place.offset < wanted; });
  const bool is_there = found != places.end() && found->offset == offset;
  return is_there ? static_cast<std::size_t>(found - places.begin()) : places.size();
}

const NeededMembers::Place* NeededMembers::find(int level, std::uint64_t offset) const {
  if (count(level) == 0) return nullptr;
  const auto& places = levels_[static_cast<std::size_t>(level)];
  const auto index = index_of(level, offset);
  return index < places.size() ? &places[index] : nullptr;
}

std::uint64_t NeededMembers::count(int level) const noexcept {
  return level >= 0 && static_cast<std::size_t>(level) < levels_.size()
             ? levels_[static_cast<std::size_t>(level)].size()
             : 0;
}

const std::string* NeededMembers::name_at(int level, std::uint64_t offset) const {
  const auto found = names_.find({level, offset});
  return found == names_.end() ? nullptr : &found->second;
}

void NeededMembers::note_done(int level, std::uint64_t offset) {
  done_[static_cast<std::size_t>(level)][index_of(level, offset)] = true;
}

bool NeededMembers::is_done(int level, std::uint64_t offset) const {
  return done_[static_cast<std::size_t>(level)][index_of(level, offset)];
}

bool NeededMembers::are_done() const {
  return std::all_of(done_.begin(), done_.end(),
                     [](const auto& level) { return std::find(level.begin(), level.end(), false) == level.end(); });
}

bool NeededMembers::are_done(int level) const {
  if (count(level) == 0) return true;
  const auto& done = done_[static_cast<std::size_t>(level)];
  return std::find(done.begin(), done.end(), false) == done.end();
}

}  // namespace autoarchive::tar_internal
