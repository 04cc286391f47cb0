// What a rescan makes of archives that are not what their manifests say.
#include <filesystem>

#include "chains_fixture.hpp"
#include "support/run_program.hpp"

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class RescanDamageTest : public ChainsTest {
 protected:
  [[nodiscard]] std::string manifest(const std::string& name) const {
    return test::read_file(backup(name + ".manifest.zst"));
  }
  int rescan() { return run({"rescan", destination()}); }
};

TEST_F(RescanDamageTest, KeepsTheManifestOfAFileThatHasGrownOrBecomeShorter) {
  make_chain();
  const auto whole = test::read_file(backup("home.1.tar.gz"));
  const auto kept = manifest("home.1.tar.gz");
  for (const auto size : {whole.size() + 8, whole.size() - 8}) {
    fs::resize_file(backup("home.1.tar.gz"), size);
    EXPECT_EQ(rescan(), 2);
    EXPECT_THAT(err_, AllOf(HasSubstr("'home.1.tar.gz': it has " + std::to_string(size) +
                                      " bytes, and its manifest, which stays, says " + std::to_string(whole.size())),
                            HasSubstr("(archive.damaged)"), Not(HasSubstr("chain.broken"))));
    EXPECT_EQ(manifest("home.1.tar.gz"), kept);
    test::write_file(backup("home.1.tar.gz"), whole);
    EXPECT_EQ(rescan(), 0) << err_;
    expect_day(3, "3");
  }
}

TEST_F(RescanDamageTest, KnowsAFileByItsManifestWhoseBeginningIsLost) {
  make_chain();
  configure_home("");
  const auto whole = test::read_file(backup("home.1.tar.gz"));
  const auto kept = manifest("home.1.tar.gz");
  for (const std::string appended : {"", "appended"}) {
    test::write_file(backup("home.1.tar.gz"), std::string(100, '\0') + whole.substr(100) + appended);
    EXPECT_EQ(rescan(), 2);
    EXPECT_THAT(err_, AllOf(HasSubstr("error: 'home.1.tar.gz': is no archive: its manifest, which stays, says"),
                            HasSubstr("(archive.damaged)"), Not(HasSubstr("chain.broken"))));
    EXPECT_EQ(manifest("home.1.tar.gz"), kept);
    EXPECT_EQ(verify("data"), 2);
    EXPECT_THAT(out_, HasSubstr("home: 4 files")) << "the newest is still the newest";
    EXPECT_THAT(err_, HasSubstr("home.1.tar.gz': "));
    EXPECT_EQ(status(), 2);
    EXPECT_EQ(run({"verify", backup("home.1.tar.gz")}), 2);
    EXPECT_THAT(out_, HasSubstr("home.1.tar.gz: 2 files"));
  }
  // Not where the name is that of another level.
  fs::rename(backup("home.1.tar.gz"), backup("home.7.tar.gz"));
  fs::rename(backup("home.1.tar.gz.manifest.zst"), backup("home.7.tar.gz.manifest.zst"));
  EXPECT_EQ(rescan(), 2);
  EXPECT_THAT(err_,
              AllOf(HasSubstr("'home.7.tar.gz' is no archive; left alone"), HasSubstr("'home.2.tar.gz': level 1")));
}

// What somebody has put in the place of one of ours is none.
TEST_F(RescanDamageTest, LeavesAWholeArchiveOfSomebodyElseAloneBesideAManifest) {
  make_chain();
  const auto made = test::run_shell("tar -czf " + test::shell_quote(backup("home.1.tar.gz")) + " -C " +
                                    test::shell_quote(directory_ / "root") + " .");
  ASSERT_EQ(made.status, 0) << made.output;
  EXPECT_EQ(rescan(), 2);
  EXPECT_THAT(err_, AllOf(HasSubstr("'home.1.tar.gz' does not say which backup it is"), HasSubstr("level 1 (backup ")));
}

TEST_F(RescanDamageTest, TakesTheManifestThatFitsBeforeTheOneWithTheName) {
  make_chain();
  fs::rename(backup("home.1.tar.gz.manifest.zst"), backup("whole.manifest.zst"));
  const auto kept = test::read_file(backup("whole.manifest.zst"));
  fs::remove_all(directory_ / "state");
  const auto whole = test::read_file(backup("home.1.tar.gz"));
  // With bytes behind its end that are another member of the stream, it can be read, and gets a manifest of its own.
  const auto grown = test::run_shell("printf '' | gzip >> " + test::shell_quote(backup("home.1.tar.gz")));
  ASSERT_EQ(grown.status, 0) << grown.output;
  fs::rename(backup("whole.manifest.zst"), directory_ / "aside");
  fs::remove(backup("home.1.tar.gz.sha256"));
  rescan();
  ASSERT_TRUE(fs::exists(backup("home.1.tar.gz.manifest.zst"))) << err_;
  ASSERT_NE(manifest("home.1.tar.gz"), kept);
  fs::rename(directory_ / "aside", backup("whole.manifest.zst"));
  test::write_file(backup("home.1.tar.gz"), whole);
  fs::remove(backup("home.1.tar.gz.sha256"));
  EXPECT_EQ(rescan(), 0) << err_;
  EXPECT_EQ(manifest("home.1.tar.gz"), kept);
  expect_day(3, "3");
}

TEST_F(RescanDamageTest, TellsOfALevelThatStandsOnAnotherFileThanItWasMadeOn) {
  make_chain();
  // The same backup in other bytes, with a manifest that fits to them.
  const auto file = test::shell_quote(backup("home.1.tar.gz"));
  const auto packed =
      test::run_shell("gzip -dc " + file + " | gzip -1 > " + file + ".new && mv " + file + ".new " + file);
  ASSERT_EQ(packed.status, 0) << packed.output;
  drop_manifest("home.1.tar.gz");
  fs::remove(directory_ / "state/snapshots/home.1.manifest.zst");
  for (int time = 0; time < 2; ++time) {
    EXPECT_EQ(rescan(), 2);
    EXPECT_THAT(err_, AllOf(HasSubstr("'home.2.tar.gz': level 1 (backup "),
                            HasSubstr("which it is based on, is 'home.1.tar.gz', whose SHA-256 is "),
                            HasSubstr("(chain.broken)"), Not(HasSubstr("'home.3.tar.gz'"))));
  }
}

}  // namespace
}  // namespace autoarchive::host
