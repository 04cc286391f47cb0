#include "entry_sorter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temp_dir.hpp"

namespace autoarchive::tar_internal {
namespace {

using Lines = std::vector<std::pair<std::string, std::uint64_t>>;

ManifestEntry entry(const std::string& path, std::uint64_t offset) {
  ManifestEntry line;
  line.entry.path = path;
  line.entry.kind = EntryKind::file;
  line.stored_level = 2;
  line.offset = offset;
  return line;
}

/// Adds these paths, numbered, and returns what comes back.
Lines sorted(const std::vector<std::string>& paths, std::size_t max_held) {
  const test::TempDir directory;
  EntrySorter sorter(directory.path(), 2, max_held);
  std::uint64_t number = 0;
  for (const auto& path : paths) sorter.add(entry(path, number++));
  Lines lines;
  for (int time = 0; time < 2; ++time) {
    lines.clear();
    sorter.rewind();
    for (ManifestEntry line; sorter.next(line);) lines.emplace_back(line.entry.path, line.offset.value_or(99));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  return lines;
}

TEST(EntrySorter, BringsEntriesIntoWalkOrderHoweverFewItHolds) {
  const std::vector<std::string> paths{"b/x", "a", "a b", "a/b", "b", ".", "a/b/c", "c"};
  const Lines wanted{{".", 5}, {"a", 1}, {"a/b", 3}, {"a/b/c", 6}, {"a b", 2}, {"b", 4}, {"b/x", 0}, {"c", 7}};
  for (const std::size_t held : {1U, 2U, 3U, 7U, 8U, 9U, 100U}) EXPECT_EQ(sorted(paths, held), wanted) << held;
}

TEST(EntrySorter, YieldsTheLastOneOfAPath) {
  const Lines wanted{{"a", 4}, {"b", 5}, {"c", 2}};
  for (const std::size_t held : {1U, 2U, 4U, 100U})
    EXPECT_EQ(sorted({"a", "b", "c", "a", "a", "b"}, held), wanted) << held;
}

TEST(EntrySorter, HasNothingWhenNothingWasAdded) {
  EXPECT_EQ(sorted({}, 1), Lines());
}

}  // namespace
}  // namespace autoarchive::tar_internal
