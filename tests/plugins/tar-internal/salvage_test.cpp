// What can be had of archives of which a part is damaged, where no table of blocks leads around it.
#include "salvage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <span>
#include <string>

#include "autoarchive/base/error.hpp"
#include "codec.hpp"
#include "metered_file.hpp"
#include "salvage_fixture.hpp"
#include "support/memory_file.hpp"

namespace autoarchive::tar_internal {
namespace {

using test::noise;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace fs = std::filesystem;

constexpr unsigned kFilesInABlock = 2;  // of a medium, at most: the end of one and the beginning of another

TEST_P(SalvageTest, BringsWhatLiesBehindTheDamageWithoutAManifest) {
  damage_the_middle();
  EXPECT_THROW(static_cast<void>(restore(/*with_manifest=*/false, /*salvage=*/false)), Error);
  const auto result = restore(/*with_manifest=*/false);
  EXPECT_GE(result.damaged, 1U);
  EXPECT_TRUE(is_whole(0));
  EXPECT_TRUE(is_whole(kFiles - 1));
  EXPECT_GE(whole_files(), is_compressed() ? 10U : kFiles - 1);
}

TEST_P(SalvageTest, BringsWhatLiesBehindADamagedBeginning) {
  damage_at(0, std::string(20, '!'));
  EXPECT_THROW(static_cast<void>(restore(/*with_manifest=*/false, /*salvage=*/false)), Error);
  static_cast<void>(restore(/*with_manifest=*/false));
  EXPECT_TRUE(is_whole(kFiles - 1));
}

TEST_P(SalvageTest, BringsWhatAManifestWithoutBlocksNames) {
  drop_blocks(manifest_of(file()));
  EXPECT_THAT(verify().faults, IsEmpty());
  damage_the_middle();
  const auto result = restore(/*with_manifest=*/true);
  EXPECT_GE(result.damaged, 1U);
  EXPECT_TRUE(is_whole(0));
  EXPECT_TRUE(is_whole(kFiles - 1));
  EXPECT_GE(whole_files(), is_compressed() ? 10U : kFiles - 1);
  expect_all_named();
  EXPECT_EQ(test::read_file(target() / "link"), noise(kFileBytes, 0));
}

TEST_P(SalvageTest, NamesEverythingBehindTheDamageUnlessItSalvages) {
  drop_blocks(manifest_of(file()));
  damage_the_middle();
  const auto result = restore(/*with_manifest=*/true, /*salvage=*/false);
  EXPECT_GE(result.damaged, 1U);
  EXPECT_TRUE(is_whole(0));
  EXPECT_EQ(is_whole(kFiles - 1), !is_compressed());  // the members of a plain tar are found by their places
  expect_all_named();
}

TEST_P(SalvageTest, VerifyTellsWhatASalvageWouldBring) {
  drop_blocks(manifest_of(file()));
  damage_the_middle();
  const auto result = verify();
  EXPECT_THAT(result.faults, Not(IsEmpty()));
  EXPECT_THAT(result.lost, Not(IsEmpty()));
  EXPECT_EQ(result.lost.size(), result.lost_members);
  EXPECT_EQ(result.lost_members + result.whole_members, kFiles + 2);  // and the root, and the link
  static_cast<void>(restore(/*with_manifest=*/true));
  EXPECT_EQ(whole_files(), kFiles - result.lost_members);
}

TEST_P(SalvageTest, NamesEveryNameOfAFileThatIsLost) {
  if (!is_compressed()) GTEST_SKIP() << "its members are found by their places";
  drop_blocks(manifest_of(file()));
  damage_at(fs::file_size(file()) / 500, "damage");
  static_cast<void>(restore(/*with_manifest=*/true));
  EXPECT_FALSE(is_whole(0));
  EXPECT_TRUE(damaged_.contains(name_of(0)));
  EXPECT_TRUE(damaged_.contains("link"));
  const auto result = verify();
  EXPECT_EQ(result.lost_members + result.whole_members, kFiles + 2);
}

TEST_P(SalvageTest, RestoresAFurtherNameAlone) {
  drop_blocks(manifest_of(file()));
  RestoreRequest request;
  request.paths = {"link"};
  EXPECT_EQ(restore(/*with_manifest=*/true, /*salvage=*/false, std::move(request)).problems, 0U);
  EXPECT_EQ(test::read_file(target() / "link"), noise(kFileBytes, 0));
  EXPECT_FALSE(fs::exists(target() / name_of(0)));
}

TEST_P(SalvageTest, GoesOnBehindWhatLooksLikeAnEndMark) {
  if (is_compressed()) GTEST_SKIP() << "the checksum of its part would be wrong";
  const auto archive = test::read_file(file());
  const auto name = name_of(kFiles / 3) + '\0';
  std::size_t at = 0;
  while (archive.compare(at, name.size(), name) != 0) at += 512;
  damage_at(at, std::string(1024, '\0'));
  static_cast<void>(restore(/*with_manifest=*/false));
  EXPECT_EQ(whole_files(), kFiles - 1);
}

TEST_P(SalvageTest, StopsOnRequest) {
  damage_the_middle();
  stops_at_damage_ = true;
  RestoreRequest request;
  request.stop = stop_.get_token();
  try {
    static_cast<void>(restore(/*with_manifest=*/false, /*salvage=*/true, std::move(request)));
    FAIL() << "it went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::cancelled) << error.what();
  }
}

TEST_P(SalvageTest, VerifyNeedsNoOtherLevelsToHaveAnAnswer) {
  ManifestChanges changes;
  changes.header = [](auto& header) { header.level = 1; };
  changes.entry = [](auto& entry) {
    entry.stored_level = 1;
    entry.offset.reset();
  };
  change_manifest(manifest_of(file()), changes);
  damage_the_middle();
  EXPECT_THAT(verify().faults, Not(IsEmpty()));
}

TEST_P(SalvageTest, VerifyHasAnAnswerWhereNothingIsLeft) {
  drop_blocks(manifest_of(file()));
  damage_at(0, std::string(fs::file_size(file()), '!'));
  const auto result = verify();
  EXPECT_THAT(result.faults, Not(IsEmpty()));
  EXPECT_EQ(result.whole_members, 0U);
}

TEST_P(SalvageTest, TakesABadSectorForDamage) {
  bad_blocks_ = {fs::file_size(file()) / 3 / kMediumBlockBytes};
  const auto result = restore(/*with_manifest=*/true, /*salvage=*/false);
  EXPECT_GE(result.damaged, 1U);
  expect_all_named();
  // What is in the part with the bad sector is lost, and nothing else.
  EXPECT_GE(whole_files(), is_compressed() ? 10U : kFiles - kFilesInABlock);
  const auto proven = verify();
  EXPECT_THAT(proven.faults,
              Contains(HasSubstr("at byte " + std::to_string(*bad_blocks_.begin() * kMediumBlockBytes))));
  EXPECT_THAT(proven.sha256, IsEmpty());
  EXPECT_EQ(proven.lost_members, kFiles - whole_files());
  EXPECT_EQ(proven.lost_members + proven.whole_members, kFiles + 2);
}

TEST_P(SalvageTest, BringsWhatLiesBehindBadSectorsWithoutAManifest) {
  const auto blocks = fs::file_size(file()) / kMediumBlockBytes;
  bad_blocks_ = {blocks / 4, blocks / 4 + 1};
  if (!is_compressed()) bad_blocks_.insert(blocks / 2);  // it has no parts that are lost as a whole
  EXPECT_THROW(static_cast<void>(restore(/*with_manifest=*/false, /*salvage=*/false)), Error);
  const auto result = restore(/*with_manifest=*/false);
  EXPECT_GE(result.damaged, is_compressed() ? 1U : 2U);
  EXPECT_TRUE(is_whole(0));
  EXPECT_TRUE(is_whole(kFiles - 1));
  EXPECT_GE(whole_files(), is_compressed() ? 10U : kFiles - 2 * kFilesInABlock);
}

TEST_P(SalvageTest, BringsWhatLiesBehindABadSectorWhereAManifestKnowsNoBlocks) {
  drop_blocks(manifest_of(file()));
  bad_blocks_ = {fs::file_size(file()) / 3 / kMediumBlockBytes};
  static_cast<void>(restore(/*with_manifest=*/true));
  EXPECT_TRUE(is_whole(kFiles - 1));
  EXPECT_GE(whole_files(), is_compressed() ? 10U : kFiles - kFilesInABlock);
  expect_all_named();
}

TEST_P(SalvageTest, BringsWhatLiesBehindABeginningThatCannotBeRead) {
  bad_blocks_ = {0};
  for (const bool with_manifest : {false, true}) {
    static_cast<void>(restore(with_manifest));
    EXPECT_TRUE(is_whole(kFiles - 1));
  }
  EXPECT_THAT(verify().faults, Contains(HasSubstr("at byte 0")));
}

TEST_P(SalvageTest, BringsWhatLiesBeforeAnEndThatCannotBeRead) {
  bad_blocks_ = {fs::file_size(file()) / kMediumBlockBytes};
  static_cast<void>(restore(/*with_manifest=*/false));
  EXPECT_TRUE(is_whole(0));
  EXPECT_THAT(verify().faults, Not(IsEmpty()));
}

TEST_P(SalvageTest, LosesNothingOfABlockByTheEndOfTheOneBeforeIt) {
  if (!is_compressed()) GTEST_SKIP() << "it has no blocks";
  ManifestReader manifest(open_local_file(manifest_of(file())));
  const auto next = manifest.closing().blocks.at(1);
  damage_at(next.offset - 3, "!");
  static_cast<void>(restore(/*with_manifest=*/true, /*salvage=*/false));
  for (ManifestEntry line; manifest.next(line);)
    EXPECT_FALSE(line.offset >= next.stream_offset && damaged_.contains(line.entry.path)) << line.entry.path;
  expect_all_named();
}

// Without a digest, kind and size tell.
TEST_P(SalvageTest, TakesNoOtherMemberForTheOneThatIsNeeded) {
  ManifestChanges changes;
  changes.entry = [](auto& entry) {
    if (entry.entry.path != name_of(3)) return;
    ++entry.entry.size;
    entry.digest.reset();
  };
  change_manifest(manifest_of(file()), changes);
  EXPECT_THAT(verify().faults, Contains(HasSubstr("is not the one that the manifest has at its place")));
  EXPECT_THAT(verify().lost, ElementsAre(name_of(3)));
  drop_blocks(manifest_of(file()));
  EXPECT_EQ(restore(/*with_manifest=*/true, /*salvage=*/false).damaged, 1U);
  EXPECT_FALSE(fs::exists(target() / name_of(3)));
  EXPECT_EQ(whole_files(), kFiles - 1);
  expect_all_named();
  EXPECT_THAT(verify().lost, ElementsAre(name_of(3)));
}

/// Reads what has no member; by what it reads, since a time would be of the machine.
void expect_linear(const Buffer& file) {
  std::atomic<std::uint64_t> bytes_read = 0;
  const MeteredFile metered(std::make_unique<test::MemoryFile>(file), bytes_read);
  unsigned damages = 0;
  SalvageCalls calls;
  calls.member = [](MemberReader& /*reader*/, const ArchiveMember& /*member*/) {};
  calls.damage = [&](const Error& /*error*/) { ++damages; };
  read_members_and_salvage(metered, {64U << 20U}, calls);
  EXPECT_GE(damages, 1U);
  EXPECT_LT(bytes_read, 10 * file.size());
}

TEST(Salvage, TakesTimeByTheSizeOfTheFileAndNotByItsSquare) {
  const auto compressor = make_format("tar.gz", 1)->make_compressor();
  Buffer file;
  for (int part = 0; part < 300; ++part) {
    const auto begin = file.size();
    compressor->compress(std::vector<std::byte>(1U << 20U), file);
    if (part == 0) file[begin + 20] = std::byte{0xFF};
  }
  expect_linear(file);
}

TEST(Salvage, TakesNoLongerForPartsThatAreEmpty) {
  const auto compressor = make_format("tar.zst", 1)->make_compressor();
  Buffer file;
  compressor->compress(std::vector<std::byte>(1000), file);
  file[file.size() - 1] ^= std::byte{1};
  for (int part = 0; part < 100'000; ++part) compressor->compress({}, file);
  expect_linear(file);
}

// From each of its gzip headers on, all that follows can be decoded: they lie in stored blocks of those before them.
TEST(Salvage, TakesTimeByTheSizeOfTheFileWherePartsLieWithinParts) {
  constexpr std::size_t kStored = 1024 - 5;
  std::string period("\x1f\x8b\x08\0\0\0\0\0\0\3\0", 11);
  for (const std::size_t number : {kStored, ~kStored}) {
    period += static_cast<char>(number & 0xFFU);
    period += static_cast<char>(number >> 8U & 0xFFU);
  }
  period.resize(1024, 'x');
  std::string text;
  while (text.size() < 40U << 20U) text += period;
  const auto bytes = std::as_bytes(std::span(text));
  expect_linear({bytes.begin(), bytes.end()});
}

INSTANTIATE_TEST_SUITE_P(AllTypes, SalvageTest,
                         ::testing::Values(backup_type::kTar, backup_type::kTarGz, backup_type::kTarBz2,
                                           backup_type::kTarXz, backup_type::kTarZst),
                         [](const auto& type) { return type.param.name; });

}  // namespace
}  // namespace autoarchive::tar_internal
