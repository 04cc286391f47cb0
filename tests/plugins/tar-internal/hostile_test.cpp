// Archives that mean harm, into an empty and into a prepared target: nothing outside is touched, nothing hangs, and
// what can't be done is said. Run by root in the tests of a fresh machine: only root can be lured into everything.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>

#include "autoarchive/base/error.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"
#include "tar_archive_reader.hpp"

namespace autoarchive::tar_internal {
namespace {

namespace fs = std::filesystem;
using test::run_shell;
using test::shell_quote;
using ::testing::IsEmpty;

/// Python's words for making an archive: OUT is the directory that must not be touched.
constexpr std::string_view kPrelude = R"(
import io, sys, tarfile
REG, DIR, SYM, LNK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
FIFO, CHR, BLK = tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE
OUT = sys.argv[2]
t = tarfile.open(sys.argv[1], 'w', format=tarfile.PAX_FORMAT)
def add(name, type=REG, link='', data=b'', mode=0o644, pax={}, size=None, device=(0, 0)):
    m = tarfile.TarInfo(name)
    m.type, m.linkname, m.mode, m.pax_headers = type, link, mode, dict(pax)
    m.devmajor, m.devminor = device
    m.size = len(data) if size is None else size
    t.addfile(m, io.BytesIO(data) if type == REG and size is None else None)
def raw(data):
    t.fileobj.write(data); t.offset += len(data)
def dumpdir(*names):
    return {'GNU.dumpdir': ''.join('Y' + n + '\0' for n in names) + '\0'}
)";

struct Attack {
  const char* name;
  std::vector<std::string> levels;  // what makes each of them
  bool is_reported = true;          // something of it can't be done
};

void PrintTo(const Attack& attack, std::ostream* out) {
  *out << attack.name;
}

const std::vector<Attack> kAttacks = {
    {"dot_dot",
     {"add('../outside/new', data=b'x')\nadd('a/../../outside/new', data=b'x')\nadd('..', DIR)\nadd('a/..', DIR)"}},
    {"dot_dot_in_a_pax_path", {"add('x', data=b'x', pax={'path': '../outside/new'})"}},
    {"absolute", {"add(OUT + '/new', data=b'x')\nadd('//' + OUT + '/new2', data=b'x')"}},
    {"absolute_directory_with_another_mode", {"add(OUT, DIR, mode=0o777)\nadd('../outside', DIR, mode=0o777)"}},
    {"through_a_symlink",
     {"add('l', SYM, OUT)\nadd('l/new', data=b'x')\nadd('l/d', DIR)\nadd('l/d/new', data=b'x')"},
     false},
    {"through_a_relative_symlink", {"add('d/l', SYM, '../../outside')\nadd('d/l/new', data=b'x')"}, false},
    {"through_a_chain_of_symlinks",
     {"add('a', SYM, '.')\nadd('a/b', SYM, '..')\nadd('a/b/outside/new', data=b'x')"},
     false},
    {"a_directory_that_becomes_a_symlink",
     {"add('d', DIR, mode=0o755)\nadd('d', SYM, OUT)\nadd('d/new', data=b'x')\nadd('d', DIR, mode=0o777)"},
     false},
    {"a_symlink_that_becomes_a_directory",
     {"add('d', SYM, OUT)\nadd('d', DIR, mode=0o777)\nadd('d/new', data=b'x')"},
     false},
    {"a_file_over_a_symlink", {"add('s', SYM, OUT + '/victim')\nadd('s', data=b'overwritten')"}, false},
    {"a_symlink_with_a_mode_and_attributes",
     {"add('s', SYM, OUT + '/victim', mode=0o4777, pax={'SCHILY.xattr.user.x': 'y'})"},
     false},
    {"a_directory_over_a_symlink_to_one", {"add('s', SYM, OUT)\nadd('s/', DIR, mode=0o777)"}, false},
    {"hard_links_to_outside",
     {"add('h1', LNK, '../outside/victim')\nadd('h2', LNK, OUT + '/victim')\nadd('h3', LNK, OUT)\nadd('h4', LNK, '')"}},
    {"a_hard_link_through_a_symlink", {"add('l', SYM, OUT)\nadd('h', LNK, 'l/victim')\nadd('h', data=b'x')"}, false},
    {"a_hard_link_to_a_symlink_that_is_then_written",
     {"add('s', SYM, OUT + '/victim')\nadd('h', LNK, 's')\nadd('h', data=b'overwritten')"},
     false},
    {"a_hard_link_whose_directory_becomes_a_symlink",
     {"add('d', DIR)\nadd('d/victim', SYM, 'x')\nadd('h', LNK, 'd/victim')\nadd('d', SYM, OUT)"},
     false},
    {"a_hard_link_to_itself", {"add('h', LNK, 'h')\nadd('g', LNK, 'h')"}},
    {"a_symlink_across_two_archives",
     {"add('l', SYM, OUT)", "add('l/new', data=b'x')\nadd('l', DIR, mode=0o777)"},
     false},
    {"a_hard_link_across_two_archives", {"add('l', SYM, OUT)\nadd('f', data=b'x')", "add('h', LNK, 'l/victim')"}},
    {"deletions_through_a_symlink",
     {"add('.', DIR, pax=dumpdir('l'))\nadd('l', SYM, OUT)",
      "add('l', DIR, pax=dumpdir())\nadd('l/..', DIR, pax=dumpdir())"}},
    {"deletions_of_what_was_there",
     {"add('.', DIR, pax=dumpdir('a'))\nadd('a', data=b'x')",
      "add('.', DIR, pax=dumpdir('../outside/victim', '..', ''))"},
     false},
    {"names_that_are_nothing", {"add('.', data=b'x')\nadd('./', data=b'x')\nadd('/', DIR)\nadd('//', data=b'x')"}},
    {"a_file_in_the_place_of_the_root", {"add('.', SYM, OUT)\nadd('new', data=b'x')"}},
    {"control_characters", {"add('a\\x1b[2Jb', data=b'x')\nadd('c\\nd', SYM, '\\x07')\nadd('\\x7f', DIR)"}, false},
    {"a_member_called_as_the_temporary_file",
     {"add('.aa-restore._partial', SYM, OUT + '/victim')\nadd('x', data=b'x')\nadd('.aa-restore._partial', data=b'y')"},
     false},
    {"devices_and_set_id",
     {"add('zero', CHR, device=(1, 5), mode=0o4777)\nadd('disk', BLK, device=(8, 0))\nadd('p', FIFO, mode=0o2777)\n"
      "add('p', data=b'x')\nadd('set-id', data=b'x', mode=0o6777)"},
     false},
    {"a_file_that_says_it_is_huge", {"add('huge', size=1 << 62)"}},
    {"a_negative_size", {"add('f', data=b'x')\nadd('g', pax={'size': '-1'})\nadd('h', data=b'x')"}, false},
    {"a_record_that_says_it_is_huge", {"add('x', type=b'x', size=1 << 40)"}},
    {"a_long_name_that_says_it_is_huge", {"add('x', type=b'L', size=1 << 40)"}},
    {"a_global_header_that_moves_all_names",
     {"raw(tarfile.TarInfo.create_pax_global_header({'path': '../outside/new', 'linkpath': OUT}))\nadd('a', "
      "data=b'x')"},
     false},
    {"a_sparse_map_behind_the_end",
     {"add('s', data=b'1\\n9223372036854775807\\n512\\n'.ljust(512, b'\\0') + b'x' * 512, pax={'GNU.sparse.major': "
      "'1', "
      "'GNU.sparse.minor': '0', 'GNU.sparse.name': 's', 'GNU.sparse.realsize': '1024'})"}},
    {"a_sparse_map_that_overlaps_and_goes_back",
     {"add('s', data=b'3\\n512\\n512\\n0\\n512\\n256\\n512\\n'.ljust(512, b'\\0') + b'x' * 1536, "
      "pax={'GNU.sparse.major': '1', "
      "'GNU.sparse.minor': '0', 'GNU.sparse.name': '../outside/new', 'GNU.sparse.realsize': '1024'})"}},
    {"a_sparse_map_of_more_than_its_size",
     {"add('s', data=b'1\\n0\\n8388608\\n'.ljust(512, b'\\0') + b'x' * 8388608, pax={'GNU.sparse.major': '1', "
      "'GNU.sparse.minor': '0', 'GNU.sparse.name': 's', 'GNU.sparse.realsize': '1024'})"}},
    {"a_sparse_map_without_an_end",
     {"add('s', data=b'99999999\\n' + b'1\\n' * 251, pax={'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', "
      "'GNU.sparse.name': 's', 'GNU.sparse.realsize': '1024'})"}},
    {"a_sparse_file_of_any_size",
     {"add('s', data=b'0\\n'.ljust(512, b'\\0'), pax={'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', "
      "'GNU.sparse.name': 's', 'GNU.sparse.realsize': str((1 << 63) - 1)})"}},
};

class HostileTest : public ::testing::TestWithParam<Attack>, public IRestoreObserver {
 protected:
  HostileTest() {
    test::write_file(outside() / "victim", "untouched");
    test::write_file(outside() / "d/inside", "untouched");
    EXPECT_EQ(::chmod(outside().c_str(), 0750), 0);
    for (const auto* path : {"outside/victim", "outside/d/inside", "outside/d", "outside"}) age(path);
    const auto copied = run_shell("cp -a " + shell_quote(outside()) + " " + shell_quote(directory_ / "before"));
    EXPECT_EQ(copied.status, 0) << copied.output;
  }

  [[nodiscard]] fs::path outside() const { return directory_ / "outside"; }

  void age(const std::string& path) const {
    const timespec times[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
    EXPECT_EQ(::utimensat(AT_FDCWD, (directory_ / path).c_str(), times, 0), 0);
  }

  void make_levels() {
    test::write_file(directory_ / "prelude.py", kPrelude);
    for (std::size_t i = 0; i < GetParam().levels.size(); ++i) {
      const auto script = directory_ / ("make" + std::to_string(i) + ".py");
      test::write_file(script, std::string(kPrelude) + GetParam().levels[i] + "\nt.close()\n");
      levels_.push_back(directory_ / ("level" + std::to_string(i) + ".tar"));
      const auto made = run_shell("python3 " + shell_quote(script) + " " + shell_quote(levels_.back()) + " " +
                                  shell_quote(outside()));
      ASSERT_EQ(made.status, 0) << made.output;
    }
  }

  /// What an earlier attack, or another user, may have left below the target.
  void prepare_target() const {
    test::write_file(target() / "mine", "mine");
    for (const char* name : {"l", "d", "s", "h", "a", "x", "new", "huge", ".aa-restore._partial", "set-id"})
      fs::create_directory_symlink(outside(), target() / name);
    fs::create_symlink(outside() / "victim", target() / "f");
    fs::create_symlink("..", target() / "p");
    fs::create_hard_link(outside() / "victim", target() / "g");
  }

  [[nodiscard]] fs::path target() const { return directory_ / "target"; }

  /// False if it was given up.
  bool restore(bool delete_others) {
    RestoreRequest request;
    for (const auto& level : levels_) {
      request.levels.emplace_back();
      request.levels.back().file = open_local_file(level);
    }
    request.target = target();
    request.delete_others = delete_others;
    request.observer = this;
    try {
      static_cast<void>(TarArchiveReader({}).restore(request));
      return true;
    } catch (const Error& error) {
      EXPECT_NE(error.message(), "");
      return false;
    }
  }

  void problem(std::string_view path, std::string_view text) override {
    problems_.push_back(std::string(path) + ": " + std::string(text));
  }

  void expect_outside_untouched(nlink_t links_of_victim) const {
    EXPECT_THAT(test::diff_trees(directory_ / "before", outside()), IsEmpty());
    struct stat status {};
    ASSERT_EQ(::stat(outside().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0750U);
    EXPECT_EQ(status.st_mtim.tv_sec, 1'000'000'000);
    ASSERT_EQ(::stat((outside() / "victim").c_str(), &status), 0);
    EXPECT_LE(status.st_nlink, links_of_victim);
    EXPECT_FALSE(fs::exists(directory_ / "new"));
  }

  test::TempDir directory_;
  std::vector<fs::path> levels_;
  std::vector<std::string> problems_;
};

TEST_P(HostileTest, LeavesWhatIsOutsideOfAnEmptyTargetAlone) {
  make_levels();
  const bool is_done = restore(/*delete_others=*/false);
  expect_outside_untouched(1);
  EXPECT_TRUE(!GetParam().is_reported || !is_done || !problems_.empty());
}

TEST_P(HostileTest, LeavesWhatIsOutsideOfAPreparedTargetAlone) {
  make_levels();
  prepare_target();
  static_cast<void>(restore(/*delete_others=*/false));
  EXPECT_EQ(test::read_file(outside() / "victim"), "untouched");
  EXPECT_EQ(test::read_file(target() / "mine"), "mine");
  static_cast<void>(restore(/*delete_others=*/true));
  fs::remove(target() / "g");
  expect_outside_untouched(1);
}

TEST_P(HostileTest, IsListedAndVerifiedInBoundedMemory) {
  make_levels();
  struct Nobody final : IMemberVisitor {
    void member(const ArchiveMember& /*member*/) override {}
  } nobody;
  for (const auto& level : levels_) {
    const auto file = open_local_file(level);
    TarArchiveReader reader({});
    static_cast<void>(reader.verify(*file, nullptr, {}));
    try {
      reader.read_members(*file, Bytes{128ULL << 20U}, nobody);
    } catch (const Error& error) {
      EXPECT_NE(error.message(), "");
    }
  }
  rusage usage{};
  ASSERT_EQ(::getrusage(RUSAGE_SELF, &usage), 0);
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(usage.ru_maxrss, 256 * 1024) << "kB";
#endif
}

INSTANTIATE_TEST_SUITE_P(Attacks, HostileTest, ::testing::ValuesIn(kAttacks),
                         [](const auto& attack) { return std::string(attack.param.name); });

class OddTargetTest : public ::testing::Test {
 protected:
  OddTargetTest() {
    test::write_file(directory_ / "tree/a", std::string(300'000, 'a'));
    test::write_file(directory_ / "tree/b", "b");
    const auto made = run_shell("tar --format=posix -C " + shell_quote(directory_ / "tree") + " -cf " +
                                shell_quote(directory_ / "x.tar") + " .");
    EXPECT_EQ(made.status, 0) << made.output;
  }

  /// The error's cause, or none if all went well.
  std::optional<Error> restore(const fs::path& target) {
    RestoreRequest request;
    request.levels.emplace_back();
    request.levels.back().file = open_local_file(directory_ / "x.tar");
    request.target = target;
    try {
      problems_ = TarArchiveReader({}).restore(request).problems;
      return std::nullopt;
    } catch (const Error& error) {
      return error;
    }
  }

  test::TempDir directory_;
  std::uint64_t problems_ = 0;
};

TEST_F(OddTargetTest, IsMadeIfOnlyItselfIsMissing) {
  EXPECT_FALSE(restore(directory_ / "new"));
  EXPECT_THAT(test::diff_trees(directory_ / "tree", directory_ / "new"), IsEmpty());
  const auto error = restore(directory_ / "no/parent");
  ASSERT_TRUE(error);
  EXPECT_THAT(error->message(), ::testing::HasSubstr("no/parent"));
  EXPECT_FALSE(fs::exists(directory_ / "no"));
}

TEST_F(OddTargetTest, MayBeASymlinkToADirectoryAndNothingElse) {
  fs::create_directory_symlink(directory_.make("real"), directory_ / "link");
  EXPECT_FALSE(restore(directory_ / "link"));
  EXPECT_THAT(test::diff_trees(directory_ / "tree", directory_ / "real"), IsEmpty());
  fs::create_symlink("nowhere", directory_ / "dangling");
  EXPECT_TRUE(restore(directory_ / "dangling"));
  EXPECT_TRUE(restore(directory_ / "x.tar"));
  EXPECT_FALSE(fs::exists(directory_ / "nowhere"));
}

TEST_F(OddTargetTest, EndsTheRestoreWhenItIsFullAndKeepsNoHalfFile) {
  const auto full = directory_.make("full");
  if (run_shell("mount -t tmpfs -o size=128k none " + shell_quote(full)).status != 0) GTEST_SKIP() << "can't mount";
  const auto error = restore(full);
  EXPECT_FALSE(fs::exists(full / "a"));
  for (const auto& entry : fs::directory_iterator(full))
    EXPECT_THAT(entry.path().filename().native(), ::testing::Not(::testing::HasSubstr("_partial")));
  EXPECT_EQ(run_shell("umount " + shell_quote(full)).status, 0);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->cause(), ErrorCause::no_space);
}

TEST_F(OddTargetTest, EndsTheRestoreWhenSmallFilesFillIt) {
  fs::remove(directory_ / "tree/a");
  for (int i = 0; i < 40; ++i) test::write_file(directory_ / "tree" / std::to_string(i), std::string(10'000, 'x'));
  ASSERT_EQ(run_shell("cd " + shell_quote(directory_ / "tree") + " && tar -cf ../x.tar .").status, 0);
  const auto full = directory_.make("full");
  if (run_shell("mount -t tmpfs -o size=128k none " + shell_quote(full)).status != 0) GTEST_SKIP() << "can't mount";
  const auto error = restore(full);
  for (const auto& entry : fs::directory_iterator(full)) {
    EXPECT_THAT(entry.path().filename().native(), ::testing::Not(::testing::HasSubstr("_partial")));
    EXPECT_LE(fs::file_size(entry), 10'000U);
    EXPECT_NE(fs::file_size(entry), 0U);
  }
  EXPECT_EQ(run_shell("umount " + shell_quote(full)).status, 0);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->cause(), ErrorCause::no_space);
}

/// Who restores is not root.
class UnprivilegedRestoreTest : public OddTargetTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  }
  std::vector<std::string> restore_as_nobody(OwnerPolicy owner) {
    struct Listener final : IRestoreObserver {
      void problem(std::string_view path, std::string_view text) override {
        lines.push_back(std::string(path) + ": " + std::string(text));
      }
      std::vector<std::string> lines;
    } listener;
    RestoreRequest request;
    request.levels.emplace_back();
    request.levels.back().file = open_local_file(directory_ / "x.tar");
    request.target = directory_ / "target";
    request.owner = owner;
    request.observer = &listener;
    EXPECT_EQ(run_shell("chown -R nobody " + shell_quote(directory_.path())).status, 0);
    EXPECT_EQ(::seteuid(65534), 0);
    const auto result = TarArchiveReader({}).restore(request);
    EXPECT_EQ(::seteuid(0), 0);
    EXPECT_EQ(result.problems, listener.lines.size());
    return listener.lines;
  }
  [[nodiscard]] mode_t mode_of(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::lstat((directory_ / "target" / name).c_str(), &status), 0) << name;
    return status.st_mode & 07777U;
  }
};

TEST_F(UnprivilegedRestoreTest, LendsNobodysRightsAndSaysSo) {
  const auto tree = directory_.make("set-id");
  for (const char* name : {"mine", "theirs"}) test::write_file(tree / name, name);
  ASSERT_EQ(::chown((tree / "mine").c_str(), 65534, ::getegid()), 0);
  for (const char* name : {"mine", "theirs"}) ASSERT_EQ(::chmod((tree / name).c_str(), 06755), 0);
  ASSERT_EQ(run_shell("cd " + shell_quote(tree) + " && tar --numeric-owner -cf ../x.tar mine theirs").status, 0);
  const std::string text = ": it is restored without set-user-id and set-group-id, as it is not its owner's";
  fs::create_directory(directory_ / "target");
  EXPECT_THAT(restore_as_nobody(OwnerPolicy::ids), ::testing::ElementsAre("theirs" + text));
  EXPECT_EQ(mode_of("mine"), 06755U);
  EXPECT_EQ(mode_of("theirs"), 0755U);
  EXPECT_THAT(restore_as_nobody(OwnerPolicy::none), ::testing::ElementsAre("mine" + text, "theirs" + text));
  EXPECT_EQ(mode_of("mine"), 0755U);
}

TEST_F(UnprivilegedRestoreTest, LeavesOutDevicesAndKeepsWhatStandsThere) {
  const auto tree = directory_.make("devices");
  ASSERT_EQ(::mknod((tree / "null").c_str(), S_IFCHR | 0666U, makedev(1, 3)), 0);
  ASSERT_EQ(::mknod((tree / "disk").c_str(), S_IFBLK | 0666U, makedev(7, 200)), 0);
  ASSERT_EQ(::mkfifo((tree / "pipe").c_str(), 0600), 0);
  ASSERT_EQ(run_shell("cd " + shell_quote(tree) + " && tar -cf ../x.tar null disk pipe").status, 0);
  test::write_file(directory_ / "target/null", "not in the way");
  EXPECT_THAT(restore_as_nobody(OwnerPolicy::ids),
              ::testing::ElementsAre(::testing::StartsWith("null: a device can't be made here"),
                                     ::testing::StartsWith("disk: a device can't be made here")));
  EXPECT_EQ(test::read_file(directory_ / "target/null"), "not in the way");
  EXPECT_FALSE(fs::exists(directory_ / "target/disk"));
  EXPECT_TRUE(fs::is_fifo(directory_ / "target/pipe"));
}

TEST_F(OddTargetTest, IsToldToBeReadOnly) {
  const auto target = directory_.make("read-only");
  if (run_shell("mount -t tmpfs -o ro none " + shell_quote(target)).status != 0) GTEST_SKIP() << "can't mount";
  const auto error = restore(target);
  EXPECT_EQ(run_shell("umount " + shell_quote(target)).status, 0);
  EXPECT_TRUE(error || problems_ >= 2U);
}

}  // namespace
}  // namespace autoarchive::tar_internal
