// What a restore may remove, and what it leaves alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <span>
#include <stop_token>

#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "restore_fixture.hpp"
#include "support/memory_file.hpp"

namespace autoarchive::tar_internal {
namespace {

namespace fs = std::filesystem;
using test::run_shell;
using test::shell_quote;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class RemovalRulesTest : public RestoreFixture {
 protected:
  void removed(std::string_view path) override {
    removed_.emplace_back(path);
    if (stops_at_once_) stop_.request_stop();
  }
  [[nodiscard]] RestoreRequest deleting_request() const {
    auto request = whole_request();
    request.delete_others = true;
    request.stop = stop_.get_token();
    return request;
  }
  [[nodiscard]] bool is_there(const std::string& path) const { return fs::exists(target() / path); }

  std::vector<std::string> removed_;
  std::stop_source stop_;
  bool stops_at_once_ = false;
};

TEST_F(RemovalRulesTest, WhatIsMountedIsLeftAlone) {
  make_archive("add('a', data=b'x')\nadd('mounted', tarfile.DIRTYPE)");
  for (const char* place : {"mounted", "other/below"}) {
    fs::create_directories(target() / place);
    if (::mount("none", (target() / place).c_str(), "tmpfs", 0, "size=1M") != 0)
      GTEST_SKIP() << "nothing can be mounted";
    test::write_file(target() / place / "on it", "x");
  }
  EXPECT_EQ(restore(deleting_request()).problems, 2U);
  EXPECT_THAT(removed_, IsEmpty());
  EXPECT_TRUE(is_there("mounted/on it") && is_there("other/below/on it"));
  auto request = deleting_request();
  request.paths = {"mounted"};
  EXPECT_EQ(restore(std::move(request)).problems, 0U);
  EXPECT_THAT(removed_, ElementsAre("mounted/on it"));
  for (const char* place : {"mounted", "other/below"}) EXPECT_EQ(::umount((target() / place).c_str()), 0);
}

TEST_F(RemovalRulesTest, DirectoriesThatCouldNotBeReadKeepWhatIsInThem) {
  make_archive("add('closed', tarfile.DIRTYPE)\nadd('open', tarfile.DIRTYPE)");
  test::write_file(target() / "closed/f", "x");
  test::write_file(target() / "open/f", "x");
  test::MemorySink manifest;
  ManifestHeader header;
  header.backup_uuid = header.chain_uuid = "id";
  header.type = "tar";
  ManifestWriter writer(manifest, header);
  std::uint64_t offset = 0;
  for (const char* name : {"closed", "open"}) {
    ManifestEntry line;
    line.entry.path = name;
    line.entry.kind = EntryKind::directory;
    line.entry.mode = 0755;
    line.offset = offset;
    line.state = line.entry.path == "closed" ? EntryState::failed : EntryState::ok;
    writer.add(line);
    offset += 512;
  }
  ManifestClosing closing;
  closing.archive_bytes = fs::file_size(archive());
  static_cast<void>(writer.finish(closing));
  auto request = deleting_request();
  request.levels.back().manifest = std::make_unique<test::MemoryFile>(std::as_bytes(std::span(manifest.text)));
  static_cast<void>(restore(std::move(request)));
  EXPECT_THAT(removed_, ElementsAre("open/f"));
}

TEST_F(RemovalRulesTest, ADirectoryThatThePolicyKeepsKeepsWhatIsInIt) {
  make_archive("add('a', data=b'x')");
  test::write_file(target() / "a/mine", "mine");
  auto request = deleting_request();
  request.overwrite = OverwritePolicy::never;
  static_cast<void>(restore(std::move(request)));
  EXPECT_THAT(removed_, IsEmpty());
  EXPECT_TRUE(is_there("a/mine"));
}

TEST_F(RemovalRulesTest, WhatIsListedAndHasNoMemberStaysAndIsTold) {
  make_archive(
      "add('.', tarfile.DIRTYPE, pax={'GNU.dumpdir': 'Da\\0Yb\\0Dc\\0Yd\\0\\0'})\nadd('b', data=b'0')\n"
      "add('a', tarfile.DIRTYPE, mode=0o755)");
  for (const char* name : {"a/gone", "b", "c/mine", "d", "gone"}) test::write_file(target() / name, "mine");
  const auto told = ElementsAre(
      "c: it is listed and has no member (one of 2): an archive before this one has it, it could not be read, or it is "
      "a "
      "socket, which no tar holds");
  EXPECT_EQ(restore(whole_request()).problems, 1U);
  EXPECT_THAT(problems_, told);
  problems_.clear();
  static_cast<void>(restore(deleting_request()));
  EXPECT_THAT(problems_, told);
  EXPECT_THAT(removed_, ElementsAre("gone", "a/gone"));

  problems_.clear();
  removed_.clear();
  shell("mv archive.tar level0.tar");
  make_archive("add('.', tarfile.DIRTYPE, pax={'GNU.dumpdir': 'Yb\\0Dc\\0Yd\\0Ye\\0\\0'})\nadd('e', data=b'1')");
  auto chain = deleting_request();
  chain.levels.insert(chain.levels.begin(), ArchiveLevel());
  chain.levels.front().file = open_local_file(directory_ / "level0.tar");
  static_cast<void>(restore(std::move(chain)));
  EXPECT_THAT(problems_, ElementsAre(StartsWith("c: it is listed, and no level has it"),
                                     StartsWith("d: it is listed, and no level has it")));
  EXPECT_THAT(removed_, ElementsAre("a"));
}

TEST_F(RemovalRulesTest, AStopEndsIt) {
  make_archive("add('a', data=b'x')");
  for (const char* name : {"b", "c", "d/e"}) test::write_file(target() / name, "x");
  stops_at_once_ = true;
  EXPECT_THROW(static_cast<void>(restore(deleting_request())), Error);
  EXPECT_THAT(removed_, ElementsAre("b"));
  EXPECT_TRUE(is_there("c") && is_there("d/e"));
}

TEST_F(RemovalRulesTest, WhatIsImmutableStaysAndIsTold) {
  make_archive("add('a', data=b'x')");
  for (const char* name : {"file", "other/file"}) test::write_file(target() / name, "x");
  if (run_shell("chattr +i " + shell_quote(target() / "file") + " " + shell_quote(target() / "other/file")).status != 0)
    GTEST_SKIP() << "nothing can be made immutable";
  static_cast<void>(restore(deleting_request()));
  shell("chattr -i target/file target/other/file");
  EXPECT_THAT(problems_, ElementsAre("file: it can't be removed: Operation not permitted",
                                     "other: it can't be removed: Operation not permitted"));
  EXPECT_TRUE(is_there("file") && is_there("other/file"));
}

TEST_F(RemovalRulesTest, DirectoriesThatAreToStayKeepTheirModes) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to be somebody else";
  make_archive("add('d', tarfile.DIRTYPE)\nadd('d/f', data=b'x')");
  fs::create_directories(target() / "d");
  shell("chmod 755 . && chmod 644 archive.tar && chmod 755 target && chmod 500 target/d && chown -R 65534 target");
  auto request = whole_request();
  request.overwrite = OverwritePolicy::never;
  ASSERT_EQ(::seteuid(65534), 0);
  const auto result = restore(std::move(request));
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(result.entries, 2U);
  struct stat status {};
  ASSERT_EQ(::stat((target() / "d").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0500U);
  EXPECT_TRUE(is_there("d/f"));
}

}  // namespace
}  // namespace autoarchive::tar_internal
