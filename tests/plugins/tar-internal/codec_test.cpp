#include "codec.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "support/run_program.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive::tar_internal {
namespace {

std::string sample(std::size_t size) {
  std::mt19937 random(static_cast<unsigned>(size));
  std::string text;
  while (text.size() < size)
    text += "line " + std::to_string(random() % 1000) + (random() % 3 == 0 ? " some words\n" : "\n");
  text.resize(size);
  return text;
}

std::string compress(const std::string& type, std::optional<int> strength, const std::string& text) {
  const auto format = make_format(type, strength);
  const auto compressor = format->make_compressor();
  Buffer file;
  format->append_start(file);
  for (auto rest = std::as_bytes(std::span(text)); !rest.empty();) {
    const auto block = rest.first(std::min(rest.size(), format->block_bytes()));
    Buffer compressed;
    compressor->compress(block, compressed);
    file.insert(file.end(), compressed.begin(), compressed.end());
    format->block_written(compressed, block.size());
    rest = rest.subspan(block.size());
  }
  format->append_end(file);
  return {reinterpret_cast<const char*>(file.data()), file.size()};
}

std::string decompress(const std::string& type, const std::string& compressed, Bytes limit = Bytes{128U << 20U}) {
  const test::TempDir directory;
  test::write_file(directory / "file", compressed);
  const auto file = open_local_file(directory / "file");
  FileInput input(*file);
  const auto decoder = make_decoder(type, input, limit);
  std::string text;
  std::vector<std::byte> buffer(100'000);
  while (const auto size = decoder->read(buffer)) text.append(reinterpret_cast<const char*>(buffer.data()), size);
  return text;
}

class CodecTest : public ::testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] std::string type() const { return GetParam(); }
};

TEST_P(CodecTest, BringsBackEverySizeAroundItsBlocks) {
  const auto block = make_format(type(), 1)->block_bytes();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, block - 1, block, block + 1, 2 * block + 7}) {
    const auto text = sample(size);
    EXPECT_EQ(decompress(type(), compress(type(), 1, text)), text) << size;
  }
}

TEST_P(CodecTest, IsAcceptedByTheStockTool) {
  const test::TempDir directory;
  const auto text = sample(3'000'000);
  test::write_file(directory / "file", compress(type(), {}, text));
  const std::string tool = type() == "tar.gz"    ? "gzip"
                           : type() == "tar.bz2" ? "bzip2"
                           : type() == "tar.xz"  ? "xz"
                                                 : "zstd";
  const auto result = test::run_shell(tool + " -dc < " + test::shell_quote(directory / "file") + " > " +
                                      test::shell_quote(directory / "out"));
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_EQ(test::read_file(directory / "out"), text);
}

TEST_P(CodecTest, TakesEveryStrengthAndHardlyEverGrowsWithIt) {
  const auto text = sample(2'000'000);
  std::size_t before = SIZE_MAX;
  for (int strength = 0; strength <= 9; ++strength) {
    const auto compressed = compress(type(), strength, text);
    EXPECT_EQ(decompress(type(), compressed), text) << strength;
    if (before != SIZE_MAX) {
      // Artificial text is not what the libraries' levels are made for: on real trees the bound is 1 %.
      EXPECT_LE(static_cast<double>(compressed.size()), 1.03 * static_cast<double>(before)) << strength;
    }
    before = compressed.size();
  }
}

TEST_P(CodecTest, NoticesEveryTruncation) {
  const auto compressed = compress(type(), 1, sample(5000));
  const std::size_t end_marks = type() == "tar.zst" ? 8 + 8 + 9 : 0;  // the seek table may go without the data
  for (std::size_t length = 1; length + end_marks < compressed.size(); ++length) {
    EXPECT_THROW(static_cast<void>(decompress(type(), compressed.substr(0, length))), Error) << length;
  }
}

TEST_P(CodecTest, NoticesFlippedBits) {
  const auto text = sample(5000);
  const auto compressed = compress(type(), 1, text);
  int unnoticed = 0;
  for (std::size_t i = 0; i < compressed.size(); i += 3) {
    auto flipped = compressed;
    flipped[i] = static_cast<char>(flipped[i] ^ 1 << (i % 8));
    try {
      // What a format does not check (a gzip member's time, say) may differ; the content may not.
      EXPECT_EQ(decompress(type(), flipped), text) << i;
      ++unnoticed;
    } catch (const Error& error) {
      EXPECT_EQ(error.cause(), ErrorCause::damaged);
    }
  }
  EXPECT_LT(unnoticed, 12);
}

TEST_P(CodecTest, ReadsManyMembersAndRefusesGarbageBehindThem) {
  const auto one = compress(type(), 1, "first ");
  const auto two = compress(type(), 1, "second");
  EXPECT_EQ(decompress(type(), one + two), "first second");
  EXPECT_THROW(static_cast<void>(decompress(type(), one + "garbage garbage")), Error);
}

INSTANTIATE_TEST_SUITE_P(AllCodecs, CodecTest, ::testing::Values("tar.gz", "tar.bz2", "tar.xz", "tar.zst"),
                         [](const auto& codec) { return std::string(codec.param + 4); });

TEST(XzDecoder, RefusesADictionaryAboveItsMemory) {
  const test::TempDir directory;
  const auto made = test::run_shell("echo x | xz --lzma2=dict=512MiB > " + test::shell_quote(directory / "big.xz"));
  if (made.status != 0) GTEST_SKIP() << made.output;
  EXPECT_THROW(static_cast<void>(decompress("tar.xz", test::read_file(directory / "big.xz"))), Error);
}

TEST(Formats, AreRecognisedByTheirContent) {
  const auto recognise = [](const std::string& text) { return recognise_format(std::as_bytes(std::span(text))); };
  for (const char* type : {"tar.gz", "tar.bz2", "tar.xz", "tar.zst"})
    EXPECT_EQ(recognise(compress(type, 1, "x")), type);
  EXPECT_EQ(recognise(std::string(10'240, '\0')), "tar");
  EXPECT_FALSE(recognise(""));
  EXPECT_FALSE(recognise(std::string(600, 'x')));
}

}  // namespace
}  // namespace autoarchive::tar_internal
