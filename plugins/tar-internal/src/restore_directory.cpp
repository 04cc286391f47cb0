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

bool remove_at(int directory_fd, const char* name) {
  if (::unlinkat(directory_fd, name, 0) == 0 || errno == ENOENT) return true;
  if (errno != EISDIR && errno != EPERM) return false;
  const UniqueFd directory(::openat(directory_fd, name, kDirectoryFlags));
  if (!directory) return false;
  for (const auto& child : names_in(directory.get())) {
    if (!remove_at(directory.get(), child.c_str())) return false;
  }
  return ::unlinkat(directory_fd, name, AT_REMOVEDIR) == 0;
}

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

RestoreDirectory::RestoreDirectory(const std::filesystem::path& target) {
  if (::mkdir(target.c_str(), 0700) != 0 && errno != EEXIST)
    throw Error::from_errno(errno, "target " + quote(target.native()));
  // The target itself is the user's word: it may be a symlink.
  target_ = UniqueFd(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!target_) throw Error::from_errno(errno, "target " + quote(target.native()));
}

int RestoreDirectory::parent_of(std::string_view path, bool make) {
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
    const int parent = levels_.empty() ? target_.get() : levels_.back().fd.get();
    UniqueFd fd(::openat(parent, name.c_str(), kDirectoryFlags));
    if (!fd && errno == ENOENT && make && ::mkdirat(parent, name.c_str(), 0700) == 0) {
      fd = UniqueFd(::openat(parent, name.c_str(), kDirectoryFlags));
    }
    if (!fd) return -1;
    levels_.push_back({name, std::move(fd)});
    if (levels_.size() > kMaxOpenLevels) levels_[levels_.size() - 1 - kMaxOpenLevels].fd.reset();
  }
  return levels_.empty() ? target_.get() : levels_.back().fd.get();
}

UniqueFd RestoreDirectory::open_directory(std::string_view path) {
  if (path == ".") return UniqueFd(::fcntl(target_.get(), F_DUPFD_CLOEXEC, 3));
  const int parent = parent_of(path, /*make=*/false);
  if (parent < 0) return UniqueFd();
  return UniqueFd(::openat(parent, std::string(path.substr(path.rfind('/') + 1)).c_str(), kDirectoryFlags));
}

bool RestoreDirectory::remove_tree(std::string_view path) {
  const int parent = parent_of(path, /*make=*/false);
  if (parent < 0) return errno == ENOENT || errno == ENOTDIR;
  const bool removed = remove_at(parent, std::string(path.substr(path.rfind('/') + 1)).c_str());
  const int os_errno = errno;
  forget();
  errno = os_errno;
  return removed;
}

void RestoreDirectory::forget() noexcept {
  levels_.clear();
}

}  // namespace autoarchive::tar_internal
