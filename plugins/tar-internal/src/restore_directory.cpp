#include "restore_directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "member_path.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::size_t kMaxOpenLevels = 60;
constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct DirDeleter {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

std::string_view take_component(std::string_view& path) {
  const auto component = path.substr(0, path.find('/'));
  path.remove_prefix(std::min(path.size(), component.size() + 1));
  return component;
}

bool is_same(int fd, const struct stat& expected) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && status.st_dev == expected.st_dev && status.st_ino == expected.st_ino;
}

/// Removes a tree of any depth with one open directory: it goes up by "..", and only into the directory it came from.
class TreeRemover {
 public:
  /// `directory_fd` must stay open.
  TreeRemover(int directory_fd, const std::stop_token& stop) : top_(directory_fd), stop_(stop) {}

  /// False, with errno, if something is left.
  [[nodiscard]] bool remove(const std::string& name) {
    if (unlink(top_, name)) return true;
    if (!is_directory_error() || !enter(top_, name)) return false;
    while (!frames_.empty()) {
      auto& frame = frames_.back();
      if (frame.directories.empty()) {
        if (!leave()) return false;
        continue;
      }
      const auto child = std::move(frame.directories.back());
      frame.directories.pop_back();
      if (!enter(current_.get(), child)) return false;
    }
    return true;
  }

 private:
  struct Frame {
    std::string name;
    struct stat status {};
    std::vector<std::string> directories;  // in it, still to be removed
  };

  static bool unlink(int fd, const std::string& name) {
    return ::unlinkat(fd, name.c_str(), 0) == 0 || errno == ENOENT;
  }
  static bool is_directory_error() { return errno == EISDIR || errno == EPERM; }
  static bool is_on_file_system_of(int parent, const struct stat& status) {
    struct stat above {};
    if (::fstat(parent, &above) != 0) return false;
    if (above.st_dev != status.st_dev) errno = EXDEV;
    return above.st_dev == status.st_dev;
  }
  [[nodiscard]] bool has_to_stop() const {
    if (stop_.stop_requested()) errno = ECANCELED;
    return stop_.stop_requested();
  }

  // Empties the directory but for directories.
  [[nodiscard]] bool enter(int parent, const std::string& name) {
    UniqueFd fd(::openat(parent, name.c_str(), kDirectoryFlags));
    if (!fd && errno == ENOTDIR) errno = EPERM;  // a file, which could not be removed
    Frame frame{name, {}, {}};
    if (!fd || ::fstat(fd.get(), &frame.status) != 0 || !is_on_file_system_of(parent, frame.status)) return false;
    for (auto& child : names_in(fd.get())) {
      if (has_to_stop()) return false;
      if (unlink(fd.get(), child)) continue;
      if (!is_directory_error()) return false;
      frame.directories.push_back(std::move(child));
    }
    frames_.push_back(std::move(frame));
    current_ = std::move(fd);
    return true;
  }

  [[nodiscard]] bool leave() {
    const auto name = std::move(frames_.back().name);
    frames_.pop_back();
    if (frames_.empty()) {
      current_.reset();
      return ::unlinkat(top_, name.c_str(), AT_REMOVEDIR) == 0;
    }
    UniqueFd parent(::openat(current_.get(), "..", kDirectoryFlags));
    if (!parent || !is_same(parent.get(), frames_.back().status)) {
      errno = parent ? EAGAIN : errno;
      return false;
    }
    current_ = std::move(parent);
    return ::unlinkat(current_.get(), name.c_str(), AT_REMOVEDIR) == 0;
  }

  int top_;
  const std::stop_token& stop_;
  UniqueFd current_;  // of the last frame
  std::vector<Frame> frames_;
};

}  // namespace

std::vector<std::string> names_in(int directory_fd) {
  std::vector<std::string> names;
  const int copy = ::openat(directory_fd, ".", kDirectoryFlags);
  const std::unique_ptr<DIR, DirDeleter> directory(copy < 0 ? nullptr : ::fdopendir(copy));
  while (const auto* record = directory ? ::readdir(directory.get()) : nullptr) {
    const std::string_view name(record->d_name);
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

RestoreDirectory::RestoreDirectory(const std::filesystem::path& target, bool make) {
  if (make && ::mkdir(target.c_str(), 0700) == 0) {
    note_made(".");
  } else if (make && errno != EEXIST) {
    throw Error::from_errno(errno, "target " + quote(target.native()), ErrorCause::destination);
  }
  // The target itself is the user's word: it may be a symlink.
  UniqueFd fd(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!make && !fd && errno == ENOENT) return;
  if (!fd) throw Error::from_errno(errno, "target " + quote(target.native()), ErrorCause::destination);
  target_ = std::make_shared<const UniqueFd>(std::move(fd));
}

std::shared_ptr<const UniqueFd> RestoreDirectory::parent_of(std::string_view path, bool make) {
  if (!target_) {
    errno = ENOENT;
    return nullptr;
  }
  const auto slash = path.rfind('/');
  auto rest = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  std::size_t depth = 0;
  while (!rest.empty() && depth < levels_.size()) {
    auto ahead = rest;
    if (take_component(ahead) != levels_[depth].name) break;
    rest = ahead;
    ++depth;
  }
  levels_.resize(depth);
  if (!levels_.empty() && !levels_.back().fd) {  // closed to save descriptors: walked again from the top
    levels_.clear();
    rest = path.substr(0, slash);
  }
  while (!rest.empty()) {
    const std::string name(take_component(rest));
    const int parent = (levels_.empty() ? target_ : levels_.back().fd)->get();
    UniqueFd fd(::openat(parent, name.c_str(), kDirectoryFlags));
    if (!fd && errno == ENOENT && make && ::mkdirat(parent, name.c_str(), 0700) == 0) {
      fd = UniqueFd(::openat(parent, name.c_str(), kDirectoryFlags));
      note_made(path.substr(0, slash - (rest.empty() ? 0 : rest.size() + 1)));
    }
    if (!fd) return nullptr;
    levels_.push_back({name, std::make_shared<const UniqueFd>(std::move(fd))});
    if (levels_.size() > kMaxOpenLevels) levels_[levels_.size() - 1 - kMaxOpenLevels].fd.reset();
  }
  return levels_.empty() ? target_ : levels_.back().fd;
}

void RestoreDirectory::note_made(std::string_view directory) {
  if (!made_by_hash_.try_emplace(hash_of(directory), made_.size()).second) return;
  const auto slash = directory.rfind('/');
  const auto above =
      slash == std::string_view::npos ? made_by_hash_.end() : made_by_hash_.find(hash_of(directory.substr(0, slash)));
  if (above == made_by_hash_.end()) {
    made_.push_back({kNone, std::string(directory)});
  } else {
    made_.push_back({above->second, std::string(directory.substr(slash + 1))});
  }
}

bool RestoreDirectory::has_made(std::string_view directory) const {
  return made_by_hash_.contains(hash_of(directory));
}

void RestoreDirectory::for_each_made(const std::function<void(const std::string& directory)>& call) const {
  for (auto made = made_.rbegin(); made != made_.rend(); ++made) {
    std::vector<const std::string*> names{&made->name};
    for (auto at = made->parent; at != kNone; at = made_[at].parent) names.push_back(&made_[at].name);
    std::string path;
    for (auto name = names.rbegin(); name != names.rend(); ++name) path += (path.empty() ? "" : "/") + **name;
    call(path);
  }
}

bool RestoreDirectory::is_free(std::string_view path) {
  const auto parent = parent_of(path, /*make=*/false);
  const std::string name(path.substr(path.rfind('/') + 1));
  struct stat status {};
  const bool is_there = parent && ::fstatat(parent->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  return !is_there && errno == ENOENT;
}

mode_t RestoreDirectory::directory_mode(std::string_view path) {
  const auto parent = parent_of(path, /*make=*/false);
  const std::string name = path == "." ? "." : std::string(path.substr(path.rfind('/') + 1));
  struct stat status {};
  const bool is_there = parent && ::fstatat(parent->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  return is_there && S_ISDIR(status.st_mode) ? status.st_mode : 0;
}

UniqueFd RestoreDirectory::open_directory(std::string_view path) {
  if (path == "." && target_) return UniqueFd(::fcntl(target_->get(), F_DUPFD_CLOEXEC, 3));
  const auto parent = parent_of(path, /*make=*/false);
  if (!parent) return UniqueFd();
  return UniqueFd(::openat(parent->get(), std::string(path.substr(path.rfind('/') + 1)).c_str(), kDirectoryFlags));
}

bool RestoreDirectory::remove_tree(std::string_view path, const std::stop_token& stop) {
  const auto parent = parent_of(path, /*make=*/false);
  if (!parent) return errno == ENOENT || errno == ENOTDIR;
  if (is_free(path)) return true;
  const bool removed = TreeRemover(parent->get(), stop).remove(std::string(path.substr(path.rfind('/') + 1)));
  const int os_errno = errno;
  forget();
  errno = os_errno;
  return removed;
}

void RestoreDirectory::forget() noexcept {
  levels_.clear();
}

}  // namespace autoarchive::tar_internal
