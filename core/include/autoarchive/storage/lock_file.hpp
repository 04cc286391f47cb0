/// \file
/// One writer at a time: a kernel lock on a file that is never removed, so no lock can be stale. The file also names
/// the temporary files of its holder, so that the next one can remove what a dead one has left.
#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "autoarchive/base/export.hpp"
#include "autoarchive/base/unique_fd.hpp"

namespace autoarchive {

/// Held from construction to destruction (or the death of the process). Not inherited by started programs.
class AA_EXPORT LockFile {
 public:
  /// Waits up to `wait`. Throws Error: cause lock_busy naming the holder, cancelled, or `destination` if the file can't
  /// be made.
  LockFile(const std::filesystem::path& file, std::chrono::seconds wait, const std::stop_token& stop);

  /// What the holders before have noted and not cleared, in order.
  [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }
  /// Adds a note, durable on return. Any bytes but NUL.
  void note(const std::string& text);
  /// Forgets all notes.
  void clear();

 private:
  void read_notes();

  std::filesystem::path file_;
  UniqueFd fd_;
  std::vector<std::string> notes_;
};

}  // namespace autoarchive
