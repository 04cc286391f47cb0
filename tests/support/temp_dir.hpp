/// \file
/// A fresh directory for one test.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace autoarchive::test {

/// Removed with everything in it, whatever its modes, when this object ends.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  /// A new directory in it.
  [[nodiscard]] std::filesystem::path make(std::string_view name) const;

 private:
  std::filesystem::path path_;
};

void write_file(const std::filesystem::path& file, std::string_view content);
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

}  // namespace autoarchive::test
