// Files with several names, and what is made beside its place before it takes it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "restore_fixture.hpp"
#include "support/memory_file.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::tar_internal {
namespace {

namespace fs = std::filesystem;
using test::run_shell;
using test::shell_quote;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RestoreLinksTest : public RestoreFixture {
 protected:
  [[nodiscard]] struct stat stat_of(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::lstat((target() / name).c_str(), &status), 0) << name;
    return status;
  }
  void shell(const std::string& command) const {
    const auto result = run_shell("cd " + shell_quote(directory_.path()) + " && " + command);
    ASSERT_EQ(result.status, 0) << command << result.output;
  }
};

TEST_F(RestoreLinksTest, WhatGnuTarWasToldToStoreTwiceIsThereOnce) {
  for (const char* name : {"a", "d/x"}) test::write_file(directory_ / "tree" / name, name);
  shell(
      "cd tree && ln -s a s && ln a b && mkfifo p && tar --format=posix -cf ../archive.tar . ./a ./b ./s ./p ./d ./d");
  EXPECT_EQ(restore(whole_request()).problems, 0U);
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_THAT(test::diff_trees(directory_ / "tree", target()), IsEmpty());
  auto request = whole_request();
  request.dry_run = true;
  EXPECT_EQ(restore(std::move(request)).content_bytes, 4U);

  RestoreRequest by_manifest = whole_request();
  test::MemorySink sink;
  ManifestHeader header;
  header.backup_uuid = "0b8e";
  static_cast<void>(TarArchiveReader({}).rebuild_manifest(*by_manifest.levels[0].file, nullptr, header, sink, {}));
  by_manifest.levels[0].manifest = std::make_unique<test::MemoryFile>(std::as_bytes(std::span(sink.text)));
  fs::remove_all(target());
  EXPECT_EQ(restore(std::move(by_manifest)).problems, 0U);
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_THAT(test::diff_trees(directory_ / "tree", target()), IsEmpty());
}

TEST_F(RestoreLinksTest, NamesThatAreOneFileAlreadyStay) {
  make_archive(
      "add('b', data=b'x')\nadd('a', tarfile.LNKTYPE, 'b')\nadd('b', tarfile.LNKTYPE, 'a')\nadd('a', tarfile.LNKTYPE, "
      "'b')\nadd('t', tarfile.SYMTYPE, 'b')\nadd('s', tarfile.LNKTYPE, 't')\nadd('r', tarfile.LNKTYPE, 's')\n"
      "add('t', tarfile.LNKTYPE, 'r')");
  static_cast<void>(restore(whole_request()));
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_EQ(test::read_file(target() / "a"), "x");
  EXPECT_EQ(stat_of("a").st_ino, stat_of("b").st_ino);
  for (const char* name : {"r", "s", "t"}) {
    EXPECT_EQ(fs::read_symlink(target() / name), "b");
    EXPECT_EQ(stat_of(name).st_nlink, 3U);
  }
}

}  // namespace
}  // namespace autoarchive::tar_internal
