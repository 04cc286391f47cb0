/// \file
/// Columns of text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace autoarchive::host {

/// Rows of cells, each column as wide as its widest cell. Width is counted in UTF-8 code points.
class Table {
 public:
  explicit Table(std::vector<std::string> header);
  /// Columns that hold numbers, by index: right-aligned.
  void align_right(std::size_t column);
  void add(std::vector<std::string> row);
  [[nodiscard]] bool empty() const noexcept { return rows_.size() == 1; }
  /// Lines without trailing blanks, the header first.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<bool> right_;
};

}  // namespace autoarchive::host
