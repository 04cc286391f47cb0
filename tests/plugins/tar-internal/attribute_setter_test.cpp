// What a restored member gets beside its content.
#include "attribute_setter.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>

#include "autoarchive/base/unique_fd.hpp"
#include "restore_fixture.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::tar_internal {
namespace {

namespace fs = std::filesystem;
using test::run_shell;
using test::shell_quote;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class AttributesTest : public RestoreFixture {
 protected:
  [[nodiscard]] static struct stat stat_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status;
  }
  [[nodiscard]] mode_t mode_of(const std::string& name) const { return stat_of(target() / name).st_mode & 07777U; }
};

TEST_F(AttributesTest, AreNotSetOfWhatSomebodyElsePutThere) {
  test::write_file(directory_ / "victim", "x");
  ASSERT_EQ(::chmod((directory_ / "victim").c_str(), 0600), 0);
  fs::create_hard_link(directory_ / "victim", directory_ / "hard");
  fs::create_symlink("victim", directory_ / "link");
  const UniqueFd parent(::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY));
  const auto report = [this](std::string_view path, std::string_view text) { problem(path, text); };
  Entry entry;
  entry.path = "p";
  entry.kind = EntryKind::fifo;
  entry.mode = 0666;
  const auto before = stat_of(directory_ / "victim");
  for (const char* name : {"hard", "link"}) AttributeSetter().set_at(parent.get(), name, entry, {1, 1}, report);
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("something else"), HasSubstr("something else")));
  const auto after = stat_of(directory_ / "victim");
  EXPECT_EQ(after.st_mode, before.st_mode);
  EXPECT_EQ(after.st_uid, before.st_uid);
  EXPECT_EQ(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
}

TEST_F(AttributesTest, OfLinksAndNodesAreTheirOwn) {
  make_archive(
      "add('s', tarfile.SYMTYPE, 'p', pax={'mtime': '1000000000.5'})\n"
      "add('p', tarfile.FIFOTYPE, mode=0o4751, pax={'mtime': '1000000001.5'})");
  EXPECT_EQ(restore(whole_request()).problems, 0U);
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_EQ(stat_of(target() / "s").st_mtim.tv_sec, 1'000'000'000);
  EXPECT_EQ(stat_of(target() / "p").st_mtim.tv_sec, 1'000'000'001);
  EXPECT_EQ(stat_of(target() / "p").st_mtim.tv_nsec, 500'000'000);
  EXPECT_EQ(mode_of("p"), ::geteuid() == 0 ? 04751U : 0751U);
}

TEST_F(AttributesTest, WithoutItsAclAFileIsNotOpenerForItsGroup) {
  const std::string acl = "user::rw-,user:65534:rwx,group::r--,mask::rwx,other::---";
  make_archive("add('known', mode=0o670, pax={'SCHILY.acl.access': '" + acl +
               "'})\nadd('unknown', mode=0o670, pax={'SCHILY.acl.access': '" + acl +
               ",user:nobody-of-that-name:r--'})\nadd('nonsense', mode=0o670, pax={'SCHILY.acl.access': 'x'})");
  fs::create_directory(target());
  if (run_shell("mount -t ramfs none " + shell_quote(target())).status != 0) GTEST_SKIP() << "can't mount";
  EXPECT_EQ(restore(whole_request()).problems, 3U);
  const std::vector<mode_t> modes{mode_of("known"), mode_of("unknown"), mode_of("nonsense")};
  EXPECT_EQ(run_shell("umount " + shell_quote(target())).status, 0);
  EXPECT_THAT(modes, ElementsAre(0640U, 0640U, 0600U));
  EXPECT_THAT(problems_,
              UnorderedElementsAre(StartsWith("known: attribute system.posix_acl_access: "),
                                   "unknown: its ACL can't be set, as it names somebody who is not known here",
                                   StartsWith("nonsense: attribute system.posix_acl_access: ")));
}

TEST_F(AttributesTest, AclsOfBsdtarComeBackAsTheyWere) {
  const auto tree = directory_.make("tree");
  for (const char* name : {"closed", "open"}) test::write_file(tree / name, name);
  const auto made = run_shell("cd " + shell_quote(tree) +
                              " && chmod 600 closed open && setfacl -m u:65534:rw,g::- closed && "
                              "setfacl -m u:65534:rwx,g::r,m::rwx open && bsdtar -cf ../archive.tar closed open");
  if (made.status != 0) GTEST_SKIP() << "no ACLs or no bsdtar here: " << made.output;
  EXPECT_EQ(restore(whole_request()).problems, 0U);
  EXPECT_THAT(test::diff_trees(tree, target()), IsEmpty());
  EXPECT_EQ(mode_of("closed"), 0660U);
  EXPECT_EQ(mode_of("open"), 0670U);
}

TEST_F(AttributesTest, AnAclNamesNumbersWhereOwnersAreNumbers) {
  make_archive(
      "acl = 'user::rw-,user:nobody:rw-:4711,group::r--,mask::rw-,other::---'\n"
      "add('both', mode=0o660, pax={'SCHILY.acl.access': acl})\n"
      "add('name', mode=0o660, pax={'SCHILY.acl.access': acl.replace(':4711', '')})");
  for (const auto& [owner, both] :
       {std::pair(OwnerPolicy::names, "user:65534:rw-"), {OwnerPolicy::ids, "user:4711:rw-"}}) {
    auto request = whole_request();
    request.owner = owner;
    if (restore(std::move(request)).problems != 0) GTEST_SKIP() << "no ACLs here: " << problems_.front();
    const auto acl_of = [this](const char* name) {
      return run_shell("getfacl --numeric " + shell_quote(target() / name)).output;
    };
    EXPECT_THAT(acl_of("both"), HasSubstr(both));
    EXPECT_THAT(acl_of("name"), HasSubstr("user:65534:rw-"));
  }
}

TEST_F(AttributesTest, OfADirectoryThatWasThereAreTheBackupsWhereItIsMadeEqual) {
  make_archive(
      "add('.', tarfile.DIRTYPE, mode=0o755)\n"
      "add('d', tarfile.DIRTYPE, mode=0o755, pax={'SCHILY.xattr.user.same': 'new'})\nadd('d/f', data=b'x')");
  fs::create_directories(target() / "d");
  const auto has = [this](const char* path, const char* name) {
    return ::getxattr((target() / path).c_str(), name, nullptr, 0) >= 0;
  };
  const auto made = run_shell("cd " + shell_quote(target()) +
                              " && setfattr -n user.same -v old d && setfattr -n user.other -v x d && "
                              "setfattr -n user.other -v x . && setfacl -m u:65534:r,d:u:65534:r d");
  if (made.status != 0) GTEST_SKIP() << "no attributes here: " << made.output;
  const bool is_root = ::setxattr((target() / "d").c_str(), "trusted.system", "x", 1, 0) == 0;
  EXPECT_EQ(restore(whole_request()).problems, 0U);
  EXPECT_TRUE(has("d", "user.other") && has(".", "user.other"));
  auto request = whole_request();
  request.delete_others = true;
  EXPECT_EQ(restore(std::move(request)).problems, 0U);
  EXPECT_FALSE(has("d", "user.other") || has(".", "user.other"));
  EXPECT_FALSE(has("d", "system.posix_acl_access") || has("d", "system.posix_acl_default"));
  EXPECT_TRUE(has("d", "user.same"));
  EXPECT_EQ(has("d", "trusted.system"), is_root);
}

TEST_F(AttributesTest, ATimeThatTheTargetCantHoldIsTold) {
  const std::vector<std::pair<std::string, std::string>> years{{"1850", "-3786825600"}, {"2500", "16725225600"}};
  for (const auto& [year, seconds] : years) {
    make_archive("time = {'mtime': '" + seconds +
                 "'}\nadd('d', tarfile.DIRTYPE, pax=time)\nadd('f', pax=time)\n"
                 "add('s', tarfile.SYMTYPE, 'f', pax=time)\nadd('held', pax={'mtime': '-1.5'})");
    problems_.clear();
    static_cast<void>(restore(whole_request()));
    EXPECT_EQ(stat_of(target() / "held").st_mtim.tv_sec, -2);
    if (std::to_string(stat_of(target() / "f").st_mtim.tv_sec) == seconds) {
      EXPECT_THAT(problems_, IsEmpty());
      continue;
    }
    const auto told = HasSubstr("as the file system of the target can't hold " + year + "-01-01T00:00:00Z");
    EXPECT_THAT(problems_, AllOf(SizeIs(3), Each(told)));
  }
}

// Where whoever restores is called root, and nobody else has a number.
TEST_F(AttributesTest, TellOfTheGroupWhereOnlyThatCantBeSet) {
  test::write_file(directory_ / "f", "x");
  const UniqueFd file(::open((directory_ / "f").c_str(), O_RDWR));
  const auto told = directory_ / "told";
  const auto child = ::fork();
  if (child == 0) {
    const auto map = "0 " + std::to_string(::geteuid()) + " 1";
    if (::unshare(CLONE_NEWUSER) != 0) ::_exit(1);
    std::ofstream("/proc/self/uid_map") << map;
    std::ofstream out(told);
    Entry entry;
    entry.path = "f";
    entry.kind = EntryKind::file;
    const auto report = [&](std::string_view /*path*/, std::string_view text) { out << text << '\n'; };
    AttributeSetter().set(file.get(), entry, {0, 65533}, report);
    AttributeSetter().set(file.get(), entry, {65533, 65533}, report);
    out.close();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (status != 0) GTEST_SKIP() << "can't be another user's root";
  EXPECT_THAT(test::read_file(told),
              AllOf(HasSubstr("its group can't be set: "), HasSubstr("its owner can't be set: ")));
}

class RightsTest : public AttributesTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give files away";
  }
};

TEST_F(RightsTest, AreNotLentByCapabilitiesOfAFileThatIsNotItsOwners) {
  test::write_file(directory_ / "tree/f", "x");
  const auto made = run_shell("cd " + shell_quote(directory_ / "tree") +
                              " && setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 f"
                              " && tar --xattrs --xattrs-include='*' --format=posix -cf ../archive.tar f");
  if (made.status != 0) GTEST_SKIP() << "no capabilities here: " << made.output;
  const auto has_capabilities = [this] {
    return ::getxattr((target() / "f").c_str(), "security.capability", nullptr, 0) > 0;
  };
  for (const auto owner : {OwnerPolicy::names, OwnerPolicy::ids, OwnerPolicy::none}) {
    auto request = whole_request();
    request.owner = owner;
    static_cast<void>(restore(std::move(request)));
    EXPECT_EQ(has_capabilities(), owner != OwnerPolicy::none);
    EXPECT_EQ(problems_.empty(), owner != OwnerPolicy::none);
  }
  EXPECT_THAT(problems_, ElementsAre("f: it is restored without its capabilities, as it is not its owner's"));
}

TEST_F(RightsTest, OfAGroupThatNobodyHasAreNotTheRestorers) {
  make_archive(
      "add('f', mode=0o6755, data=b'x', pax={'uid': '65534', 'gid': '4294967295'})\n"
      "add('g', mode=0o6755, data=b'x', pax={'uid': '4294967295', 'gid': '65534'})");
  static_cast<void>(restore(whole_request()));
  EXPECT_EQ(mode_of("f"), 04755U);
  EXPECT_EQ(mode_of("g"), 02755U);
  EXPECT_EQ(stat_of(target() / "f").st_uid, 65534U);
  EXPECT_EQ(stat_of(target() / "g").st_gid, 65534U);
}

}  // namespace
}  // namespace autoarchive::tar_internal
