#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "application_fixture.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "events/backup_events.hpp"
#include "events/event_stream.hpp"
#include "events/problem_ids.hpp"
#include "events/problem_reporter.hpp"
#include "events/progress_display.hpp"
#include "events/remaining_time.hpp"
#include "events/service_status.hpp"
#include "support/recording_observer.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// contract 1.7
TEST(BackupEvents, CallsASetOfSubscribersOnceEach) {
  BackupEvents events;
  test::RecordingObserver first;
  test::RecordingObserver second;
  events.subscribe(first);
  events.subscribe(first);
  events.subscribe(second);
  events.file_add("x");
  events.unsubscribe(first);
  events.unsubscribe(first);
  events.backup_operation_error(BackupSubOperation::open, BackupOperationError::socket_ignored, "s", {});
  EXPECT_THAT(first.lines(), ElementsAre("add x"));
  EXPECT_THAT(second.lines(), ElementsAre("add x", "error Open/SocketIgnored s"));
}

TEST(BackupEvents, LetsAHandlersExceptionThroughAndSurvivesUnsubscribingInside) {
  BackupEvents events;
  class Leaver final : public IBackupObserver {
   public:
    explicit Leaver(BackupEvents& from) : from_(from) {}
    void file_add(std::string_view /*name*/) override { from_.unsubscribe(*this); }
    void notice(std::string_view /*text*/) override { throw Error(ErrorCode::runtime_error, "handler"); }

   private:
    BackupEvents& from_;
  } leaver(events);
  events.subscribe(leaver);
  EXPECT_THROW(events.notice(""), Error);
  events.file_add("x");
  EXPECT_NO_THROW(events.notice(""));
}

TEST(BackupEvents, BelongToOneInstance) {
  BackupEvents one;
  BackupEvents other;
  test::RecordingObserver recorder;
  one.subscribe(recorder);
  other.file_add("x");
  EXPECT_THAT(recorder.lines(), IsEmpty());
}

TEST(ProblemReporter, TellsNoticesFromWarnings) {
  using O = BackupSubOperation;
  using E = BackupOperationError;
  EXPECT_EQ(problem_of(O::open, E::socket_ignored, {"s", false}, "").severity, Severity::notice);
  EXPECT_EQ(problem_of(O::stat, E::unknown_os_error, {"x", false}, "No such file or directory").id, "file.vanished");
  EXPECT_EQ(problem_of(O::stat, E::unknown_os_error, {"x", true}, "No such file or directory").severity,
            Severity::warning);
  EXPECT_EQ(problem_of(O::open, E::unknown_os_error, {"x/y", true}, "Not a directory").id, "source.missing");
  EXPECT_EQ(problem_of(O::open, E::unknown_os_error, {"x/y", false}, "Not a directory").id, "file.unreadable");
  EXPECT_EQ(problem_of(O::open, E::permission_denied, {"x", false}, "").id, "file.unreadable");
  EXPECT_EQ(problem_of(O::open, E::permission_denied, {"x", false, /*is_directory=*/true}, "").id, "dir.unreadable");
  EXPECT_EQ(problem_of(O::open, E::unknown_os_error, {"x", false, /*is_directory=*/true}, "Input/output error").id,
            "dir.unreadable");
  const ProblemSubject directory{"x", false, /*is_directory=*/true};
  const auto attributes = problem_of(O::unknown_file_operation, E::unknown_os_error, directory, "no attributes");
  EXPECT_EQ(attributes.id, "file.unreadable");
  EXPECT_EQ(attributes.text, "'x': no attributes");
  EXPECT_EQ(problem_of(O::read, E::file_changed, {"x", false}, "").id, "file.changed");
  EXPECT_EQ(problem_of(O::read, E::unknown_os_error, {"x", false}, "Input/output error").id, "file.io");
  EXPECT_THAT(problem_of(O::open, E::permission_denied, {"a\nb", false}, "").text, HasSubstr("'a\\nb'"));
}

TEST(EventStream, BeginsWithHelloAndWritesAJsonObjectALine) {
  const test::TempDir directory;
  {
    EventStream stream(directory / "events");
    JobEvents job(stream, "home");
    job.file_add("not utf-8 \xff");
  }
  const auto text = test::read_file(directory / "events");
  EXPECT_THAT(text, ::testing::StartsWith("{\"event\":\"hello\",\"time\":\""));
  EXPECT_THAT(text, HasSubstr("\"schema\":1"));
  EXPECT_THAT(
      text, HasSubstr("\"archive\":\"home\",\"path\":\"not utf-8 \xef\xbf\xbd\",\"path_b64\":\"bm90IHV0Zi04IP8=\"}\n"));
  EXPECT_THROW(EventStream("fd:x"), Error);
  EXPECT_THROW(EventStream("fd:999"), Error);
}

TEST(Progress, HasPercentWhenTheTotalsAreKnownAndTheTimeThatIsLeftWhenThatIs) {
  BackupProgress progress;
  progress.entries = 7;
  progress.content_bytes = 50U << 20U;
  EXPECT_EQ(progress_text("home", progress, std::chrono::seconds(5), {}), "home  50.0 MiB  7 files  10.0 MiB/s");
  progress.total_content_bytes = 100U << 20U;
  EXPECT_EQ(progress_text("home", progress, std::chrono::seconds(5), 5.0),
            "home  50%  50.0 MiB  7 files  10.0 MiB/s  ETA 5.0s");
  progress.total_content_bytes = 1;  // the tree has grown
  EXPECT_THAT(progress_text("home", progress, std::chrono::seconds(5), {}), HasSubstr("99%"));
}

TEST(RemainingTime, IsTheLastRunsAtFirstAndTheRecentRateNearTheEnd) {
  RemainingTime time;
  EXPECT_FALSE(time.left());
  time.note(1, 0);
  EXPECT_FALSE(time.left());  // nothing to tell it from
  time.expect(100.0);
  EXPECT_DOUBLE_EQ(time.left().value(), 99);  // no totals: the time that has gone is all that is known
  time.note(2, 0.02);
  EXPECT_NEAR(time.left().value(), 98, 0.1);
  time.note(20, 0.1);  // twice as slow as the last time
  EXPECT_NEAR(time.left().value(), 90 * 0.9 + 180 * 0.1, 0.1);
  time.note(200, 0.99);
  EXPECT_LT(time.left().value(), 3);
}

TEST(RemainingTime, FollowsTheRateOfTheLastHalfMinute) {
  RemainingTime time;
  for (int second = 1; second <= 100; ++second) time.note(second, 0.001 * second);  // one tenth
  for (int second = 101; second <= 140; ++second) time.note(second, 0.1 + 0.01 * (second - 100));
  EXPECT_NEAR(time.left().value(), 50, 1);  // a half is left, at a hundredth a second
  for (int second = 141; second <= 200; ++second) time.note(second, 0.5);
  EXPECT_FALSE(time.left());  // it stands still
}

/// A socket as systemd has one for a service.
class NotifySocket {
 public:
  NotifySocket() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  [[nodiscard]] std::string path() const { return directory_ / "notify"; }
  /// The next message; empty: there is none.
  [[nodiscard]] std::string receive() const {
    std::array<char, 1000> buffer{};
    const auto size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
  }

 private:
  test::TempDir directory_;
  UniqueFd fd_;
};

TEST(ServiceStatus, IsOneLineAndNeverAnError) {
  const NotifySocket socket;
  ServiceStatus(socket.path()).tell("home: done\nREADY=1");
  EXPECT_EQ(socket.receive(), "STATUS=home: done\\nREADY=1");
  ServiceStatus("").tell("nobody listens");
  ServiceStatus("/no/such/socket").tell("nobody listens");
  ServiceStatus("@no-such-socket").tell("nobody listens");
  ServiceStatus(std::string(200, 'x')).tell("too long for a socket");
  EXPECT_EQ(socket.receive(), "");
}

class ServiceStatusTest : public ApplicationTest {};

TEST_F(ServiceStatusTest, TellsSystemdWhatIsDone) {
  const NotifySocket socket;
  environment_["NOTIFY_SOCKET"] = socket.path();
  EXPECT_EQ(create(), 0) << err_;
  EXPECT_EQ(socket.receive(), "STATUS=home: level 0 by tar-internal");
  EXPECT_THAT(socket.receive(), HasSubstr("STATUS=home: level 0 by tar-internal: 4 of 4 entries, "));
}

class ColourTest : public ApplicationTest {
 protected:
  bool has_colour(const std::string& wanted) {
    EXPECT_EQ(run({"--color", wanted, "ls", "nobody"}), 66);
    return err_.find("\x1b[31merror\x1b[0m") != std::string::npos;
  }
};

TEST_F(ColourTest, IsForTerminalsUnlessSomebodySaysOtherwise) {
  EXPECT_FALSE(has_colour("auto"));
  EXPECT_TRUE(has_colour("always"));
  err_is_terminal_ = true;
  EXPECT_TRUE(has_colour("auto"));
  EXPECT_FALSE(has_colour("never"));
  environment_["NO_COLOR"] = "";  // which counts as not set
  EXPECT_TRUE(has_colour("auto"));
  environment_["NO_COLOR"] = "1";
  EXPECT_FALSE(has_colour("auto"));
  EXPECT_TRUE(has_colour("always"));
}

TEST(Progress, ShowsAPlainLineAMinute) {
  std::ostringstream out;
  std::ostringstream err;
  Console console(out, err, {});
  const ProgressDisplay::Clock::time_point start{};
  ProgressDisplay display(console, "home", ProgressStyle::plain, start);
  for (const int second : {1, 30, 61, 62, 119, 122}) display.tick({}, start + std::chrono::seconds(second));
  EXPECT_EQ(std::count(err.view().begin(), err.view().end(), '\n'), 2);
}

/// What stands in quotes behind each "Severity::LEVEL, " of a source.
std::vector<std::string> ids_in(std::string_view text) {
  constexpr std::string_view kBefore = "Severity::";
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
  std::vector<std::string> ids;
  for (auto at = text.find(kBefore); at != std::string_view::npos; at = text.find(kBefore)) {
    text.remove_prefix(at + kBefore.size());
    const auto level = std::min(text.find_first_not_of(kLetters), text.size());
    const auto behind = text.substr(level);
    const auto quote = behind.find_first_not_of(", \n");
    if (!behind.starts_with(',') || quote == std::string_view::npos || behind[quote] != '"') continue;
    const auto id = behind.substr(quote + 1);
    const auto name = id.substr(0, id.find('"'));
    if (name.find('.') != std::string_view::npos) ids.emplace_back(name);
  }
  return ids;
}

// Whoever uses a new id has to explain it.
TEST(ProblemIds, AreExplainedOneAndAll) {
  std::set<std::string> known;
  for (const auto& id : problem_ids()) EXPECT_TRUE(known.emplace(id.id).second) << id.id << " is there twice";
  std::set<std::string> seen;
  for (const auto& file :
       std::filesystem::recursive_directory_iterator(std::filesystem::path(AA_SOURCE_DIR) / "host/src")) {
    if (file.path().extension() != ".cpp") continue;
    for (const auto& id : ids_in(test::read_file(file.path()))) {
      EXPECT_TRUE(known.contains(id)) << id << " in " << file.path();
      seen.insert(id);
    }
  }
  EXPECT_GE(seen.size(), 8U);
}

}  // namespace
}  // namespace autoarchive::host
