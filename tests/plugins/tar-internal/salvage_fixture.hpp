/// \file
/// Backups of which a part is damaged, and what comes back of them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "autoarchive/storage/local_storage.hpp"
#include "bad_blocks_file.hpp"
#include "change_manifest.hpp"
#include "internal_tar_archiver_provider.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"
#include "tar_archive_reader.hpp"

namespace autoarchive::tar_internal {

inline constexpr unsigned kFiles = 60;
inline constexpr std::size_t kFileBytes = 100'000;

[[nodiscard]] inline std::string name_of(unsigned i) {
  return std::to_string(100 + i);
}

/// A backup of kFiles files that can't be compressed, and a further name of the first.
class SalvageTest : public ::testing::TestWithParam<BackupType>, public IRestoreObserver {
 protected:
  SalvageTest() : provider_({directory_.make("work"), {}}) {
    std::filesystem::create_directory(directory_ / "destination");
    request_.definition.backup_id = "x";
    request_.definition.backup_type = GetParam();
    if (is_compressed()) request_.compression_strength = 1;
    request_.definition.destination = (directory_ / "destination").native();
    request_.definition.root = directory_.make("root").native();
    request_.definition.include_files = {"."};
    for (unsigned i = 0; i < kFiles; ++i) test::write_file(root() / name_of(i), test::noise(kFileBytes, i));
    std::filesystem::create_hard_link(root() / name_of(0), root() / "link");
    static_cast<void>(provider_.backup_files_incrementally(request_));
  }

  [[nodiscard]] static bool is_compressed() { return GetParam() != backup_type::kTar; }
  [[nodiscard]] std::filesystem::path root() const { return directory_ / "root"; }
  [[nodiscard]] std::filesystem::path target() const { return directory_ / "target"; }
  [[nodiscard]] std::filesystem::path file() const {
    return directory_ / "destination" / ("x." + GetParam().extension);
  }
  void damage_at(std::size_t offset, const std::string& bytes) const {
    auto archive = test::read_file(file());
    ASSERT_LE(offset + bytes.size(), archive.size());
    test::write_file(file(), archive.replace(offset, bytes.size(), bytes));
  }
  [[nodiscard]] std::unique_ptr<ReadableFile> open_archive() const {
    return std::make_unique<BadBlocksFile>(open_local_file(file()), bad_blocks_);
  }
  /// In the first half. A plain tar notices only what hits a header.
  void damage_the_middle() const {
    const auto archive = test::read_file(file());
    std::size_t offset = archive.size() / 3 + 5000;  // behind the headers that lie there
    if (!is_compressed()) {
      const auto name = name_of(kFiles / 3) + '\0';
      for (offset = 0; offset < archive.size() && archive.compare(offset, name.size(), name) != 0;) offset += 512;
    }
    damage_at(offset, "damage");
  }

  RestoreResult restore(bool with_manifest, bool salvage = true, RestoreRequest request = {}) {
    damaged_.clear();
    std::filesystem::remove_all(target());
    request.levels.emplace_back();
    request.levels.back().file = open_archive();
    if (with_manifest) request.levels.back().manifest = open_local_file(manifest_of(file()));
    request.target = target();
    request.salvage = salvage;
    request.observer = this;
    return TarArchiveReader({}).restore(request);
  }
  [[nodiscard]] VerifyResult verify() const {
    const auto archive = open_archive();
    const auto manifest = open_local_file(manifest_of(file()));
    return TarArchiveReader({}).verify(*archive, manifest.get(), {});
  }
  void damaged(std::string_view path, std::string_view text) override {
    damaged_[std::string(path)] = text;
    if (stops_at_damage_) stop_.request_stop();
  }

  [[nodiscard]] bool is_whole(unsigned i) const {
    const auto path = target() / name_of(i);
    return std::filesystem::exists(path) && test::read_file(path) == test::noise(kFileBytes, i);
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
  std::set<std::uint64_t> bad_blocks_;  // of the archive file
  bool stops_at_damage_ = false;
  std::stop_source stop_;
};

}  // namespace autoarchive::tar_internal
