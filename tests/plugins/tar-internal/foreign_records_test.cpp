// What other programs' pax records mean.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "restore_fixture.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::tar_internal {
namespace {

namespace fs = std::filesystem;
using test::run_shell;
using test::shell_quote;
using ::testing::IsEmpty;

class ForeignRecordsTest : public RestoreFixture {
 protected:
  /// Python's tarfile leaves empty records out of what it writes.
  void make_raw_archive(const std::string& code) const {
    make_archive(
        "def raw(name, type, link, data, pax, kind=tarfile.XHDTYPE):\n"
        " m = tarfile.TarInfo(name); m.type = type; m.linkname = link; m.size = len(data); m.mtime = 1000000000\n"
        " m.uid = m.gid = 65534\n"
        " head = tarfile.TarInfo._create_pax_generic_header(pax, kind, 'utf-8')\n"
        " block = head + m.tobuf(tarfile.USTAR_FORMAT) + data.ljust(-len(data) // 512 * -512, b'\\0')\n"
        " t.fileobj.write(block); t.offset += len(block)\n" +
        code);
  }
  [[nodiscard]] std::string xattr_of(const std::string& name, const std::string& attribute) const {
    std::string value(1000, '?');
    const auto size = ::lgetxattr((target() / name).c_str(), attribute.c_str(), value.data(), value.size());
    return size < 0 ? "none" : value.substr(0, static_cast<std::size_t>(size));
  }
};

TEST_F(ForeignRecordsTest, AnEmptyValueIsNoneAndTheHeadersCounts) {
  make_raw_archive(
      "none = {k: '' for k in ('path', 'linkpath', 'uid', 'gid', 'mtime', 'GNU.sparse.name', 'GNU.dumpdir', "
      "'SCHILY.acl.access', 'SCHILY.acl.default', 'RHT.security.selinux')}\n"
      "raw('f', tarfile.REGTYPE, '', b'content', none)\nraw('d', tarfile.DIRTYPE, '', b'', none)\n"
      "raw('s', tarfile.SYMTYPE, 'f', b'', none)\nraw('h', tarfile.LNKTYPE, 'f', b'', none)\n"
      "raw('x', tarfile.REGTYPE, '', b'', {'SCHILY.xattr.user.empty': ''})\n"
      "raw('g', tarfile.REGTYPE, '', b'', {'uid': '4711', 'mtime': '1'}, tarfile.XGLTYPE)\n"
      "raw('G', tarfile.REGTYPE, '', b'', {'uid': '', 'mtime': ''}, tarfile.XGLTYPE)");
  EXPECT_EQ(restore(whole_request()).problems, 0U);
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_EQ(test::read_file(target() / "f"), "content");
  EXPECT_EQ(fs::read_symlink(target() / "s"), "f");
  EXPECT_TRUE(fs::equivalent(target() / "f", target() / "h"));
  const bool is_root = ::geteuid() == 0;
  for (const char* name : {"f", "d", "s", "g", "G"}) {
    struct stat status {};
    ASSERT_EQ(::lstat((target() / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mtim.tv_sec, *name == 'g' ? 1 : 1'000'000'000) << name;
    EXPECT_EQ(status.st_uid, !is_root ? ::geteuid() : *name == 'g' ? 4711U : 65534U) << name;
    EXPECT_EQ(xattr_of(name, "security.selinux"), "none");
  }
  EXPECT_EQ(xattr_of("x", "user.empty"), "");
}

TEST_F(ForeignRecordsTest, AttributesOfLibarchiveAreThoseOfBsdtarsFiles) {
  make_archive(
      "add('both', pax={'LIBARCHIVE.xattr.user.%C3%A4%3D': 'b3RoZXI', 'SCHILY.xattr.user.%C3%A4%3D': 'value'})\n"
      "add('alone', pax={'LIBARCHIVE.xattr.user.%41%3d': 'AP8K', 'LIBARCHIVE.xattr.user.e': '', "
      "'LIBARCHIVE.xattr.user.p': 'YQ=='})\n"
      "add('gnu', pax={'SCHILY.xattr.user.%41%25': 'v'})\n"
      "add('wrong', pax={'LIBARCHIVE.xattr.user.a': 'A', 'LIBARCHIVE.xattr.user.b': '*', 'LIBARCHIVE.xattr.': 'YQ', "
      "'LIBARCHIVE.xattr.user.c%00d': 'YQ'})");
  EXPECT_EQ(restore(whole_request()).problems, 0U);
  if (xattr_of("gnu", "user.%41%") != "v") GTEST_SKIP() << "no attributes here";
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_EQ(xattr_of("both", "user.\xc3\xa4="), "value");
  EXPECT_EQ(xattr_of("both", "user.%C3%A4="), "none");
  EXPECT_EQ(xattr_of("alone", "user.A="), std::string("\0\xff\n", 3));
  EXPECT_EQ(xattr_of("alone", "user.e"), "");
  EXPECT_EQ(xattr_of("alone", "user.p"), "a");
  EXPECT_EQ(::listxattr((target() / "wrong").c_str(), nullptr, 0), 0);
}

TEST_F(ForeignRecordsTest, AttributesOfBsdtarComeBackWhateverTheyAreCalled) {
  const auto tree = directory_.make("tree");
  test::write_file(tree / "f", "x");
  for (const char* options : {"xattrheader=ALL", "xattrheader=LIBARCHIVE"}) {
    const auto made = run_shell("cd " + shell_quote(tree) +
                                " && setfattr -n user.a=%41 -v 1 f && setfattr -n 'user.\xc3\xa4 b' -v 0x0a00ff f && "
                                "bsdtar --options " +
                                options + " -cf ../archive.tar f");
    if (made.status != 0) GTEST_SKIP() << "no attributes or no bsdtar here: " << made.output;
    fs::remove_all(target());
    EXPECT_EQ(restore(whole_request()).problems, 0U);
    EXPECT_THAT(test::diff_trees(tree, target()), IsEmpty()) << options;
  }
}

}  // namespace
}  // namespace autoarchive::tar_internal
