/// \file
/// Restores of archives that others have made.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autoarchive/storage/local_storage.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "tar_archive_reader.hpp"

namespace autoarchive::tar_internal {

/// Collects the problems.
class RestoreFixture : public ::testing::Test, public IRestoreObserver {
 protected:
  RestoreResult restore(const std::vector<std::filesystem::path>& files) {
    RestoreRequest request;
    for (const auto& file : files) {
      request.levels.emplace_back();
      request.levels.back().file = open_local_file(file);
    }
    return restore(std::move(request));
  }
  /// Of archive() alone.
  [[nodiscard]] RestoreRequest whole_request() const {
    RestoreRequest made;
    made.levels.emplace_back();
    made.levels.back().file = open_local_file(archive());
    return made;
  }
  /// Into target().
  RestoreResult restore(RestoreRequest request) {
    request.target = target();
    request.observer = this;
    return TarArchiveReader({}).restore(request);
  }
  [[nodiscard]] static std::vector<std::string> faults_of(const std::filesystem::path& file) {
    const auto opened = open_local_file(file);
    return TarArchiveReader({}).verify(*opened, nullptr, {}).faults;
  }
  void problem(std::string_view path, std::string_view text) override {
    problems_.push_back(std::string(path) + ": " + std::string(text));
  }
  /// In the test's directory; it has to succeed.
  void shell(const std::string& command) const {
    const auto result = test::run_shell("cd " + test::shell_quote(directory_.path()) + " && " + command);
    ASSERT_EQ(result.status, 0) << command << result.output;
  }
  /// By Python's tarfile: `code` calls add().
  void make_archive(const std::string& code) const {
    test::write_file(directory_ / "make.py",
                     "import tarfile, io\nt = tarfile.open(" + test::shell_quote(archive()) +
                         ", 'w')\ndef add(name, type=tarfile.REGTYPE, link='', data=b'', mode=0o644, pax={}):\n"
                         " m = tarfile.TarInfo(name); m.pax_headers = pax; m.type = type; m.linkname = link; m.size = "
                         "len(data); m.mode = mode\n"
                         " t.addfile(m, io.BytesIO(data))\n" +
                         code + "\nt.close()\n");
    const auto made = test::run_shell("python3 " + test::shell_quote(directory_ / "make.py"));
    ASSERT_EQ(made.status, 0) << made.output;
  }
  /// Of what is there below target().
  [[nodiscard]] struct stat stat_of(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::lstat((target() / name).c_str(), &status), 0) << name;
    return status;
  }
  [[nodiscard]] std::filesystem::path archive() const { return directory_ / "archive.tar"; }
  [[nodiscard]] std::filesystem::path target() const { return directory_ / "target"; }

  test::TempDir directory_;
  std::vector<std::string> problems_;
};

}  // namespace autoarchive::tar_internal
