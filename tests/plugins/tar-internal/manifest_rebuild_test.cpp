// A manifest that is made again from its archive: what it refuses.
#include "manifest_rebuild.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autoarchive/base/error.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "support/memory_file.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive::tar_internal {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ManifestRebuildTest : public ::testing::Test {
 protected:
  /// The manifest of an archive of these members, "PATH TYPE" each: f a file, d a directory, l a symlink, h a further
  /// name of "file". `parent` is that of the level before.
  std::string rebuild(const std::vector<std::string>& members, const std::string& parent = "") {
    std::string words;
    for (const auto& member : members) words += " '" + member + "'";
    const auto archive = directory_ / "archive.tar";
    const auto made = test::run_shell(
        "python3 -c \"import sys, tarfile\nt = tarfile.open(sys.argv[1], 'w')\n"
        "for word in sys.argv[2:]:\n"
        "    m = tarfile.TarInfo(word[:-2])\n"
        "    m.type = {'f': b'0', 'h': b'1', 'l': b'2', 'd': b'5'}[word[-1]]\n"
        "    m.linkname = {'h': 'file', 'l': '/'}.get(word[-1], '')\n"
        "    t.addfile(m)\nt.close()\" " +
        test::shell_quote(archive) + words);
    EXPECT_EQ(made.status, 0) << made.output;
    const auto file = open_local_file(archive);
    const test::MemoryFile below(std::as_bytes(std::span(parent)));
    ManifestHeader header;
    header.backup_uuid = "0b8e";
    header.level = parent.empty() ? 0 : 1;
    test::MemorySink sink;
    const auto closing =
        ManifestRebuild(*file, parent.empty() ? nullptr : &below, directory_.path(), {}).run(header, sink);
    EXPECT_GT(closing.archive_bytes, 0U);
    return sink.text;
  }

  std::string trouble(const std::vector<std::string>& members, const std::string& parent = "") {
    try {
      static_cast<void>(rebuild(members, parent));
    } catch (const Error& error) {
      EXPECT_EQ(error.cause(), ErrorCause::damaged) << error.message();
      return error.message();
    }
    return {};
  }

  test::TempDir directory_;
};

TEST_F(ManifestRebuildTest, RefusesWhatLiesBelowSomethingThatIsNoDirectory) {
  EXPECT_THAT(trouble({". d", "l l", "l/x f"}),
              AllOf(HasSubstr("member 'l/x': at byte 1024 of its tar stream"), HasSubstr("below 'l'")));
  EXPECT_THAT(trouble({". d", "l/d/x f", "l l", "z f"}), HasSubstr("below 'l'"));
  EXPECT_THAT(trouble({". d", "file f", "file/x f"}), HasSubstr("below 'file'"));
  EXPECT_THAT(trouble({". d", "file f", "h h", "h/x h"}), HasSubstr("below 'h'"));
  EXPECT_THAT(trouble({". d", "d d", "d/x f", "d l"}), HasSubstr("below 'd'"));
}

TEST_F(ManifestRebuildTest, RefusesWhatLiesBelowSomethingOfTheLevelBefore) {
  const auto parent = rebuild({". d", "l l", "z f"});
  EXPECT_THAT(trouble({"l/x f"}, parent), AllOf(HasSubstr("member 'l/x'"), HasSubstr("below 'l'")));
}

TEST_F(ManifestRebuildTest, TakesADirectoryThatWasSomethingElseBefore) {
  EXPECT_THAT(trouble({". d", "d l", "d d", "d/x f", "d.y f", "file f", "file-2 h"}), IsEmpty());
  const auto parent = rebuild({". d", "l l", "z d", "z/x f"});
  EXPECT_THAT(trouble({"l d", "l/x f", "z l"}, parent), IsEmpty());
}

TEST_F(ManifestRebuildTest, FindsTheBlocksOfAnXzFileOfSeveralStreams) {
  static_cast<void>(rebuild({". d", "a f", "b f", "c f"}));
  const auto archive = directory_ / "archive.tar.xz";
  const auto made = test::run_shell(
      "python3 -c \"import lzma, sys\nb = open(sys.argv[1], 'rb').read()\n"
      "open(sys.argv[2], 'wb').write(lzma.compress(b[:700]) + lzma.compress(b[700:]) + bytes(4))\" " +
      test::shell_quote(directory_ / "archive.tar") + " " + test::shell_quote(archive));
  ASSERT_EQ(made.status, 0) << made.output;
  test::MemorySink sink;
  const auto file = open_local_file(archive);
  const auto closing = ManifestRebuild(*file, nullptr, directory_.path(), {}).run({}, sink);
  ASSERT_EQ(closing.blocks.size(), 2U);
  EXPECT_EQ(closing.blocks[1].stream_offset, 700U);
}

}  // namespace
}  // namespace autoarchive::tar_internal
