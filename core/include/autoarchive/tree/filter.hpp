/// \file
/// What is left out of a backup, and by which rule. One meaning for every provider.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// The rules, as written. A plain value.
struct FilterRules {
  /// Patterns with the meaning of gitignore(5), relative to the root; the last match wins, "!" takes back.
  std::vector<std::string> exclude;  // e.g. {"**/.cache", "*.tmp", "!keep.tmp", "/alice/old"}
  /// Literal paths relative to the root and everything below them; no wildcards. Normalised by Filter.
  std::set<std::string> exclude_paths;
  /// A directory that holds an entry of one of these names is stored empty-handed: itself and that entry, nothing else.
  std::vector<std::string> exclude_if_present;  // e.g. {".nobackup"}
  /// The same for a CACHEDIR.TAG that begins with the signature of bford.info/cachedir.
  bool exclude_caches = false;
  /// Regular files above this size.
  std::optional<Bytes> exclude_larger_than;
  /// Directories on another file system are stored, what is below them is not.
  bool one_file_system = false;

  friend bool operator==(const FilterRules&, const FilterRules&) = default;
};

/// The outcome for one path.
struct FilterVerdict {
  bool excluded = false;
  /// The deciding rule for people, e.g. "exclude[1] '*.tmp'", "exclude_if_present '.nobackup'"; empty: no rule matched.
  std::string rule;
};

/// Compiled rules. Immutable, so any number of threads may ask. Time is linear in the length of path and patterns.
class AA_EXPORT Filter {
 public:
  /// Throws Error(value_error) naming the pattern if one can't be compiled, or a literal path is not below the root.
  explicit Filter(FilterRules rules);
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;
  ~Filter();

  [[nodiscard]] const FilterRules& rules() const noexcept;

  /// Decides on one normalised path whose parents are known not to be excluded (a walk from the top).
  [[nodiscard]] FilterVerdict decide(std::string_view path, bool is_directory) const;
  /// Decides on a path by itself and all its parents, as `aa why` asks.
  [[nodiscard]] FilterVerdict decide_with_parents(std::string_view path, bool is_directory) const;

 private:
  struct Compiled;
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace autoarchive
