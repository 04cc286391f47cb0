/// \file
/// What the tests of increments have in common: the tree of each day, and that it comes back by our reader with and
/// without manifests, and by GNU tar.
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "plugin_providers.hpp"
#include "support/recording_observer.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::test {

/// A tree whose levels are made day by day.
class IncrementalLevels : public ::testing::TestWithParam<ProviderAndType> {
 protected:
  IncrementalLevels() : archiver_(make_archiver(GetParam().provider, directory_.make("work"))) {
    std::filesystem::create_directory(directory_ / "destination");
    request_.definition.backup_id = "docs";
    request_.definition.backup_type = GetParam().type;
    request_.definition.destination = (directory_ / "destination").native();
    request_.definition.root = directory_.make("root").native();
    request_.definition.include_files = {"."};
    request_.observer = &observer_;
  }

  [[nodiscard]] std::filesystem::path root() const { return directory_ / "root"; }
  [[nodiscard]] std::filesystem::path file(int level) const {
    return directory_ / "destination" /
           ("docs." + (level == 0 ? "" : std::to_string(level) + ".") + GetParam().type.extension);
  }

  /// The next level of the tree as it is. `absent`: what of it is not to come back.
  void make_day(const std::vector<std::string>& absent = {}) {
    save_tree(absent);
    static_cast<void>(archiver_->backup_files_incrementally(request_));
  }

  /// Keeps what the level that comes next has to bring back.
  void save_tree(const std::vector<std::string>& absent) {
    const auto saved = saved_tree(days_++);
    shell("cp -a " + shell_quote(root()) + " " + shell_quote(saved));
    for (const auto& path : absent) {
      std::filesystem::remove_all(saved / path);
      struct stat status {};
      ASSERT_EQ(::stat((root() / path).parent_path().c_str(), &status), 0);
      const timespec times[2] = {status.st_mtim, status.st_mtim};
      ASSERT_EQ(::utimensat(AT_FDCWD, (saved / path).parent_path().c_str(), times, 0), 0);
    }
  }
  [[nodiscard]] std::filesystem::path saved_tree(int day) const { return directory_ / ("day" + std::to_string(day)); }

  /// Restores the level of every day, up to today.
  void expect_every_day() const {
    for (int day = 0; day < days_; ++day) expect_day(day);
  }
  void expect_day(int day) const {
    expect_restored_by_us(day, /*with_manifests=*/true);
    expect_restored_by_us(day, /*with_manifests=*/false);
    const auto target = directory_.make("gnu" + std::to_string(day));
    for (int level = 0; level <= day; ++level) {
      shell("tar --listed-incremental=/dev/null --xattrs --xattrs-include='*' -xpf " + shell_quote(file(level)) +
            " -C " + shell_quote(target));
    }
    EXPECT_THAT(diff_trees(saved_tree(day), target), ::testing::IsEmpty()) << "level " << day << " by GNU tar";
  }
  void expect_restored_by_us(int day, bool with_manifests) const {
    RestoreRequest restore;
    for (int level = 0; level <= day; ++level) {
      restore.levels.emplace_back();
      restore.levels.back().file = open_local_file(file(level));
      if (with_manifests) restore.levels.back().manifest = open_local_file(manifest_name(file(level).native()));
    }
    restore.target = directory_ / ((with_manifests ? "ours" : "bare") + std::to_string(day));
    EXPECT_EQ(make_reader()->restore(restore).problems, 0U);
    EXPECT_THAT(diff_trees(saved_tree(day), restore.target), ::testing::IsEmpty())
        << "level " << day << (with_manifests ? "" : " without manifests");
  }

  /// The last manifest's entry of this path; without a path if it has none.
  [[nodiscard]] ManifestEntry entry_of(const std::string& path) const {
    ManifestReader manifest(open_local_file(manifest_name(file(days_ - 1).native())));
    for (ManifestEntry entry; manifest.next(entry);) {
      if (entry.entry.path == path) return entry;
    }
    return {};
  }

  void write(const std::string& path, std::string_view content) const { write_file(root() / path, content); }
  /// Gives `path` the times that `like` has: what "touch -r" does.
  static void copy_times(const std::filesystem::path& like, const std::filesystem::path& path) {
    struct stat status {};
    ASSERT_EQ(::lstat(like.c_str(), &status), 0);
    const timespec times[2] = {status.st_atim, status.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }
  static std::string shell(const std::string& command) {
    const auto result = run_shell(command);
    EXPECT_EQ(result.status, 0) << command << "\n" << result.output;
    return result.output;
  }
  /// Runs `call` as a user who may read only what everybody may.
  void as_nobody(const std::function<void()>& call) const {
    shell("chmod a+rx " + shell_quote(directory_.path()) + "; chmod -R a+rwX " + shell_quote(directory_ / "work") +
          " " + shell_quote(directory_ / "destination"));
    ASSERT_EQ(::seteuid(65534), 0);
    try {
      call();
    } catch (const Error& error) {
      ADD_FAILURE() << error.message();
    }
    ASSERT_EQ(::seteuid(0), 0);
  }

  TempDir directory_;
  RecordingObserver observer_;
  BackupRequest request_;
  std::shared_ptr<IArchiver> archiver_;
  int days_ = 0;
};

[[nodiscard]] inline std::string provider_name(const ::testing::TestParamInfo<ProviderAndType>& info) {
  auto name = info.param.provider + "_" + info.param.type.extension;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

}  // namespace autoarchive::test
