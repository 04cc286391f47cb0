#include "entry_sorter.hpp"

#include <algorithm>
#include <utility>

namespace autoarchive::tar_internal {

EntrySorter::EntrySorter(std::filesystem::path directory, int level, std::size_t max_held)
    : directory_(std::move(directory)), max_held_(max_held) {
  header_.backup_uuid = "-";
  header_.level = level;
}

void EntrySorter::add(ManifestEntry entry) {
  held_.push_back(std::move(entry));
  if (held_.size() >= max_held_) spill();
}

void EntrySorter::sort_held() {
  std::stable_sort(held_.begin(), held_.end(),
                   [](const auto& a, const auto& b) { return compare_paths(a.entry.path, b.entry.path) < 0; });
  // From the back, so that the last one of a path stays.
  const auto end = std::unique(held_.rbegin(), held_.rend(),
                               [](const auto& a, const auto& b) { return a.entry.path == b.entry.path; });
  held_.erase(held_.begin(), end.base());
}

void EntrySorter::spill() {
  if (held_.empty()) return;
  sort_held();
  const bool continues = !runs_.empty() && compare_paths(runs_.back().last_path, held_.front().entry.path) < 0;
  if (!continues) {
    end_run();
    auto& run = runs_.emplace_back();
    run.file = std::make_unique<TemporaryFile>(directory_);
    run.writer = std::make_unique<ManifestWriter>(*run.file, header_);
  }
  for (const auto& entry : held_) runs_.back().writer->add(entry);
  runs_.back().last_path = held_.back().entry.path;
  held_.clear();
}

void EntrySorter::end_run() {
  if (runs_.empty() || !runs_.back().writer) return;
  runs_.back().writer->finish({});
  runs_.back().writer.reset();
  runs_.back().file->finish();
}

void EntrySorter::rewind() {
  next_held_ = 0;
  if (runs_.empty()) return sort_held();
  spill();
  end_run();
  heads_.clear();
  for (const auto& run : runs_) {
    auto& head = heads_.emplace_back();
    head.reader = std::make_unique<ManifestReader>(run.file->reader());
    head.has_entry = head.reader->next(head.entry);
  }
}

bool EntrySorter::next(ManifestEntry& entry) {
  if (runs_.empty()) {
    if (next_held_ == held_.size()) return false;
    entry = held_[next_held_++];
    return true;
  }
  Head* first = nullptr;
  for (auto& head : heads_) {
    if (!head.has_entry) continue;
    if (first == nullptr) {
      first = &head;
      continue;
    }
    const auto order = compare_paths(head.entry.entry.path, first->entry.entry.path);
    // A later run has what was added later.
    if (order == 0) first->has_entry = first->reader->next(first->entry);
    if (order <= 0) first = &head;
  }
  if (first == nullptr) return false;
  std::swap(entry, first->entry);
  first->has_entry = first->reader->next(first->entry);
  return true;
}

}  // namespace autoarchive::tar_internal
