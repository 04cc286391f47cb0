#include "autoarchive/base/child_answer.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

#include "autoarchive/base/child_process.hpp"

namespace autoarchive {
namespace {

constexpr std::chrono::seconds kLong{60};

TEST(ChildAnswer, IsWhatTheFunctionHasSaid) {
  int here = 0;
  const auto answer = ask_in_child({[&](int out) {
                                      here = 1;
                                      write_answer(out, "all is ");
                                      write_answer(out, "well");
                                    },
                                    kLong});
  EXPECT_EQ(answer.text, "all is well");
  EXPECT_EQ(end_text(answer.status), "status 0");
  EXPECT_FALSE(answer.timed_out);
  EXPECT_EQ(here, 0);
}

TEST(ChildAnswer, TellsHowTheProcessHasEnded) {
  const auto end_of = [](const std::function<void(int)>& function) {
    return end_text(ask_in_child({function, kLong}).status);
  };
  EXPECT_EQ(end_of([](int) { ::_exit(23); }), "status 23");
  EXPECT_EQ(end_of([](int) { ::kill(::getpid(), SIGKILL); }), "signal 9");
  EXPECT_EQ(end_of([](int) { throw std::runtime_error("never gets back"); }), "signal 6");
}

TEST(ChildAnswer, IsCutWhereItWouldFillTheMemory) {
  const auto answer = ask_in_child({[](int out) { write_answer(out, std::string(2 * kMaxAnswerBytes, 'x')); }, kLong});
  EXPECT_EQ(answer.text.size(), kMaxAnswerBytes);
}

TEST(ChildAnswer, DoesNotComeWhenTheTimeIsOver) {
  const auto answer = ask_in_child({[](int out) {
                                      write_answer(out, "half");
                                      ::sleep(100);
                                    },
                                    std::chrono::seconds(1)});
  EXPECT_TRUE(answer.timed_out);
  EXPECT_EQ(end_text(answer.status), "signal 9");
}

TEST(ChildAnswer, LeavesNothingRunning) {
  const auto answer = ask_in_child({[](int out) {
                                      const auto left = ::fork();
                                      if (left == 0) {
                                        ::close(out);
                                        ::sleep(100);
                                      }
                                      write_answer(out, std::to_string(left));
                                    },
                                    kLong});
  const auto left = static_cast<pid_t>(std::stoi(answer.text));
  for (int i = 0; i < 2000 && ::kill(left, 0) == 0; ++i) ::usleep(10'000);
  EXPECT_NE(::kill(left, 0), 0);
}

}  // namespace
}  // namespace autoarchive
