// Archives that others have made, and archives that mean harm.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autoarchive/base/error.hpp"
#include "restore_fixture.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"
#include "tar_archive_reader.hpp"

namespace autoarchive::tar_internal {
namespace {

using test::run_shell;
using test::shell_quote;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ReaderTest : public RestoreFixture {};

TEST_F(ReaderTest, ReadsEveryDialectOfGnuTar) {
  for (const char* name : {"tree/a", "tree/d/b", "tree/a file with a name"}) test::write_file(directory_ / name, name);
  std::filesystem::create_symlink("a", directory_ / "tree/link");
  std::filesystem::create_hard_link(directory_ / "tree/a", directory_ / "tree/second");
  ASSERT_EQ(run_shell("find " + shell_quote(directory_ / "tree") + " -exec touch -h -d 2020-01-01 {} +").status, 0);
  for (const char* format : {"v7", "oldgnu", "gnu", "ustar", "posix"}) {
    const auto made = run_shell("cd " + shell_quote(directory_ / "tree") + " && tar --format=" + format + " -cf " +
                                shell_quote(archive()) + " .");
    ASSERT_EQ(made.status, 0) << made.output;
    std::filesystem::remove_all(directory_ / "target");
    EXPECT_EQ(restore({archive()}).problems, 0U) << format;
    EXPECT_THAT(test::diff_trees(directory_ / "tree", directory_ / "target"), IsEmpty()) << format;
  }
}

TEST_F(ReaderTest, ReadsWhatBsdtarAndEveryCompressorMake) {
  test::make_nasty_tree(directory_ / "tree");
  for (const char* option : {"", "--gzip", "--bzip2", "--xz", "--zstd"}) {
    const auto made = run_shell("cd " + shell_quote(directory_ / "tree") + " && LC_ALL=C.UTF-8 bsdtar --format=pax " +
                                option + " -cf " + shell_quote(archive()) + " .");
    std::filesystem::remove_all(directory_ / "target");
    EXPECT_EQ(restore({archive()}).problems, 0U) << option << made.output;
    // bsdtar writes a time before 1970 one second late.
    const timespec times[2] = {{0, 0}, {0, 0}};
    for (const char* tree : {"tree", "target"}) ::utimensat(AT_FDCWD, (directory_ / tree / "empty").c_str(), times, 0);
    EXPECT_THAT(test::diff_trees(directory_ / "tree", directory_ / "target"), IsEmpty()) << option;
  }
}

TEST_F(ReaderTest, ReplaysLevelsOfGnuTarWithTheirDeletions) {
  for (const std::string format : {"posix", "gnu", "oldgnu"}) {
    const auto tree = directory_.make(format);
    const auto file = [&](int level) { return directory_ / (format + ".level" + std::to_string(level)); };
    const auto tar = [&](int level) {
      const auto made = run_shell("cd " + shell_quote(tree) + " && tar --format=" + format + " --listed-incremental=" +
                                  shell_quote(directory_ / (format + ".snar")) + " -cf " + shell_quote(file(level)) +
                                  " . && touch -d '1 hour ago' " + shell_quote(directory_ / (format + ".snar")));
      ASSERT_EQ(made.status, 0) << made.output;
    };
    for (const char* name : {"keep", "go", "d/keep", "d/go", "gone/x"}) test::write_file(tree / name, name);
    tar(0);
    EXPECT_THAT(faults_of(file(0)), IsEmpty()) << format;
    for (const char* name : {"go", "d/go", "gone"}) std::filesystem::remove_all(tree / name);
    test::write_file(tree / "new", "new");
    std::filesystem::create_symlink("new", tree / "link");
    tar(1);
    std::filesystem::remove(tree / "link");
    tar(2);
    std::filesystem::remove_all(directory_ / "target");
    const auto result = restore({file(0), file(1), file(2)});
    EXPECT_EQ(result.problems, 0U) << format;
    EXPECT_EQ(result.removed, 0U) << format;
    // Old formats have whole seconds only.
    if (format != "posix") {
      for (const auto& top : {tree, directory_ / "target"})
        ASSERT_EQ(run_shell("find " + shell_quote(top) + " -exec touch -h -d 2020-01-01 {} +").status, 0);
    }
    EXPECT_THAT(test::diff_trees(tree, directory_ / "target"), IsEmpty()) << format;
  }
}

TEST_F(ReaderTest, RestoresOnlyThePathsThatAreAskedFor) {
  make_archive("for n in ('a', 'd/b', 'd/c/e', 'dd'): add(n, data=b'x')");
  RestoreRequest request;
  request.levels.emplace_back();
  request.levels[0].file = open_local_file(archive());
  request.paths = {"d", "no"};
  const auto result = restore(std::move(request));
  EXPECT_THAT(result.not_found, ::testing::ElementsAre("no"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "target/d/c/e"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "target/a") || std::filesystem::exists(directory_ / "target/dd"));
}

TEST_F(ReaderTest, MakesTheTargetEqualWhenAsked) {
  make_archive("add('a', data=b'x')");
  test::write_file(directory_ / "target/other/x", "");
  RestoreRequest request;
  request.levels.emplace_back();
  request.levels[0].file = open_local_file(archive());
  request.delete_others = true;
  EXPECT_EQ(restore(std::move(request)).removed, 1U);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "target/other"));
}

TEST_F(ReaderTest, OverwritesAsThePolicySays) {
  make_archive("add('a', data=b'from the archive')");
  const auto content_after = [&](OverwritePolicy policy) {
    test::write_file(directory_ / "target/a", "was there");
    RestoreRequest request;
    request.levels.emplace_back();
    request.levels[0].file = open_local_file(archive());
    request.overwrite = policy;
    static_cast<void>(restore(std::move(request)));
    return test::read_file(directory_ / "target/a");
  };
  EXPECT_EQ(content_after(OverwritePolicy::never), "was there");
  EXPECT_EQ(content_after(OverwritePolicy::newer), "was there");  // the archive's is of 1970
  EXPECT_EQ(content_after(OverwritePolicy::always), "from the archive");
}

TEST_F(ReaderTest, NeverLeavesItsTarget) {
  const auto outside = directory_.make("outside");
  test::write_file(outside / "victim", "untouched");
  const auto& out = outside.native();
  make_archive(
      "add('../outside/dotdot', data=b'x')\n"
      "add('" +
      out +
      "/absolute', data=b'x')\n"
      "add('link', tarfile.SYMTYPE, '" +
      out +
      "')\n"
      "add('link/through', data=b'x')\n"
      "add('hard', tarfile.LNKTYPE, '../outside/victim')\n"
      "add('hard2', tarfile.LNKTYPE, '" +
      out +
      "/victim')\n"
      "add('hard3', tarfile.LNKTYPE, 'link/victim')\n"
      "add('d', tarfile.DIRTYPE, mode=0o755)\n"
      "add('d', tarfile.SYMTYPE, '" +
      out +
      "')\n"
      "add('d/x', data=b'x')\n"
      "add('s', tarfile.SYMTYPE, '" +
      out +
      "/victim')\n"
      "add('s', data=b'overwritten')\n");
  std::filesystem::create_directory(directory_ / "target");
  std::filesystem::create_directory_symlink(outside, directory_ / "target/prepared");
  static_cast<void>(restore({archive()}));
  EXPECT_EQ(test::read_file(outside / "victim"), "untouched");
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(outside)) names.push_back(entry.path().filename());
  EXPECT_THAT(names, ::testing::ElementsAre("victim"));
  struct stat status {};
  ASSERT_EQ(::stat((outside / "victim").c_str(), &status), 0);
  EXPECT_EQ(status.st_nlink, 1U);
  EXPECT_GE(problems_.size(), 4U);
}

TEST_F(ReaderTest, NoticesDamageToItsVeryEnd) {
  make_archive("add('a', data=b'x' * 2000)\nadd('b', data=b'y' * 2000)");
  const auto whole = test::read_file(archive());
  const auto faults = [&](const std::string& text) {
    test::write_file(archive(), text);
    return faults_of(archive());
  };
  EXPECT_THAT(faults(whole), IsEmpty());
  EXPECT_THAT(faults(whole.substr(0, 5120)), ::testing::Not(IsEmpty()));  // no end mark
  EXPECT_THAT(faults(whole.substr(0, 3000)), ::testing::Not(IsEmpty()));  // in the middle of a member
  EXPECT_THAT(faults(whole + "trailing"), ::testing::Not(IsEmpty()));
  auto flipped = whole;
  flipped[2560] = 'z';  // the second header
  EXPECT_THAT(faults(flipped), ::testing::Not(IsEmpty()));
}

// What `cat` writes can't go back.
TEST_F(ReaderTest, TakesASparseFileWhosePiecesAreNotInOrderForDamaged) {
  const auto faults = [&](const std::string& map) {
    make_archive(
        "add('s', data=b'" + map +
        "'.ljust(512, b'\\0') + b'x' * 512 + b'y' * 512, pax={'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', "
        "'GNU.sparse.name': 's', 'GNU.sparse.realsize': '2048'})");
    return faults_of(archive());
  };
  EXPECT_THAT(faults("2\\n0\\n512\\n1024\\n512\\n"), IsEmpty());
  EXPECT_THAT(faults("2\\n1024\\n512\\n0\\n512\\n"), ::testing::Not(IsEmpty()));
  EXPECT_THAT(faults("2\\n1024\\n512\\n1280\\n512\\n"), ::testing::Not(IsEmpty()));
  EXPECT_THAT(faults("2\\n0\\n512\\n1792\\n512\\n"), ::testing::Not(IsEmpty()));  // behind the end
}

TEST_F(ReaderTest, ReadsNoSparseFileOfMorePiecesThanMemoryIsFor) {
  const auto faults = [&](const std::string& first_lines) {
    make_archive("add('s', data=b'" + first_lines +
                 "' + b'1\\n1\\n' * 600000, pax={'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', "
                 "'GNU.sparse.name': 's', 'GNU.sparse.realsize': '99999999999'})");
    return faults_of(archive());
  };
  const auto refused = ElementsAre(HasSubstr("the sparse file 's' has more than 524288 pieces of data"));
  EXPECT_THAT(faults("524289\\n"), refused);
  EXPECT_THAT(faults("#9\\n99999999\\n"), refused);
  EXPECT_THAT(faults("524288\\n"), ElementsAre(HasSubstr("pieces are not in order")));
  make_archive(
      "h = bytearray(512); h[0:1] = b's'; h[156:157] = b'S'; h[257:265] = b'ustar  \\0'; h[482] = 1\n"
      "for at, size in (100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (386, 12), (398, 12):\n"
      " h[at:at + size] = b'0' * (size - 1) + b'\\0'\n"
      "h[148:156] = b'%06o\\0 ' % (sum(h) + 8 * 32)\n"
      "piece = b'0' * 11 + b'\\0' + b'0' * 11 + b'\\0'\n"
      "t.fileobj.write(h + (piece * 21 + b'\\1' * 8) * 26000)");
  EXPECT_THAT(faults_of(archive()), refused);
}

TEST_F(ReaderTest, SalvagesNothingOverWhatItHasBroughtBefore) {
  make_archive(
      "inner = io.BytesIO()\n"
      "i = tarfile.open(fileobj=inner, mode='w')\n"
      "m = tarfile.TarInfo('a'); m.size = 3; i.addfile(m, io.BytesIO(b'old'))\n"
      "m = tarfile.TarInfo('only in the inner one'); i.addfile(m)\n"
      "i.close()\n"
      "add('a', data=b'new')\n"
      "add('inner.tar', data=inner.getvalue())\n"
      "add('z', data=b'the last one')");
  auto bytes = test::read_file(archive());
  const auto at = bytes.find("inner.tar");
  ASSERT_NE(at, std::string::npos);
  test::write_file(archive(), bytes.replace(at, 5, "INNER"));
  RestoreRequest request;
  request.levels.emplace_back();
  request.levels.back().file = open_local_file(archive());
  request.salvage = true;
  static_cast<void>(restore(std::move(request)));
  EXPECT_EQ(test::read_file(directory_ / "target/a"), "new");
  EXPECT_EQ(test::read_file(directory_ / "target/z"), "the last one");  // behind the end mark of the inner one
  EXPECT_THAT(problems_, ::testing::Contains(::testing::HasSubstr("a: it comes first behind the damage")));
  EXPECT_THAT(problems_, ::testing::Contains(::testing::HasSubstr("a: it comes again behind the damage")));
}

TEST_F(ReaderTest, SalvagesNothingOutOfAMemberThatIsWhole) {
  make_archive(
      "inner = io.BytesIO()\n"
      "i = tarfile.open(fileobj=inner, mode='w')\n"
      "i.addfile(tarfile.TarInfo('only in the inner one'))\n"
      "i.close()\n"
      "add('a', data=b'x')\n"
      "add('inner.tar', data=inner.getvalue())");
  test::write_file(archive(), test::read_file(archive()).substr(0, 512 * 3 + 10'240));  // no end mark
  for (const bool dry_run : {true, false}) {
    RestoreRequest request;
    request.levels.emplace_back();
    request.levels.back().file = open_local_file(archive());
    request.salvage = true;
    request.dry_run = dry_run;
    const auto result = restore(std::move(request));
    EXPECT_EQ(result.entries, 2U);
    EXPECT_EQ(result.damaged, 1U);
  }
  EXPECT_TRUE(std::filesystem::exists(directory_ / "target/inner.tar"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "target/only in the inner one"));
}

TEST_F(ReaderTest, ListsAndPassesOverWhatItCanRead) {
  // libarchive takes bytes of this header for the map of a sparse file, and can't pass over what it reads.
  make_archive(
      "b = bytearray(tarfile.TarInfo('d').tobuf(tarfile.GNU_FORMAT))\n"
      "b[156:157] = b'D'; b[124:136] = b'00000000031\\0'; b[386:458] = "
      "bytes.fromhex('"
      "6d74696d653d313030303032303030302e303030303030350a38322053438e48494c592e61636c2e56565656565656565656560656565656"
      "565656e2980d00306000000000000000'); b[148:156] = b' "
      "' * 8\n"
      "b[148:156] = b'%06o\\0 ' % sum(b)\n"
      "t.fileobj.write(b + b'Ya' + bytes(510)); t.offset += 1024");
  EXPECT_THAT(faults_of(archive()), IsEmpty());
  static_cast<void>(restore({archive()}));
  EXPECT_THAT(problems_, ElementsAre(StartsWith("d/a: it is listed and has no member: ")));
}

TEST_F(ReaderTest, SurvivesAnyBytes) {
  make_archive("add('a', data=b'x' * 700)\nadd('d', tarfile.DIRTYPE)\nadd('l', tarfile.SYMTYPE, 'a')");
  const auto whole = test::read_file(archive());
  std::uint32_t state = 11;
  for (int round = 0; round < 200; ++round) {
    auto text = whole;
    for (int i = 0; i < 4; ++i) {
      state = state * 1'664'525 + 1'013'904'223;
      text[state % 4096] = static_cast<char>(state >> 24U);
    }
    test::write_file(archive(), text);
    try {
      static_cast<void>(restore({archive()}));
    } catch (const Error& error) {
      EXPECT_TRUE(error.cause() == ErrorCause::damaged || error.cause() == ErrorCause::unsupported) << error.what();
    }
  }
}

TEST_F(ReaderTest, RefusesWhatIsNoArchive) {
  test::write_file(archive(), "this is no archive");
  EXPECT_THROW(static_cast<void>(restore({archive()})), Error);
}

}  // namespace
}  // namespace autoarchive::tar_internal
