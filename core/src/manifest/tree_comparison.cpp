#include "autoarchive/manifest/tree_comparison.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "read_ahead.hpp"

namespace autoarchive {
namespace {

constexpr std::size_t kItemsOfBatch = 256;

// Items keep the directory that they are in open, and descriptors are few: all six batches together take at most a
// tenth of them.
std::size_t directories_of_batch() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  return static_cast<std::size_t>(std::clamp<rlim_t>(limit.rlim_cur / 64, 1, 16));
}

bool is_below(std::string_view path, std::string_view directory) {
  if (directory == ".") return path != ".";
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

/// Directories on the current path that something holds for; those that the walk has left are forgotten.
template <class Value>
class PathMarks {
 public:
  void add(std::string path, Value value) { marks_.push_back({std::move(path), value}); }
  /// The value of the deepest marked directory above `path`; null if there is none.
  const Value* above(std::string_view path) {
    while (!marks_.empty() && !is_below(path, marks_.back().path)) marks_.pop_back();
    return marks_.empty() ? nullptr : &marks_.back().value;
  }

 private:
  struct Mark {
    std::string path;
    Value value;
  };
  std::vector<Mark> marks_;
};

// Device numbers are not compared: they change from boot to boot.
bool is_same_object(const Entry& now, const Entry& was) {
  return now.ctime == was.ctime && now.inode == was.inode;
}

// 0 is an inode that is not known, e.g. after the manifest was made from the archive.
bool was_elsewhere(const Entry& now, const Entry& was) {
  return was.inode != 0 && now.inode != was.inode && now.device == was.device;
}

TreeChange classify(const Entry& now, const ManifestEntry& was, bool in_moved_directory) {
  if (was.stored_level < 0) return TreeChange::added;
  if (now.kind != was.entry.kind || in_moved_directory || differs_visibly(now, was.entry)) return TreeChange::modified;
  if (is_same_object(now, was.entry) && now.link_count == was.entry.link_count && was.state == EntryState::ok)
    return TreeChange::unchanged;
  const bool has_own_content = now.kind == EntryKind::file && now.link_count == 1 && was.entry.link_count == 1;
  if (has_own_content) return TreeChange::touched;
  // A directory's link count is the number of its subdirectories, and not always kept.
  const bool only_count_differs = now.kind == EntryKind::directory && is_same_object(now, was.entry);
  return only_count_differs && was.state == EntryState::ok ? TreeChange::unchanged : TreeChange::modified;
}

bool is_gone(int os_errno) {
  return os_errno == ENOENT || os_errno == ENOTDIR;
}

}  // namespace

bool differs_visibly(const Entry& now, const Entry& was) noexcept {
  return now.size != was.size || now.mtime != was.mtime || now.mode != was.mode || now.uid != was.uid ||
         now.gid != was.gid || now.link_target != was.link_target || now.rdev_major != was.rdev_major ||
         now.rdev_minor != was.rdev_minor;
}

struct TreeComparison::State {
  State(std::unique_ptr<Walker> given_walker, std::unique_ptr<ManifestReader> given_parent)
      : walker(std::move(given_walker)), reader(std::move(given_parent)) {}

  // Both are read ahead: directories are listed on one thread, the parent's entries decoded on another, all compared on
  // the caller's; and the stats are made by the first or the last, whoever has time.
  void start() {
    items.emplace(
        [this, last = static_cast<const DirectoryHandle*>(nullptr), directories = std::size_t{0},
         most = directories_of_batch()](WalkItem& next_item, bool& is_enough) mutable {
          if (!walker->next(next_item)) return false;
          if (next_item.parent.get() != last) ++directories;
          last = next_item.parent.get();
          is_enough = directories >= most;
          if (is_enough) directories = 0;
          return true;
        },
        kItemsOfBatch, complete);
    if (reader) {
      parents.emplace([this](ManifestEntry& entry, bool& /*is_enough*/) { return reader->next(entry); }, kItemsOfBatch);
    }
    advance_item();
    advance_parent();
    started = true;
  }

  void advance_item() { item = items->next(); }
  void advance_parent() { parent = parents ? parents->next() : nullptr; }

  // The parent's entry alone: deleted, unless it lies where the walk could not look.
  void take_parent(ComparedItem& step) {
    const auto* state = unseen.above(parent->entry.path);
    step.change = state != nullptr ? TreeChange::unseen : TreeChange::gone;
    if (state != nullptr) step.unseen_state = *state;
    step.item = WalkItem{};
    step.item.entry = parent->entry;
    step.has_parent = true;
    step.parent = std::move(*parent);
    advance_parent();
  }

  void take_item(ComparedItem& step, bool with_parent) {
    step.item = std::move(*item);
    step.change = TreeChange::added;
    step.has_parent = with_parent;
    if (with_parent) {
      step.parent = std::move(*parent);
      advance_parent();
    }
    mark(step.item);
    if (with_parent && step.item.event == WalkEvent::entry) compare(step);
    advance_item();
  }

  void compare(ComparedItem& step) {
    const auto& now = step.item.entry;
    const auto& was = step.parent.entry;
    const bool in_moved = moved.above(now.path) != nullptr;
    step.change = classify(now, step.parent, in_moved);
    const bool is_directory = now.kind == EntryKind::directory && was.kind == EntryKind::directory;
    if (is_directory && was_elsewhere(now, was)) moved.add(now.path, true);
    if (!step.item.listed) step.change = TreeChange::modified;
  }

  // Where the walk could not look, the parent's entries stay.
  void mark(const WalkItem& seen) {
    if (seen.event == WalkEvent::list_failed) unseen.add(seen.entry.path, EntryState::failed);
    if (seen.event != WalkEvent::stat_failed) return;
    // Listed and then gone is no deletion yet: the directory's list says that it is there. An include is in no list.
    if (!is_gone(seen.os_errno)) return unseen.add(seen.entry.path, EntryState::failed);
    if (!seen.is_include) unseen.add(seen.entry.path, EntryState::vanished);
  }

  [[nodiscard]] bool takes_the_place_of_parent() const {
    if (item->event == WalkEvent::entry) return true;
    return item->event == WalkEvent::stat_failed && !(item->is_include && is_gone(item->os_errno));
  }

  bool next(ComparedItem& step) {
    if (!started) start();
    if (item == nullptr && parent == nullptr) return false;
    if (item == nullptr) return take_parent(step), true;
    // Comes after the entry of its directory, and belongs to what follows.
    if (parent == nullptr || item->event == WalkEvent::list_failed) return take_item(step, false), true;
    const auto order = compare_paths(parent->entry.path, item->entry.path);
    const bool same_entry = order == 0 && takes_the_place_of_parent();
    if (order < 0 || (order == 0 && !same_entry)) {
      take_parent(step);
    } else {
      take_item(step, same_entry);
    }
    return true;
  }

  std::unique_ptr<Walker> walker;
  std::unique_ptr<ManifestReader> reader;
  WalkItem* item = nullptr;         // the next of the walk; null: no more
  ManifestEntry* parent = nullptr;  // likewise
  PathMarks<EntryState> unseen;
  PathMarks<bool> moved;
  bool started = false;
  // Last, so that their threads end before what they use.
  std::optional<ReadAhead<WalkItem>> items;
  std::optional<ReadAhead<ManifestEntry>> parents;
};

TreeComparison::TreeComparison(std::unique_ptr<Walker> walker, std::unique_ptr<ManifestReader> parent)
    : state_(std::make_unique<State>(std::move(walker), std::move(parent))) {}

TreeComparison::~TreeComparison() = default;

bool TreeComparison::next(ComparedItem& step) {
  return state_->next(step);
}

}  // namespace autoarchive
