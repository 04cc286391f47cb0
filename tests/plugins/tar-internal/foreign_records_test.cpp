// What other programs' pax records mean.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "restore_fixture.hpp"

namespace autoarchive::tar_internal {
namespace {

namespace fs = std::filesystem;
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

}  // namespace
}  // namespace autoarchive::tar_internal
