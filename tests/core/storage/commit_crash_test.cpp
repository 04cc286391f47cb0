// Dies at every file-changing system call of a commit, and looks what is left: a child under ptrace is killed at its
// n-th such call.
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <set>
#include <span>

#include "autoarchive/storage/local_storage.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive {
namespace {

#if defined(__x86_64__)

bool changes_files(unsigned long long call) {
  static const std::set<unsigned long long> calls{
      SYS_openat, SYS_write,    SYS_pwrite64, SYS_rename,    SYS_renameat,  SYS_renameat2, SYS_linkat,
      SYS_unlink, SYS_unlinkat, SYS_fsync,    SYS_fdatasync, SYS_ftruncate, SYS_mkdir,     SYS_close};
  return calls.contains(call);
}

/// Runs `job` in a child and kills it when it enters its n-th file-changing call. False: it ended before.
template <class Job>
bool kill_at(int n, const Job& job) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    job();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  bool entering = true;
  for (int seen = 0;;) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status) || WIFSIGNALED(status)) return false;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
    if (entering) {
      user_regs_struct registers{};
      ::ptrace(PTRACE_GETREGS, child, nullptr, &registers);
      if (changes_files(registers.orig_rax) && ++seen == n) break;
    }
    entering = !entering;
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return true;
}

void write(ITransaction& transaction, const std::string& name, const std::string& content) {
  const auto sink = transaction.put(name);
  sink->write(std::as_bytes(std::span(content)));
  sink->finish();
}

TransactionOptions options() {
  TransactionOptions options;
  options.archive = "home";
  return options;
}

/// A new full backup over a chain of two levels, one kept generation that falls off, and state.
void make_backup(const std::filesystem::path& destination, const std::filesystem::path& state) {
  LocalStorage storage(destination);
  const auto transaction = storage.begin(options());
  write(*transaction, "home.tar", "new full");
  write(*transaction, "home.tar.manifest.zst", "new manifest");
  test::write_file(transaction->put_state(state / "home.snar"), "new state");
  transaction->remove_state(state / "home.1.snar");
  CommitPlan plan;
  plan.steps = {{CommitStep::Action::retire, "home.aa.tar", ""},
                {CommitStep::Action::move, "home.1.tar", "home.1.aa.tar"},
                {CommitStep::Action::keep, "home.tar", "home.aa.tar"},
                {CommitStep::Action::keep, "home.tar.manifest.zst", "home.aa.tar.manifest.zst"}};
  plan.texts = {{"home.tar.sha256", "new digest"}};
  transaction->commit(plan);
}

const std::map<std::string, std::string> kBefore{
    {"home.1.tar", "level 1"}, {"home.aa.tar", "oldest"}, {"home.tar", "full"}, {"home.tar.manifest.zst", "manifest"}};
const std::map<std::string, std::string> kAfter{{"home.1.aa.tar", "level 1"},
                                                {"home.aa.tar", "full"},
                                                {"home.aa.tar.manifest.zst", "manifest"},
                                                {"home.tar", "new full"},
                                                {"home.tar.manifest.zst", "new manifest"},
                                                {"home.tar.sha256", "new digest"}};

std::map<std::string, std::string> contents(const std::filesystem::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& file : LocalStorage(directory).list("home"))
    files[file.name] = test::read_file(directory / file.name);
  return files;
}

bool has_content(const std::map<std::string, std::string>& files, const std::string& content) {
  return std::any_of(files.begin(), files.end(), [&](const auto& file) { return file.second == content; });
}

void lay_out(const std::filesystem::path& destination, const std::filesystem::path& state) {
  for (const auto& [name, content] : kBefore) test::write_file(destination / name, content);
  test::write_file(state / "home.snar", "old state");
  test::write_file(state / "home.1.snar", "old state 1");
}

TEST(CommitCrash, LeavesTheOldOrTheNewStateAtEveryPoint) {
  int points = 0;
  for (int n = 1;; ++n) {
    const test::TempDir directory;
    const auto destination = directory.make("destination");
    const auto state = directory.make("state");
    lay_out(destination, state);
    if (!kill_at(n, [&] { make_backup(destination, state); })) break;
    ++points;
    const auto left = contents(destination);
    // Every backup that was there still is, under some name, and no name shows half a file.
    if (!has_content(left, "new full") || left.contains("home.tar._partial")) {
      for (const char* content : {"full", "level 1", "oldest"})
        EXPECT_TRUE(has_content(left, content)) << content << " at " << n;
    }
    for (const auto& [name, content] : left) {
      EXPECT_TRUE(name.ends_with("._partial") || !content.empty()) << name << " at " << n;
    }
    // Recovery may be killed as well, several times.
    for (int again = 1; again < 12; again += 5)
      kill_at(again * 3, [&] { static_cast<void>(LocalStorage(destination).begin(options())); });
    static_cast<void>(LocalStorage(destination).begin(options()));
    const auto recovered = contents(destination);
    EXPECT_TRUE(recovered == kBefore || recovered == kAfter) << "at " << n;
    const bool is_new = recovered == kAfter;
    EXPECT_EQ(test::read_file(state / "home.snar"), is_new ? "new state" : "old state") << "at " << n;
    EXPECT_EQ(std::filesystem::exists(state / "home.1.snar"), !is_new) << "at " << n;
    EXPECT_FALSE(std::filesystem::exists(state / "home.snar._partial")) << "at " << n;
  }
  EXPECT_GT(points, 60);
}

#endif

}  // namespace
}  // namespace autoarchive
