#include "autoarchive/base/child_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "autoarchive/base/error.hpp"

namespace autoarchive {
namespace {

constexpr std::chrono::seconds kLong{60};

ChildCommand shell(std::string script) {
  return {"/bin/sh", {"-c", std::move(script)}, {"PATH=/bin:/usr/bin"}, {}};
}

pid_t read_number(int fd) {
  char line[32] = {};
  EXPECT_GT(::read(fd, line, sizeof line - 1), 0);
  return static_cast<pid_t>(std::atoi(line));
}

// What the group's members leave is reaped by init, when it comes to it.
bool has_ended(pid_t group) {
  for (int i = 0; i < 2000 && ::kill(-group, 0) == 0; ++i) ::usleep(10'000);
  return ::kill(-group, 0) != 0;
}

TEST(ChildProcess, EndsWithItsWholeGroup) {
  pid_t group = 0;
  {
    ChildProcess child(shell("echo $$; sleep 100 & sleep 100"));
    group = read_number(child.standard_output());
  }
  EXPECT_TRUE(has_ended(group));
}

TEST(ChildProcess, LeavesNothingRunningWhenItHasEndedByItself) {
  ChildProcess child(shell("echo $$; sleep 100 & exit 3"));
  const auto group = read_number(child.standard_output());
  const int status = child.wait();
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_EQ(end_text(status), "status 3");
  EXPECT_TRUE(has_ended(group));
}

// As when the whole program is killed: nobody is left to end the group.
TEST(ChildProcess, EndsWithTheProcessThatStartedIt) {
  auto [read_end, write_end] = make_pipe();
  const pid_t starter = ::fork();
  ASSERT_GE(starter, 0);
  if (starter == 0) {
    const ChildProcess child(shell("echo $$; exec sleep 100"));
    const pid_t group = read_number(child.standard_output());
    [[maybe_unused]] const auto written = ::write(write_end.get(), &group, sizeof group);
    ::kill(::getpid(), SIGKILL);
  }
  pid_t group = 0;
  ASSERT_EQ(::read(read_end.get(), &group, sizeof group), static_cast<ssize_t>(sizeof group));
  int status = 0;
  ASSERT_EQ(::waitpid(starter, &status, 0), starter);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(has_ended(group));
}

// A stop that is sent to a whole group is the business of those in it: what clears up after them is not ended with them
// because it was started a moment before.
TEST(ChildProcess, GetsNoSignalThatWasSentToItsParentsGroup) {
  sigset_t set;
  sigset_t before;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, &before);
  const pid_t parent = ::fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    ::setpgid(0, 0);
    for (int i = 0; i < 200; ++i) {
      if (ChildProcess({"/bin/true", {}, {}, {}}).wait() != 0) ::_exit(1);
    }
    ::_exit(0);
  }
  sigprocmask(SIG_SETMASK, &before, nullptr);
  ::setpgid(parent, parent);
  int status = 0;
  while (::waitpid(parent, &status, WNOHANG) == 0) ::kill(-parent, SIGTERM);
  EXPECT_EQ(end_text(status), "status 0");
}

TEST(ChildProcess, MayLeaveWhatItHasStarted) {
  ChildProcess child(shell("sleep 100 & echo $!; exit 0"));
  const auto left = read_number(child.standard_output());
  EXPECT_EQ(child.wait(Leftovers::kept), 0);
  EXPECT_EQ(::kill(left, 0), 0);
  ::kill(left, SIGKILL);
}

TEST(ChildProcess, EndsWhenItIsAskedTo) {
  ChildProcess child(shell("trap 'exit 5' TERM; echo $$; while :; do sleep 0.01; done"));
  read_number(child.standard_output());
  EXPECT_FALSE(child.has_ended());
  child.terminate();
  while (!child.has_ended()) ::usleep(1'000);
  EXPECT_EQ(end_text(child.wait()), "status 5");
  child.kill();  // too late, and harmless
}

TEST(ChildProcess, HasOfOurDescriptorsWhatItInherits) {
  const auto [read_end, write_end] = make_pipe();
  const auto fd = std::to_string(read_end.get());
  ChildCommand command = shell("echo inherited >&" + std::to_string(write_end.get()) + "; [ -e /proc/self/fd/" + fd +
                               " ] && echo 1 || echo 2");
  command.inherited = {write_end.get()};
  ChildProcess child(command);
  EXPECT_EQ(read_number(child.standard_output()), 2);
  EXPECT_EQ(child.wait(), 0);
  char text[32] = {};
  EXPECT_EQ(::read(read_end.get(), text, sizeof text), 10);
}

TEST(ChildProcess, ReadsItsInputWhereItHasOne) {
  ChildCommand command{"/bin/cat", {}, {}, {}, /*has_input=*/true};
  ChildProcess child(command);
  EXPECT_EQ(::send(child.standard_input(), "words", 5, MSG_NOSIGNAL), 5);
  child.close_standard_input();
  std::string text;
  EXPECT_TRUE(read_to_end(child.standard_output(), kLong, 100, text));
  EXPECT_EQ(text, "words");
  command.has_input = false;
  ChildProcess without(command);
  EXPECT_TRUE(read_to_end(without.standard_output(), kLong, 100, text));
  EXPECT_EQ(text, "words");
}

TEST(ChildProcess, SaysWhatCannotBeStarted) {
  try {
    const ChildProcess child({"/nonexistent/program", {}, {}, {}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::unavailable);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("'/nonexistent/program'"));
  }
}

TEST(ReadToEnd, DropsWhatIsTooMuchAndReadsOn) {
  const ChildProcess child(shell("head --bytes=1000000 /dev/zero; echo end"));
  std::string text;
  EXPECT_TRUE(read_to_end(child.standard_output(), kLong, 10, text));
  EXPECT_EQ(text.size(), 10U);
}

TEST(ReadToEnd, EndsWhenTheTimeIsOver) {
  const std::chrono::seconds limit{1};
  std::string text;
  const ChildProcess silent(shell("echo first; sleep 100"));
  EXPECT_FALSE(read_to_end(silent.standard_output(), limit, 100, text));
  EXPECT_EQ(text, "first\n");
  const ChildProcess flooding(shell("yes"));
  EXPECT_FALSE(read_to_end(flooding.standard_output(), limit, 100, text));
}

TEST(ReadToEnd, TakesWhatHasComeWhenItComesTooLateItself) {
  ChildProcess child(shell("echo all; exit 0"));
  while (!child.has_ended()) ::usleep(1'000);
  std::string text;
  EXPECT_TRUE(read_to_end(child.standard_output(), std::chrono::seconds(0), 100, text));
  EXPECT_EQ(text, "all\n");
}

}  // namespace
}  // namespace autoarchive
