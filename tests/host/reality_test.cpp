// The configuration against the machine: `aa config check` on trees, disks and programs as they are.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "application_fixture.hpp"

namespace autoarchive::host {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RealityTest : public ApplicationTest {
 protected:
  RealityTest() { environment_["PATH"] = "/usr/bin:/bin"; }

  int check(const std::string& archive, const std::string& top = "") {
    configure("version: 1\n" + top + "archives:\n  home: {root: " + root() + ", destination: " + destination() +
              archive + "}\n");
    return run({"config", "check"});
  }
  [[nodiscard]] std::string root() const { return directory_ / "root"; }
  [[nodiscard]] std::string place(int line, int column) const {
    return (directory_ / "config/autoarchive/config.yaml").native() + ":" + std::to_string(line) + ":" +
           std::to_string(column) + ": ";
  }
};

TEST_F(RealityTest, FindsNothingWhereEverythingIsAsItShould) {
  EXPECT_EQ(check(", hooks: [{at: before, run: [sh, -c, 'exit 0']}], exclude: [a]"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("1 archives in 1 files: no errors"));
  EXPECT_THAT(err_, Not(HasSubstr("warning")));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "state"));
  EXPECT_TRUE(std::filesystem::is_empty(directory_ / "backups"));
}

TEST_F(RealityTest, NamesARootThatIsMissingEmptyOrNoDirectory) {
  const auto root = directory_ / "root";
  std::filesystem::rename(root, directory_ / "elsewhere");
  EXPECT_EQ(check(""), 2);
  EXPECT_THAT(err_, HasSubstr("[home] error: " + place(3, 16) + "root '" + root.native() +
                              "': No such file or directory; make it, or mount its file system (config.reality)"));
  std::filesystem::create_directory(root);
  EXPECT_EQ(check(""), 2);
  EXPECT_THAT(err_, HasSubstr("is empty; mount its file system, or set allow_empty: true"));
  EXPECT_EQ(check(", allow_empty: true"), 0) << err_;
  std::filesystem::remove(root);
  test::write_file(root, "");
  EXPECT_EQ(check(""), 2);
  EXPECT_THAT(err_, HasSubstr("is not a directory; name another"));
}

TEST_F(RealityTest, NamesIncludesThatAreMissingAndPatternsWithoutEffect) {
  EXPECT_EQ(check(", include: [d, gone], exclude: [\"*.tmp\", b, \"!keep\"]"), 1);
  EXPECT_THAT(err_, HasSubstr("include 'gone': No such file or directory; correct it, or take it out"));
  EXPECT_THAT(err_, HasSubstr("exclude[0] '*.tmp' leaves nothing out"));
  EXPECT_THAT(err_, Not(HasSubstr("exclude[1]")));
  EXPECT_THAT(err_, Not(HasSubstr("keep")));
}

TEST_F(RealityTest, NamesADestinationThatCanNotBeUsed) {
  std::filesystem::remove(directory_ / "backups");
  EXPECT_EQ(check(""), 2);
  EXPECT_THAT(err_, HasSubstr("destination '" + destination() + "': No such file or directory"));
  test::write_file(directory_ / "backups", "");
  EXPECT_EQ(check(""), 2);
  EXPECT_THAT(err_, HasSubstr("destination '" + destination() + "' is not a directory"));
}

TEST_F(RealityTest, NoticesADestinationThatIsNotMounted) {
  ASSERT_EQ(check(""), 0) << err_;
  ASSERT_EQ(run({"create", "home"}), 0) << err_;
  EXPECT_EQ(run({"config", "check"}), 0) << err_;
  std::filesystem::rename(directory_ / "backups", directory_ / "disk");
  std::filesystem::create_directory(directory_ / "backups");
  EXPECT_EQ(run({"config", "check"}), 2);
  EXPECT_THAT(err_, HasSubstr("is not the one that the last backup went to: is that not mounted?"));
  EXPECT_THAT(err_, HasSubstr("aa create home --new-destination"));
}

TEST_F(RealityTest, NoticesADestinationThatCanOnlyBeRead) {
  if (::geteuid() != 0 || ::mount("none", destination().c_str(), "tmpfs", MS_RDONLY, nullptr) != 0)
    GTEST_SKIP() << "mounting is not permitted here";
  const auto status = check("");
  ::umount2(destination().c_str(), MNT_DETACH);
  EXPECT_EQ(status, 2);
  EXPECT_THAT(err_, HasSubstr("destination '" + destination() + "'"));
  EXPECT_THAT(err_, HasSubstr("ead-only"));
}

TEST_F(RealityTest, SaysWhereTheDestinationLies) {
  EXPECT_EQ(check(""), 0);
  EXPECT_THAT(err_, HasSubstr("root and destination are on the same file system: one failure takes both"));
  std::filesystem::create_directory(directory_ / "root/backups");
  configure("version: 1\narchives:\n  home: {root: " + root() + ", destination: " + root() + "/backups}\n");
  EXPECT_EQ(run({"config", "check"}), 0);
  EXPECT_THAT(err_, HasSubstr("the destination lies inside of the root"));
}

TEST_F(RealityTest, RefusesDestinationAndStateInEachOther) {
  const auto state = directory_.make("state").native();
  std::filesystem::create_directory(directory_ / "state/backups");
  configure("version: 1\narchives:\n  home: {root: " + root() + ", destination: " + state + "/backups}\n");
  EXPECT_EQ(run({"config", "check"}), 2);
  EXPECT_THAT(err_, HasSubstr("destination '" + state + "/backups' lies in state_dir '" + state + "'; name another"));
  configure("version: 1\narchives:\n  home: {root: " + root() + ", destination: " + state + "}\n");
  EXPECT_EQ(run({"config", "check"}), 2);
  environment_["AA_STATE_DIR"] = destination() + "/not there yet";
  EXPECT_EQ(check(""), 2);
  EXPECT_THAT(err_, HasSubstr("not there yet' lies in the destination '" + destination() + "'; name another"));
}

TEST_F(RealityTest, NamesAScheduleThatSystemdDoesNotRead) {
  if (::access("/usr/bin/systemd-analyze", X_OK) != 0) GTEST_SKIP() << "only systemd knows its calendar";
  EXPECT_EQ(check(", schedule: \"*-*-* 03:00\""), 0) << err_;
  EXPECT_EQ(check(", schedule: \"--help\""), 2);
  EXPECT_EQ(check(", schedule: \"*-*-* 25:00\""), 2);
  EXPECT_THAT(err_, HasSubstr("schedule '*-*-* 25:00' is no calendar expression of systemd's"));
}

TEST_F(RealityTest, NamesHooksThatCanNotBeRun) {
  test::write_file(directory_ / "script", "#!/bin/sh\n");
  EXPECT_EQ(check(", hooks: [{at: before, run: [no-such-program]}, {at: after, run: [" +
                      (directory_ / "script").native() + "]}, {at: failed, run: [/no/such/file]}]",
                  "hooks: [{at: before_all, run: [also-none]}]\n"),
            2);
  EXPECT_THAT(err_, HasSubstr("hook at before: there is no program 'no-such-program' in PATH; give its whole path"));
  EXPECT_THAT(err_, HasSubstr("hook at after: '" + (directory_ / "script").native() + "' can't be run; chmod +x it"));
  EXPECT_THAT(err_, HasSubstr("hook at failed: '/no/such/file': No such file or directory; install it"));
  EXPECT_THAT(err_, HasSubstr("error: " + place(2, 9) + "hook at before_all: there is no program 'also-none'"));
  EXPECT_EQ(run({"config", "check", "--file-only"}), 0);
}

TEST_F(RealityTest, NamesTypesProvidersAndIdsThatNothingHereHas) {
  EXPECT_EQ(check(", type: tar.gzz"), 2);
  EXPECT_THAT(err_, HasSubstr("type 'tar.gzz': no plugin makes it"));
  EXPECT_EQ(check(", provider: tar-intrenal"), 2);
  EXPECT_THAT(err_, HasSubstr("tar-intrenal"));
  EXPECT_EQ(check("", "plugins: {settings: {tar-exernal: {priority: 1}}, pins: {org.example.x: {file: /x}}}\n"), 1);
  EXPECT_THAT(err_, HasSubstr("no provider here has the id 'tar-exernal'; did you mean tar-external?"));
  EXPECT_THAT(err_, HasSubstr("no plugin here has the id 'org.example.x'; see aa plugins list"));
}

TEST_F(RealityTest, ChecksOnlyTheArchivesThatAreNamed) {
  configure("version: 1\ndefaults: {destination: " + destination() + "}\narchives:\n  good: {root: " + root() +
            "}\n  bad: {root: /no/such/root}\n");
  EXPECT_EQ(run({"config", "check", "good"}), 0) << err_;
  EXPECT_EQ(run({"config", "check"}), 2);
  EXPECT_EQ(run({"config", "check", "godo"}), 66);
}

}  // namespace
}  // namespace autoarchive::host
