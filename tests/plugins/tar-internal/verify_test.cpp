// Archives and manifests that are not what they were.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "internal_tar_archiver_provider.hpp"
#include "support/memory_file.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"
#include "tar_archive_reader.hpp"

namespace autoarchive::tar_internal {
namespace {

using test::noise;
using test::write_file;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace fs = std::filesystem;

/// A file in memory.
class Image final : public ReadableFile {
 public:
  explicit Image(std::string bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return bytes_.size(); }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
    if (offset >= bytes_.size()) return 0;
    const auto count = std::min<std::size_t>(buffer.size(), bytes_.size() - static_cast<std::size_t>(offset));
    std::memcpy(buffer.data(), bytes_.data() + offset, count);
    return count;
  }
  [[nodiscard]] std::string description() const override { return "image"; }

 private:
  std::string bytes_;
};

class VerifyTest : public ::testing::TestWithParam<BackupType> {
 protected:
  VerifyTest() : provider_({directory_.make("work"), {}}) {
    fs::create_directory(directory_ / "destination");
    request_.definition.backup_id = "x";
    request_.definition.backup_type = GetParam();
    if (GetParam() != backup_type::kTar) request_.compression_strength = 1;
    request_.definition.destination = (directory_ / "destination").native();
    request_.definition.root = directory_.make("root").native();
    request_.definition.include_files = {"."};
  }

  [[nodiscard]] fs::path root() const { return directory_ / "root"; }
  [[nodiscard]] std::string file(int level = 0) const {
    return (directory_ / "destination").native() + "/x." + (level == 0 ? "" : std::to_string(level) + ".") +
           GetParam().extension;
  }
  void make() {
    static_cast<void>(provider_.backup_files_incrementally(request_));
    archive_ = test::read_file(file());
    manifest_ = test::read_file(file() + ".manifest.zst");
  }
  static VerifyResult verify(const std::string& archive, const std::string& manifest) {
    const Image archive_image(archive);
    const Image manifest_image(manifest);
    return TarArchiveReader({}).verify(archive_image, &manifest_image, {});
  }
  static std::string flipped(std::string bytes, std::size_t offset, unsigned bit) {
    bytes[offset] = static_cast<char>(bytes[offset] ^ (1 << bit));
    return bytes;
  }
  // Small, so that every byte can have its turn.
  void make_small() {
    write_file(root() / "a", "content");
    write_file(root() / "d/b", noise(600, 1));
    fs::create_hard_link(root() / "a", root() / "d/second");
    fs::create_symlink("a", root() / "link");
    make();
    ASSERT_THAT(verify(archive_, manifest_).faults, IsEmpty());
  }

  test::TempDir directory_;
  InternalTarArchiverProvider provider_;
  BackupRequest request_;
  std::string archive_;
  std::string manifest_;
};

TEST_P(VerifyTest, FindsNothingWrongWithWhatIsWhole) {
  test::make_nasty_tree(root() / "nasty");
  for (unsigned i = 0; i < 12; ++i) write_file(root() / "z" / std::to_string(i), noise(400'000, i));
  make();
  const auto result = verify(archive_, manifest_);
  EXPECT_THAT(result.faults, IsEmpty());
  EXPECT_GT(result.members, 30U);
  EXPECT_EQ(result.lost_members, 0U);
}

TEST_P(VerifyTest, FindsFlippedBitsWhereverTheyAreInAnArchive) {
  make_small();
  const std::size_t step = GetParam() == backup_type::kTar ? 5 : 1;
  for (std::size_t offset = 0; offset < archive_.size(); offset += step) {
    const auto result = verify(flipped(archive_, offset, offset % 8), manifest_);
    ASSERT_THAT(result.faults, Not(IsEmpty())) << "byte " << offset << " of " << archive_.size();
  }
}

TEST_P(VerifyTest, FindsEveryFlippedBitInAManifest) {
  make_small();
  for (std::size_t offset = 0; offset < manifest_.size(); ++offset) {
    // A manifest is the same whatever its archive is: every bit once.
    const bool every_bit = GetParam() == backup_type::kTarZst;
    for (unsigned bit = every_bit ? 0 : offset % 8; bit < (every_bit ? 8 : offset % 8 + 1); ++bit) {
      const auto result = verify(archive_, flipped(manifest_, offset, bit));
      ASSERT_THAT(result.faults, Not(IsEmpty())) << "bit " << bit << " of byte " << offset;
    }
  }
}

TEST_P(VerifyTest, FindsEveryTruncationAndWhateverIsAppended) {
  make_small();
  const std::size_t step = GetParam() == backup_type::kTar ? 31 : 1;
  for (std::size_t size = 0; size < archive_.size(); size += step)
    ASSERT_THAT(verify(archive_.substr(0, size), manifest_).faults, Not(IsEmpty())) << size;
  for (std::size_t size = 0; size < manifest_.size(); ++size)
    ASSERT_THAT(verify(archive_, manifest_.substr(0, size)).faults, Not(IsEmpty())) << size;
  for (const auto& tail : {std::string(1, '\0'), std::string(512, '\0'), std::string("x"), archive_})
    EXPECT_THAT(verify(archive_ + tail, manifest_).faults, Not(IsEmpty()));
  EXPECT_THAT(verify(archive_, manifest_ + "x").faults, Not(IsEmpty()));
}

TEST_P(VerifyTest, FindsAManifestOfAnotherBackup) {
  make_small();
  const auto archive = archive_;
  write_file(root() / "a", "CONTENT");
  request_.level = 0;
  make();
  const auto faults = verify(archive, manifest_).faults;
  EXPECT_THAT(faults, Contains(HasSubstr("and the manifest is that of")));
}

TEST_P(VerifyTest, NamesTheMembersThatAreLostAndCountsThoseThatAreNot) {
  for (unsigned i = 0; i < 60; ++i) write_file(root() / std::to_string(100 + i), noise(200'000, i));
  make();
  const auto result = verify(flipped(archive_, archive_.size() / 2, 0), manifest_);
  ASSERT_THAT(result.faults, Not(IsEmpty()));
  EXPECT_EQ(result.lost.size(), result.lost_members);
  EXPECT_GE(result.lost_members, 1U);
  EXPECT_EQ(result.lost_members + result.whole_members, 61U);  // and the root
  EXPECT_GE(result.whole_members, 30U);
  EXPECT_THAT(result.lost, Each(::testing::MatchesRegex("1[0-9][0-9]")));
  // What it says can be restored, can.
  write_file(file(), flipped(archive_, archive_.size() / 2, 0));
  RestoreRequest restore;
  restore.levels.emplace_back();
  restore.levels.back().file = open_local_file(file());
  restore.levels.back().manifest = open_local_file(file() + ".manifest.zst");
  restore.target = directory_ / "target";
  EXPECT_EQ(TarArchiveReader({}).restore(restore).damaged, result.lost_members);
}

// Without a block table, as of an archive that another program has compressed, a file is read from its beginning.
TEST_P(VerifyTest, TellsWhatIsLostOfAFileThatDoesNotLookLikeAnArchive) {
  make_small();
  auto broken = archive_;
  std::fill_n(broken.begin(), std::min<std::size_t>(broken.size(), 600), 'x');
  test::MemorySink without_blocks;
  ManifestReader reader(std::make_unique<Image>(manifest_));
  ManifestWriter writer(without_blocks, reader.header());
  for (ManifestEntry entry; reader.next(entry);) writer.add(entry);
  auto closing = reader.closing();
  closing.blocks.clear();
  writer.finish(closing);
  for (const auto& manifest : {manifest_, without_blocks.text}) {
    const auto result = verify(broken, manifest);
    EXPECT_THAT(result.faults, Not(IsEmpty()));
    // Of a plain tar these bytes are a comment, and every member is found where it lies.
    EXPECT_EQ(result.lost_members == 0, GetParam() == backup_type::kTar);
  }
}

TEST_P(VerifyTest, ProvesAChainByReadingWhatItsLastLevelNeeds) {
  for (unsigned i = 0; i < 6; ++i) write_file(root() / std::to_string(i), noise(3'000, i));
  test::make_nasty_tree(root() / "nasty");
  make();
  write_file(root() / "3", "changed");
  fs::remove(root() / "4");
  make();
  const auto prove = [&](int damaged_level) {
    RestoreRequest request;
    for (int level : {0, 1}) {
      request.levels.emplace_back();
      auto bytes = test::read_file(file(level));
      const auto content = bytes.find(noise(3'000, 1));
      if (level == damaged_level) bytes = flipped(bytes, content != std::string::npos ? content : bytes.size() / 3, 2);
      request.levels.back().file = std::make_unique<Image>(bytes);
      request.levels.back().manifest = open_local_file(file(level) + ".manifest.zst");
    }
    request.target = "/nonexistent/never made";
    return TarArchiveReader({}).prove(request);
  };
  EXPECT_EQ(prove(-1).problems, 0U);
  EXPECT_GT(prove(-1).entries, 10U);
  EXPECT_GE(prove(0).damaged, 1U);
}

TEST_P(VerifyTest, ReadsOneFileOutOfAChain) {
  write_file(root() / "old", noise(2'000'000, 5));
  fs::create_hard_link(root() / "old", root() / "second");
  write_file(root() / "sparse", "begin");
  fs::resize_file(root() / "sparse", 1'000'000);
  make();
  write_file(root() / "new", "new");
  make();
  const auto read = [&](const std::string& path, bool with_manifest) {
    std::vector<ArchiveLevel> levels(2);
    for (int level : {0, 1}) {
      auto& given = levels[static_cast<std::size_t>(level)];
      given.file = open_local_file(file(level));
      if (with_manifest) given.manifest = open_local_file(file(level) + ".manifest.zst");
    }
    struct Text final : Sink {
      void write(ByteView bytes) override { text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()); }
      void finish() override {}
      std::string text;
    } out;
    TarArchiveReader({}).read_content(levels, path, out);
    return std::move(out.text);
  };
  for (const bool with_manifest : {true, false}) {
    for (const char* name : {"old", "second", "sparse", "new"})
      EXPECT_EQ(read(name, with_manifest), test::read_file(root() / name)) << name << with_manifest;
    EXPECT_THROW(static_cast<void>(read("none", with_manifest)), Error);
    EXPECT_THROW(static_cast<void>(read(".", with_manifest)), Error);
  }
}

INSTANTIATE_TEST_SUITE_P(AllTypes, VerifyTest,
                         ::testing::Values(backup_type::kTar, backup_type::kTarGz, backup_type::kTarBz2,
                                           backup_type::kTarXz, backup_type::kTarZst),
                         [](const auto& type) { return type.param.name; });

}  // namespace
}  // namespace autoarchive::tar_internal
