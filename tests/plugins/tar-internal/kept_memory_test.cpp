#include "kept_memory.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace autoarchive::tar_internal {
namespace {

TEST(KeptMemory, HandsOutAgainWhatWasGivenBack) {
  KeptMemory memory;
  void* const small = memory.take(100);
  void* const large = memory.take(100'000);
  memory.give_back(large);
  memory.give_back(small);
  EXPECT_EQ(memory.take(100), small);
  EXPECT_EQ(memory.take(99'000), large);
}

TEST(KeptMemory, HandsOutNothingTwice) {
  KeptMemory memory;
  void* const one = memory.take(100);
  void* const two = memory.take(100);
  EXPECT_NE(one, two);
  memory.give_back(nullptr);
  EXPECT_NE(memory.take(100), one);
}

TEST(KeptMemory, AnswersNullWhereThereIsNoMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer ends the process for such a wish";
#endif
  KeptMemory memory;
  EXPECT_EQ(memory.take(SIZE_MAX / 2), nullptr);
  EXPECT_NE(memory.take(10), nullptr);
}

}  // namespace
}  // namespace autoarchive::tar_internal
