// Files with several names, and what is made beside its place before it takes it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "autoarchive/base/error.hpp"
#include "restore_fixture.hpp"
#include "support/memory_file.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::tar_internal {
namespace {

namespace fs = std::filesystem;
using test::run_shell;
using test::shell_quote;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class RestoreLinksTest : public RestoreFixture {};

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

TEST_F(RestoreLinksTest, ASymlinkStaysUnderItsOtherNamesWhenOneIsTaken) {
  make_archive(
      "add('s', tarfile.SYMTYPE, 'nowhere')\nadd('l', tarfile.LNKTYPE, 's')\nadd('k', tarfile.LNKTYPE, 'l')\n"
      "add('s', data=b'x')\nadd('d', tarfile.DIRTYPE)\nadd('d/s', tarfile.SYMTYPE, 'gone')\n"
      "add('m', tarfile.LNKTYPE, 'd/s')\nadd('d', tarfile.SYMTYPE, 'else')");
  EXPECT_EQ(restore(whole_request()).problems, 0U);
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_EQ(test::read_file(target() / "s"), "x");
  for (const char* name : {"k", "l"}) EXPECT_EQ(fs::read_symlink(target() / name), "nowhere") << name;
  EXPECT_EQ(stat_of("k").st_ino, stat_of("l").st_ino);
  EXPECT_EQ(fs::read_symlink(target() / "m"), "gone");
  EXPECT_EQ(fs::read_symlink(target() / "d"), "else");
}

TEST_F(RestoreLinksTest, AProofTellsOfALinkToWhatIsNotThere) {
  make_archive("add('a', data=b'x')\nadd('b', tarfile.LNKTYPE, 'a')\nadd('l', tarfile.LNKTYPE, 'gone')");
  auto request = whole_request();
  request.observer = this;
  const auto proof = TarArchiveReader({}).prove(request);
  EXPECT_EQ(proof.entries, 2U);
  EXPECT_THAT(problems_, ElementsAre("l: it is another name of 'gone', which is not in the backup before it"));
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

/// Another file system in the target, where it can be mounted.
class MountedTest : public RestoreLinksTest {
 protected:
  ~MountedTest() override {
    if (!is_mounted_) return;
    EXPECT_EQ(run_shell("umount " + shell_quote(mount_)).status, 0);
  }
  [[nodiscard]] bool mount(const fs::path& where, const std::string& options) {
    mount_ = where;
    fs::create_directories(where);
    is_mounted_ = run_shell("mount -t tmpfs -o size=1m," + options + " none " + shell_quote(where)).status == 0;
    return is_mounted_;
  }

 private:
  fs::path mount_;
  bool is_mounted_ = false;
};

TEST_F(MountedTest, WhereThereCanBeNoOtherNameThereIsACopy) {
  const auto tree = directory_.make("tree");
  test::write_file(tree / "a", "content");
  fs::resize_file(tree / "a", 10'000'000);
  shell(
      "cd tree && setfattr -n user.x -v y a; chown 65534:65533 a; chmod 4751 a; touch -d 2001-02-03T04:05:06.7 a; "
      "mkdir m; for n in new old full pipe; do ln a m/$n; done; ln -s a s; ln s m/s; "
      "tar --sparse --xattrs --format=posix -cf ../archive.tar a m/new m/old m/full s m/s");
  if (!mount(target() / "m", "mode=755")) GTEST_SKIP() << "can't mount";
  test::write_file(target() / "m/old", "old");
  test::write_file(target() / "m/full/precious", "precious");
  fs::create_symlink("kept", target() / "m/s");
  static_cast<void>(restore(whole_request()));
  const std::string reason = ": can't be another name of 'a' (Invalid cross-device link)";
  EXPECT_THAT(
      problems_,
      ElementsAre(
          "m/new" + reason + ": it is a file of its own with the same content",
          "m/old" + reason + ": it is a file of its own with the same content",
          StartsWith("m/full: what is there can't be replaced"),
          "s: can't be another name of 'm/s' (Invalid cross-device link): it is a link of its own to the same"));
  for (const char* name : {"m/new", "m/old"}) {
    const auto was = stat_of("a");
    const auto is = stat_of(name);
    EXPECT_EQ(is.st_mode, was.st_mode);
    EXPECT_EQ(is.st_uid, was.st_uid);
    EXPECT_EQ(is.st_gid, was.st_gid);
    EXPECT_EQ(is.st_mtim.tv_nsec, was.st_mtim.tv_nsec);
    EXPECT_EQ(is.st_size, 10'000'000);
    EXPECT_LE(is.st_blocks, 16) << "its hole is full";
    EXPECT_TRUE(test::read_file(target() / name) == test::read_file(tree / "a"));
  }
  EXPECT_EQ(test::read_file(target() / "m/full/precious"), "precious");
  for (const char* name : {"s", "m/s"}) EXPECT_EQ(fs::read_symlink(target() / name), "a") << name;
}

TEST_F(MountedTest, WhatCantBeMadeKeepsWhatStandsThere) {
  if (!mount(target(), "nr_inodes=5")) GTEST_SKIP() << "can't mount";
  for (const char* name : {"symlink", "fifo", "device", "last"}) test::write_file(target() / name, "kept");
  for (const char* member :
       {"add('symlink', tarfile.SYMTYPE, 'x')", "add('fifo', tarfile.FIFOTYPE)", "add('device', tarfile.CHRTYPE)"}) {
    make_archive(member);
    EXPECT_THROW(static_cast<void>(restore(whole_request())), Error) << member;
  }
  for (const char* name : {"symlink", "fifo", "device"}) EXPECT_TRUE(fs::is_regular_file(target() / name)) << name;
}

TEST_F(RestoreLinksTest, OtherNamesTakeThePlaceOfWhatIsThere) {
  make_archive(
      "add('a', data=b'x')\nadd('file', tarfile.LNKTYPE, 'a')\nadd('empty', tarfile.LNKTYPE, 'a')\n"
      "add('link', tarfile.LNKTYPE, 'a')");
  test::write_file(target() / "file", "old");
  fs::create_directory(target() / "empty");
  fs::create_symlink(directory_.path(), target() / "link");
  static_cast<void>(restore(whole_request()));
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_EQ(stat_of("a").st_nlink, 4U);
  static_cast<void>(restore(whole_request()));
  EXPECT_EQ(stat_of("a").st_nlink, 4U);
  EXPECT_EQ(std::distance(fs::directory_iterator(target()), fs::directory_iterator()), 4);
}

TEST_F(RestoreLinksTest, WhatAnInterruptedRestoreHasLeftGoesWhateverItIs) {
  make_archive("add('a', data=b'x')");
  fs::create_directory(target());
  const auto leftover = [&](char last) {
    return target() / (".aa-restore.00000000-0000-4000-8000-00000000000" + std::string(1, last) + "._partial");
  };
  fs::create_symlink("x", leftover('0'));
  ASSERT_EQ(::mkfifo(leftover('1').c_str(), 0600), 0);
  test::write_file(leftover('2'), "half");
  EXPECT_EQ(restore(whole_request()).problems, 0U);
  EXPECT_EQ(std::distance(fs::directory_iterator(target()), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace autoarchive::tar_internal
