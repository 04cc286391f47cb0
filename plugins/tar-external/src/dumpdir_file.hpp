/// \file
/// The lists of names that directories of an incremental archive carry: exactly what the manifest holds, so that GNU
/// tar deletes what is gone, left out or can't be stored, and nothing else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>

#include "autoarchive/storage/temporary_file.hpp"
#include "autoarchive/tree/walker.hpp"

namespace autoarchive::tar_external {

/// Names lie in a file; in memory is one path a directory. Not thread-safe.
class DumpdirFile {
 public:
  /// Throws Error(os_error).
  explicit DumpdirFile(const std::filesystem::path& directory) : file_(directory) {}

  /// REQUIRES: the directory was listed to its end; one without its list deletes nothing.
  void add(const WalkItem& directory);
  /// The value of its GNU.dumpdir: for each name "Y", or "D" for a directory, the name and a NUL, and a NUL at the end.
  /// None for a directory that was not added.
  [[nodiscard]] std::optional<std::string> find(const std::string& path);

 private:
  struct Place {
    std::uint64_t offset;
    std::size_t length;
  };
  TemporaryFile file_;
  std::unordered_map<std::string, Place> places_;
};

}  // namespace autoarchive::tar_external
