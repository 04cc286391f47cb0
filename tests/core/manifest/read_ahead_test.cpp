#include "manifest/read_ahead.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace autoarchive {
namespace {

struct Number {
  int value = 0;
  int finished = 0;
};

ReadAhead<Number>::Source numbers_to(int last) {
  return [last, next = 0](Number& number, bool& is_enough) mutable {
    if (next == last) return false;
    number = {next++, 0};
    is_enough = next % 7 == 0;  // batches of different sizes
    return true;
  };
}

void finish(Number& number) {
  ++number.finished;
}

TEST(ReadAhead, GivesEveryItemInItsOrderAndFinishedOnce) {
  for (const int slow : {-1, 0, 500, 4000}) {
    ReadAhead<Number> numbers(numbers_to(5000), 10, finish);
    int expected = 0;
    for (auto* number = numbers.next(); number != nullptr; number = numbers.next()) {
      ASSERT_EQ(number->value, expected);
      ASSERT_EQ(number->finished, 1);
      // Where the user waits, the source's thread gets ahead, and finishes what waits.
      if (expected++ == slow) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(expected, 5000);
    EXPECT_EQ(numbers.next(), nullptr);
  }
}

TEST(ReadAhead, LetsTheSourcesThreadFinishWhatWaits) {
  std::atomic<int> finished_ahead = 0;
  const auto user = std::this_thread::get_id();
  ReadAhead<Number> numbers(numbers_to(1000), 10, [&](Number& /*number*/) {
    if (std::this_thread::get_id() != user) ++finished_ahead;
  });
  // Nobody takes anything, so that all batches that may wait are made, and finished.
  for (int i = 0; i < 2000 && finished_ahead == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_GT(finished_ahead, 0);
  int count = 0;
  while (numbers.next() != nullptr) ++count;
  EXPECT_EQ(count, 1000);
}

TEST(ReadAhead, WorksWithNothingToFinishAndWithNoItemsAtAll) {
  ReadAhead<Number> none(numbers_to(0), 10);
  EXPECT_EQ(none.next(), nullptr);
  ReadAhead<Number> some(numbers_to(25), 10);
  int count = 0;
  for (auto* number = some.next(); number != nullptr; number = some.next()) {
    EXPECT_EQ(number->finished, 0);
    ++count;
  }
  EXPECT_EQ(count, 25);
}

TEST(ReadAhead, ThrowsInItsTurn) {
  const auto failing = [next = 0](Number& number, bool& is_enough) mutable {
    if (next == 55) throw std::runtime_error("source");
    number = {next++, 0};
    is_enough = false;
    return true;
  };
  ReadAhead<Number> numbers(failing, 10, finish);
  for (int i = 0; i < 55; ++i) {
    const auto* number = numbers.next();
    ASSERT_NE(number, nullptr);
    EXPECT_EQ(number->value, i);
  }
  EXPECT_THROW(static_cast<void>(numbers.next()), std::runtime_error);
}

TEST(ReadAhead, ThrowsWhatCannotBeFinishedOnWhateverThread) {
  for (const bool wait : {false, true}) {
    std::atomic<int> finished = 0;
    ReadAhead<Number> numbers(numbers_to(1'000'000), 10, [&](Number& number) {
      ++finished;
      if (number.value == 15) throw std::runtime_error("finish");
    });
    // The source's thread begins with what will be wanted last.
    for (int i = 0; wait && i < 2000 && finished < 9; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    int last = -1;
    const auto take_all = [&] {
      for (const auto* number = numbers.next(); number != nullptr; number = numbers.next()) last = number->value;
    };
    EXPECT_THROW(take_all(), std::runtime_error);
    EXPECT_LT(last, 15);
  }
}

TEST(ReadAhead, CanBeLeftAtAnyTime) {
  for (const int taken : {0, 1, 15, 60}) {
    ReadAhead<Number> numbers(numbers_to(1'000'000), 10, finish);
    for (int i = 0; i < taken; ++i) ASSERT_NE(numbers.next(), nullptr);
  }
}

}  // namespace
}  // namespace autoarchive
