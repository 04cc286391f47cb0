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

TEST(KeptMemory, HoldsNoMoreThanTheBlocksOfOneSizeNeed) {
  KeptMemory memory;
  for (const std::size_t size : {100U, 150U, 2000U, 40U}) {
    void* const small = memory.take(size);
    void* const large = memory.take(8 * size);
    EXPECT_EQ(memory.held_bytes(), 9 * size);
    memory.give_back(small);
    memory.give_back(large);
  }
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
