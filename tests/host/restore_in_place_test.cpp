// Restores by the program into targets in which something is in the way, and what is listed of chains without
// manifests.
#include <unistd.h>

#include <filesystem>

#include "chains_fixture.hpp"

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class RestoreInPlaceTest : public ChainsTest, public ::testing::WithParamInterface<const char*> {
 protected:
  RestoreInPlaceTest() { configure_home(""); }
  void make() { EXPECT_EQ(run({"create", "home", "--provider", GetParam()}), 0) << err_; }
  int restore_in_place(std::vector<std::string> more = {}) {
    std::vector<std::string> words{"restore", "home", "--to", target()};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  [[nodiscard]] fs::path root() const { return directory_ / "root"; }
  [[nodiscard]] fs::path target() const { return directory_ / "target"; }
  [[nodiscard]] std::string differences() const {
    return test::run_shell("diff -r " + test::shell_quote(root()) + " " + test::shell_quote(target())).output;
  }
};

TEST_P(RestoreInPlaceTest, WhatStandsInTheWayOfADirectoryGoes) {
  test::write_file(root() / "d/old", "1");
  test::write_file(root() / "e/old", "1");
  make();
  test::write_file(root() / "d/new", "2");
  test::write_file(root() / "e/new", "2");
  make();
  fs::create_directory(target());
  fs::create_symlink("/nowhere", target() / "d");
  test::write_file(target() / "e", "a file");
  EXPECT_EQ(restore_in_place(), 0) << err_;
  EXPECT_EQ(differences(), "");
}

TEST_P(RestoreInPlaceTest, OtherNamesOfAFileAreMadeWhereTheFirstCantBe) {
  for (const char* name : {"f1", "g1"}) test::write_file(root() / name, name);
  for (const char* name : {"f2", "f3"}) fs::create_hard_link(root() / "f1", root() / name);
  for (const char* name : {"g2", "g3"}) fs::create_hard_link(root() / "g1", root() / name);
  make();
  for (const char* name : {"f1/x", "g1/x", "g2/x"}) test::write_file(target() / name, "in the way");
  EXPECT_EQ(restore_in_place(), 1);
  EXPECT_THAT(err_, AllOf(HasSubstr("'f1': what is there can't be replaced"), Not(HasSubstr("'f2'"))));
  for (const char* name : {"f2", "f3"}) EXPECT_EQ(test::read_file(target() / name), "f1") << name;
  EXPECT_TRUE(fs::equivalent(target() / "f2", target() / "f3"));
  EXPECT_EQ(test::read_file(target() / "g3"), "g1");
}

TEST_P(RestoreInPlaceTest, AChainWithoutManifestsIsListedAsItIsRestored) {
  test::write_file(root() / "d/old", "1");
  test::write_file(root() / "gone", "1");
  make();
  test::write_file(root() / "new", "2");
  fs::remove(root() / "gone");
  make();
  fs::remove_all(directory_ / "state");
  drop_manifests();
  EXPECT_EQ(run({"ls", "home"}), 0) << err_;
  EXPECT_THAT(out_, AllOf(HasSubstr("d/old"), HasSubstr("new"), Not(HasSubstr("gone"))));
  EXPECT_EQ(run({"ls", "home", "d/old"}), 0) << err_;
  EXPECT_EQ(run({"ls", "home", "gone"}), 66);
  EXPECT_EQ(run({"ls", "home@0", "gone"}), 0) << err_;
}

TEST_P(RestoreInPlaceTest, OnlyWhatIsMadeIsCounted) {
  fs::create_symlink("x", root() / "l");
  make();
  test::write_file(target() / "l/x", "in the way");
  EXPECT_EQ(restore_in_place({"--json"}), 1);
  const auto entries = std::distance(fs::recursive_directory_iterator(root()), fs::recursive_directory_iterator());
  EXPECT_THAT(out_, HasSubstr("\"entries\":" + std::to_string(entries) + ",")) << "with the root, without the link";
}

TEST_P(RestoreInPlaceTest, WhoIsNotRootCanGiveFilesToNobody) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to be somebody else";
  test::write_file(root() / "f", "1");
  make();
  const auto unreadable = backup("home.tar.gz");
  environment_["AA_STATE_DIR"] = directory_.make("other state");
  const auto path = test::shell_quote(directory_.path());
  ASSERT_EQ(test::run_shell("chmod -R a+rwX " + path + " && chmod 1777 " + path).status, 0);
  ASSERT_EQ(::seteuid(65534), 0);
  EXPECT_EQ(restore_in_place({"--owner", "ids", "--destination", destination()}), 1) << err_;
  EXPECT_THAT(err_, HasSubstr("only root can give files to others"));
  ASSERT_EQ(::seteuid(0), 0);
  fs::permissions(unreadable, fs::perms::none);
  ASSERT_EQ(::seteuid(65534), 0);
  EXPECT_EQ(run({"verify", unreadable}), 77);
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_THAT(err_, HasSubstr("Permission denied"));
}

INSTANTIATE_TEST_SUITE_P(Providers, RestoreInPlaceTest, ::testing::Values("tar-internal", "tar-external"),
                         [](const auto& test) { return std::string(test.param).substr(4); });

}  // namespace
}  // namespace autoarchive::host
