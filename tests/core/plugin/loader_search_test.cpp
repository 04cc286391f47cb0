// Where plugins are looked for, and which are taken.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <iostream>
#include <span>

#include "autoarchive/base/digest.hpp"
#include "loader_fixture.hpp"
#include "plugin/gate.hpp"

namespace autoarchive {
namespace {

namespace fs = std::filesystem;
using test::LoaderTest;
using test::text_of;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class LoaderSearchTest : public LoaderTest {};

TEST_F(LoaderSearchTest, TakesTheFirstOfTwoWithTheSameIdAndShadowsTheOther) {
  put("good");
  put("same_id");
  const auto& reports = load();
  EXPECT_EQ(reports[0].state, PluginState::loaded);
  EXPECT_EQ(reports[1].state, PluginState::shadowed);
  EXPECT_EQ(reports[1].shadowed_by, reports[0].file);
}

TEST_F(LoaderSearchTest, HoldsToDenialsAndToTheListOfWhatIsAllowed) {
  put("good");
  put("throws");
  auto policy = here();
  policy.denied = {"org.example.throws"};
  policy.allowed = {"org.example.other"};
  EXPECT_EQ(text_of(load(policy)),
            "AA-P402 plugin org.example.good is not on the list of what is allowed\n"
            "AA-P401 plugin org.example.throws is denied by the configuration\n"
            "AA-P402 plugin org.example.throws is not on the list of what is allowed\n");
}

TEST_F(LoaderSearchTest, RunsNoCodeOfAForeignDirectoryInSafeMode) {
  put("exiting_constructor");
  auto policy = here();
  policy.safe_mode = true;
  policy.installed_directory = directory_.path();
  policy.dev_overrides["org.example.exiting_constructor"].file = plugins_ / "exiting_constructor.so";
  const auto& report = load(policy).front();
  EXPECT_EQ(report.refusals.front().code, "AA-P404");
  EXPECT_FALSE(report.is_dev_override);
}

TEST_F(LoaderSearchTest, KeepsReservedIdsForInstalledPlugins) {
  put("reserved_id");
  const auto installed = directory_.make("installed");
  fs::copy_file(plugins_ / "reserved_id.so", installed / "reserved_id.so");
  auto policy = policy_for({{plugins_, ""}, {installed, ""}});
  policy.installed_directory = installed;
  const auto& reports = load(policy);
  EXPECT_EQ(reports[0].refusals.front().code, "AA-P405");
  EXPECT_EQ(reports[1].state, PluginState::loaded);
}

TEST_F(LoaderSearchTest, TakesAPinnedFileFirstAndHoldsItToItsDigest) {
  const auto elsewhere = directory_.make("elsewhere");
  const auto pinned = elsewhere / "pinned.so";
  put("good");
  fs::copy_file(plugins_ / "good.so", pinned);
  auto policy = here();
  auto& pin = policy.pins["org.example.good"];
  const auto content = test::read_file(pinned);
  pin = {pinned, sha256_of(std::as_bytes(std::span(content))), "config.yaml:5:3"};
  loader_.discover(policy);
  EXPECT_EQ(loader_.reports()[0].file, pinned);
  EXPECT_EQ(loader_.reports()[0].state, PluginState::accepted);
  EXPECT_EQ(loader_.reports()[1].shadowed_by, pinned);

  pin.sha256 = std::string(64, '0');
  PluginLoader other(context_, accessor_);
  other.discover(policy);
  const auto& refusal = other.reports()[0].refusals.front();
  EXPECT_EQ(refusal.code, "AA-P403");
  EXPECT_EQ(refusal.allowed, pin.sha256);
  EXPECT_EQ(refusal.found.size(), 64U);
}

TEST_F(LoaderSearchTest, PutsADevelopersOwnFileBeforeAllOthers) {
  put("good");
  const auto build = directory_.make("build");
  fs::copy_file(fs::path(AA_FIXTURE_DIR) / "same_id.so", build / "mine.so");
  auto policy = here();
  policy.dev_overrides["org.example.good"] = {build / "mine.so", "", "config.yaml:5:3"};
  policy.dev_overrides["org.example.another"] = {plugins_ / "good.so", "", "config.yaml:6:3"};
  const auto& reports = load(policy);
  EXPECT_EQ(reports[0].refusals.front().code, "AA-P406");
  EXPECT_EQ(reports[0].refusals.front().text, "id: file 'org.example.good', config.yaml:6:3 'org.example.another'");
  EXPECT_EQ(reports[1].state, PluginState::loaded);
  EXPECT_TRUE(reports[1].is_dev_override);
}

TEST_F(LoaderSearchTest, LooksOnlyAtLibrariesSortedByNameAndNotBelow) {
  put("good", "b");
  put("same_provider", "a");
  test::write_file(plugins_ / "README", "x");
  test::write_file(plugins_ / "below/c.so", "x");
  std::vector<std::string> names;
  for (const auto& report : load(policy_for({{plugins_, ""}, {plugins_, "test"}, {directory_ / "missing", ""}})))
    names.push_back(report.file.filename());
  EXPECT_THAT(names, ElementsAre("a.so", "b.so"));
}

TEST_F(LoaderSearchTest, TellsADirectoryThatIsNamedAndCanNotBeRead) {
  put("good");
  test::write_file(directory_ / "file", "");
  const fs::path too_long = directory_ / std::string(300, 'x');
  const auto& reports = load(policy_for({{directory_ / "missing", "--plugin-dir"},
                                         {directory_ / "file", "config.yaml:3:17"},
                                         {too_long, ""},
                                         {directory_ / "absent", ""},
                                         {plugins_, ""}}));
  EXPECT_EQ(text_of(reports),
            "AA-P105 named by --plugin-dir, it can't be read as a directory: No such file or directory\n"
            "AA-P105 named by config.yaml:3:17, it can't be read as a directory: Not a directory\n"
            "AA-P105 it can't be read as a directory: File name too long\n");
  ASSERT_THAT(reports, SizeIs(4));  // the default one that is absent goes without saying
  EXPECT_EQ(reports[0].file, directory_ / "missing");
  EXPECT_EQ(reports[0].state, PluginState::unsearched);
  EXPECT_EQ(reports[3].state, PluginState::loaded);
}

/// From now on this system call fails, for good: for a child that ends after the test.
void refuse_call(unsigned number, unsigned os_errno) {
  std::array filter{sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
                    sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | os_errno),
                    sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{filter.size(), filter.data()};
  EXPECT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  EXPECT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

TEST_F(LoaderSearchTest, RefusesAFileThatCanNotBeExamined) {
  put("good");
  const auto look_blindly = [&] {
    refuse_call(SYS_newfstatat, EACCES);
    const auto refusal = check_file(plugins_ / "good.so").front();
    std::cerr << refusal.code << " " << refusal.text << "\n";
    ::_exit(0);
  };
  EXPECT_EXIT(look_blindly(), ::testing::ExitedWithCode(0), "AA-P101 .*good.so': Permission denied");
}

TEST_F(LoaderSearchTest, TellsADirectoryThatCanNotBeReadToItsEnd) {
  const auto load_from_a_bad_disk = [&] {
    refuse_call(SYS_getdents64, EIO);
    std::cerr << text_of(load());
    ::_exit(0);
  };
  EXPECT_EXIT(load_from_a_bad_disk(), ::testing::ExitedWithCode(0), "AA-P105 .*Input/output error");
}

}  // namespace
}  // namespace autoarchive
