#include "autoarchive/tree/path_verdict.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "directory_reader.hpp"
#include "open_entry.hpp"

namespace autoarchive {
namespace {

bool leads_to(std::string_view path, std::string_view directory) {
  return directory == "." || path == directory ||
         (path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/');
}

bool is_included(const std::set<std::string>& includes, std::string_view path) {
  return std::any_of(includes.begin(), includes.end(),
                     [&](const auto& include) { return leads_to(path, normalize_path(include)); });
}

UniqueFd open_root(const WalkOptions& options, struct stat& status) {
  UniqueFd fd(::open(options.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOCTTY));
  if (fd && ::fstat(fd.get(), &status) == 0) return fd;
  throw Error::from_errno(errno, "root " + quote(options.root.native()), ErrorCause::source);
}

PathVerdict missing(std::string place, int os_errno) {
  return {PathFate::missing, std::move(place), errno_text(os_errno)};
}

/// One directory on the way: what it says of the next name.
class WayDown {
 public:
  WayDown(const WalkOptions& options, const Filter& filter)
      : filter_(filter), own_files_(options.own_files), directory_(open_root(options, root_status_)) {}

  /// Decides on the child `name`; its path is `path`.
  PathVerdict step(const std::string& name, const std::string& path) {
    struct stat status {};
    if (::fstat(directory_.get(), &status) != 0) return missing(path_, errno);
    if (filter_.rules().one_file_system && status.st_dev != root_status_.st_dev)
      return {PathFate::other_file_system, path_, "one_file_system"};
    if (::fstatat(directory_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return missing(path, errno);
    if (own_files_.contains(status.st_dev, status.st_ino)) return {PathFate::own_file, path, {}};
    const auto listing = list_directory(directory_.get(), path_, filter_, own_files_);
    const auto child = std::find_if(listing.children.begin(), listing.children.end(),
                                    [&](const Child& each) { return each.name == name; });
    if (child == listing.children.end()) return missing(path, listing.os_errno != 0 ? listing.os_errno : ENOENT);
    return {child->excluded ? PathFate::excluded : PathFate::taken, path, child->rule};
  }

  /// Makes the child the directory that decides on what is below it; 0 or why not.
  int enter(const std::string& name, const std::string& path) {
    UniqueFd fd = open_at(directory_.get(), name.c_str(), O_DIRECTORY);
    if (!fd) return errno;
    directory_ = std::move(fd);
    path_ = path;
    return 0;
  }

 private:
  const Filter& filter_;
  OwnFiles own_files_;
  struct stat root_status_ {};
  UniqueFd directory_;
  std::string path_ = ".";
};

}  // namespace

PathVerdict explain_path(const WalkOptions& options, const Filter& filter, std::string_view given) {
  const auto path = normalize_path(given);
  if (!is_included(options.includes, path)) return {PathFate::not_included, path, {}};
  WayDown way(options, filter);
  PathVerdict verdict{PathFate::taken, path, {}};
  if (path == ".") return verdict;
  for (std::size_t begin = 0; begin < path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto name = path.substr(begin, end - begin);
    const auto part = path.substr(0, end);
    verdict = way.step(name, part);
    if (verdict.fate != PathFate::taken) return verdict;
    if (end < path.size()) {
      if (const int os_errno = way.enter(name, part); os_errno != 0) return missing(part, os_errno);
    }
    begin = end + 1;
  }
  return verdict;
}

}  // namespace autoarchive
