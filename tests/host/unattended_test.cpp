// What runs from a timer: many archives, health, units, proofs.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>
#include <thread>

#include "application_fixture.hpp"
#include "command_line.hpp"
#include "job/health.hpp"
#include "job/parallel_run.hpp"
#include "job/schedule_units.hpp"
#include "output/json.hpp"
#include "state/archive_record.hpp"
#include "state/verify_record.hpp"
#include "support/run_program.hpp"

namespace autoarchive::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using namespace std::chrono_literals;

class UnattendedTest : public ApplicationTest {
 protected:
  UnattendedTest() {
    std::filesystem::remove_all(directory_ / "root");
    for (const char* name : {"a", "b", "c"}) test::write_file(directory_ / "root" / name / "file", name);
    environment_["PATH"] = "/usr/bin:/bin";
  }

  /// Archives a, b and c, with these keys in `defaults`; `top`: further lines of the file.
  void configure(const std::string& keys, const std::string& top = "") const {
    std::string text = "version: 1\n" + top + "defaults: {destination: " + (directory_ / "backups").native() +
                       (keys.empty() ? "" : ", " + keys) + "}\narchives:\n";
    for (const char* name : {"c", "a", "b"})
      text += std::string("  ") + name + ": {root: " + (directory_ / "root" / name).native() + "}\n";
    ApplicationTest::configure(text);
  }

  [[nodiscard]] bool has_backup(const std::string& name) const {
    return std::filesystem::exists(directory_ / "backups" / name);
  }
};

TEST_F(UnattendedTest, ADigestThatACommitHasNotComeToIsNoDamage) {
  configure("");
  ASSERT_EQ(run({"create", "a"}), 0) << err_;
  test::write_file(directory_ / "backups/a.tar.gz.sha256", std::string(64, '0') + "  a.tar.gz\n");
  EXPECT_EQ(run({"verify", "a"}), 1);
  test::write_file(directory_ / "backups/.a.journal", "a run was killed here");
  EXPECT_EQ(run({"verify", "a"}), 0) << err_;
  std::filesystem::resize_file(directory_ / "backups/a.tar.gz", 100);
  EXPECT_EQ(run({"verify", "a"}), 2);
}

TEST_F(UnattendedTest, ABackupForWhichThereIsTooLittleRoomIsNotBegun) {
  configure("");
  ASSERT_EQ(run({"create", "a"}), 0) << err_;
  const auto before = test::read_file(directory_ / "backups/a.tar.gz");
  const auto remember = [&](std::uint64_t archive_bytes, std::uint64_t content_bytes) {
    auto record = read_archive_record(directory_ / "state", "a").record;
    for (auto& run : record.runs) {
      run.archive_bytes = archive_bytes;
      run.content_bytes = content_bytes;
    }
    write_archive_record(directory_ / "state", "a", record);
  };
  constexpr std::uint64_t kExbibyte = 1ULL << 60U;
  remember(kExbibyte, 1);  // each byte of the tree takes an exbibyte
  EXPECT_EQ(run({"create", "a"}), 73);
  EXPECT_THAT(err_, HasSubstr("make room, or say --ignore-free-space (dest.lost)"));
  EXPECT_EQ(test::read_file(directory_ / "backups/a.tar.gz"), before);
  EXPECT_FALSE(has_backup("a.aa.tar.gz"));
  remember(kExbibyte, kExbibyte);  // the tree was large, and is not any more
  EXPECT_EQ(run({"create", "a"}), 0) << err_;
  remember(kExbibyte, 1);
  EXPECT_EQ(run({"create", "a", "--ignore-free-space"}), 0) << err_;
}

TEST_F(UnattendedTest, AllArchivesAreMadeAsTheyStandInTheFileAndEachOnce) {
  configure("");
  EXPECT_EQ(run({"create", "b", "--all", "--json"}), 0) << err_;
  std::vector<std::string> order;
  const auto document = Json::parse(out_);
  ASSERT_TRUE(document);
  for (const auto& archive : *document->find("archives")->as_array())
    order.push_back(*archive.find("archive")->as_text());
  EXPECT_THAT(order, ElementsAre("b", "c", "a"));
}

TEST_F(UnattendedTest, SeveralProcessesMakeThemIntoOneDestinationAndOneFailureStopsNoOther) {
  configure("", "jobs: 3\n");
  std::filesystem::remove_all(directory_ / "root/a");
  EXPECT_EQ(run({"create", "--all", "--json", "--events", directory_ / "events"}), 2) << err_;
  EXPECT_TRUE(has_backup("b.tar.gz"));
  EXPECT_TRUE(has_backup("c.tar.gz"));
  const auto document = Json::parse(out_);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->find("exit_code")->as_integer(), 2);
  EXPECT_EQ(document->find("archives")->as_array()->size(), 3U);
  EXPECT_THAT(out_, HasSubstr("source.unreadable"));
  const auto events = test::read_file(directory_ / "events");
  EXPECT_THAT(events, HasSubstr("\"event\":\"backup_finished\",\"time\""));
  EXPECT_EQ(run({"create", "b", "c", "--jobs", "2", "--full"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("b: level 0"));
  EXPECT_THAT(out_, HasSubstr("c: level 0"));
}

TEST_F(UnattendedTest, ReadersTakeNoLockAndAWriterWaitsAsLongAsItIsTold) {
  configure("");
  EXPECT_EQ(run({"create", "--all"}), 0) << err_;
  std::vector<int> held;
  for (const auto& lock :
       {directory_ / "backups/.a.lock", directory_ / "state/lock/a.lock", directory_ / "state/lock/a.run.lock"}) {
    held.push_back(::open(lock.c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_EQ(::flock(held.back(), LOCK_EX | LOCK_NB), 0) << lock;
  }
  for (const auto& words : std::vector<std::vector<std::string>>{{"list", "a"},
                                                                 {"ls", "a"},
                                                                 {"restore", "a", "--to", directory_ / "r"},
                                                                 {"status", "a"},
                                                                 {"create", "a", "--dry-run"}}) {
    EXPECT_EQ(run(words), 0) << words.front() << ": " << err_;
  }
  EXPECT_EQ(run({"create", "a"}), 75);
  EXPECT_EQ(run({"keep", "a"}), 75);
  EXPECT_EQ(run({"create", "b"}), 0) << err_;  // another archive in the same destination
  std::thread holder([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    for (const int fd : held) ::close(fd);
  });
  EXPECT_EQ(run({"create", "a", "--lock-wait", "60s"}), 0) << err_;
  holder.join();
}

TEST(ParallelRun, TellsTheOtherProcessAllThatItWasTold) {
  const auto line = parse_command_line({"--config",
                                        "/c",
                                        "-vv",
                                        "--json",
                                        "--lock-wait",
                                        "5m",
                                        "--plugin-dir",
                                        "/p",
                                        "--safe-mode",
                                        "--color",
                                        "always",
                                        "create",
                                        "x",
                                        "--root",
                                        "/r",
                                        "--destination",
                                        "/d",
                                        "--include",
                                        "i",
                                        "--exclude",
                                        "-e",
                                        "--type",
                                        "tar",
                                        "--strength",
                                        "3",
                                        "--provider",
                                        "p",
                                        "--threads",
                                        "2",
                                        "--incremental",
                                        "--overwrite-at-start",
                                        "--allow-empty",
                                        "--level",
                                        "2",
                                        "--new-destination",
                                        "--accept-source",
                                        "--ignore-free-space",
                                        "--fail-fast"});
  const auto& command = std::get<CreateCommand>(line.command);
  const auto again = parse_command_line(arguments_for(line.options, command, "x", "/events"));
  const auto& told = std::get<CreateCommand>(again.command);
  EXPECT_EQ(again.options.config, "/c");
  EXPECT_EQ(again.options.verbosity, Verbosity::very_verbose);
  EXPECT_EQ(again.options.events, "/events");
  EXPECT_EQ(again.options.lock_wait, 5min);
  EXPECT_THAT(again.options.plugin_directories, ElementsAre("/p"));
  EXPECT_TRUE(again.options.json && again.options.safe_mode);
  EXPECT_THAT(told.archives, ElementsAre("x"));
  EXPECT_EQ(told.overrides.root, "/r");
  EXPECT_EQ(told.overrides.destination, "/d");
  EXPECT_THAT(told.overrides.include, ElementsAre("i"));
  EXPECT_THAT(told.overrides.exclude, ElementsAre("-e"));
  EXPECT_EQ(told.overrides.type, "tar");
  EXPECT_EQ(told.overrides.strength, 3);
  EXPECT_EQ(told.overrides.provider, "p");
  EXPECT_EQ(told.overrides.threads, 2U);
  EXPECT_EQ(told.level, 2);
  EXPECT_TRUE(told.overrides.incremental && told.overrides.overwrite_at_start && told.overrides.allow_empty);
  EXPECT_TRUE(told.new_destination && told.accept_source && told.ignore_free_space && told.part_of_run);
  EXPECT_EQ(told.jobs, 1);
}

TEST_F(UnattendedTest, StatusTellsWhatIsWrongAndEndsWithIt) {
  configure("max_age: 26h");
  EXPECT_EQ(run({"status"}), 2);
  EXPECT_THAT(out_, HasSubstr("a: there is no backup yet"));
  EXPECT_EQ(run({"create", "--all"}), 0) << err_;
  EXPECT_EQ(run({"status"}), 0) << out_;
  EXPECT_THAT(out_, ::testing::ContainsRegex("a +ok +.* ago +never +1 "));
  std::filesystem::rename(directory_ / "root/a", directory_ / "away");
  EXPECT_EQ(run({"create", "a"}), 2);
  EXPECT_EQ(run({"status", "a"}), 2);
  EXPECT_THAT(out_, HasSubstr("a: failing since"));
  std::filesystem::rename(directory_ / "away", directory_ / "root/a");
  EXPECT_EQ(run({"create", "a"}), 0) << err_;
  EXPECT_EQ(run({"status", "a", "--json"}), 0);
  const auto document = Json::parse(out_);
  ASSERT_TRUE(document);
  EXPECT_EQ(*document->find("status")->as_text(), "ok");
  EXPECT_EQ(document->find("archives")->as_array()->front().find("max_age")->as_integer(), 26 * 3600);
  std::filesystem::rename(directory_ / "backups", directory_ / "away");
  EXPECT_EQ(run({"status", "a"}), 2);
  EXPECT_THAT(out_, HasSubstr("backups'"));
}

TEST_F(UnattendedTest, StatusWritesFiguresForACollectorAtOnceAndReadable) {
  configure("");
  EXPECT_EQ(run({"create", "--all"}), 0) << err_;
  const auto file = directory_ / "aa.prom";
  EXPECT_EQ(run({"status", "--output", file}), 0);
  const auto text = test::read_file(file);
  EXPECT_THAT(text, HasSubstr("# TYPE autoarchive_status gauge\nautoarchive_status{archive=\"c\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("autoarchive_last_success_timestamp_seconds{archive=\"a\"} "));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "aa.prom.new"));
}

// A run that has died between moving old generations and removing the last one.
TEST_F(UnattendedTest, EveryBackupThatIsSetAsideRestoresAlthoughItsBaseHasLostItsName) {
  configure("incremental: true, keep: {generations: 1}");
  EXPECT_EQ(run({"create", "a"}), 0) << err_;
  test::write_file(directory_ / "root/a/more", "more");
  EXPECT_EQ(run({"create", "a"}), 0) << err_;
  EXPECT_EQ(run({"create", "a", "--full"}), 0) << err_;  // a.aa.tar.gz, a.1.aa.tar.gz and the new a.tar.gz
  const auto backups = directory_ / "backups";
  for (const char* sidecar : {"", ".manifest.zst", ".sha256"}) {
    const auto name = [&](const std::string& file) { return backups / (file + ".tar.gz" + sidecar); };
    for (const char* file : {"a.aa", "a.1.aa"}) std::filesystem::rename(name(file), name(file).native() + "._old");
    std::filesystem::copy(name("a"), name("a.aa"));
  }
  std::filesystem::remove_all(directory_ / "root/a");
  EXPECT_EQ(run({"restore", "a@1.aa", "--to", directory_ / "r"}), 0) << err_;
  EXPECT_EQ(test::read_file(directory_ / "r/more"), "more");
}

HealthFacts good() {
  HealthFacts facts;
  facts.now = SystemTime(std::chrono::seconds(1'800'000'000));
  facts.backups = 1;
  facts.newest = facts.now - 1h;
  facts.record.last_success.emplace();
  facts.record.last_success->began = facts.now - 1h;
  return facts;
}

Verdict verdict(void (*change)(HealthFacts&, ArchiveConfig&)) {
  auto facts = good();
  ArchiveConfig archive;
  change(facts, archive);
  return assess(facts, archive).verdict;
}

TEST(Health, IsTheWorstOfAllThatIsKnown) {
  using F = HealthFacts;
  using A = ArchiveConfig;
  EXPECT_EQ(verdict([](F&, A&) {}), Verdict::ok);
  EXPECT_EQ(verdict([](F&, A& a) { a.max_age = 1h; }), Verdict::ok);
  EXPECT_EQ(verdict([](F&, A& a) { a.max_age = 1h - 1s; }), Verdict::bad);
  EXPECT_EQ(verdict([](F& f, A& a) { a.max_age = 1h, f.record.last_success->began = f.now + 1s; }), Verdict::warning);
  EXPECT_EQ(verdict([](F& f, A&) { f.backups = 0; }), Verdict::bad);
  EXPECT_EQ(verdict([](F& f, A&) { f.unreachable = "not there"; }), Verdict::bad);
  EXPECT_EQ(verdict([](F& f, A&) { f.broken_chain = "a gap"; }), Verdict::bad);
  EXPECT_EQ(verdict([](F& f, A&) { f.record.failing_since = f.now; }), Verdict::bad);
  EXPECT_EQ(verdict([](F& f, A&) { f.problem_entries = 1; }), Verdict::warning);
  EXPECT_EQ(verdict([](F& f, A&) { f.held = f.now; }), Verdict::warning);
  EXPECT_EQ(verdict([](F& f, A&) { f.held = f.now - 2h; }), Verdict::ok);  // a later one was good
  EXPECT_EQ(verdict([](F&, A& a) { a.verify.after_create = true; }), Verdict::warning);
  EXPECT_EQ(verdict([](F&, A& a) { a.verify.restore_every = 24h; }), Verdict::warning);
  EXPECT_EQ(verdict([](F& f, A& a) {
              a.verify.restore_every = 24h;
              f.record.drill = DrillRecord{f.now - 25h, "x", 1, 1};
            }),
            Verdict::ok);
  // The record is lost: the newest backup's own time counts.
  EXPECT_EQ(verdict([](F& f, A& a) { a.max_age = 2h, f.record = {}; }), Verdict::ok);
}

TEST(Health, KnowsHowFastTheBackupsGrow) {
  ArchiveRecord record;
  EXPECT_FALSE(bytes_a_day(record));
  for (int day = 0; day < 11; ++day) {
    RunRecord run;
    run.began = SystemTime(day * 24h);
    run.backup = "x";
    run.archive_bytes = 500;
    record.runs.push_back(run);
  }
  EXPECT_DOUBLE_EQ(*bytes_a_day(record), 500);
}

TEST_F(UnattendedTest, EveryBackupIsReadBackAndTheNewestRestoredAsADrill) {
  configure("verify: {after_create: true, restore_every: 30d}, incremental: true");
  EXPECT_EQ(run({"create", "a"}), 0) << err_;
  test::write_file(directory_ / "root/a/more", "more");
  EXPECT_EQ(run({"create", "a"}), 0) << err_;
  std::string fault;
  EXPECT_EQ(proven_backups(read_verify_records(directory_ / "state", "a", directory_ / "backups", fault)).size(), 2U);
  const auto drilled = read_archive_record(directory_ / "state", "a").record.drill;
  ASSERT_TRUE(drilled);
  EXPECT_EQ(drilled->content_bytes, 1U);  // of level 0: the drill was not due again
  EXPECT_EQ(run({"status", "a", "--json"}), 0) << out_;
  EXPECT_THAT(out_, HasSubstr("\"restore_seconds\":"));
  // The level 0 that the next level is based on has been damaged, and forgotten as verified.
  forget_verified(directory_ / "state", "a");
  const auto file = directory_ / "backups/a.tar.gz";
  auto bytes = test::read_file(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  test::write_file(file, bytes);
  EXPECT_EQ(run({"create", "a"}), 2);
  EXPECT_THAT(err_, HasSubstr("'a.tar.gz' is damaged"));
  EXPECT_EQ(run({"status", "a"}), 2);
}

TEST(ScheduleUnits, QuoteEveryWord) {
  EXPECT_EQ(unit_word("a b\"c\\%$"), "\"a b\\\"c\\\\%%$$\"");
  EXPECT_EQ(unit_word("a\nUser=x"), "\"a\\x0aUser=x\"");
}

TEST_F(UnattendedTest, UnitsAreWrittenAndAreWhatSystemdWants) {
  configure("schedule: \"*-*-* 03:00\"", "nice: 10\nionice: idle\n");
  const auto units = directory_ / "units";
  EXPECT_EQ(run({"schedule", "show", "a"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("OnCalendar=*-*-* 03:00\nPersistent=true\n"));
  EXPECT_THAT(out_, HasSubstr("SuccessExitStatus=1 75\n"));
  EXPECT_EQ(run({"schedule", "install", "--directory", units}), 0) << err_;
  for (const char* name : {"autoarchive-a.service", "autoarchive-a.timer", "autoarchive-c.service"})
    EXPECT_TRUE(std::filesystem::exists(units / name)) << name;
  if (test::run_shell("command -v systemd-analyze").status == 0) {
    const auto checked = test::run_shell("systemd-analyze verify --man=no " +
                                         test::shell_quote((units / "autoarchive-a.service").native()) + " " +
                                         test::shell_quote((units / "autoarchive-a.timer").native()));
    EXPECT_EQ(checked.status, 0) << checked.output;
    EXPECT_THAT(checked.output, Not(HasSubstr("autoarchive"))) << checked.output;
  }
  test::write_file(units / "autoarchive-b.timer", "somebody else's\n");
  EXPECT_EQ(run({"schedule", "remove", "--directory", units}), 0) << err_;
  EXPECT_FALSE(std::filesystem::exists(units / "autoarchive-a.timer"));
  EXPECT_TRUE(std::filesystem::exists(units / "autoarchive-b.timer"));
  EXPECT_EQ(run({"schedule", "install", "b", "--directory", units}), 64);
  EXPECT_THAT(err_, HasSubstr("is not ours"));
}

}  // namespace
}  // namespace autoarchive::host
