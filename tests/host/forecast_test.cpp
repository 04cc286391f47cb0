// What is said of the next backup is what it will be, also where a run brings back first what is lost.
#include <filesystem>
#include <map>

#include "chains_fixture.hpp"

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ForecastTest : public ChainsTest {
 protected:
  void make_chain_of(const std::string& provider) {
    configure_home(", provider: " + provider);
    for (int level = 0; level < 3; ++level) {
      test::write_file(directory_ / "root/doc", "version " + std::to_string(level));
      ASSERT_EQ(run({"create", "home"}), 0) << err_;
    }
    test::write_file(directory_ / "root/more", "x");
  }

  [[nodiscard]] std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> files;
    for (const char* top : {"state", "backups"}) {
      if (!fs::exists(directory_ / top)) continue;
      for (const auto& file : fs::recursive_directory_iterator(directory_ / top))
        files[file.path().native()] = file.is_regular_file() ? test::read_file(file.path()) : "";
    }
    return files;
  }

  /// Told without a change, and then made.
  void expect_next(int level) {
    const auto word = std::to_string(level);
    const auto before = files();
    EXPECT_EQ(run({"create", "home", "-n"}), 0) << err_;
    EXPECT_THAT(out_, HasSubstr("level " + word + " (")) << err_;
    if (level > 0) {
      EXPECT_THAT(out_, HasSubstr("3 of 6 entries, 1 B")) << "compared with the level below";
    }
    run({"status", "home", "--json"});
    EXPECT_THAT(out_, HasSubstr("\"next_level\":\"" + word + " ("));
    EXPECT_EQ(run({"explain", "home"}), 0) << err_;
    EXPECT_THAT(out_, HasSubstr("next: level " + word + " "));
    EXPECT_EQ(files(), before) << "a forecast changes nothing";
    EXPECT_EQ(run({"create", "home"}), 0) << err_;
    EXPECT_THAT(out_, HasSubstr("home: level " + word + " by ")) << err_;
  }
};

TEST_F(ForecastTest, KnowsThatAStateIsBroughtBackFromTheManifests) {
  make_chain_of("tar-internal");
  fs::remove_all(directory_ / "state/snapshots");
  fs::create_directory(directory_ / "state/snapshots");
  expect_next(3);
}

TEST_F(ForecastTest, KnowsThatAPartOfAStateIsBroughtBack) {
  make_chain_of("tar-internal");
  fs::remove(directory_ / "state/snapshots/home.2.manifest.zst");
  expect_next(3);
}

TEST_F(ForecastTest, KnowsThatManifestsArePutBackFromTheState) {
  make_chain_of("tar-internal");
  drop_manifest("home.2.tar.gz");
  test::write_file(backup("home.tar.gz.manifest.zst"), "damaged");
  expect_next(3);
  EXPECT_EQ(verify("data"), 0) << err_;
}

TEST_F(ForecastTest, PromisesNothingThatNobodyBringsBack) {
  make_chain_of("tar-internal");
  drop_manifest("home.1.tar.gz");
  fs::remove(directory_ / "state/snapshots/home.1.manifest.zst");
  expect_next(0);
}

TEST_F(ForecastTest, KnowsWhoseStateIsNotBesideTheBackups) {
  make_chain_of("tar-external");
  fs::remove_all(directory_ / "state/snapshots");
  fs::create_directory(directory_ / "state/snapshots");
  expect_next(0);
}

}  // namespace
}  // namespace autoarchive::host
