#include "autoarchive/storage/local_storage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <set>
#include <span>
#include <thread>

#include "autoarchive/base/error.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive {
namespace {

using ::testing::ElementsAre;

ByteView bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

void put(ITransaction& transaction, const std::string& name, std::string_view content) {
  const auto sink = transaction.put(name);
  sink->write(bytes(content));
  sink->finish();
}

class LocalStorageTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<ITransaction> begin(const std::string& archive = "home") {
    TransactionOptions options;
    options.archive = archive;
    return storage_.begin(options);
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& file : storage_.list("home")) found.push_back(file.name);
    return found;
  }
  [[nodiscard]] std::string content(const std::string& name) const { return test::read_file(directory_ / name); }

  test::TempDir directory_;
  LocalStorage storage_{directory_.path()};
};

TEST_F(LocalStorageTest, ShowsAFileUnderItsNameOnlyAfterTheCommit) {
  const auto transaction = begin();
  put(*transaction, "home.tar", "content");
  EXPECT_THAT(names(), ElementsAre("home.tar._partial"));
  struct stat status {};
  ASSERT_EQ(::stat((directory_ / "home.tar._partial").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  std::array<std::byte, 7> read{};
  EXPECT_EQ(transaction->read_back("home.tar")->read_at(0, read), 7U);
  transaction->commit({});
  EXPECT_THAT(names(), ElementsAre("home.tar"));
}

// Each archive remembers the marker: a second one that replaced it would look like another disk for ever.
TEST_F(LocalStorageTest, GivesANewDestinationOneMarkerHoweverManyBeginAtOnce) {
  for (int round = 0; round < 50; ++round) {
    const auto folder = directory_.make(std::to_string(round));
    std::vector<std::string> markers(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < markers.size(); ++i) {
      threads.emplace_back([&, i] {
        LocalStorage storage(folder);
        TransactionOptions options;
        options.archive = "a" + std::to_string(i);
        markers[i] = storage.begin(options)->marker();
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(std::set<std::string>(markers.begin(), markers.end()).size(), 1U);
    EXPECT_EQ(test::read_file(folder / kMarkerName), markers.front() + "\n");
  }
}

// Found after the journal, it would stop this archive for good.
TEST_F(LocalStorageTest, RefusesACommitBeforeItsJournalWhenSomethingIsInTheWay) {
  {
    const auto transaction = begin();
    put(*transaction, "home.tar", "old");
    transaction->commit({});
  }
  std::filesystem::create_directory(directory_ / "home.aa.tar");
  for (const char* retired : {"", "home.tar"}) {
    if (*retired != '\0') std::filesystem::create_directory(directory_ / "home.tar._old");
    const auto transaction = begin();
    put(*transaction, "home.tar", "new");
    CommitPlan plan;
    if (*retired == '\0') plan.steps.push_back({CommitStep::Action::keep, "home.tar", "home.aa.tar"});
    if (*retired != '\0') plan.steps.push_back({CommitStep::Action::retire, "home.tar", ""});
    EXPECT_THROW(transaction->commit(plan), Error);
    EXPECT_FALSE(std::filesystem::exists(directory_ / ".home.journal"));
    EXPECT_EQ(content("home.tar"), "old");
  }
}

TEST_F(LocalStorageTest, LeavesNothingBehindWhenItIsGivenUp) {
  test::write_file(directory_ / "home.tar", "old");
  {
    const auto transaction = begin();
    put(*transaction, "home.tar", "new");
    auto unfinished = transaction->put("home.tar.manifest.zst");
  }
  EXPECT_THAT(names(), ElementsAre("home.tar"));
  EXPECT_EQ(content("home.tar"), "old");
}

TEST_F(LocalStorageTest, ShiftsGenerationsInOneCommit) {
  test::write_file(directory_ / "home.tar", "2");
  test::write_file(directory_ / "home.aa.tar", "1");
  test::write_file(directory_ / "home.ab.tar", "0");
  const auto transaction = begin();
  put(*transaction, "home.tar", "3");
  CommitPlan plan;
  plan.steps = {{CommitStep::Action::retire, "home.ab.tar", ""},
                {CommitStep::Action::move, "home.aa.tar", "home.ab.tar"},
                {CommitStep::Action::keep, "home.tar", "home.aa.tar"}};
  plan.texts = {{"home.aa.tar.sha256", "digest  home.aa.tar\n"}};
  transaction->commit(plan);
  EXPECT_THAT(names(), ElementsAre("home.aa.tar", "home.aa.tar.sha256", "home.ab.tar", "home.tar"));
  EXPECT_EQ(content("home.tar") + content("home.aa.tar") + content("home.ab.tar"), "321");
}

TEST_F(LocalStorageTest, CommitsTheProvidersStateWithTheBackup) {
  const test::TempDir state;
  test::write_file(state / "home.1.snar", "higher level");
  const auto transaction = begin();
  put(*transaction, "home.tar", "x");
  test::write_file(transaction->put_state(state / "home.snar"), "snapshot");
  transaction->remove_state(state / "home.1.snar");
  EXPECT_FALSE(std::filesystem::exists(state / "home.snar"));
  transaction->commit({});
  EXPECT_EQ(test::read_file(state / "home.snar"), "snapshot");
  EXPECT_FALSE(std::filesystem::exists(state / "home.1.snar"));
}

TEST_F(LocalStorageTest, TellsASecondWriterWhoHasTheLock) {
  const auto first = begin();
  try {
    static_cast<void>(begin());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::lock_busy);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("process " + std::to_string(::getpid())));
  }
  EXPECT_NO_THROW(static_cast<void>(begin("other")));
}

TEST_F(LocalStorageTest, RemovesTheTemporaryFilesOfADeadWriterAndOfNobodyElse) {
  if (const auto child = ::fork(); child == 0) {
    auto* transaction = begin().release();
    put(*transaction, "home.tar", "half");
    ::_exit(0);
  }
  int status = 0;
  ::wait(&status);
  test::write_file(directory_ / "home.b.tar._partial", "of the archive home.b");
  EXPECT_TRUE(std::filesystem::exists(directory_ / "home.tar._partial"));
  static_cast<void>(begin());
  EXPECT_THAT(names(), ElementsAre("home.b.tar._partial"));
}

TEST_F(LocalStorageTest, NoticesADestinationThatIsNotMounted) {
  const auto marker = begin()->marker();
  std::filesystem::remove(directory_ / kMarkerName);
  TransactionOptions options;
  options.archive = "home";
  options.expected_marker = marker;
  try {
    static_cast<void>(storage_.begin(options));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::destination);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("--new-destination"));
  }
  options.new_destination = true;
  EXPECT_NE(storage_.begin(options)->marker(), "");
}

TEST_F(LocalStorageTest, RefusesADestinationThatIsMissingOrAFile) {
  test::write_file(directory_ / "file", "");
  for (const char* name : {"missing", "file"}) {
    try {
      TransactionOptions options;
      options.archive = "home";
      static_cast<void>(LocalStorage(directory_ / name).begin(options));
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.cause(), ErrorCause::destination) << name;
    }
  }
}

TEST_F(LocalStorageTest, CommitsOnlyIfAbsentWhenAsked) {
  test::write_file(directory_ / "home.tar", "old");
  const auto transaction = begin();
  put(*transaction, "home.tar", "new");
  CommitPlan plan;
  plan.only_if_absent = true;
  EXPECT_THROW(transaction->commit(plan), Error);
  EXPECT_EQ(content("home.tar"), "old");
}

TEST_F(LocalStorageTest, GivesUpCleanlyOnAFullDisk) {
  if (::geteuid() != 0 || ::mount("none", directory_.path().c_str(), "tmpfs", 0, "size=64k") != 0)
    GTEST_SKIP() << "needs a tmpfs of its own";
  test::write_file(directory_ / "home.tar", "old");
  {
    const auto transaction = begin();
    const auto sink = transaction->put("home.tar");
    try {
      for (int i = 0; i < 100; ++i) sink->write(bytes(std::string(10'000, 'x')));
      FAIL() << "nothing was full";
    } catch (const Error& error) {
      EXPECT_EQ(error.cause(), ErrorCause::no_space);
    }
  }
  EXPECT_THAT(names(), ElementsAre("home.tar"));
  EXPECT_EQ(content("home.tar"), "old");
  ::umount(directory_.path().c_str());
}

TEST_F(LocalStorageTest, ListsRegularFilesSortedByName) {
  for (const char* name : {"home.b", "home.a", "other"}) test::write_file(directory_ / name, "");
  std::filesystem::create_directory(directory_ / "home.directory");
  std::filesystem::create_symlink("home.a", directory_ / "home.link");
  EXPECT_THAT(names(), ElementsAre("home.a", "home.b"));
  EXPECT_FALSE(storage_.stat("home.link"));
  EXPECT_THROW(static_cast<void>(storage_.open("missing")), Error);
}

}  // namespace
}  // namespace autoarchive
