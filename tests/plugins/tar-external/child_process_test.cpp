#include "child_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "autoarchive/base/error.hpp"
#include "compressor_process.hpp"

namespace autoarchive::tar_external {
namespace {

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

TEST(ChildProcess, SaysWhatCannotBeStarted) {
  try {
    const ChildProcess child({"/nonexistent/program", {}, {}, {}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::unavailable);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("'/nonexistent/program'"));
  }
}

class StringSink final : public Sink {
 public:
  void write(ByteView bytes) override { text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()); }
  void finish() override {}
  std::string text;
};

std::string failure_of(const std::string& script, std::size_t bytes) {
  StringSink out;
  try {
    CompressorProcess process({"/bin/sh", "-c", script}, out, [] {});
    const std::string text(bytes, 'x');
    process.write(std::as_bytes(std::span(text)));
    process.finish();
  } catch (const Error& error) {
    return error.message();
  }
  return {};
}

TEST(CompressorProcess, PassesEverythingThrough) {
  std::string text;
  for (int i = 0; i < 1'000'000; ++i) text += std::to_string(i);
  StringSink out;
  CompressorProcess process({"/bin/cat"}, out, [] {});
  process.write(std::as_bytes(std::span(text).first(10)));
  process.write(std::as_bytes(std::span(text).subspan(10)));
  process.finish();
  EXPECT_EQ(out.text, text);
}

TEST(CompressorProcess, FailsWithTheProgramsOwnWords) {
  EXPECT_EQ(failure_of("/bin/cat", 10'000'000), "");
  EXPECT_EQ(failure_of("/bin/cat > /dev/null; echo 'no room' >&2; exit 3", 10),
            "'/bin/sh' ended with status 3: no room");
  EXPECT_EQ(failure_of("echo 'not today' >&2; exit 4", 10'000'000), "'/bin/sh' ended with status 4: not today");
  EXPECT_EQ(failure_of("kill -9 $$", 10'000'000), "'/bin/sh' ended with signal 9");
  EXPECT_NE(failure_of("exec 0<&- 1>&-; exec sleep 100", 10'000'000), "");  // does not wait for it
}

TEST(CompressorProcess, CanBeStoppedWhileItWaits) {
  StringSink out;
  int calls = 0;
  CompressorProcess process({"/bin/sleep", "100"}, out, [&] {
    if (++calls > 2) throw Error(ErrorCode::runtime_error, "stopped", ErrorCause::cancelled);
  });
  const std::string text(10'000'000, 'x');
  EXPECT_THROW(process.write(std::as_bytes(std::span(text))), Error);
}

}  // namespace
}  // namespace autoarchive::tar_external
