/// \file
/// GNU tar's snapshot of a level (format 2): "GNU tar-VERSION-2\n", the time as two NUL-terminated numbers, then for
/// each directory "nfs sec nsec dev ino name" and its list of names, all NUL-terminated, and two NULs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace autoarchive::tar_external {

/// Keeps a directory's record, or drops it, so that tar takes the directory for a new one and dumps it in full.
using KeepDirectory = std::function<bool(std::string_view name, std::uint64_t inode)>;

/// The snapshot without the records that `keep` does not want. Throws Error(value_error, cause state_lost) if it is not
/// such a file.
[[nodiscard]] std::string filter_snapshot(std::string_view snapshot, const KeepDirectory& keep);

}  // namespace autoarchive::tar_external
