#include "autoarchive/tree/entry.hpp"

#include <gtest/gtest.h>

#include "autoarchive/base/error.hpp"

namespace autoarchive {
namespace {

TEST(WalkOrder, PutsADirectoryDirectlyBeforeItsContents) {
  const std::vector<std::string> order{".", "a", "a/b", "a/b/c", "a.b", "a0", "b"};
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::size_t j = 0; j < order.size(); ++j)
      EXPECT_EQ(compare_paths(order[i], order[j]) < 0, i < j) << order[i] << " " << order[j];
  }
  EXPECT_TRUE(compare_paths("a", "\xff") < 0);
}

TEST(NormalizePath, MakesOneFormOfEveryPath) {
  EXPECT_EQ(normalize_path("./a//b/"), "a/b");
  EXPECT_EQ(normalize_path(""), ".");
  EXPECT_EQ(normalize_path("./."), ".");
}

TEST(NormalizePath, RefusesWhatLeavesTheRoot) {
  for (const std::string& path :
       {std::string("/etc"), std::string(".."), std::string("a/../b"), std::string("a/.."), std::string("a\0b", 3)})
    EXPECT_THROW(static_cast<void>(normalize_path(path)), Error) << path;
}

}  // namespace
}  // namespace autoarchive
