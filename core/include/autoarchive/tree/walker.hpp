/// \file
/// Walks a source tree without ever leaving it: by directory descriptors, never following a symlink, sorted, at any
/// depth. Both providers, `why` and `config check` walk with it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "autoarchive/base/export.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/tree/entry.hpp"
#include "autoarchive/tree/filter.hpp"

namespace autoarchive {

/// What a walk needs to know. A plain value.
struct WalkOptions {
  std::filesystem::path root;
  /// Below the root, normalised by the walker, nested ones dropped. {"."} is the whole tree with the root as a member.
  std::set<std::string> includes{"."};
  /// Files left out without a word: device and inode of our own destination, state and temporary files.
  std::set<std::pair<std::uint64_t, std::uint64_t>> own_files;
  /// Yields the root and every ancestor of an include first, as an incremental archive needs it.
  bool with_ancestors = false;
  /// False: what its directory lists as no directory is yielded without a stat, which complete() then makes, on
  /// whatever thread. Half of a walk's time are stats.
  bool with_stats = true;
};

/// An open directory, shared by the entries in it; closed when the last of them is gone. Thread-safe.
class AA_EXPORT DirectoryHandle {
 public:
  explicit DirectoryHandle(UniqueFd fd) noexcept : fd_(std::move(fd)) {}
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  UniqueFd fd_;
};

/// A name in a directory.
struct ChildName {
  std::string name;
  bool is_directory = false;
  friend bool operator==(const ChildName&, const ChildName&) = default;
};

/// What happened at one step of the walk.
enum class WalkEvent : std::uint8_t {
  entry,         ///< an entry to be stored
  excluded,      ///< left out; `rule` says by which rule; nothing below it follows
  stat_failed,   ///< lstat failed (vanished, not permitted); `os_errno` says why
  list_failed,   ///< a directory could not be opened or listed to its end; its entry came directly before with
                 ///< listed=false
  socket,        ///< a socket, which can't be stored
  unknown_type,  ///< a type that no tar can express
};

/// One step. `entry.path` is set for every event.
struct WalkItem {
  WalkEvent event = WalkEvent::entry;
  Entry entry;  ///< without xattrs and owner names, which cost more than a stat
  int os_errno = 0;
  std::string rule;
  bool is_include = false;  ///< named by the caller, not found by listing: when missing it is an error, not a notice
  bool listed = true;       ///< directories: false if the listing failed or was cut short
  bool has_stat = true;     ///< false: path, kind and parent are all that is known, until complete() is called
  /// Directories: all names in it that belong to the backup, sorted by bytes: excluded ones and sockets not, and of an
  /// include's ancestor only those that lead to an include. Empty for other kinds.
  std::vector<ChildName> names;
  /// Where the entry is: opened relative to this by name(). The root is "." in itself. Null for an include whose parent
  /// can't be reached.
  std::shared_ptr<const DirectoryHandle> parent;

  /// Last component of the path, "." for the root. Points into entry.path.
  [[nodiscard]] AA_EXPORT const char* name() const noexcept;
};

/// A regular file or directory, opened for reading, with a stat taken from the descriptor.
struct OpenedEntry {
  UniqueFd fd;       ///< empty if it failed
  int os_errno = 0;  ///< ESTALE: it is another object than the walk has seen
  Entry entry;       ///< from fstat; path and kind as in the item
  /// That the file system has for its content; below the size: it has holes, or is compressed.
  std::uint64_t allocated_bytes = 0;
};

/// Pull-style, one item a call. Memory is bounded: the names of the directories on the current path, at most 64 open
/// descriptors of its own (deeper ones are reopened and checked by device and inode). Not thread-safe, but the items
/// may be used on any thread and outlive the walker.
class AA_EXPORT Walker {
 public:
  /// `filter` must outlive the walker. Throws Error (file_not_found or os_error, cause source) if the root is not a
  /// directory that can be entered.
  Walker(WalkOptions options, const Filter& filter);
  Walker(const Walker&) = delete;
  Walker& operator=(const Walker&) = delete;
  ~Walker();

  /// The next item into `item`, whose buffers are reused. False at the end.
  [[nodiscard]] bool next(WalkItem& item);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Makes the stat that a walk without stats has left out; nothing if the item has one. The event may become another:
/// what has meanwhile become a directory, or is gone, is a stat_failed with ENOENT. Thread-safe for different items.
AA_EXPORT void complete(WalkItem& item);
/// Opens what the walk has seen: O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_NOATIME where permitted; compares device and
/// inode. Only regular files and directories are ever opened. Thread-safe.
[[nodiscard]] AA_EXPORT OpenedEntry open_entry(const WalkItem& item);
/// Stats the entry again, by its parent. `os_errno` as in OpenedEntry; fd stays empty. Thread-safe.
[[nodiscard]] AA_EXPORT OpenedEntry stat_entry(const WalkItem& item);

}  // namespace autoarchive
