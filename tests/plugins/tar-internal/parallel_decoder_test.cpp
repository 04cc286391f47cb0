#include "parallel_decoder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>

#include "codec.hpp"
#include "support/memory_file.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr Bytes kEnough{512ULL << 20U};

/// A file of several blocks, and where they are.
struct Blocks {
  Buffer file;
  std::vector<ArchiveBlock> table;
  std::string content;
};

Blocks make_blocks(std::string_view extension, int strength, std::size_t count) {
  Blocks blocks;
  const auto format = make_format(extension, strength);
  const auto compressor = format->make_compressor();
  format->append_start(blocks.file);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text(100'000 + i, static_cast<char>('a' + i));
    blocks.table.push_back({blocks.file.size(), blocks.content.size()});
    const auto begin = blocks.file.size();
    compressor->compress(std::as_bytes(std::span(text)), blocks.file);
    format->block_written(ByteView(blocks.file).subspan(begin), text.size());
    blocks.content += text;
  }
  format->append_end(blocks.file);
  return blocks;
}

std::string read_all(Decoder& decoder) {
  std::string content;
  std::vector<std::byte> piece(7777);
  for (std::size_t got = 0; (got = decoder.read(piece)) > 0;)
    content.append(reinterpret_cast<const char*>(piece.data()), got);
  return content;
}

class ParallelDecoderTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ParallelDecoderTest, YieldsTheBlocksInOrder) {
  const auto blocks = make_blocks(GetParam(), 1, 20);
  const test::MemoryFile file(blocks.file);
  const auto decoder = ParallelDecoder::make(file, GetParam(), blocks.table, kEnough, 4);
  ASSERT_TRUE(decoder);
  EXPECT_EQ(read_all(*decoder), blocks.content);
}

TEST_P(ParallelDecoderTest, CanBeGivenUpInTheMiddle) {
  const auto blocks = make_blocks(GetParam(), 1, 20);
  const test::MemoryFile file(blocks.file);
  const auto decoder = ParallelDecoder::make(file, GetParam(), blocks.table, kEnough, 4);
  ASSERT_TRUE(decoder);
  std::vector<std::byte> piece(10);
  EXPECT_GT(decoder->read(piece), 0U);
}

TEST_P(ParallelDecoderTest, UsesNoTableThatIsNotInOrder) {
  auto blocks = make_blocks(GetParam(), 1, 20);
  const test::MemoryFile file(blocks.file);
  std::swap(blocks.table[3], blocks.table[4]);
  EXPECT_FALSE(ParallelDecoder::make(file, GetParam(), blocks.table, kEnough, 4));
  EXPECT_FALSE(ParallelDecoder::make(file, GetParam(), {}, kEnough, 4));
}

INSTANTIATE_TEST_SUITE_P(Compressed, ParallelDecoderTest, ::testing::Values("tar.gz", "tar.bz2", "tar.xz", "tar.zst"),
                         [](const auto& type) { return std::string(type.param).substr(4); });

TEST(ParallelDecoder, SharesItsMemoryAmongTheThreads) {
  const auto blocks = make_blocks("tar.xz", 6, 8);
  const test::MemoryFile file(blocks.file);
  std::vector<std::byte> piece(10);
  // What one decoder needs is not enough for two.
  std::uint64_t needed = 1U << 12U;
  for (;; needed += needed / 4) {
    FileInput again(file, blocks.table.front().offset);
    try {
      static_cast<void>(make_block_decoder("tar.xz", file, again, {needed})->read(piece));
      break;
    } catch (const Error& error) {
      ASSERT_LT(needed, kEnough.count) << error.what();
    }
  }
  EXPECT_FALSE(ParallelDecoder::make(file, "tar.xz", blocks.table, {needed}, 4));
  const auto decoder = ParallelDecoder::make(file, "tar.xz", blocks.table, {2 * needed}, 4);
  ASSERT_TRUE(decoder);
  EXPECT_EQ(read_all(*decoder), blocks.content);
}

}  // namespace
}  // namespace autoarchive::tar_internal
