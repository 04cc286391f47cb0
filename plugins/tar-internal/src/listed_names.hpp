/// \file
/// Names that the lists of an archive have, and of which no member has come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace autoarchive::tar_internal {

struct AbsentNames {
  std::uint64_t count = 0;
  std::string first;

  void note(const std::string& path) {
    if (count++ == 0) first = path;
  }
};

/// Of one archive, as it is read: a member follows the list that names it. Holds what is still to come, in a usual
/// archive the directories beside the way to the last one; what is more than kMaxNames is forgotten.
class ListedNames {
 public:
  static constexpr std::size_t kMaxNames = 1'000'000;

  void add(std::string path) {
    if (names_.size() < kMaxNames) names_.insert(std::move(path));
  }
  void remove(std::string_view path) {
    if (const auto found = names_.find(path); found != names_.end()) names_.erase(found);
  }
  [[nodiscard]] AbsentNames absent() const { return {names_.size(), names_.empty() ? std::string() : *names_.begin()}; }

 private:
  std::set<std::string, std::less<>> names_;
};

}  // namespace autoarchive::tar_internal
