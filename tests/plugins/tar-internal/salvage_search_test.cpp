// What can be had of files in which nothing is where it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec.hpp"
#include "salvage_fixture.hpp"
#include "support/run_program.hpp"

namespace autoarchive::tar_internal {
namespace {

using test::noise;
using test::read_file;
using test::write_file;
using ::testing::Contains;
using ::testing::Key;

class SalvageSearchTest : public SalvageTest {
 protected:
  void cut(std::size_t offset, std::size_t bytes) const { write_file(file(), read_file(file()).erase(offset, bytes)); }
  void insert(std::size_t offset, const std::string& bytes) const {
    write_file(file(), read_file(file()).insert(offset, bytes));
  }
  [[nodiscard]] std::size_t middle() const { return read_file(file()).size() / 2; }
  /// Files that are lost at the most, of those that come to lie in one block with the damage.
  [[nodiscard]] static unsigned of_a_block() { return is_compressed() ? 31U : 2U; }
  /// All are there but so many, the others are named, and verify says the same.
  void expect_lost(unsigned most) {
    const auto result = restore(/*with_manifest=*/true);
    EXPECT_GE(result.damaged, 1U);
    EXPECT_GE(whole_files(), kFiles - most);
    expect_all_named();
    const auto proven = verify();
    EXPECT_GE(proven.lost_members, kFiles - whole_files());
    EXPECT_LE(proven.lost_members, kFiles - whole_files() + (is_whole(0) ? 0U : 2U));
    EXPECT_EQ(proven.lost_members + proven.whole_members, kFiles + 2);  // and the root, and the link
    EXPECT_EQ(std::filesystem::exists(target() / "link"), is_whole(0));
  }
};

TEST_P(SalvageSearchTest, BringsWhatLiesBehindMissingBlocks) {
  cut(middle(), 512);
  expect_lost(of_a_block());
}

TEST_P(SalvageSearchTest, BringsWhatLiesBehindMissingBytes) {
  cut(middle(), 5);
  expect_lost(of_a_block());
}

TEST_P(SalvageSearchTest, BringsWhatLiesBehindBytesThatWerePutIn) {
  insert(middle(), std::string(777, '!'));
  expect_lost(of_a_block());
}

TEST_P(SalvageSearchTest, LosesNothingButABlockByAMissingBeginning) {
  cut(0, 4096);
  expect_lost(is_compressed() ? of_a_block() + 10U : 1U);
}

TEST_P(SalvageSearchTest, LosesNothingByBytesBeforeTheBeginning) {
  insert(0, std::string(100, '!'));
  expect_lost(0);
}

TEST_P(SalvageSearchTest, BringsAsMuchWhereSomethingStandsBehindTheEnd) {
  insert(read_file(file()).size(), std::string(1000, '!'));
  cut(middle(), 512);
  expect_lost(of_a_block());
}

// Who misses the end of a block reads on into the next one.
TEST_P(SalvageSearchTest, LosesNothingOfTheBlockBehindMissingBytes) {
  if (!is_compressed()) GTEST_SKIP() << "it has no blocks";
  ManifestReader manifest(open_local_file(manifest_of(file())));
  const auto next = manifest.closing().blocks.at(1);
  cut(next.offset - 8, 8);
  for (const bool with_manifest : {true, false}) {
    static_cast<void>(restore(with_manifest));
    manifest.seek(".");
    for (ManifestEntry line; manifest.next(line);) {
      const bool is_of_next = line.entry.link_count == 1 && line.offset >= next.stream_offset;
      EXPECT_FALSE(is_of_next && !std::filesystem::exists(target() / line.entry.path)) << line.entry.path;
    }
  }
}

TEST_P(SalvageSearchTest, DoesTheSameWhereAManifestKnowsNoBlocks) {
  drop_blocks(manifest_of(file()));
  cut(middle(), 512);
  expect_lost(of_a_block());
}

TEST_P(SalvageSearchTest, GivesAttributesAsTheManifestHasThem) {
  ManifestChanges changes;
  changes.entry = [](auto& entry) {
    if (entry.entry.kind == EntryKind::file) entry.entry.mode = 0641;
  };
  change_manifest(manifest_of(file()), changes);
  insert(0, std::string(100, '!'));
  static_cast<void>(restore(/*with_manifest=*/true));
  ASSERT_TRUE(is_whole(kFiles - 1));
  EXPECT_EQ(static_cast<unsigned>(std::filesystem::status(target() / name_of(kFiles - 1)).permissions()), 0641U);
}

TEST_P(SalvageSearchTest, BringsOneFileWithItsNames) {
  insert(0, std::string(512, '!'));
  RestoreRequest request;
  request.paths = {"link"};
  EXPECT_GE(restore(/*with_manifest=*/true, /*salvage=*/true, std::move(request)).damaged, 1U);
  EXPECT_TRUE(read_file(target() / "link") == noise(kFileBytes, 0));
  EXPECT_FALSE(std::filesystem::exists(target() / name_of(0)));
}

// A file with several names has one of them in the archive, so that a name does not tell it from others.
TEST_P(SalvageSearchTest, TakesNoOtherFileOfTheSameSizeForOneWithSeveralNames) {
  if (is_compressed()) GTEST_SKIP() << "its blocks are found, or not";
  std::map<std::string, std::uint64_t> places;
  ManifestReader manifest(open_local_file(manifest_of(file())));
  for (ManifestEntry line; manifest.next(line);) places[line.entry.path] = *line.offset;
  const auto begin = places.at(name_of(1));
  insert(places.at(name_of(0)), read_file(file()).substr(begin, places.at(name_of(2)) - begin));
  expect_lost(0);
}

TEST_P(SalvageSearchTest, SeeksNothingUnlessItSalvages) {
  insert(0, std::string(512, '!'));
  static_cast<void>(restore(/*with_manifest=*/true, /*salvage=*/false));
  EXPECT_EQ(whole_files(), 0U);
  expect_all_named();
}

TEST_P(SalvageSearchTest, TakesNothingForAFileWhoseContentIsAnother) {
  ManifestChanges changes;
  changes.entry = [](auto& entry) {
    if (entry.entry.path == name_of(3)) *entry.digest ^= 1U;
  };
  change_manifest(manifest_of(file()), changes);
  insert(0, std::string(512, '!'));
  static_cast<void>(restore(/*with_manifest=*/true));
  EXPECT_THAT(damaged_, Contains(Key(name_of(3))));
  EXPECT_EQ(verify().lost_members, 1U);
}

TEST_P(SalvageSearchTest, BringsWhatLiesBehindADamagedBlockOfAnotherProgramsStream) {
  if (GetParam() != backup_type::kTarBz2) GTEST_SKIP() << "only bzip2 tells where its blocks begin";
  const auto name = test::shell_quote(file());
  const auto made = test::run_shell("bzip2 -dc " + name + " | bzip2 -1 > " + name + ".2 && mv " + name + ".2 " + name);
  if (made.status != 0) GTEST_SKIP() << made.output;
  drop_blocks(manifest_of(file()));
  damage_at(middle(), "!");
  expect_lost(3);
  EXPECT_GE(restore(/*with_manifest=*/false).damaged, 1U);
  EXPECT_GE(whole_files(), kFiles - 3);
}

// Its blocks are left alone by what the one before it gives too much.
TEST_P(SalvageSearchTest, LosesNothingOfABlockByOneThatBecomesLongerThanItWas) {
  if (GetParam() != backup_type::kTarGz) GTEST_SKIP() << "a block of gzip can be as long as wanted";
  write_file(root() / "0", noise(2'000'000, 1));
  request_.definition.backup_id = "y";
  static_cast<void>(provider_.backup_files_incrementally(request_));
  std::filesystem::rename(manifest_of(directory_ / "destination/y.tar.gz"), manifest_of(file()));
  std::filesystem::rename(directory_ / "destination/y.tar.gz", file());
  const auto next = ManifestReader(open_local_file(manifest_of(file()))).closing().blocks.at(1);
  const auto archive = open_local_file(file());
  FileInput input(*archive);
  Buffer text(1'800'000, std::byte{'x'});
  const auto decoder = make_decoder("tar.gz", input, 128_MiB);
  for (std::size_t size = 0; size < 1'200'000;) size += decoder->read(std::span(text).subspan(size, 1'200'000 - size));
  Buffer longer;
  make_format("tar.gz", 1)->make_compressor()->compress(text, longer);
  ASSERT_LT(longer.size(), next.offset);
  longer.resize(next.offset, std::byte{'!'});
  damage_at(0, {reinterpret_cast<const char*>(longer.data()), longer.size()});
  static_cast<void>(restore(/*with_manifest=*/true, /*salvage=*/false));
  EXPECT_EQ(whole_files(), kFiles);
}

INSTANTIATE_TEST_SUITE_P(AllTypes, SalvageSearchTest,
                         ::testing::Values(backup_type::kTar, backup_type::kTarGz, backup_type::kTarBz2,
                                           backup_type::kTarXz, backup_type::kTarZst),
                         [](const auto& type) { return type.param.name; });

}  // namespace
}  // namespace autoarchive::tar_internal
