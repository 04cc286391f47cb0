// RESTORE.txt: getting all back without this program.
#include "job/restore_text.hpp"

#include <filesystem>

#include "application_fixture.hpp"
#include "support/run_program.hpp"

namespace autoarchive::host {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kBsdtarHeading = "With bsdtar";

/// The commands of a text: what stands four blanks to the right.
std::string commands_of(const std::string& text) {
  std::istringstream lines(text);
  std::string commands;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("    ")) commands += line.substr(4) + "\n";
  }
  return commands;
}

class RestoreTextTest : public ApplicationTest {
 protected:
  int create_in(const std::filesystem::path& root, const std::filesystem::path& backups, const std::string& type,
                const std::string& provider) {
    return run({"create", "home", "--incremental", "--type", type, "--provider", provider, "--root", root,
                "--destination", backups});
  }

  [[nodiscard]] static std::string restore_text(const std::filesystem::path& backups) {
    return test::read_file(backups / "RESTORE.txt");
  }

  /// Runs commands where the backups are, with nothing but the files, and no name of this program in the path. Returns
  /// the directory that they have restored into.
  [[nodiscard]] std::filesystem::path follow(const std::string& commands, const std::filesystem::path& backups) const {
    test::write_file(directory_ / "script", commands);
    const auto shell = test::run_shell(
        "cd " + test::shell_quote(backups) + " && env --ignore-environment PATH=/usr/bin:/bin LC_ALL=C.UTF-8 TMPDIR=" +
        test::shell_quote(directory_.path()) + " sh -e " + test::shell_quote(directory_ / "script"));
    EXPECT_EQ(shell.status, 0) << shell.output;
    const auto at = shell.output.rfind("restored into ");
    EXPECT_NE(at, std::string::npos) << shell.output;
    if (at == std::string::npos) return {};
    auto target = shell.output.substr(at + std::string("restored into ").size());
    target.pop_back();
    return target;
  }
};

TEST_F(RestoreTextTest, BringsAllBackByItsCommandsAlone) {
  for (const std::string type : {"tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"}) {
    for (const std::string provider : {"tar-internal", "tar-external"}) {
      const auto root = directory_.make(type + provider);
      const auto backups = directory_.make(type + provider + ".backups");
      test::make_nasty_tree(root / "nasty");
      test::write_file(root / "goes/away", "x");
      test::write_file(root / "changes", "before");
      EXPECT_LE(create_in(root, backups, type, provider), 1) << err_;
      std::filesystem::remove_all(root / "goes");
      std::filesystem::remove(root / "nasty/a/b/file");
      test::write_file(root / "changes", "after");
      EXPECT_LE(create_in(root, backups, type, provider), 1) << err_;
      test::write_file(root / "new", "x");
      EXPECT_LE(create_in(root, backups, type, provider), 1) << err_;
      const auto text = restore_text(backups);
      const auto target = follow(commands_of(text.substr(0, text.find(kBsdtarHeading))), backups);
      EXPECT_THAT(test::diff_trees(root, target), IsEmpty()) << type << provider;
    }
  }
}

TEST_F(RestoreTextTest, RemovesForBsdtarWhatALevelHasDeleted) {
  if (test::run_shell("command -v bsdtar").status != 0) GTEST_SKIP() << "no bsdtar";
  for (const std::string type : {"tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"}) {
    for (const std::string provider : {"tar-internal", "tar-external"}) {
      const auto root = directory_.make(type + provider);
      const auto backups = directory_.make(type + provider + ".backups");
      for (const char* path : {"goes/away", "becomes a file/x", "becomes a directory", "a/1", "b/2",
                               "it's \\ \"quoted\"", "line\nend", "$(touch x)", "-rf", "stays"})
        test::write_file(root / path, path);
      EXPECT_EQ(create_in(root, backups, type, provider), 0) << err_;
      for (const char* path :
           {"goes", "becomes a file", "becomes a directory", "it's \\ \"quoted\"", "line\nend", "$(touch x)", "-rf"})
        std::filesystem::remove_all(root / path);
      test::write_file(root / "becomes a file", "x");
      test::write_file(root / "becomes a directory/y", "y");
      EXPECT_EQ(create_in(root, backups, type, provider), 0) << err_;
      std::filesystem::rename(root / "a", root / "c");
      std::filesystem::rename(root / "b", root / "a");
      std::filesystem::rename(root / "c", root / "b");
      EXPECT_EQ(create_in(root, backups, type, provider), 0) << err_;
      const auto text = restore_text(backups);
      EXPECT_THAT(text, HasSubstr("rm -rf \"${TO:?}\"/'goes'\n")) << text;
      const auto bsdtar = text.find(kBsdtarHeading);
      ASSERT_NE(bsdtar, std::string::npos) << text;
      const auto target = follow(commands_of(text.substr(bsdtar)), backups);
      // bsdtar does not touch the times of directories that are there.
      const auto aged = test::run_shell("find " + test::shell_quote(root) + " " + test::shell_quote(target) +
                                        " -type d -exec touch -d 2020-01-01 {} +");
      EXPECT_EQ(aged.status, 0) << aged.output;
      EXPECT_THAT(test::diff_trees(root, target), IsEmpty()) << type << provider << text;
    }
  }
}

// A manifest may be anybody's.
TEST(RestoreText, RemovesNothingOutsideOfItsDirectory) {
  for (const std::string path : {"../up", "/etc", "..", ".", "", "a/../../b", "./a", "a//b"}) {
    const auto text = restore_text("home", {{"home.tar"}, {"home.1.tar", {"fine", path}}});
    EXPECT_THAT(text, Not(HasSubstr("rm -rf"))) << path;
    EXPECT_THAT(text, HasSubstr("use GNU tar")) << path;
  }
  EXPECT_THAT(restore_text("home", {{"home.tar", {"../up"}}}), Not(HasSubstr("rm -rf")));
  EXPECT_THAT(restore_text("home", {{"home.tar"}, {"home.1.tar", {"..a/b"}}}), HasSubstr("rm -rf"));
}

TEST_F(RestoreTextTest, SaysSoWhenMoreIsDeletedThanItCanList) {
  const auto root = directory_ / "root";
  for (int i = 0; i < 1200; ++i) test::write_file(root / ("many/" + std::to_string(i)), "");
  EXPECT_EQ(create({"--incremental"}), 0) << err_;
  for (int i = 0; i < 1200; ++i) std::filesystem::remove(root / ("many/" + std::to_string(i)));
  EXPECT_EQ(create({"--incremental"}), 0) << err_;
  EXPECT_THAT(restore_text(destination()), HasSubstr("what home.1.tar.gz takes away can't be said here"));
}

TEST_F(RestoreTextTest, IsRenewedWhenBackupsGo) {
  for (int day = 0; day < 3; ++day) {
    test::write_file(directory_ / "root/day", std::to_string(day));
    EXPECT_EQ(create({"--incremental"}), 0) << err_;
  }
  EXPECT_THAT(restore_text(destination()), HasSubstr("home.2.tar.gz"));
  EXPECT_EQ(run({"remove", "home@2", "--destination", destination(), "--yes"}), 0) << err_;
  const auto text = restore_text(destination());
  EXPECT_THAT(text, ::testing::AllOf(HasSubstr("home.1.tar.gz"), ::testing::Not(HasSubstr("home.2.tar.gz"))));
  EXPECT_EQ(run({"remove", "home@0", "--destination", destination(), "--yes"}), 0) << err_;
  EXPECT_THAT(restore_text(destination()), ::testing::Not(HasSubstr("== home ==")));
}

TEST_F(RestoreTextTest, IsRenewedByTheRulesOnGenerations) {
  const auto keep = [&](int generations) {
    configure("version: 1\narchives:\n  home:\n    root: " + (directory_ / "root").native() + "\n    destination: " +
              destination() + "\n    keep: {generations: " + std::to_string(generations) + "}\n");
  };
  keep(2);
  for (int day = 0; day < 3; ++day) EXPECT_EQ(run({"create", "home"}), 0) << err_;
  std::filesystem::remove(directory_ / "backups/RESTORE.txt");
  keep(1);
  EXPECT_EQ(run({"keep", "home"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("gone"));
  EXPECT_THAT(restore_text(destination()), HasSubstr("sha256sum --check home.tar.gz.sha256"));
}

TEST_F(RestoreTextTest, KeepsTheSectionsOfOtherArchives) {
  EXPECT_EQ(create(), 0) << err_;
  EXPECT_EQ(run({"create", "other", "--root", directory_ / "root", "--destination", destination(), "--type", "tar"}),
            0);
  const auto text = test::read_file(directory_ / "backups/RESTORE.txt");
  EXPECT_THAT(text, HasSubstr("== home =="));
  EXPECT_THAT(text, HasSubstr("sha256sum --check other.tar.sha256"));
  EXPECT_EQ(run({"restore", "home", "--destination", destination(), "--to", directory_ / "it's here", "--script"}), 0);
  test::write_file(directory_ / "script", out_);
  const auto shell = test::run_shell("sh " + test::shell_quote(directory_ / "script"));
  EXPECT_EQ(shell.status, 0) << shell.output;
  EXPECT_THAT(test::diff_trees(directory_ / "root", directory_ / "it's here"), IsEmpty());
}

}  // namespace
}  // namespace autoarchive::host
