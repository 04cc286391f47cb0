// contract 6.5 and 7 for every provider that makes levels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "autoarchive/base/error.hpp"
#include "plugin_providers.hpp"
#include "support/recording_observer.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive {
namespace {

using test::ProviderAndType;
using test::shell_quote;
using test::write_file;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class IncrementalContract : public ::testing::TestWithParam<ProviderAndType> {
 protected:
  IncrementalContract() : archiver_(test::make_archiver(GetParam().provider, directory_.make("work"))) {
    std::filesystem::create_directory(directory_ / "destination");
    request_.definition.backup_id = "docs";
    request_.definition.backup_type = GetParam().type;
    request_.definition.destination = (directory_ / "destination").native();
    request_.definition.root = directory_.make("root").native();
    request_.definition.include_files = {"."};
  }

  [[nodiscard]] std::filesystem::path root() const { return directory_ / "root"; }
  BackupResult make(std::optional<int> level = {}) {
    request_.level = level;
    return archiver_->backup_files_incrementally(request_);
  }
  [[nodiscard]] std::filesystem::path file(int level) const {
    return directory_ / "destination" /
           ("docs." + (level == 0 ? "" : std::to_string(level) + ".") + GetParam().type.extension);
  }
  void save(const std::string& name) const {
    const auto copied = test::run_shell("cp -a " + shell_quote(root()) + " " + shell_quote(directory_ / name));
    ASSERT_EQ(copied.status, 0) << copied.output;
  }

  /// Restores levels 0..level with our reader and with GNU tar, and compares both with a saved tree.
  void expect_restored(int level, const std::string& saved) {
    static int run = 0;
    const auto ours = directory_ / ("ours" + std::to_string(++run));
    const auto gnu = directory_.make("gnu" + std::to_string(run));
    RestoreRequest restore;
    for (int i = 0; i <= level; ++i) {
      restore.levels.emplace_back();
      restore.levels.back().file = open_local_file(file(i));
      const auto tar = test::run_shell("tar --listed-incremental=/dev/null -xpf " + shell_quote(file(i)) + " -C " +
                                       shell_quote(gnu));
      EXPECT_EQ(tar.status, 0) << tar.output;
    }
    restore.target = ours;
    EXPECT_EQ(test::make_reader()->restore(restore).problems, 0U);
    EXPECT_THAT(test::diff_trees(directory_ / saved, ours), IsEmpty()) << "level " << level;
    EXPECT_THAT(test::diff_trees(directory_ / saved, gnu), IsEmpty()) << "level " << level;
  }

  test::TempDir directory_;
  BackupRequest request_;
  std::shared_ptr<IArchiver> archiver_;
};

std::string provider_name(const ::testing::TestParamInfo<ProviderAndType>& info) {
  auto name = info.param.provider + "_" + info.param.type.extension;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

TEST_P(IncrementalContract, RestoresEveryLevelExactly) {
  for (const char* name :
       {"stays", "goes", "changes", "d/stays", "d/goes", "gone directory/x", "a/1", "b/2", "c/3", "becomes file/y"})
    write_file(root() / name, name);
  write_file(root() / "becomes directory", "x");
  make();
  save("0");

  std::filesystem::remove(root() / "goes");
  std::filesystem::remove(root() / "d/goes");
  std::filesystem::remove_all(root() / "gone directory");
  write_file(root() / "changes", "changed");
  write_file(root() / "d/new", "new");
  make();
  save("1");

  // Three directories in a circle: GNU tar itself loses files here, with exit status 0.
  std::filesystem::rename(root() / "a", root() / "t");
  std::filesystem::rename(root() / "b", root() / "a");
  std::filesystem::rename(root() / "c", root() / "b");
  std::filesystem::rename(root() / "t", root() / "c");
  std::filesystem::remove_all(root() / "becomes file");
  write_file(root() / "becomes file", "file");
  std::filesystem::remove(root() / "becomes directory");
  write_file(root() / "becomes directory/inside", "directory");
  make();
  save("2");

  expect_restored(0, "0");
  expect_restored(1, "1");
  expect_restored(2, "2");
}

TEST_P(IncrementalContract, CountsLevelsByItsStateAlone) {
  write_file(root() / "a", "x");
  EXPECT_EQ(archiver_->max_backup_level("docs"), 0);
  EXPECT_EQ(make().level, 0);
  EXPECT_EQ(make().level, 1);
  EXPECT_EQ(make().level, 2);
  EXPECT_EQ(archiver_->max_backup_level("docs"), 3);
  EXPECT_EQ(make(1).level, 1);
  EXPECT_EQ(archiver_->max_backup_level("docs"), 2);
  EXPECT_TRUE(std::filesystem::exists(file(2)));  // files of higher levels stay
  for (const int level : {-1, 3}) {
    try {
      make(level);
      FAIL() << level;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::value_error);
    }
  }
}

TEST_P(IncrementalContract, ChangesNoStateWhenItFails) {
  write_file(root() / "a", "x");
  make();
  class Thrower final : public IBackupObserver {
   public:
    void file_add(std::string_view /*name*/) override { throw Error(ErrorCode::runtime_error, "handler"); }
  } thrower;
  request_.observer = &thrower;
  EXPECT_THROW(make(), Error);
  EXPECT_EQ(archiver_->max_backup_level("docs"), 1);
  request_.observer = nullptr;
  EXPECT_EQ(make().level, 1);
  expect_restored(1, "root");
}

TEST_P(IncrementalContract, NoticesStateThatIsLostOrBelongsToAnotherBackup) {
  write_file(root() / "a", "x");
  make();
  make();
  for (const auto* place : {"work/snapshots", "destination"}) {
    for (const auto& state : std::filesystem::directory_iterator(directory_ / place)) {
      const auto name = state.path().filename().native();
      if (name.starts_with("docs.1.") && name != file(1).filename()) write_file(state.path(), "something else");
    }
  }
  request_.identity.parent_uuid = "9b2f0000-0000-4000-8000-000000000000";  // as the caller knows it
  request_.identity.chain_uuid = request_.identity.parent_uuid;
  try {
    make(2);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::file_not_found);
    EXPECT_EQ(error.cause(), ErrorCause::state_lost);
  }
}

TEST_P(IncrementalContract, RemovesIncrementsFromALevelOn) {
  write_file(root() / "a", "x");
  make();
  make();
  make();
  EXPECT_TRUE(archiver_->does_any_backup_level_exist(request_.definition, 2));
  archiver_->remove_backup_increments(request_.definition, 1);
  EXPECT_EQ(archiver_->max_backup_level("docs"), 1);
  EXPECT_TRUE(std::filesystem::exists(file(0)) && !std::filesystem::exists(file(1)) &&
              !std::filesystem::exists(file(2)));
  EXPECT_FALSE(archiver_->does_any_backup_level_exist(request_.definition, 1));
  EXPECT_TRUE(archiver_->does_any_backup_level_exist(request_.definition));
  EXPECT_THROW(archiver_->remove_backup_increments(request_.definition, -1), Error);
  EXPECT_NO_THROW(archiver_->remove_backup_increments(request_.definition, 5));
}

// contract 6.6: ids with dots are other archives.
TEST_P(IncrementalContract, TouchesExactlyTheStateOfItsArchive) {
  write_file(root() / "a", "x");
  for (const char* id : {"docs", "docs.b", "docs.b.c"}) {
    request_.definition.backup_id = id;
    make();
  }
  make();
  EXPECT_THAT(archiver_->stored_backup_ids(), ElementsAre("docs", "docs.b", "docs.b.c"));
  EXPECT_EQ(archiver_->max_backup_level("docs"), 1);
  EXPECT_EQ(archiver_->max_backup_level("docs.b.c"), 2);
  archiver_->purge_stored_backup_data("");
  archiver_->purge_stored_backup_data("docs");
  EXPECT_THAT(archiver_->stored_backup_ids(), ElementsAre("docs.b", "docs.b.c"));
}

INSTANTIATE_TEST_SUITE_P(AllArchivers, IncrementalContract,
                         ::testing::ValuesIn(test::all_providers(/*incremental_only=*/true)), provider_name);

}  // namespace
}  // namespace autoarchive
