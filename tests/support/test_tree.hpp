/// \file
/// File trees as literals, and what differs between two of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace autoarchive::test {

/// A tree of every kind of entry that a backup has to bring back: odd names, links, holes, attributes, old times. What
/// needs root is left out for others.
void make_nasty_tree(const std::filesystem::path& root);

/// One line a difference in kind, mode, owner, size, content, time, target, hard-link set, device and attributes; the
/// roots themselves are not compared. Empty: equal.
[[nodiscard]] std::vector<std::string> diff_trees(const std::filesystem::path& a, const std::filesystem::path& b);

/// Bytes that no codec makes smaller, the same ones for the same seed.
[[nodiscard]] std::string noise(std::size_t size, std::uint32_t seed);

}  // namespace autoarchive::test
