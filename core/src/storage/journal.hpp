/// \file
/// The journal of a commit: what is to be done, in which order, and how to tell what has been done already.
///
/// A text file `.NAME.journal` in the destination:
///
///     autoarchive-journal 1
///     retire home.aa.tar.gz home.aa.tar.gz._old 1234 777 9f2c…
///     move home.tar.gz home.aa.tar.gz 1200 778 77ab…
///     publish home.tar.gz._partial home.tar.gz 1300 790 0b8e…  1200 778 77ab…
///     state /var/lib/autoarchive/snapshots/home.snar._partial /var/lib/autoarchive/snapshots/home.snar 88 91 e3b0…
///     unstate /var/lib/autoarchive/snapshots/home.1.snar
///     sha256 (of all lines before)
///
/// Fields are separated by one blank; blanks, "%" and control bytes in names are written as %XX. After the names stands
/// the identity (size, inode, probe) of what is renamed, then that of what may be replaced.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "directory.hpp"

namespace autoarchive {

struct JournalStep {
  enum class Action : std::uint8_t { retire, move, keep, publish, state, unstate };
  Action action = Action::move;
  std::string from;
  std::string to;
  FileIdentity identity;                 ///< of what is at `from`
  std::optional<FileIdentity> replaced;  ///< publish and state: what may be at `to`
};

/// Steps in the order of their actions above.
struct Journal {
  std::vector<JournalStep> steps;

  [[nodiscard]] std::string text() const;
  /// None if it is not complete and exactly what was written.
  [[nodiscard]] static std::optional<Journal> parse(std::string_view text);

  /// Carries the steps out, leaving out what is done already, and syncs between their groups. Returns remarks for the
  /// user. Throws Error(file_exists) if another file stands where a step wants to write; nothing is overwritten then.
  std::vector<std::string> run(const Directory& destination, bool sync,
                               const std::filesystem::path& state_dir = {}) const;
};

}  // namespace autoarchive
