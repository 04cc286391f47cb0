/// \file
/// A chain of small levels in a destination, with what the tree was at each of them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "application_fixture.hpp"
#include "support/run_program.hpp"

namespace autoarchive::host {

class ChainsTest : public ApplicationTest {
 protected:
  /// Levels 0 to 3; what the tree was is in days().
  void make_chain() {
    for (int level = 0; level < 4; ++level) {
      test::write_file(directory_ / "root/doc", "version " + std::to_string(level));
      test::write_file(directory_ / ("root/of" + std::to_string(level)), "x");
      if (level > 0) std::filesystem::remove(directory_ / ("root/of" + std::to_string(level - 1)));
      ASSERT_EQ(create({"--incremental"}), 0) << err_;
      std::filesystem::copy(directory_ / "root", day(level), std::filesystem::copy_options::recursive);
    }
  }
  [[nodiscard]] std::filesystem::path day(int level) const { return directory_ / ("day" + std::to_string(level)); }
  [[nodiscard]] std::filesystem::path backup(const std::string& name) const { return directory_ / "backups" / name; }
  void drop_manifest(const std::string& name) const {
    for (const char* suffix : {".manifest.zst", ".sha256"}) std::filesystem::remove(backup(name + suffix));
  }
  void drop_manifests() const {
    for (const char* name : {"home.tar.gz", "home.1.tar.gz", "home.2.tar.gz", "home.3.tar.gz"}) drop_manifest(name);
  }
  void swap(const std::string& first, const std::string& second, const std::string& suffix = "") const {
    std::filesystem::rename(backup(first + suffix), backup("other"));
    std::filesystem::rename(backup(second + suffix), backup(first + suffix));
    std::filesystem::rename(backup("other"), backup(second + suffix));
  }
  int restore(const std::string& selector, std::vector<std::string> more = {}) {
    std::filesystem::remove_all(directory_ / "restored");
    std::vector<std::string> words{"restore", "home@" + selector,     "--destination", destination(),
                                   "--to",    directory_ / "restored"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  void expect_day(int level, const std::string& selector) {
    EXPECT_EQ(restore(selector), 0) << err_;
    const auto differences =
        test::run_shell("diff -r " + test::shell_quote(day(level)) + " " + test::shell_quote(directory_ / "restored"));
    EXPECT_EQ(differences.output, "") << "@" << selector;
  }
  int verify(const std::string& depth) {
    return run({"verify", "home", "--destination", destination(), "--level", depth});
  }
  int status() { return run({"status", "home"}); }
  void configure_home(const std::string& more) const {
    configure("version: 1\narchives: {home: {root: " + (directory_ / "root").native() +
              ", destination: " + destination() + ", type: tar.gz, incremental: true" + more + "}}\n");
  }
  /// So that what it holds is not what was stored.
  void damage(const std::string& name) const {
    auto bytes = test::read_file(backup(name));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
    test::write_file(backup(name), bytes);
  }
};

}  // namespace autoarchive::host
