#include "job/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "autoarchive/base/error.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive::host {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A shell script, its output and its end.
struct Script {
  explicit Script(const std::string& text) {
    call.words = {"/bin/sh", "-c", text};
    call.environment = {"PATH=/usr/bin:/bin"};
    call.output = [this](bool is_error, std::string_view bytes) { (is_error ? error : output) += bytes; };
  }
  ProgramEnd run() { return run_program(call); }

  ProgramCall call;
  std::string output;
  std::string error;
};

TEST(Program, GetsItsInputAndGivesItsOutputAndStatus) {
  Script script("cat; echo problem >&2; exit 3");
  script.call.input = std::string(1'000'000, 'x');
  const auto end = script.run();
  EXPECT_EQ(end.status, 3);
  EXPECT_EQ(end.text(script.call), "status 3");
  EXPECT_EQ(script.output.size(), 1'000'000U);
  EXPECT_EQ(script.error, "problem\n");
}

TEST(Program, MayEndWithAStatusThatIsNoSignal) {
  Script script("exit 137");
  const auto end = script.run();
  EXPECT_EQ(end.status, 137);
  EXPECT_EQ(end.text(script.call), "status 137");
}

TEST(Program, MayIgnoreItsInputAndCloseItsDescriptors) {
  Script script("exec <&- >&- 2>&-; exit 0");
  script.call.input = std::string(1'000'000, 'x');
  EXPECT_EQ(script.run().status, 0);
}

TEST(Program, ThatHangsIsEndedWithAllThatItHasStarted) {
  test::TempDir directory;
  Script script("trap '' TERM; (trap '' TERM; sleep 3; touch " + (directory / "late").native() +
                ") & echo begun; while :; do sleep 1; done");
  script.call.time_limit = std::chrono::seconds(1);
  const auto end = script.run();
  EXPECT_TRUE(end.timed_out);
  EXPECT_EQ(end.text(script.call), "no end within 1.0s");
  EXPECT_EQ(script.output, "begun\n");
  std::this_thread::sleep_for(std::chrono::seconds(3));
  EXPECT_FALSE(std::filesystem::exists(directory / "late"));
}

TEST(Program, IsStoppedOnRequest) {
  std::stop_source stop;
  Script script("sleep 60");
  script.call.stop = stop.get_token();
  stop.request_stop();
  const auto end = script.run();
  EXPECT_TRUE(end.stopped);
}

TEST(Program, MayComeToItsEndWithinThePatienceAfterAStop) {
  std::stop_source stop;
  stop.request_stop();
  Script script("sleep 0.2; echo done");
  script.call.stop = stop.get_token();
  script.call.patience = std::chrono::seconds(30);
  EXPECT_FALSE(script.run().stopped);
  EXPECT_EQ(script.output, "done\n");
  Script late("sleep 60");
  late.call.stop = stop.get_token();
  late.call.patience = std::chrono::seconds(1);
  EXPECT_TRUE(late.run().stopped);
}

TEST(Program, ThatKillsItsGroupDoesNotKillUs) {
  Script script("kill -KILL 0");
  const auto end = script.run();
  EXPECT_EQ(end.text(script.call), "signal 9");
}

TEST(Program, IsNotWaitedForByWhatItLeavesInTheBackground) {
  Script script("sleep 60 & exit 0");
  EXPECT_EQ(script.run().status, 0);  // the sleeper holds the pipes
}

TEST(Program, ThatFloodsDoesNotStopAnybody) {
  Script script("yes | head --bytes=20000000; exit 1");
  std::size_t bytes = 0;
  script.call.output = [&](bool /*is_error*/, std::string_view text) { bytes += text.size(); };
  EXPECT_EQ(script.run().status, 1);
  EXPECT_EQ(bytes, 20'000'000U);
}

TEST(Program, ThatCantBeStartedIsAnError) {
  ProgramCall call;
  call.words = {"/no/such/program"};
  EXPECT_THROW(static_cast<void>(run_program(call)), Error);
}

TEST(Program, IsLookedForInThePathOnly) {
  EXPECT_EQ(find_program("sh", "/no/such/folder:/bin"), "/bin/sh");
  EXPECT_EQ(find_program("/x/y", "/bin"), "/x/y");
  EXPECT_EQ(find_program("sh", ".::bin"), "");
}

}  // namespace
}  // namespace autoarchive::host
