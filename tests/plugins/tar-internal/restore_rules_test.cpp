// What a restore may do to what is there, and what it makes of odd members of foreign archives.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>
#include <stop_token>

#include "autoarchive/base/error.hpp"
#include "restore_fixture.hpp"
#include "support/memory_file.hpp"

namespace autoarchive::tar_internal {
namespace {

namespace fs = std::filesystem;
using test::run_shell;
using test::shell_quote;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class RestoreRulesTest : public RestoreFixture {
 protected:
  [[nodiscard]] mode_t mode_of(const std::string& name) const { return stat_of(name).st_mode & 07777U; }
  [[nodiscard]] bool has_acl(const std::string& name, const char* which) const {
    return ::getxattr((target() / name).c_str(), which, nullptr, 0) >= 0;
  }
  [[nodiscard]] std::string content_of(const std::string& path) const {
    test::MemorySink sink;
    std::vector<ArchiveLevel> levels;
    levels.emplace_back().file = open_local_file(archive());
    TarArchiveReader({}).read_content(levels, path, sink);
    return sink.text;
  }
};

TEST_F(RestoreRulesTest, ListsOfNamesMayBeLargerThanWhatIsReadAtATime) {
  for (int i = 0; i < 3000; ++i)
    test::write_file(directory_ / "tree/many" / (std::string(100, 'n') + std::to_string(i)), "x");
  test::write_file(directory_ / "tree/z", "z");
  for (const char* option : {"", "--gzip"}) {
    fs::remove_all(target());
    fs::remove(directory_ / "snar");
    shell(std::string("tar --format=gnu --listed-incremental=snar ") + option + " -cf archive.tar -C tree .");
    EXPECT_EQ(restore(whole_request()).problems, 0U);
    EXPECT_THAT(faults_of(archive()), IsEmpty());
    EXPECT_EQ(run_shell("diff -r " + shell_quote(directory_ / "tree") + " " + shell_quote(target())).output, "");
  }
}

TEST_F(RestoreRulesTest, TheGroupsRightsAreTheHeadersAlsoWhereThereIsAnAcl) {
  make_archive(
      "add('closed', mode=0o600, pax={'SCHILY.acl.access': "
      "'user::rw-,user:65534:rw-,group::rw-,mask::---,other::---'})\n"
      "add('open', mode=0o670, pax={'SCHILY.acl.access': 'user::rw-,user:65534:rw-,group::---,mask::rwx,other::---'})");
  const auto result = restore(whole_request());
  if (result.problems != 0) GTEST_SKIP() << "no ACLs here: " << problems_.front();
  EXPECT_EQ(mode_of("closed"), 0600U);
  EXPECT_EQ(mode_of("open"), 0670U);
}

TEST_F(RestoreRulesTest, NorDoesWhatHasAnAclThatCantBeSet) {
  const std::string acl = "'user::rwx,user:nobody-of-that-name:rw-,group::r-x,mask::rwx,other::---'";
  make_archive("add('d', tarfile.DIRTYPE, mode=0o770, pax={'SCHILY.acl.access': " + acl +
               ", 'SCHILY.acl.default': " + acl + "})\nadd('d/f', mode=0o770, pax={'SCHILY.acl.access': " + acl + "})");
  fs::create_directories(target() / "d");
  if (run_shell("setfacl -m d:u:65534:rw,u:65534:rwx " + shell_quote(target()) + " " + shell_quote(target() / "d"))
          .status != 0)
    GTEST_SKIP() << "no ACLs here";
  EXPECT_EQ(restore(whole_request()).problems, 3U);
  EXPECT_THAT(problems_, Each(HasSubstr("its ACL can't be set, as it names somebody who is not known here")));
  for (const char* name : {"d", "d/f"}) {
    EXPECT_FALSE(has_acl(name, "system.posix_acl_access")) << name;
    EXPECT_EQ(mode_of(name), 0750U) << name;
  }
  EXPECT_FALSE(has_acl("d", "system.posix_acl_default"));
}

TEST_F(RestoreRulesTest, APathMayBeDeepAndNotBeyondAllMeasure) {
  make_archive("add('b/' * 3000 + 'f', data=b'x')\nadd('a/' * 40000 + 'f', data=b'x')");
  EXPECT_EQ(restore(whole_request()).entries, 1U);
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("/f: its name leads out of the target, or is longer than 64 KiB")));
  EXPECT_FALSE(fs::exists(target() / "a"));
  EXPECT_EQ(run_shell("cd " + shell_quote(target()) + " && find . -type d -perm 755 | wc -l && find . -type f | wc -l")
                .output,
            "3001\n1\n");
}

TEST_F(RestoreRulesTest, WhatIsReadIsNotReplaced) {
  make_archive("add('archive.tar', data=b'x')\nadd('d/archive.tar', data=b'y')");
  fs::create_directory(target());
  fs::rename(archive(), target() / "archive.tar");
  const auto before = test::read_file(target() / "archive.tar");
  EXPECT_EQ(restore({target() / "archive.tar"}).entries, 1U);
  EXPECT_THAT(problems_, ElementsAre("archive.tar: it is a backup that is read here; it stays"));
  EXPECT_TRUE(test::read_file(target() / "archive.tar") == before);
  EXPECT_EQ(test::read_file(target() / "d/archive.tar"), "y");
}

TEST_F(RestoreRulesTest, AttributesOfNoFileSystemTakeNoMemory) {
  make_archive(
      "add('huge', tarfile.DIRTYPE, pax={'SCHILY.xattr.user.x': 'v' * 1000000})\n"
      "for i in range(40): add('d%d' % i, tarfile.DIRTYPE, pax={'SCHILY.xattr.user.%d' % k: 'v' * 60000 for k in "
      "range(15)})\n"
      "acl = {'SCHILY.acl.access': 'user::rwx,user:65534:rwx,group::r-x,mask::rwx,other::---'}\n"
      "add('closed', tarfile.DIRTYPE, mode=0o770, pax=acl | {'SCHILY.xattr.user.%d' % k: 'v' * 60000 for k in "
      "range(15)})\n"
      "add('s', tarfile.SYMTYPE, 'x' * 5000)");
  EXPECT_EQ(restore(whole_request()).entries, 42U);
  // ext4 has room for 4 KiB, and says that the disk is full.
  EXPECT_THAT(problems_, Contains("huge: attribute user.x: Argument list too long"));
  EXPECT_THAT(problems_, Contains("d39: its attributes are not restored: those of directories take too much memory"));
  EXPECT_THAT(problems_, Contains("s: can't be created: File name too long"));
  EXPECT_EQ(mode_of("closed"), 0750U) << "not the mask's";
}

TEST_F(RestoreRulesTest, NothingInheritsTheAclsOfTheTarget) {
  constexpr const char* kAccess = "system.posix_acl_access";
  constexpr const char* kDefault = "system.posix_acl_default";
  make_archive(
      "add('d', tarfile.DIRTYPE, mode=0o750)\nadd('d/f', mode=0o640)\nadd('d/p', tarfile.FIFOTYPE, mode=0o640)");
  fs::create_directories(target() / "d");
  if (run_shell("setfacl -m d:u:65534:rw,u:65534:rwx " + shell_quote(target()) + " " + shell_quote(target() / "d"))
          .status != 0)
    GTEST_SKIP() << "no ACLs here";
  EXPECT_EQ(restore(whole_request()).problems, 0U);
  for (const char* name : {"d", "d/f", "d/p"}) EXPECT_FALSE(has_acl(name, kAccess)) << name;
  EXPECT_FALSE(has_acl("d", kDefault));
  EXPECT_EQ(mode_of("d/f"), 0640U);
  EXPECT_EQ(mode_of("d/p"), 0640U);
}

TEST_F(RestoreRulesTest, APathThatTheBackupDoesNotHaveRemovesNothing) {
  make_archive("add('a', data=b'x')");
  test::write_file(target() / "docs/sub/new", "new");
  for (const bool dry_run : {true, false}) {
    auto request = whole_request();
    request.paths = {"docs"};
    request.delete_others = true;
    request.dry_run = dry_run;
    const auto result = restore(std::move(request));
    EXPECT_THAT(result.not_found, ElementsAre("docs"));
    EXPECT_EQ(result.removed, 0U);
  }
  EXPECT_TRUE(fs::exists(target() / "docs/sub/new"));
}

TEST_F(RestoreRulesTest, AnIncrementAloneRemovesNothingAndSaysThatItIsOne) {
  for (const char* name : {"a", "d/b"}) test::write_file(directory_ / "tree" / name, name);
  shell("tar --listed-incremental=snar -cf level0.tar -C tree .");
  shell("sleep 1.1 && echo changed > tree/a && tar --listed-incremental=snar -cf archive.tar -C tree .");
  EXPECT_EQ(restore({directory_ / "level0.tar"}).problems, 0U);
  auto request = whole_request();
  request.delete_others = true;
  EXPECT_EQ(restore(std::move(request)).removed, 0U);
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("it lists files that an archive before this one has")));
  EXPECT_EQ(test::read_file(target() / "a"), "changed\n");
  EXPECT_EQ(test::read_file(target() / "d/b"), "d/b");
}

TEST_F(RestoreRulesTest, WithoutAnEndMarkTheLinksAndAttributesOfWhatWasReadAreThere) {
  make_archive(
      "add('a', data=b'x')\nadd('l', tarfile.SYMTYPE, 'a')\nadd('d', tarfile.DIRTYPE, mode=0o755)\nadd('d/x', "
      "data=b'x')");
  fs::resize_file(archive(), 6 * 512);
  EXPECT_THROW(static_cast<void>(restore(whole_request())), Error);
  EXPECT_EQ(fs::read_symlink(target() / "l"), "a");
  EXPECT_EQ(mode_of("d"), 0755U);
}

TEST_F(RestoreRulesTest, ADirectoryThatIsFullGivesWayOnlyToWhoWantsOthersRemoved) {
  make_archive(
      "add('file', data=b'x')\nadd('link', tarfile.SYMTYPE, 'file')\nadd('pipe', tarfile.FIFOTYPE)\nadd('name', "
      "tarfile.LNKTYPE, 'file')");
  for (const char* name : {"file", "link", "pipe", "name"}) test::write_file(target() / name / "precious", name);
  EXPECT_GE(restore(whole_request()).problems, 4U);
  for (const char* name : {"file", "link", "pipe", "name"})
    EXPECT_EQ(test::read_file(target() / name / "precious"), name);
  auto request = whole_request();
  request.delete_others = true;
  const auto result = restore(std::move(request));
  EXPECT_EQ(result.problems, 0U);
  EXPECT_EQ(result.removed, 4U);
  EXPECT_EQ(test::read_file(target() / "link"), "x");
  EXPECT_TRUE(S_ISFIFO(stat_of("pipe").st_mode));
  EXPECT_EQ(stat_of("name").st_nlink, 2U);
}

TEST_F(RestoreRulesTest, RemovesNoDirectoryThatHasNoMemberButWhatIsRestored) {
  make_archive("add('p/q/r', data=b'x')\nadd('top', data=b'x')");
  test::write_file(target() / "p/other", "x");
  auto request = whole_request();
  request.delete_others = true;
  EXPECT_EQ(restore(std::move(request)).removed, 1U);
  EXPECT_TRUE(fs::exists(target() / "p/q/r"));
  EXPECT_FALSE(fs::exists(target() / "p/other"));
}

TEST_F(RestoreRulesTest, NeverMeansThatNothingThatIsThereChanges) {
  make_archive(
      "add('data', tarfile.DIRTYPE, mode=0o755)\nadd('data/f', data=b'x')\nadd('d', tarfile.DIRTYPE, "
      "mode=0o755)\nadd('d/new', data=b'x')");
  test::write_file(target() / "data", "mine");
  fs::create_directory(target() / "d");
  ASSERT_EQ(::chmod((target() / "d").c_str(), 0700), 0);
  auto request = whole_request();
  request.overwrite = OverwritePolicy::never;
  static_cast<void>(restore(std::move(request)));
  EXPECT_EQ(test::read_file(target() / "data"), "mine");
  EXPECT_EQ(mode_of("d"), 0700U);
  EXPECT_EQ(test::read_file(target() / "d/new"), "x");
}

TEST_F(RestoreRulesTest, DirectoriesOnTheWayAreAsTheyWere) {
  make_archive(
      "add('a', tarfile.DIRTYPE, mode=0o751)\nadd('a/b', tarfile.DIRTYPE, mode=0o1777)\nadd('a/b/f', data=b'x')\n"
      "add('without/member', data=b'x')");
  auto request = whole_request();
  request.paths = {"a/b/f", "without"};
  const auto mask = ::umask(022);
  EXPECT_EQ(restore(std::move(request)).problems, 0U);
  ::umask(mask);
  EXPECT_EQ(mode_of("a"), 0751U);
  EXPECT_EQ(mode_of("a/b"), 01777U);
  EXPECT_EQ(mode_of("without"), 0755U);
  EXPECT_EQ(mode_of("."), 0755U);
}

TEST_F(RestoreRulesTest, NewerCountsFractionsOfASecond) {
  make_archive("add('a', data=b'new', pax={'mtime': '1600000000.9'})");
  test::write_file(target() / "a", "old");
  const timespec times[2] = {{1'600'000'000, 100'000'000}, {1'600'000'000, 100'000'000}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (target() / "a").c_str(), times, 0), 0);
  auto request = whole_request();
  request.overwrite = OverwritePolicy::newer;
  static_cast<void>(restore(std::move(request)));
  EXPECT_EQ(test::read_file(target() / "a"), "new");
}

TEST_F(RestoreRulesTest, OfSeveralMembersOfOneNameTheLastCounts) {
  make_archive(
      "add('a', data=b'OLD')\nadd('a', data=b'NEW')\nadd('l', tarfile.LNKTYPE, 'a')\nadd('a', data=b'NEWEST')");
  EXPECT_EQ(content_of("a"), "NEWEST");
  EXPECT_EQ(content_of("l"), "NEW");
  static_cast<void>(restore(whole_request()));
  EXPECT_EQ(test::read_file(target() / "a"), "NEWEST");
}

TEST_F(RestoreRulesTest, MembersOfOthersKindsDoNotMixUpThoseThatFollow) {
  make_archive(
      "add('one', data=b'1')\nadd('acl', b'A', data=b'user::rw-')\nadd('two', data=b'2')\n"
      "add('linked', tarfile.LNKTYPE, 'two', data=b'2')\nadd('three', data=b'3', pax={'comment': 'pax'})\n"
      "add('again', tarfile.LNKTYPE, 'three', data=b'3')\nadd('four', data=b'4')");
  static_cast<void>(restore(whole_request()));
  EXPECT_THAT(problems_, IsEmpty());
  for (const auto& [name, content] :
       {std::pair("one", "1"), {"two", "2"}, {"linked", "2"}, {"three", "3"}, {"again", "3"}, {"four", "4"}})
    EXPECT_EQ(test::read_file(target() / name), content) << name;
  EXPECT_FALSE(fs::exists(target() / "acl"));
}

TEST_F(RestoreRulesTest, TheRestOfAnotherVolumesFileIsRefused) {
  make_archive("add('big', b'M', data=b'the rest')");
  try {
    static_cast<void>(restore(whole_request()));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::unsupported);
    EXPECT_THAT(error.message(), HasSubstr("--multi-volume"));
  }
  EXPECT_FALSE(fs::exists(target() / "big"));
}

class OwnersTest : public RestoreRulesTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give files away";
  }
};

TEST_F(OwnersTest, AreThoseOfAGlobalHeaderUnlessTheMemberSaysOthers) {
  test::write_file(directory_ / "tree/a", "a");
  shell("tar --format=posix --pax-option='uid=65534,uname=' -cf archive.tar -C tree a");
  static_cast<void>(restore(whole_request()));
  EXPECT_EQ(stat_of("a").st_uid, 65534U);
}

TEST_F(OwnersTest, WithNumbersThatNobodyHasAreNotTakenForOthers) {
  make_archive(
      "for uid in ('4294967296', '4294967295', '-7'):\n"
      " add('f' + uid, mode=0o4755, data=b'x', pax={'uid': uid, 'uname': 'nobody-of-that-name'})");
  static_cast<void>(restore(whole_request()));
  for (const char* name : {"f4294967296", "f4294967295", "f-7"}) {
    EXPECT_EQ(mode_of(name), 0755U) << name;
    EXPECT_THAT(problems_, Contains(HasSubstr(std::string(name) + ": its owner or group has a number"))) << name;
  }
}

/// Asks to stop when more than some bytes have been read.
class StoppingFile final : public ReadableFile {
 public:
  StoppingFile(const std::filesystem::path& file, std::uint64_t after, std::stop_source& stop)
      : file_(open_local_file(file)), after_(after), stop_(stop) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return file_->size(); }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
    if (offset > after_) stop_.request_stop();
    return file_->read_at(offset, buffer);
  }
  [[nodiscard]] std::string description() const override { return file_->description(); }

 private:
  std::unique_ptr<ReadableFile> file_;
  std::uint64_t after_;
  std::stop_source& stop_;
};

TEST_F(RestoreRulesTest, AStopInTheMiddleOfAFileEndsItAndKeepsTheLinksThatWereThere) {
  make_archive("add('link', tarfile.SYMTYPE, 'new')\nadd('big', data=bytes(20_000_000))");
  fs::create_directory(target());
  fs::create_symlink("old", target() / "link");
  std::stop_source stop;
  RestoreRequest request;
  request.levels.emplace_back();
  request.levels.back().file = std::make_unique<StoppingFile>(archive(), 5'000'000, stop);
  request.stop = stop.get_token();
  try {
    static_cast<void>(restore(std::move(request)));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::cancelled);
  }
  EXPECT_FALSE(fs::exists(target() / "big"));
  EXPECT_EQ(fs::read_symlink(target() / "link"), "new");
}

TEST_F(RestoreRulesTest, AStopSaysThatSomethingIsThereOnlyIfSomethingIsMade) {
  make_archive("add('a', data=b'x')");
  for (const bool dry_run : {true, false}) {
    std::stop_source stop;
    stop.request_stop();
    auto request = whole_request();
    request.stop = stop.get_token();
    request.dry_run = dry_run;
    try {
      static_cast<void>(restore(std::move(request)));
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.message().find("is there") == std::string::npos, dry_run) << error.message();
    }
  }
}

}  // namespace
}  // namespace autoarchive::tar_internal
