// Files of several xz streams, as `cat` makes them, and reading from a block on.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "codec.hpp"
#include "support/memory_file.hpp"

namespace autoarchive::tar_internal {
namespace {

ByteView bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// A stream with a block for each text. `told`: what the index says of the block sizes, if not the truth.
std::string stream_of(const std::vector<std::string>& blocks, std::size_t told = 0) {
  const auto format = make_format("tar.xz", 1);
  const auto compressor = format->make_compressor();
  Buffer out;
  format->append_start(out);
  for (const auto& block : blocks) {
    Buffer compressed;
    compressor->compress(bytes_of(block), compressed);
    format->block_written(compressed, told == 0 ? block.size() : told);
    out.insert(out.end(), compressed.begin(), compressed.end());
  }
  format->append_end(out);
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}

class XzDecoderTest : public ::testing::Test {
 protected:
  /// All from `offset` on, and where blocks begin into parts_.
  std::string decode(const std::string& file, std::uint64_t offset = 0) {
    const test::MemoryFile source(bytes_of(file));
    FileInput input(source, offset);
    const auto decoder =
        offset == 0 ? make_decoder("tar.xz", input, 128_MiB) : make_block_decoder("tar.xz", source, input, 128_MiB);
    std::string text;
    std::vector<std::byte> chunk(100);
    parts_.clear();
    while (const auto size = decoder->read(chunk)) {
      if (const auto part = decoder->take_part_begin()) parts_.emplace_back(*part, text.size());
      text.append(reinterpret_cast<const char*>(chunk.data()), size);
    }
    return text;
  }
  [[nodiscard]] bool is_damaged(const std::string& file, std::uint64_t offset = 0) {
    try {
      static_cast<void>(decode(file, offset));
      return false;
    } catch (const Error& error) {
      EXPECT_EQ(error.cause(), ErrorCause::damaged) << error.what();
      return true;
    }
  }

  const std::string one_ = std::string(1000, 'a');
  const std::string two_ = std::string(2000, 'b');
  const std::string three_ = std::string(3000, 'c');
  std::vector<std::pair<std::uint64_t, std::size_t>> parts_;  // in the file, and in what was decoded
};

TEST_F(XzDecoderTest, ReadsStreamsWithZerosBetweenThemAndBehind) {
  const auto file = stream_of({one_, two_}) + std::string(8, '\0') + stream_of({}) + stream_of({three_});
  EXPECT_TRUE(decode(file + std::string(4, '\0')) == one_ + two_ + three_);
  EXPECT_TRUE(is_damaged(file + std::string(3, '\0')));
  EXPECT_TRUE(is_damaged(file + "x"));
  EXPECT_TRUE(is_damaged(file + std::string(4, '\0') + "x"));
}

TEST_F(XzDecoderTest, ReadsFromEveryBlockOnThroughAllStreams) {
  const auto file = stream_of({one_, two_}) + std::string(4, '\0') + stream_of({three_, one_});
  const auto all = decode(file);
  ASSERT_EQ(parts_.size(), 4U);
  for (const auto& [offset, stream_offset] : std::vector(parts_)) {
    EXPECT_TRUE(decode(file, offset) == all.substr(stream_offset));
    EXPECT_TRUE(is_xz_part(bytes_of(file).subspan(offset)));
  }
}

TEST_F(XzDecoderTest, TakesAStreamWithAnotherCheckForOnePart) {
  // Made by xz --check=crc32 from "hello" and a line end.
  const std::string other(
      "\xfd\x37\x7a\x58\x5a\x00\x00\x01\x69\x22\xde\x36\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3\x01\x00\x05\x68"
      "\x65\x6c\x6c\x6f\x0a\x00\x00\x00\x20\x30\x3a\x36\x00\x01\x1a\x06\xc5\xea\xc8\x79\x90\x42\x99\x0d\x01\x00\x00\x00"
      "\x00\x01\x59\x5a",
      60);
  const auto first = stream_of({one_});
  EXPECT_TRUE(decode(first + other) == one_ + "hello\n");
  ASSERT_EQ(parts_.size(), 2U);
  EXPECT_EQ(parts_.back().first, first.size());
  EXPECT_EQ(decode(first + other, first.size()), "hello\n");
}

TEST_F(XzDecoderTest, ComparesTheIndexWithWhatWasRead) {
  EXPECT_TRUE(is_damaged(stream_of({one_}, 999)));
}

TEST_F(XzDecoderTest, NoticesAMissingEnd) {
  const auto file = stream_of({one_, two_});
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_TRUE(size == 0 || is_damaged(file.substr(0, size))) << size;
}

TEST_F(XzDecoderTest, NoticesEveryFlippedBit) {
  const auto file = stream_of({one_, two_});
  for (std::size_t i = 0; i < file.size(); ++i) {
    auto flipped = file;
    flipped[i] = static_cast<char>(flipped[i] ^ 4);
    bool is_noticed = false;
    try {
      static_cast<void>(decode(flipped));
    } catch (const Error&) {  // a reserved option is not called damage
      is_noticed = true;
    }
    EXPECT_TRUE(is_noticed) << i;
  }
}

TEST_F(XzDecoderTest, TellsPartsFromOtherBytes) {
  EXPECT_FALSE(is_xz_part({}));
  EXPECT_FALSE(is_xz_part(bytes_of(std::string(100, '\0'))));
  EXPECT_FALSE(is_xz_part(bytes_of(std::string(100, '\xff'))));
  EXPECT_TRUE(is_xz_part(bytes_of(stream_of({}))));
}

}  // namespace
}  // namespace autoarchive::tar_internal
