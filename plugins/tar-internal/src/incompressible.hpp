/// \file
/// Data that no codec makes smaller: random, encrypted or compressed already.
#pragma once

#include <cstddef>

#include "autoarchive/base/bytes.hpp"

namespace autoarchive::tar_internal {

/// Whether that is likely of `block`, by the frequencies of bytes in a sixteenth of it: no for all text and programs.
/// Costs next to nothing, but does not see repetitions.
[[nodiscard]] bool looks_incompressible(ByteView block);

/// Whether `block` holds again what it has held within the last `window_bytes`, in more than a few places. Costs a
/// millisecond a MiB.
[[nodiscard]] bool repeats_itself(ByteView block, std::size_t window_bytes);

/// Both, and the frequencies of all bytes: whether a codec that looks back `window_bytes` would hardly make `block`
/// smaller (by 1 % at most). Costs next to nothing where the first says no, and two milliseconds a MiB where the answer
/// is yes.
[[nodiscard]] bool is_incompressible(ByteView block, std::size_t window_bytes);

}  // namespace autoarchive::tar_internal
