#include "codec.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "support/memory_file.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive::tar_internal {
namespace {

using test::MemoryFile;

ByteView bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string random_bytes(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random() >> 24U);
  return bytes;
}

/// Quickly made, and quickly compressed even by xz.
std::string repetitive_text(std::size_t size) {
  std::mt19937 random(static_cast<unsigned>(size));
  std::string text;
  while (text.size() < size) text.append(200, static_cast<char>('a' + random() % 20)) += std::to_string(random());
  text.resize(size);
  return text;
}

/// Words as frequent as in a language (the n-th 1/n as often as the first), in lines that often begin like the one
/// before.
std::string realistic_text(std::size_t size) {
  std::mt19937 random(7);
  std::vector<std::string> words(3000);
  for (auto& word : words) {
    for (auto length = 2 + random() % 9; length != 0; --length)
      word += "etaoinshrdlucmfwypvbgkqjxz_"[std::min(random() % 27, random() % 27)];
  }
  const auto next_word = [&]() -> const std::string& {
    const double uniform = static_cast<double>(random()) / static_cast<double>(std::mt19937::max());
    return words[static_cast<std::size_t>(std::pow(static_cast<double>(words.size()), uniform)) % words.size()];
  };
  std::string text;
  std::string line;
  while (text.size() < size) {
    line.resize(random() % 3 == 0 ? 0 : line.size() * (random() % 4) / 4);
    while (line.size() < 20 + random() % 60) line += next_word() + (random() % 8 == 0 ? ", " : " ");
    text += line + "\n";
  }
  text.resize(size);
  return text;
}

std::string compress(const std::string& type, std::optional<int> strength, const std::string& text) {
  const auto format = make_format(type, strength);
  const auto compressor = format->make_compressor();
  Buffer out;
  format->append_start(out);
  const auto all = bytes_of(text);
  for (std::size_t begin = 0; begin < all.size();) {
    const auto block = all.subspan(begin, std::min(format->block_bytes_at(begin), all.size() - begin));
    Buffer compressed;
    compressor->compress(block, compressed);
    format->block_written(compressed, block.size());
    out.insert(out.end(), compressed.begin(), compressed.end());
    begin += block.size();
  }
  format->append_end(out);
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}

/// What was decoded before an error stays in `text`.
void decompress(std::string& text, const std::string& type, const std::string& compressed,
                std::size_t chunk_bytes = 100'000, Bytes limit = 128_MiB) {
  const MemoryFile file(bytes_of(compressed));
  FileInput input(file);
  const auto decoder = make_decoder(type, input, limit);
  std::vector<std::byte> chunk(chunk_bytes);
  while (const auto size = decoder->read(chunk)) text.append(reinterpret_cast<const char*>(chunk.data()), size);
}

std::string decompress(const std::string& type, const std::string& compressed, std::size_t chunk_bytes = 100'000,
                       Bytes limit = 128_MiB) {
  std::string text;
  decompress(text, type, compressed, chunk_bytes, limit);
  return text;
}

bool is_damaged(const std::string& type, const std::string& compressed) {
  try {
    static_cast<void>(decompress(type, compressed));
    return false;
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::damaged) << error.what();
    return true;
  }
}

class CodecTest : public ::testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] std::string type() const { return GetParam(); }
  void round_trip(int strength, const std::string& text) const {
    EXPECT_TRUE(decompress(type(), compress(type(), strength, text)) == text)
        << text.size() << " bytes, strength " << strength;
  }
};

TEST_P(CodecTest, BringsBackEverySizeAroundItsBlocks) {
  for (const int strength : type() == "tar.xz" ? std::array{0, 1} : std::array{1, 7}) {
    const auto block = make_format(type(), strength)->block_bytes();
    for (const auto size : {block - 1, block, block + 1, 2 * block + 7}) round_trip(strength, repetitive_text(size));
  }
}

TEST_P(CodecTest, BringsBackAnythingAtEveryStrength) {
  const std::array texts{std::string(), std::string("x"), std::string(100'000, '\0'), random_bytes(66'000),
                         realistic_text(20'000) + random_bytes(100'000)};
  for (int strength = 0; strength <= 9; ++strength) {
    for (const auto& text : texts) round_trip(strength, text);
  }
}

TEST_P(CodecTest, YieldsTheSameInSmallPieces) {
  const auto text = realistic_text(3000) + random_bytes(3000);
  for (const std::size_t chunk : {1U, 7U, 1000U})
    EXPECT_TRUE(decompress(type(), compress(type(), 6, text), chunk) == text) << chunk;
}

TEST_P(CodecTest, IsAcceptedByTheStockTools) {
  const std::vector<std::string> tools = type() == "tar.gz"    ? std::vector<std::string>{"gzip", "pigz", "7z"}
                                         : type() == "tar.bz2" ? std::vector<std::string>{"bzip2", "lbzip2"}
                                         : type() == "tar.xz"  ? std::vector<std::string>{"xz"}
                                                               : std::vector<std::string>{"zstd"};
  const test::TempDir directory;
  const auto file = test::shell_quote(directory / "file");
  for (const auto& text : {std::string(), repetitive_text(4'500'000) + random_bytes(500'000) + realistic_text(9999)}) {
    test::write_file(directory / "file", compress(type(), type() == "tar.xz" ? 0 : 6, text));
    for (const auto& tool : tools) {
      if (test::run_shell("command -v " + tool).status != 0) continue;
      const auto to_output = tool == "7z" ? " e -so -tgzip " + file : " -dc < " + file;
      const auto result = test::run_shell(tool + (tool == "7z" ? " t -tgzip " + file : " -t < " + file) + " && " +
                                          tool + to_output + " > " + test::shell_quote(directory / "out"));
      EXPECT_EQ(result.status, 0) << tool << ": " << result.output;
      EXPECT_TRUE(test::read_file(directory / "out") == text) << tool;
    }
  }
}

TEST_P(CodecTest, GrowsByNoMoreThanOnePercentFromOneStrengthToTheNext) {
  const auto text = realistic_text(300'000);
  auto before = static_cast<double>(text.size());
  for (int strength = 0; strength <= 9; ++strength) {
    const auto size = static_cast<double>(compress(type(), strength, text).size());
    EXPECT_LE(size, 1.01 * before) << strength;
    before = size;
  }
  EXPECT_LT(before, 0.6 * static_cast<double>(text.size()));
}

TEST_P(CodecTest, StoresIncompressibleDataAtItsSize) {
  const auto bytes = random_bytes(1'000'000);
  for (const int strength : {0, 3, 6, 9}) {
    const auto size = compress(type(), strength, bytes).size();
    EXPECT_LE(size, bytes.size() + bytes.size() / (type() == "tar.bz2" ? 100 : 2000)) << strength;
  }
}

TEST_P(CodecTest, FindsWhatRandomBytesRepeat) {
  const auto bytes = random_bytes(type() == "tar.gz" ? 30'000 : 400'000);
  std::string text;
  while (text.size() < 800'000) text += bytes;
  // bzip2 sorts, and gains little by it; ISA-L, at the lowest strengths of gzip, looks back less far.
  for (const int strength : {3, 6, 9})
    EXPECT_LT(compress(type(), strength, text).size(), text.size() * (type() == "tar.bz2" ? 101 : 60) / 100)
        << strength;
}

TEST_P(CodecTest, NoticesEveryTruncation) {
  const auto compressed = compress(type(), 1, realistic_text(1000) + random_bytes(200));
  const std::size_t end_marks = type() == "tar.zst" ? 8 + 8 + 9 : 0;  // the seek table may go without the data
  for (std::size_t length = 1; length + end_marks < compressed.size(); ++length)
    EXPECT_TRUE(is_damaged(type(), compressed.substr(0, length))) << length;
}

TEST_P(CodecTest, NoticesEveryFlippedBitThatChangesTheContent) {
  const auto text = realistic_text(600) + random_bytes(100);
  const auto compressed = compress(type(), 1, text);
  std::size_t noticed = 0;
  for (std::size_t bit = 0; bit < 8 * compressed.size(); ++bit) {
    auto flipped = compressed;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    try {
      // The time in a gzip member's header, codes that no symbol uses, the bits that fill a last byte, zstd's seek
      // table.
      EXPECT_EQ(decompress(type(), flipped), text) << "bit " << bit;
    } catch (const Error& error) {
      EXPECT_EQ(error.cause(), ErrorCause::damaged) << "bit " << bit << ": " << error.what();
      ++noticed;
    }
  }
  EXPECT_GT(noticed, 8 * compressed.size() * 9 / 10);
}

TEST_P(CodecTest, ReadsManyMembersAndRefusesGarbageBehindThem) {
  const auto one = compress(type(), 1, "first ");
  const auto two = compress(type(), 1, "second");
  EXPECT_EQ(decompress(type(), one + two), "first second");
  EXPECT_TRUE(is_damaged(type(), one + "garbage garbage"));
}

TEST_P(CodecTest, HandsOutAllThatStandsBeforeGarbage) {
  const auto text = realistic_text(200'000);
  const auto compressed = compress(type(), 1, text) + random_bytes(5000);
  for (const std::size_t chunk_bytes : {1000U, 70'000U, 1'000'000U}) {
    std::string decoded;
    EXPECT_THROW(decompress(decoded, type(), compressed, chunk_bytes), Error);
    EXPECT_TRUE(decoded == text) << decoded.size() << " bytes in pieces of " << chunk_bytes;
  }
}

TEST_P(CodecTest, HandsOutAllThatStandsBeforeDamageInPiecesOfAnySize) {
  if (type() == "tar.zst") GTEST_SKIP() << "libzstd hands out no piece in which it has found damage";
  auto compressed = compress(type(), 1, repetitive_text(50'000));
  compressed[compressed.size() - 60] ^= 1;
  std::string small;
  std::string large;
  EXPECT_THROW(decompress(small, type(), compressed, 100), Error);
  EXPECT_THROW(decompress(large, type(), compressed), Error);
  EXPECT_GT(small.size(), 0U);
  EXPECT_EQ(large.size(), small.size());
}

INSTANTIATE_TEST_SUITE_P(AllCodecs, CodecTest, ::testing::Values("tar.gz", "tar.bz2", "tar.xz", "tar.zst"),
                         [](const auto& codec) { return std::string(codec.param + 4); });

std::uint32_t number_at(const std::string& bytes, std::size_t place) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) value |= std::uint32_t{static_cast<unsigned char>(bytes[place + i])} << 8 * i;
  return value;
}

TEST(Gzip, LeadsFromMemberToMemberByTheSizesInTheirHeaders) {
  const auto block = make_format("tar.gz", 6)->block_bytes();
  const auto compressed = compress("tar.gz", 6, realistic_text(block) + random_bytes(block) + "rest");
  std::size_t members = 0;
  for (std::size_t place = 0; place < compressed.size(); place += number_at(compressed, place + 16)) {
    ASSERT_EQ(compressed.substr(place, 16), std::string("\x1f\x8b\x08\x04\0\0\0\0\0\x03\x08\0AA\x04\0", 16)) << place;
    ++members;
  }
  EXPECT_EQ(members, 3U);
}

TEST(Zstd, RefusesFramesOfBeforeRfc8878) {
  const std::string frame("\x27\xB5\x2F\xFD\x00\x2F\xFD\x28\x60", 9);  // of 0.7
  for (const std::size_t chunk_bytes : {1U, 1000U}) {
    std::string decoded;
    EXPECT_THROW(decompress(decoded, "tar.zst", frame, chunk_bytes), Error);
    EXPECT_EQ(decoded, "");
  }
}

TEST(Gzip, IsReadByPython) {
  const test::TempDir directory;
  test::write_file(directory / "file", compress("tar.gz", 6, "first") + compress("tar.gz", 1, " second"));
  const auto result =
      test::run_shell("python3 -c \"import gzip, sys; print(gzip.open(sys.argv[1]).read().decode())\" " +
                      test::shell_quote(directory / "file"));
  EXPECT_EQ(result.output, "first second\n");
}

TEST(GzipDecoder, TakesZerosBehindTheLastMemberForPadding) {
  const auto compressed = compress("tar.gz", 1, "content");
  EXPECT_EQ(decompress("tar.gz", compressed + std::string(300'000, '\0')), "content");
  EXPECT_TRUE(is_damaged("tar.gz", compressed + std::string(300'000, '\0') + "x"));
  EXPECT_TRUE(is_damaged("tar.gz", compressed + std::string(10, '\0') + compressed));
}

TEST(GzipDecoder, ReadsMembersThatBeginAnywhereInItsBuffer) {
  constexpr std::size_t kBufferBytes = 256 * 1024;
  const auto bytes = random_bytes(kBufferBytes);
  const auto second = compress("tar.gz", 1, "second");
  const auto overhead = compress("tar.gz", 1, bytes).size() - bytes.size();
  for (std::size_t before_end = 0; before_end < second.size() + 10; ++before_end) {
    const auto text = bytes.substr(0, kBufferBytes - overhead - before_end);
    EXPECT_TRUE(decompress("tar.gz", compress("tar.gz", 1, text) + second) == text + "second") << before_end;
  }
}

TEST(GzipDecoder, RefusesAMemberThatHasNotTheSizeInItsHeader) {
  auto compressed = compress("tar.gz", 6, "content");
  ++compressed[16];
  EXPECT_TRUE(is_damaged("tar.gz", compressed));
}

TEST(Xz, BeginsWithSmallBlocksAndGrowsThemToThreeDictionaries) {
  const auto format = make_format("tar.xz", 6);
  EXPECT_EQ(format->block_bytes(), 24U << 20U);
  std::size_t before = 4U << 20U;
  EXPECT_EQ(format->block_bytes_at(0), before);
  for (std::uint64_t offset = before; offset < 200U << 20U; offset += before) {
    EXPECT_GE(format->block_bytes_at(offset), before);
    before = format->block_bytes_at(offset);
  }
  EXPECT_EQ(before, format->block_bytes());
}

TEST(Xz, WantsNoMoreMemoryForUnpackingThanItsBlocks) {
  const auto compressed = compress("tar.xz", 9, realistic_text(20'000));
  EXPECT_EQ(decompress("tar.xz", compressed, 1000, 1_MiB).size(), 20'000U);
}

TEST(XzDecoder, RefusesADictionaryAboveItsMemory) {
  const test::TempDir directory;
  const auto made = test::run_shell("echo x | xz --lzma2=dict=512MiB > " + test::shell_quote(directory / "big.xz"));
  if (made.status != 0) GTEST_SKIP() << made.output;
  try {
    static_cast<void>(decompress("tar.xz", test::read_file(directory / "big.xz")));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::unsupported) << "it is not damaged: " << error.what();
  }
}

TEST(ZstdDecoder, RefusesAWindowAboveItsMemory) {
  const test::TempDir directory;
  const auto made =
      test::run_shell("echo x | zstd -q --zstd=wlog=29 --long=29 > " + test::shell_quote(directory / "big.zst"));
  if (made.status != 0) GTEST_SKIP() << made.output;
  const auto big = test::read_file(directory / "big.zst");
  EXPECT_THROW(static_cast<void>(decompress("tar.zst", big, 1000, 128_MiB)), Error);
  EXPECT_EQ(decompress("tar.zst", big, 1000, 1_GiB), "x\n");
}

// Its content is empty, and its header tells 33 bytes: libzstd refuses it only where it gets it as a whole.
TEST(ZstdDecoder, RefusesAFrameThatHasNotTheSizeItTells) {
  const std::string frame("\x28\xb5\x2f\xfd\x24\x21\x01\x00\x00\x99\xe9\xd8\x51", 13);
  EXPECT_THROW(static_cast<void>(decompress("tar.zst", frame, 1)), Error);
  EXPECT_THROW(static_cast<void>(decompress("tar.zst", frame)), Error);
}

TEST(Formats, AreRecognisedByTheirContent) {
  const auto recognise = [](const std::string& text) { return recognise_format(bytes_of(text)); };
  for (const char* type : {"tar.gz", "tar.bz2", "tar.xz", "tar.zst"})
    EXPECT_EQ(recognise(compress(type, 1, "x")), type);
  EXPECT_EQ(recognise(std::string(10'240, '\0')), "tar");
  EXPECT_FALSE(recognise(""));
  EXPECT_FALSE(recognise(std::string(600, 'x')));
}

}  // namespace
}  // namespace autoarchive::tar_internal
