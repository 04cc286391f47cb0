// What can be had of archives of which a part is damaged, where no table of blocks leads around it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "autoarchive/base/error.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "drop_blocks.hpp"
#include "internal_tar_archiver_provider.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"
#include "tar_archive_reader.hpp"

namespace autoarchive::tar_internal {
namespace {

using test::noise;
using test::write_file;
using ::testing::IsEmpty;
using ::testing::Not;
namespace fs = std::filesystem;

constexpr unsigned kFiles = 60;
constexpr std::size_t kFileBytes = 100'000;

std::string name_of(unsigned i) {
  return std::to_string(100 + i);
}

class SalvageTest : public ::testing::TestWithParam<BackupType>, public IRestoreObserver {
 protected:
  SalvageTest() : provider_({directory_.make("work"), {}}) {
    fs::create_directory(directory_ / "destination");
    request_.definition.backup_id = "x";
    request_.definition.backup_type = GetParam();
    if (is_compressed()) request_.compression_strength = 1;
    request_.definition.destination = (directory_ / "destination").native();
    request_.definition.root = directory_.make("root").native();
    request_.definition.include_files = {"."};
    for (unsigned i = 0; i < kFiles; ++i) write_file(root() / name_of(i), noise(kFileBytes, i));
    static_cast<void>(provider_.backup_files_incrementally(request_));
  }

  [[nodiscard]] static bool is_compressed() { return GetParam() != backup_type::kTar; }
  [[nodiscard]] fs::path root() const { return directory_ / "root"; }
  [[nodiscard]] fs::path target() const { return directory_ / "target"; }
  [[nodiscard]] fs::path file() const { return directory_ / "destination" / ("x." + GetParam().extension); }
  void damage_at(std::size_t offset, const std::string& bytes) const {
    auto archive = test::read_file(file());
    ASSERT_LE(offset + bytes.size(), archive.size());
    write_file(file(), archive.replace(offset, bytes.size(), bytes));
  }
  /// In the first half. A plain tar notices only what hits a header.
  void damage_the_middle() const {
    const auto archive = test::read_file(file());
    std::size_t offset = archive.size() / 3;
    if (!is_compressed()) {
      const auto name = name_of(kFiles / 3) + '\0';
      for (offset = 0; offset < archive.size() && archive.compare(offset, name.size(), name) != 0;) offset += 512;
    }
    damage_at(offset, "damage");
  }

  RestoreResult restore(bool with_manifest, bool salvage = true) {
    damaged_.clear();
    fs::remove_all(target());
    RestoreRequest request;
    request.levels.emplace_back();
    request.levels.back().file = open_local_file(file());
    if (with_manifest) request.levels.back().manifest = open_local_file(manifest_of(file()));
    request.target = target();
    request.salvage = salvage;
    request.observer = this;
    return TarArchiveReader({}).restore(request);
  }
  [[nodiscard]] VerifyResult verify() const {
    const auto archive = open_local_file(file());
    const auto manifest = open_local_file(manifest_of(file()));
    return TarArchiveReader({}).verify(*archive, manifest.get(), {});
  }
  void damaged(std::string_view path, std::string_view text) override { damaged_[std::string(path)] = text; }

  [[nodiscard]] bool is_whole(unsigned i) const {
    const auto path = target() / name_of(i);
    return fs::exists(path) && test::read_file(path) == noise(kFileBytes, i);
  }
  [[nodiscard]] unsigned whole_files() const {
    unsigned count = 0;
    for (unsigned i = 0; i < kFiles; ++i) count += is_whole(i) ? 1U : 0U;
    return count;
  }
  /// What is not there as it was has been named, and nothing else.
  void expect_all_named() const {
    for (unsigned i = 0; i < kFiles; ++i)
      EXPECT_EQ(damaged_.contains(name_of(i)), !is_whole(i)) << "file " << name_of(i);
  }

  test::TempDir directory_;
  InternalTarArchiverProvider provider_;
  BackupRequest request_;
  std::map<std::string, std::string> damaged_;
};

TEST_P(SalvageTest, BringsWhatLiesBehindTheDamageWithoutAManifest) {
  damage_the_middle();
  EXPECT_THROW(static_cast<void>(restore(/*with_manifest=*/false, /*salvage=*/false)), Error);
  const auto result = restore(/*with_manifest=*/false);
  EXPECT_GE(result.damaged, 1U);
  EXPECT_TRUE(is_whole(0));
  EXPECT_TRUE(is_whole(kFiles - 1));
  EXPECT_GE(whole_files(), is_compressed() ? 10U : kFiles - 1);
}

TEST_P(SalvageTest, BringsWhatLiesBehindADamagedBeginning) {
  damage_at(0, std::string(20, '!'));
  EXPECT_THROW(static_cast<void>(restore(/*with_manifest=*/false, /*salvage=*/false)), Error);
  static_cast<void>(restore(/*with_manifest=*/false));
  // The first block of an xz file is what says how the others are checked.
  EXPECT_EQ(is_whole(kFiles - 1), GetParam() != backup_type::kTarXz);
}

TEST_P(SalvageTest, BringsWhatAManifestWithoutBlocksNames) {
  drop_blocks(manifest_of(file()));
  EXPECT_THAT(verify().faults, IsEmpty());
  damage_the_middle();
  const auto result = restore(/*with_manifest=*/true);
  EXPECT_GE(result.damaged, 1U);
  EXPECT_TRUE(is_whole(0));
  EXPECT_TRUE(is_whole(kFiles - 1));
  EXPECT_GE(whole_files(), is_compressed() ? 10U : kFiles - 1);
  expect_all_named();
}

TEST_P(SalvageTest, NamesEverythingBehindTheDamageUnlessItSalvages) {
  drop_blocks(manifest_of(file()));
  damage_the_middle();
  const auto result = restore(/*with_manifest=*/true, /*salvage=*/false);
  EXPECT_GE(result.damaged, 1U);
  EXPECT_TRUE(is_whole(0));
  EXPECT_EQ(is_whole(kFiles - 1), !is_compressed());  // the members of a plain tar are found by their places
  expect_all_named();
}

TEST_P(SalvageTest, VerifyTellsWhatASalvageWouldBring) {
  drop_blocks(manifest_of(file()));
  damage_the_middle();
  const auto result = verify();
  EXPECT_THAT(result.faults, Not(IsEmpty()));
  EXPECT_THAT(result.lost, Not(IsEmpty()));
  EXPECT_EQ(result.lost.size(), result.lost_members);
  EXPECT_EQ(result.lost_members + result.whole_members, kFiles + 1);  // and the root
  static_cast<void>(restore(/*with_manifest=*/true));
  EXPECT_EQ(whole_files(), kFiles - result.lost_members);
}

TEST_P(SalvageTest, VerifyHasAnAnswerWhereNothingIsLeft) {
  drop_blocks(manifest_of(file()));
  damage_at(0, std::string(fs::file_size(file()), '!'));
  const auto result = verify();
  EXPECT_THAT(result.faults, Not(IsEmpty()));
  EXPECT_EQ(result.whole_members, 0U);
}

INSTANTIATE_TEST_SUITE_P(AllTypes, SalvageTest,
                         ::testing::Values(backup_type::kTar, backup_type::kTarGz, backup_type::kTarBz2,
                                           backup_type::kTarXz, backup_type::kTarZst),
                         [](const auto& type) { return type.param.name; });

}  // namespace
}  // namespace autoarchive::tar_internal
