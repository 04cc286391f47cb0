#include "autoarchive/tree/walker.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "directory_reader.hpp"
#include "open_entry.hpp"

// How it walks: a stack of frames, one per directory on the current path. A frame holds the directory's names and, for
// the 60 deepest ones, its open descriptor. When the walk comes back to a frame whose descriptor was closed, it is
// opened again by ".." of the directory that the walk comes from, and checked by device and inode: somebody may have
// moved it.

namespace autoarchive {
namespace {

constexpr std::size_t kMaxOpenFrames = 60;

using HandlePtr = std::shared_ptr<const DirectoryHandle>;

struct Frame {
  std::string path;
  HandlePtr handle;  // null: closed to save descriptors
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::vector<Child> children;
  std::size_t next = 0;
};

/// Normalised, sorted in walk order, what lies below another one dropped.
std::vector<std::string> normalize_includes(const std::set<std::string>& includes) {
  std::vector<std::string> sorted;
  sorted.reserve(includes.size());
  for (const auto& include : includes) sorted.push_back(normalize_path(include));
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return compare_paths(a, b) < 0; });
  std::vector<std::string> kept;
  for (auto& path : sorted) {
    const bool below =
        !kept.empty() && (kept.back() == "." || path == kept.back() || path.starts_with(kept.back() + "/"));
    if (!below) kept.push_back(std::move(path));
  }
  return kept;
}

Error root_error(const std::filesystem::path& root, int os_errno) {
  return Error::from_errno(os_errno, "root " + quote(root.native()), ErrorCause::source);
}

void fail(int os_errno, WalkItem& item) {
  item.event = WalkEvent::stat_failed;
  item.os_errno = os_errno;
}

bool is_directory_at(int directory_fd, const std::string& name) {
  struct stat status {};
  return ::fstatat(directory_fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

void look_at(const char* name, WalkItem& item) {
  struct stat status {};
  if (::fstatat(item.parent->fd(), name, &status, AT_SYMLINK_NOFOLLOW) != 0) return fail(errno, item);
  fill_from_stat(status, item.entry);
  if (item.entry.kind == EntryKind::socket) item.event = WalkEvent::socket;
  if (item.entry.kind == EntryKind::unknown) item.event = WalkEvent::unknown_type;
  const bool is_symlink = item.entry.kind == EntryKind::symlink;
  if (is_symlink && !read_link_at(item.parent->fd(), name, item.entry.link_target)) fail(errno, item);
}

}  // namespace

struct Walker::State {
  State(WalkOptions given, const Filter& rules)
      : options(std::move(given)),
        filter(rules),
        own_files(options.own_files),
        includes(normalize_includes(options.includes)) {
    UniqueFd fd(::open(options.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOCTTY));
    if (!fd) throw root_error(options.root, errno);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) throw root_error(options.root, errno);
    root_device = status.st_dev;
    root = std::make_shared<const DirectoryHandle>(std::move(fd));
  }

  bool next(WalkItem& item);
  bool next_include(WalkItem& item);
  void yield_failed_include(const std::string& path, int os_errno, WalkItem& item);
  void yield_closed_way(const std::string& path, const std::string& name, bool with_entry, int os_errno,
                        WalkItem& item);
  bool next_child(WalkItem& item);
  void visit(std::string path, const HandlePtr& parent, const char* name, bool descend, WalkItem& item);
  void visit_child(const Child& child, std::string path, const HandlePtr& parent, WalkItem& item);
  [[nodiscard]] std::vector<ChildName> names_towards_includes(int fd, const std::string& directory) const;
  void enter(const HandlePtr& parent, const char* name, bool descend, WalkItem& item);
  void fail_listing(int os_errno, WalkItem& item);
  void push(Frame frame);
  void pop();

  WalkOptions options;
  const Filter& filter;
  OwnFiles own_files;
  std::vector<std::string> includes;
  std::size_t next_include_index = 0;
  std::string pending_include;       // its ancestors are being yielded
  std::size_t pending_ancestor = 0;  // length of the next ancestor's path in pending_include; 0: the root
  HandlePtr pending_parent;
  std::string last_ancestor;                   // the deepest that was yielded
  std::pair<std::string, int> failed_include;  // to be yielded after what stood in its way
  bool root_yielded = false;
  HandlePtr root;
  std::uint64_t root_device = 0;
  std::deque<Frame> frames;
  int pending_list_error = 0;  // to be yielded after the directory's own entry
  std::string pending_list_path;
};

void Walker::State::push(Frame frame) {
  frames.push_back(std::move(frame));
  if (frames.size() > kMaxOpenFrames) frames[frames.size() - 1 - kMaxOpenFrames].handle.reset();
}

void Walker::State::pop() {
  const HandlePtr left = std::move(frames.back().handle);
  frames.pop_back();
  if (frames.empty() || frames.back().handle) return;
  auto& frame = frames.back();
  // Without `left` the way back was lost below: it is lost here, too.
  errno = ESTALE;
  UniqueFd fd = left ? open_at(left->fd(), "..", O_DIRECTORY) : UniqueFd();
  struct stat status {};
  if (fd && ::fstat(fd.get(), &status) == 0 && status.st_dev == frame.device && status.st_ino == frame.inode) {
    frame.handle = std::make_shared<const DirectoryHandle>(std::move(fd));
    return;
  }
  // It was moved while we were below it. What is left of it can't be reached safely any more.
  pending_list_error = fd ? ESTALE : errno;
  pending_list_path = frame.path;
  frame.next = frame.children.size();
}

void Walker::State::fail_listing(int os_errno, WalkItem& item) {
  item.listed = false;
  pending_list_error = os_errno;
  pending_list_path = item.entry.path;
}

// Opens the directory of the item, fills in its names and makes it the next to be walked.
void Walker::State::enter(const HandlePtr& parent, const char* name, bool descend, WalkItem& item) {
  const bool foreign = filter.rules().one_file_system && item.entry.device != root_device;
  if (foreign) return;
  UniqueFd fd = open_at(parent->fd(), name, O_DIRECTORY);
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return fail_listing(errno, item);
  if (status.st_dev != item.entry.device || status.st_ino != item.entry.inode) return fail_listing(ESTALE, item);
  if (!descend) {
    item.names = names_towards_includes(fd.get(), item.entry.path);
    return;
  }
  auto listing = list_directory(fd.get(), item.entry.path, filter, own_files);
  if (listing.os_errno != 0) fail_listing(listing.os_errno, item);
  item.names.reserve(listing.children.size());
  for (const auto& child : listing.children) {
    if (child.in_names) item.names.push_back({child.name, child.is_directory});
  }
  push({item.entry.path, std::make_shared<const DirectoryHandle>(std::move(fd)), item.entry.device, item.entry.inode,
        std::move(listing.children), 0});
}

// Of an include's ancestor: what is below it in the backup.
std::vector<ChildName> Walker::State::names_towards_includes(int fd, const std::string& directory) const {
  std::vector<ChildName> names;
  const std::string prefix = directory == "." ? "" : directory + "/";
  for (const auto& include : includes) {  // sorted, so that equal names come in a row
    if (include == "." || !include.starts_with(prefix)) continue;
    const auto end = std::min(include.find('/', prefix.size()), include.size());
    const auto name = include.substr(prefix.size(), end - prefix.size());
    if (!names.empty() && names.back().name == name) continue;
    const bool is_on_the_way = end != include.size();
    struct stat status {};
    const bool found = ::fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (!found && (errno == ENOENT || errno == ENOTDIR)) continue;
    const bool is_directory = found && S_ISDIR(status.st_mode);
    if (found && is_on_the_way && !is_directory) continue;  // nothing is below it
    const bool can_be_stored = !found || !S_ISSOCK(status.st_mode);
    if (can_be_stored && !filter.decide(prefix + name, is_directory).excluded) names.push_back({name, is_directory});
  }
  return names;
}

void Walker::State::visit(std::string path, const HandlePtr& parent, const char* name, bool descend, WalkItem& item) {
  item.entry.path = std::move(path);
  item.parent = parent;
  look_at(name, item);
  if (item.event == WalkEvent::entry && item.entry.kind == EntryKind::directory) enter(parent, name, descend, item);
}

void Walker::State::visit_child(const Child& child, std::string path, const HandlePtr& parent, WalkItem& item) {
  const bool may_be_directory = child.kind == EntryKind::directory || child.kind == EntryKind::unknown;
  if (options.with_stats || may_be_directory)
    return visit(std::move(path), parent, child.name.c_str(), /*descend=*/true, item);
  item.entry.path = std::move(path);
  item.entry.kind = child.kind;
  item.parent = parent;
  item.has_stat = false;
}

bool Walker::State::next_child(WalkItem& item) {
  while (!frames.empty()) {
    auto& frame = frames.back();
    if (frame.next == frame.children.size()) {
      pop();
      if (pending_list_error != 0) return next(item);
      continue;
    }
    const auto& child = frame.children[frame.next++];
    auto path = join_path(frame.path, child.name);
    if (child.excluded) {
      item.event = WalkEvent::excluded;
      item.entry.path = std::move(path);
      item.rule = child.rule;
      item.parent = frame.handle;
      return true;
    }
    // Entering a directory adds a frame, which may close this one's descriptor.
    const HandlePtr parent = frame.handle;
    visit_child(child, std::move(path), parent, item);
    return true;
  }
  return false;
}

void Walker::State::yield_failed_include(const std::string& path, int os_errno, WalkItem& item) {
  item.event = WalkEvent::stat_failed;
  item.os_errno = os_errno;
  item.entry.path = path;
  item.is_include = true;
}

// `path`, on the way to the pending include, can't be opened. If it is there it is an entry as any other directory that
// can't be listed, and the include is told after it.
void Walker::State::yield_closed_way(const std::string& path, const std::string& name, bool with_entry, int os_errno,
                                     WalkItem& item) {
  const auto include = std::exchange(pending_include, {});
  const bool is_there = os_errno != ENOENT && os_errno != ENOTDIR && os_errno != ELOOP;
  const bool is_our_shortage = os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOMEM;
  if (!with_entry || !is_there || is_our_shortage) return yield_failed_include(include, os_errno, item);
  failed_include = {include, os_errno};
  last_ancestor = path;
  item.entry.path = path;
  item.parent = pending_parent;
  look_at(name.c_str(), item);
  if (item.event == WalkEvent::entry) fail_listing(os_errno, item);
}

// Walks down to an include, one component after the other and through no symlink; the ancestors are yielded if wanted.
bool Walker::State::next_include(WalkItem& item) {
  if (pending_include.empty()) {
    if (next_include_index == includes.size()) return false;
    pending_include = includes[next_include_index++];
    pending_ancestor = 0;
    pending_parent = root;
  }
  const auto include = pending_include;
  for (;;) {
    const bool is_root_turn =
        pending_ancestor == 0 && pending_parent == root && options.with_ancestors && !root_yielded;
    if (is_root_turn && include != ".") {
      root_yielded = true;
      visit(".", root, ".", /*descend=*/false, item);
      return true;
    }
    const auto begin = pending_ancestor == 0 ? 0 : pending_ancestor + 1;
    const auto slash = include.find('/', begin);
    const auto path = include.substr(0, slash);
    const auto component = path.substr(begin);
    const bool is_directory = slash != std::string::npos || is_directory_at(pending_parent->fd(), component);
    auto verdict = filter.decide(path, is_directory);
    if (verdict.excluded) {
      pending_include.clear();
      item.event = WalkEvent::excluded;
      item.entry.path = path;
      item.rule = std::move(verdict.rule);
      return true;
    }
    if (slash == std::string::npos) {
      pending_include.clear();
      item.is_include = true;
      visit(path, pending_parent, component.c_str(), /*descend=*/true, item);
      return true;
    }
    const HandlePtr parent = pending_parent;
    const bool known = last_ancestor == path || last_ancestor.starts_with(path + "/");
    UniqueFd fd = open_at(parent->fd(), component.c_str(), O_DIRECTORY);
    if (!fd) {
      yield_closed_way(path, component, options.with_ancestors && !known, errno, item);
      return true;
    }
    pending_parent = std::make_shared<const DirectoryHandle>(std::move(fd));
    pending_ancestor = path.size();
    if (options.with_ancestors && !known) {
      last_ancestor = path;
      visit(path, parent, component.c_str(), /*descend=*/false, item);
      return true;
    }
  }
}

bool Walker::State::next(WalkItem& item) {
  item.event = WalkEvent::entry;
  item.os_errno = 0;
  item.rule.clear();
  item.is_include = false;
  item.listed = true;
  item.has_stat = true;
  item.names.clear();
  item.entry = Entry{};
  item.parent.reset();
  if (pending_list_error != 0) {
    item.event = WalkEvent::list_failed;
    item.os_errno = std::exchange(pending_list_error, 0);
    item.entry.path = std::move(pending_list_path);
    item.entry.kind = EntryKind::directory;
    return true;
  }
  if (!failed_include.first.empty()) {
    const auto [include, os_errno] = std::exchange(failed_include, {});
    return yield_failed_include(include, os_errno, item), true;
  }
  return next_child(item) || next_include(item);
}

Walker::Walker(WalkOptions options, const Filter& filter)
    : state_(std::make_unique<State>(std::move(options), filter)) {}
Walker::~Walker() = default;

bool Walker::next(WalkItem& item) {
  return state_->next(item);
}

void complete(WalkItem& item) {
  if (std::exchange(item.has_stat, true)) return;
  look_at(item.name(), item);
  // The walk has gone on, and what was listed is gone.
  if (item.event == WalkEvent::entry && item.entry.kind == EntryKind::directory) fail(ENOENT, item);
  if (item.event != WalkEvent::stat_failed) return;
  Entry unknown;
  unknown.path = std::move(item.entry.path);
  item.entry = std::move(unknown);
}

}  // namespace autoarchive
