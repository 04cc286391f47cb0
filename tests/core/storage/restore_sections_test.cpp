#include "storage/restore_sections.hpp"

#include <gtest/gtest.h>

namespace autoarchive {
namespace {

TEST(RestoreSections, ReplacesTheSectionOfOneArchiveAndKeepsTheOthers) {
  const auto first = merge_sections("", "b", "intro\n\n== b ==\nold b\n");
  EXPECT_EQ(first, "intro\n\n== b ==\nold b\n");
  const auto second = merge_sections(first, "a", "new intro\n\n== a ==\nabout a");
  EXPECT_EQ(second, "new intro\n\n== a ==\nabout a\n== b ==\nold b\n");
  EXPECT_EQ(merge_sections(second, "b", "intro\n== b ==\nnew b\n"), "intro\n== a ==\nabout a\n== b ==\nnew b\n");
  EXPECT_EQ(merge_sections(second, "a", "intro\n"), "intro\n== b ==\nold b\n");
}

TEST(RestoreSections, TakesWhatIsNoSectionForIntroduction) {
  EXPECT_EQ(merge_sections("somebody's notes\n== ==\n", "a", "intro\n== a ==\nx\n"), "intro\n== a ==\nx\n");
}

}  // namespace
}  // namespace autoarchive
