// Hooks, guards and rules on problems, through the whole program.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <sstream>
#include <thread>

#include "application_fixture.hpp"
#include "autoarchive/base/error.hpp"
#include "events/problem_ids.hpp"
#include "events/problem_reporter.hpp"
#include "job/guard.hpp"
#include "output/json.hpp"

namespace autoarchive::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class HooksTest : public ApplicationTest {
 protected:
  HooksTest() {
    std::filesystem::remove_all(directory_ / "root/d");
    environment_["PATH"] = "/usr/bin:/bin";
  }

  /// `keys`: of the archive, as lines of YAML without indentation; `top`: of the file.
  void configure(const std::vector<std::string>& keys, const std::string& top = "") const {
    std::string text = "version: 1\n" + top + "archives:\n  home:\n    root: " + (directory_ / "root").native() +
                       "\n    destination: " + (directory_ / "backups").native() + "\n";
    for (const auto& key : keys) text += "    " + key + "\n";
    ApplicationTest::configure(text);
  }
  /// A hook that notes its name and the given variables.
  [[nodiscard]] std::string note(const std::string& at, const std::string& rest = "") const {
    return "- {at: " + at + ", shell: 'echo \"" + at + " $AA_LEVEL $AA_RESULT\" >> " + log().native() + "; " + rest +
           "'}";
  }
  [[nodiscard]] std::filesystem::path log() const { return directory_ / "log"; }
  [[nodiscard]] std::vector<std::string> logged() const {
    std::vector<std::string> lines;
    std::istringstream text(std::filesystem::exists(log()) ? test::read_file(log()) : "");
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

  int create() { return run({"create", "home"}); }
};

TEST_F(HooksTest, RunInTheirOrderWithWhatHasHappened) {
  configure({"hooks:", note("before"), note("after"), note("succeeded"), note("warned"), note("failed")},
            "hooks:\n" + note("before_all") + "\n" + note("after_all") + "\n");
  EXPECT_EQ(create(), 0) << err_;
  EXPECT_THAT(logged(), ElementsAre("before_all  ", "before  ", "after 0 ok", "succeeded 0 ok", "after_all  ok"));
  std::filesystem::remove(log());
  std::filesystem::rename(directory_ / "root", directory_ / "away");
  EXPECT_EQ(create(), 2);
  EXPECT_THAT(logged(),
              ElementsAre("before_all  ", "before  ", "after  failed", "failed  failed", "after_all  failed"));
  std::filesystem::remove(log());
  EXPECT_EQ(run({"create", "home", "--dry-run"}), 2);
  EXPECT_THAT(logged(), IsEmpty());
}

TEST_F(HooksTest, GetTheEventAsJsonOnStandardInput) {
  configure({"hooks:", "- {at: succeeded, run: [tee, " + (directory_ / "event").native() + "]}"});
  EXPECT_EQ(run({"create", "home", "--events", directory_ / "events"}), 0) << err_;
  const auto event = Json::parse(test::read_file(directory_ / "event"));
  ASSERT_TRUE(event);
  EXPECT_EQ(*event->find("archive")->as_text(), "home");
  EXPECT_EQ(*event->find("result")->as_text(), "ok");
  EXPECT_EQ(*event->find("path")->as_text(), (directory_ / "backups/home.tar.gz").native());
  EXPECT_THAT(test::read_file(directory_ / "events"), HasSubstr("\"event\":\"hook_output\""));
}

TEST_F(HooksTest, ThatFailBeforehandEndTheBackupAndSayWhy) {
  configure({"hooks:", "- {at: before, shell: 'echo no disk >&2; exit 3'}", note("after"), note("failed")});
  EXPECT_EQ(create(), 2);
  EXPECT_THAT(err_, HasSubstr("hook at before ("));
  EXPECT_THAT(err_, HasSubstr("config.yaml:7:7): '/bin/sh' ended with status 3: no disk (hook.failed)"));
  EXPECT_THAT(logged(), ElementsAre("failed  failed"));  // what was not entered is not left
  EXPECT_FALSE(std::filesystem::exists(directory_ / "backups/home.tar.gz"));
}

TEST_F(HooksTest, ThatClearUpTogetherHaveTwoSecondsWhenTheRunIsToldToEnd) {
  std::vector<std::string> hooks{"hooks:"};
  for (int i = 0; i < 5; ++i) hooks.push_back(note("after", "sleep 60"));
  hooks.push_back(note("succeeded", "sleep 60"));
  configure(hooks);
  std::chrono::steady_clock::time_point stopped;
  std::thread ending([&] {
    while (logged().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    stopped = std::chrono::steady_clock::now();
    stop_.request_stop();
  });
  EXPECT_EQ(create(), 1);
  ending.join();
  EXPECT_LT(std::chrono::steady_clock::now() - stopped, std::chrono::seconds(6));
  EXPECT_THAT(logged(), ElementsAre("after 0 ok"));
  EXPECT_THAT(err_, HasSubstr("no end within 1.7s after the stop, which all hooks share (hook.failed)"));
  EXPECT_THAT(err_, HasSubstr("hook at succeeded"));
  EXPECT_THAT(err_, HasSubstr("no start: the time after the stop is over (hook.failed)"));
}

TEST_F(HooksTest, ThatDoNotListenToAStopLeaveItsTimeToTheRelease) {
  const auto released = directory_ / "released";
  configure({"hooks:", "- {at: snapshot, shell: 'trap \"\" TERM; echo begun >> " + log().native() +
                           "; while :; do sleep 1; done', release: [sh, -c, 'sleep 0.9; touch " + released.native() +
                           "']}"});
  std::thread ending([&] {
    while (logged().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    stop_.request_stop();
  });
  EXPECT_NE(create(), 0);
  ending.join();
  EXPECT_TRUE(std::filesystem::exists(released)) << err_;
}

TEST_F(HooksTest, CanSayNotNow) {
  configure({"hooks:", "- {at: before, run: [sh, -c, exit 75]}", note("failed")});
  EXPECT_EQ(create(), 75);
  configure({"hooks:", "- {at: before, run: [sh, -c, exit 1], not_now: [1]}", note("failed")});
  EXPECT_EQ(create(), 75);
  EXPECT_THAT(logged(), IsEmpty());
  configure({}, "hooks: [{at: before_all, run: [sh, -c, exit 75]}]\n");
  EXPECT_EQ(create(), 75);
}

TEST_F(HooksTest, ThatFailAfterwardsAreAWarning) {
  configure({"hooks:", "- {at: after, run: [no-such-program]}", "- {at: succeeded, run: [/bin/false]}"});
  EXPECT_EQ(create(), 1);
  EXPECT_THAT(err_, HasSubstr("no program of that name in PATH (hook.failed)"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "backups/home.tar.gz"));
}

TEST_F(HooksTest, ThatHangOrFloodAreEnded) {
  configure({"hooks:", "- {at: before, run: [sleep, '60'], time_limit: 1s}"});
  EXPECT_EQ(create(), 2);
  EXPECT_THAT(err_, HasSubstr("no end within 1.0s"));
  configure({"hooks:", "- {at: before, shell: 'yes | head --bytes=5000000'}"});
  EXPECT_EQ(run({"create", "home", "-v"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("more lines were left out)"));
  EXPECT_LT(out_.size(), 200'000U);
}

TEST_F(HooksTest, ThatKillTheirGroupOrCloseWhatTheyHaveHarmNobodyElse) {
  configure({"hooks:", "- {at: before, shell: 'kill -KILL 0'}"});
  EXPECT_EQ(create(), 2);
  EXPECT_THAT(err_, HasSubstr("ended with signal 9"));
  configure({"hooks:", "- {at: before, shell: 'for fd in 0 1 2 3 4 5 6 7 8 9; do eval \"exec $fd>&-\"; done; exit 0'}",
             "- {at: after, shell: 'sleep 60 & exit 0'}", note("succeeded")});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(create(), 0) << err_;  // who holds its output is not waited for
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  EXPECT_THAT(logged(), ElementsAre("succeeded 0 ok"));
}

TEST_F(HooksTest, ThatHangInTheMiddleOfTheirOutputAreEndedWithAllTheirChildren) {
  configure(
      {"hooks:",
       "- {at: before, shell: '(trap \"\" TERM; sleep 60) & trap \"\" TERM; echo half; sleep 60', time_limit: 1s}"});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(create(), 2);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  EXPECT_THAT(err_, HasSubstr("no end within 1.0s"));
}

TEST_F(HooksTest, NeverPasteAnythingIntoAShell) {
  configure({"hooks:", "- {at: before, run: [touch, '$(touch " + (directory_ / "pasted").native() + ")']}"});
  EXPECT_EQ(create(), 2);  // a folder of that name does not exist
  EXPECT_FALSE(std::filesystem::exists(directory_ / "pasted"));
}

TEST_F(HooksTest, RedirectTheRootToASnapshotThatIsAlwaysReleased) {
  const auto snapshot = (directory_ / "snapshot").native();
  const std::string hook = "- {at: snapshot, shell: 'cp -a " + (directory_ / "root").native() + " " + snapshot +
                           " && echo frozen > " + snapshot + "/a; echo made it; echo " + snapshot +
                           "', release: [sh, -c, 'rm -r \"$AA_SNAPSHOT\"']}";
  configure({"hooks:", hook});
  EXPECT_EQ(create(), 0) << err_;
  EXPECT_FALSE(std::filesystem::exists(snapshot));
  EXPECT_EQ(run({"restore", "home", "--to", directory_ / "r"}), 0) << err_;
  EXPECT_EQ(test::read_file(directory_ / "r/a"), "frozen\n");
  // After a failure, too: the destination is not there.
  std::filesystem::rename(directory_ / "backups", directory_ / "away");
  EXPECT_EQ(create(), 73);
  EXPECT_FALSE(std::filesystem::exists(snapshot));
  EXPECT_THAT(test::diff_trees(directory_ / "state/held-snapshots", directory_ / "state/held-snapshots"), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(directory_ / "state/held-snapshots"));
}

TEST_F(HooksTest, ReleaseTheSnapshotThatADeadRunHasLeft) {
  const auto snapshot = (directory_ / "snapshot").native();
  // The release fails the first time, as if the process had died before it.
  configure({"hooks:", "- {at: snapshot, shell: 'mkdir -p " + snapshot + "; cp " + (directory_ / "root/a").native() +
                           " " + snapshot + "; echo " + snapshot + "', release: [/bin/false]}"});
  EXPECT_EQ(create(), 1);
  EXPECT_TRUE(std::filesystem::exists(snapshot));
  configure({"hooks:", "- {at: snapshot, shell: 'test ! -e " + snapshot + " && cp -a " +
                           (directory_ / "root").native() + " " + snapshot + " && echo " + snapshot +
                           "', release: [sh, -c, 'rm -r \"$AA_SNAPSHOT\"']}"});
  EXPECT_EQ(create(), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("the snapshot of a run that was interrupted is released"));
  EXPECT_FALSE(std::filesystem::exists(snapshot));
}

TEST_F(HooksTest, RefuseASnapshotThatIsNoDirectory) {
  configure({"hooks:", "- {at: snapshot, run: [echo, no snapshot], release: [touch, " +
                           (directory_ / "released").native() + "]}"});
  EXPECT_EQ(create(), 2);
  EXPECT_THAT(err_, HasSubstr("but 'no snapshot'"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "released"));
}

// A hook may mount the destination: a second run must not begin before the first has left.
TEST_F(HooksTest, AreNotRunByASecondRun) {
  configure({"hooks:", note("before")});
  std::filesystem::create_directories(directory_ / "state/lock");
  const int fd = ::open((directory_ / "state/lock/home.run.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(::flock(fd, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(create(), 75);
  EXPECT_THAT(err_, HasSubstr("(lock.busy)"));
  EXPECT_THAT(logged(), IsEmpty());
  ::close(fd);
  EXPECT_EQ(create(), 0);
}

TEST_F(HooksTest, OfWrongShapeAreRefusedWithTheirPlace) {
  for (const auto& [hook, fault] :
       {std::pair("{at: befor, run: [x]}", "7:12: an archive has no hook at 'befor'; did you mean before?"),
        {"{at: before}", "7:7: a hook needs at, and run or shell"},
        {"{at: before, run: ls -l}", "run has to be a list of words"},
        {"{at: before, run: [x], shell: y}", "a hook has either run or shell"},
        {"{at: before_all, run: [x]}", "no hook at 'before_all'"},
        {"{at: snapshot, run: [x]}", "a snapshot needs release"},
        {"{at: before, run: [x], not_now: [300]}", "exit statuses from 1 to 255"},
        {"{at: before, run: [x], time_limit: soon}", "time_limit has to be a duration"},
        {"{at: before, run: [x], timelimit: 1s}", "did you mean time_limit?"}}) {
    configure({"hooks:", std::string("- ") + hook});
    EXPECT_EQ(create(), 78) << hook;
    EXPECT_THAT(err_, HasSubstr(fault));
  }
}

TEST_F(HooksTest, TheGuardHoldsABackupOfASourceThatHasShrunk) {
  for (int i = 0; i < 10; ++i) test::write_file(directory_ / "root" / std::to_string(i), "some content");
  configure({"guard: {shrink_limit: 40%}", "incremental: true"});
  EXPECT_EQ(create(), 0) << err_;
  for (int i = 0; i < 6; ++i) std::filesystem::remove(directory_ / "root" / std::to_string(i));
  for (int night = 0; night < 2; ++night) {
    EXPECT_EQ(create(), 1);
    EXPECT_THAT(err_,
                HasSubstr("is not trusted: it has 5 files after 11 in the last backup, guard.shrink_limit is 40%"));
    EXPECT_THAT(err_, HasSubstr("held as 'home.held.tar.gz'"));
    EXPECT_TRUE(std::filesystem::exists(directory_ / "backups/home.held.tar.gz"));
    EXPECT_FALSE(std::filesystem::exists(directory_ / "backups/home.1.tar.gz"));
  }
  EXPECT_EQ(run({"restore", directory_ / "backups/home.held.tar.gz", "--to", directory_ / "r"}), 0) << err_;
  EXPECT_THAT(test::diff_trees(directory_ / "root", directory_ / "r"), IsEmpty());
  EXPECT_EQ(run({"create", "home", "--accept-source", "--json"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("\"level\":1,"));
  EXPECT_EQ(create(), 0) << err_;
}

TEST(Guard, ComparesFilesAndBytes) {
  const GuardRules rules{100, 40};
  EXPECT_EQ(suspicion(rules, {100, 10}, {}), "");
  EXPECT_THAT(suspicion(rules, {99, 10}, {}), HasSubstr("99 files, guard.min_files is 100"));
  EXPECT_EQ(suspicion(rules, {600, 600}, TreeSize{1000, 1000}), "");
  EXPECT_THAT(suspicion(rules, {599, 600}, TreeSize{1000, 1000}), HasSubstr("599 files after 1000"));
  EXPECT_THAT(suspicion(rules, {600, 599}, TreeSize{1000, 1000}), HasSubstr("599 B after 1000 B"));
  EXPECT_EQ(suspicion({}, {0, 0}, TreeSize{1000, 1000}), "");
}

TEST_F(HooksTest, RulesSayWhatAProblemCountsAs) {
  configure({"include: [a, missing]"});
  EXPECT_EQ(create(), 1);
  configure({"include: [a, missing]", "problems: [{on: source.missing, as: notice}]"});
  EXPECT_EQ(create(), 0);
  EXPECT_THAT(err_, HasSubstr("notice: 'missing' does not exist (source.missing)"));
  configure({"include: [a, missing]", "problems: [{on: '*', as: ignore}]"});
  EXPECT_EQ(create(), 0);
  EXPECT_THAT(err_, IsEmpty());
  configure({"include: [a, missing]", "problems: [{on: '*', as: error}]"});
  EXPECT_EQ(create(), 2);
  EXPECT_THAT(err_, HasSubstr("which ends the backup by a rule of problems"));
  configure({"problems: [{on: file.chnged, as: notice}]"});
  EXPECT_EQ(create(), 78);
  EXPECT_THAT(err_, HasSubstr("did you mean file.changed?"));
  configure({"problems: [{on: file.changed, as: fine}]"});
  EXPECT_EQ(create(), 78);
}

TEST(ProblemRules, AreChosenByIdAndPathAndTheLastDecides) {
  using T = ProblemRule::Treatment;
  const std::vector<ProblemRule> rules{
      {"file.*", "", T::notice}, {"file.changed", "*.db", T::warning}, {"file.changed", "/cache/", T::ignore}};
  const auto told = [&](const std::string& path, BackupOperationError error) {
    std::ostringstream out;
    std::ostringstream err;
    Console console(out, err, {});
    ProblemReporter reporter(console, "", "/", {}, rules);
    reporter.backup_operation_error(BackupSubOperation::read, error, path, {});
    return err.str().substr(0, err.str().find(": ", 4)) + " " + std::to_string(reporter.warnings());
  };
  EXPECT_EQ(told("a", BackupOperationError::file_changed), "aa: notice 0");
  EXPECT_EQ(told("x/a.db", BackupOperationError::file_changed), "aa: warning 1");
  EXPECT_EQ(told("cache/a.db", BackupOperationError::file_changed), " 0");
  EXPECT_EQ(told("a", BackupOperationError::permission_denied), "aa: notice 0");
}

TEST(ProblemRules, MatchADirectoryByAPatternForDirectories) {
  const test::TempDir directory;
  std::filesystem::create_directory(directory / "closed");
  test::write_file(directory / "open/closed", "a file");
  std::ostringstream out;
  std::ostringstream err;
  Console console(out, err, {});
  ProblemReporter reporter(console, "", directory.path(), {}, {{"*", "closed/", ProblemRule::Treatment::ignore}});
  const auto report = [&](const char* path) {
    reporter.backup_operation_error(BackupSubOperation::open, BackupOperationError::permission_denied, path, {});
  };
  report("closed");
  report("closed/");  // GNU tar's way
  EXPECT_THAT(err.str(), IsEmpty());
  report("open/closed");
  EXPECT_EQ(reporter.warnings(), 1U) << err.str();
}

}  // namespace
}  // namespace autoarchive::host
