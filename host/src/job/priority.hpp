/// \file
/// How much of the machine a run may take from others.
#pragma once

#include <optional>
#include <string>

namespace autoarchive::host {

/// For this thread and all that it starts from now on. `nice` 0..19, `io_class` "idle", "best-effort" or empty: as it
/// is. What the system refuses is left as it is.
void lower_priority(std::optional<int> nice, const std::string& io_class);

}  // namespace autoarchive::host
