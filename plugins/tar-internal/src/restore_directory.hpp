/// \file
/// The target of a restore: every path is walked from it, one component after the other, through no symlink.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "autoarchive/base/unique_fd.hpp"

namespace autoarchive::tar_internal {

/// Keeps the way to the last directory open, as members come directory by directory. Not thread-safe.
class RestoreDirectory {
 public:
  /// Opens the target. If it is missing, it is made (its parent must exist); without `make` it then is as good as
  /// empty, and nothing can be made in it. Throws Error(os_error, cause destination).
  RestoreDirectory(const std::filesystem::path& target, bool make);

  /// The directory that holds `path` (a safe member path), open; null, with errno, if there is none. Missing
  /// directories on the way are made if `make` says so.
  [[nodiscard]] std::shared_ptr<const UniqueFd> parent_of(std::string_view path, bool make);
  /// Whether it had to be made for others.
  [[nodiscard]] bool has_made(std::string_view directory) const;
  /// The directories that had to be made for others, "." for the target: each before the one that it is in.
  void for_each_made(const std::function<void(const std::string& directory)>& call) const;
  /// Whether nothing is at `path`.
  [[nodiscard]] bool is_free(std::string_view path);
  /// st_mode of the directory at `path`, which need not be open to us; 0 if there is none.
  [[nodiscard]] mode_t directory_mode(std::string_view path);
  /// Opens the directory `path` itself; empty, with errno, if it is none.
  [[nodiscard]] UniqueFd open_directory(std::string_view path);
  /// Removes what is at `path`, a directory with all that is in it; missing is fine. False, with errno, if something is
  /// left: EXDEV where another file system is mounted, which is left alone; ECANCELED if it was to stop.
  [[nodiscard]] bool remove_tree(std::string_view path, const std::stop_token& stop = {});
  /// To be called when directories were removed or replaced.
  void forget() noexcept;

 private:
  struct Level {
    std::string name;
    std::shared_ptr<const UniqueFd> fd;
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  /// A path of many directories that none of the members is takes no more than their names.
  struct Made {
    std::size_t parent = kNone;  // in made_
    std::string name;            // the whole path if it has no parent there
  };
  void note_made(std::string_view directory);

  std::shared_ptr<const UniqueFd> target_;
  std::vector<Level> levels_;
  std::vector<Made> made_;
  std::unordered_map<std::size_t, std::size_t> made_by_hash_;  // of the path: where in made_
};

/// Names in an open directory, without "." and "..", sorted.
[[nodiscard]] std::vector<std::string> names_in(int directory_fd);

}  // namespace autoarchive::tar_internal
