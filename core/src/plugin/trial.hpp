/// \file
/// Loading a library where it can do no harm first.
#pragma once

#include <filesystem>
#include <string>

namespace autoarchive {

/// Loads the library and asks its entry, both in a child process: what a constructor of the library does to a process
/// (throw, crash, end it, hang) can't be caught after the fact. Returns what went wrong, e.g. the dynamic linker's own
/// text or "it ended the process by signal 6 (Aborted)"; empty if nothing did.
[[nodiscard]] std::string try_loading(const std::filesystem::path& library);

}  // namespace autoarchive
