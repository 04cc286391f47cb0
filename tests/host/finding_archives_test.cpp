// Which archives and backups a command takes: named, misspelled, in a destination, with damaged or missing manifests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "application_fixture.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::host {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class FindingArchivesTest : public ApplicationTest {};

TEST_F(FindingArchivesTest, FindsTheArchivesOfADestinationWhenNoneIsNamed) {
  ASSERT_EQ(create(), 0) << err_;
  ASSERT_EQ(run({"create", "home.2", "--root", directory_ / "root/d", "--destination", destination()}), 64)
      << "a name that could be a level's";
  ASSERT_EQ(run({"create", "other", "--root", directory_ / "root/d", "--destination", destination()}), 0) << err_;
  test::write_file(directory_ / "backups/foreign.tar.gz", "not ours");
  std::filesystem::copy_file(directory_ / "backups/home.tar.gz.manifest.zst",
                             directory_ / "backups/foreign.tar.gz.manifest.zst");
  EXPECT_EQ(run({"list", "--destination", destination()}), 1) << "what may be a backup is not passed over";
  EXPECT_THAT(err_, AllOf(HasSubstr("foreign.tar.gz"), HasSubstr("archive.unproven")));
  EXPECT_THAT(out_, HasSubstr(" home.tar.gz\n"));
  EXPECT_THAT(out_, HasSubstr(" other.tar.gz\n"));
  EXPECT_THAT(out_, Not(HasSubstr("foreign")));
  std::filesystem::remove(directory_ / "backups/foreign.tar.gz");
  EXPECT_EQ(run({"find", "b", "--destination", destination()}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("home@0 "));
  EXPECT_THAT(out_, HasSubstr("other@0 "));
  EXPECT_EQ(run({"verify", "--destination", destination()}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("other"));
}

TEST_F(FindingArchivesTest, FindsAnArchiveByItsFilesWhereTheManifestIsDamagedOrMissing) {
  ASSERT_EQ(create(), 0) << err_;
  const auto archive = directory_ / "backups/home.tar.gz";
  const auto manifest = directory_ / "backups/home.tar.gz.manifest.zst";
  const auto whole = test::read_file(archive);
  test::write_file(manifest, "damaged");
  EXPECT_EQ(run({"verify", "--destination", destination()}), 2);
  EXPECT_THAT(out_, HasSubstr("home: 1 files")) << err_;
  EXPECT_EQ(run({"list", "--destination", destination()}), 1) << "the archive may be whole";
  EXPECT_THAT(out_, HasSubstr(" home.tar.gz\n"));

  std::filesystem::remove(manifest);
  EXPECT_EQ(run({"verify", "--destination", destination()}), 1) << "nothing to compare with";
  EXPECT_THAT(out_, HasSubstr("home: 1 files")) << err_;
  EXPECT_EQ(run({"find", "b", "--destination", destination()}), 1);

  test::write_file(archive, std::string(whole.size(), '\0'));
  for (const auto* verb : {"list", "verify", "find"}) {
    std::vector<std::string> words{verb, "--destination", destination()};
    if (words.front() == "find") words.emplace_back("b");
    EXPECT_EQ(run(words), words.front() == "verify" ? 66 : 1);
    EXPECT_THAT(err_, AllOf(HasSubstr("'home.tar.gz' can't be assigned"), HasSubstr("archive.unproven")));
    test::write_file(manifest, "damaged");
    EXPECT_EQ(run(words), 2);
    EXPECT_THAT(err_, AllOf(HasSubstr("'home.tar.gz.manifest.zst' can't be assigned"), HasSubstr("archive.damaged")));
    std::filesystem::remove(manifest);
  }
}

TEST_F(FindingArchivesTest, TakesANameForAnArchiveOfTheDestinationAndNotForAFileThatLiesHere) {
  ASSERT_EQ(create(), 0) << err_;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(directory_ / "root");
  test::write_file(directory_ / "root/home", "a regular file, no archive");
  const int status = run({"verify", "home", "--destination", destination()});
  std::filesystem::current_path(before);
  EXPECT_EQ(status, 0) << err_;
  EXPECT_THAT(out_, HasSubstr("home: 1 files, 4 members"));
}

TEST_F(FindingArchivesTest, DoesNotTakeAnEmptyDestinationForAWholeOne) {
  EXPECT_EQ(run({"verify", "--destination", destination()}), 66);
  EXPECT_THAT(err_, HasSubstr("has no backup that can be verified"));
}

TEST_F(FindingArchivesTest, SaysWhatToDoWhenThereIsNoArchiveToList) {
  EXPECT_EQ(run({"list"}), 0);
  EXPECT_THAT(out_, HasSubstr("aa config example"));
  EXPECT_THAT(out_, Not(HasSubstr("ARCHIVE")));
  EXPECT_EQ(run({"list", "--destination", destination()}), 0);
  EXPECT_THAT(out_, HasSubstr("aa rescan"));
  EXPECT_EQ(run({"list", "--destination", directory_ / "missing"}), 73) << err_;
}

TEST_F(FindingArchivesTest, NamesTheArchiveOfADestinationThatIsNearest) {
  ASSERT_EQ(create(), 0) << err_;
  EXPECT_EQ(run({"restore", "hmoe", "--destination", destination(), "--to", directory_ / "restored"}), 66);
  EXPECT_THAT(err_, HasSubstr("has no backup of 'hmoe'; did you mean home?"));
  EXPECT_EQ(run({"restore", "home@7", "--destination", destination(), "--to", directory_ / "restored"}), 66);
  EXPECT_THAT(err_, HasSubstr("no backup is '7'; there are home.tar.gz"));
}

TEST_F(FindingArchivesTest, EndsWith66WhereThereMustBeAnArchiveAndIsNone) {
  for (const std::string command : {"status", "keep", "route"}) {
    EXPECT_EQ(run({command}), 66) << command;
    EXPECT_THAT(err_, HasSubstr("no archive is configured; see aa config example"));
  }
  ASSERT_EQ(create(), 0) << err_;
  EXPECT_EQ(run({"why", "home", "a", "--destination", destination()}), 64);
  EXPECT_THAT(err_, HasSubstr("give --root DIR"));
}

}  // namespace
}  // namespace autoarchive::host
