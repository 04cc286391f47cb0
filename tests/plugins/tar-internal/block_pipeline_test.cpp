#include "block_pipeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autoarchive/base/error.hpp"

namespace autoarchive::tar_internal {
namespace {

using ::testing::ElementsAre;

/// Blocks of four bytes; a block is "compressed" to itself in brackets. The first ones take longest.
class BracketFormat final : public CompressedFormat {
 public:
  [[nodiscard]] std::size_t block_bytes() const noexcept override { return 4; }
  [[nodiscard]] std::unique_ptr<BlockCompressor> make_compressor() const override {
    class Compressor final : public BlockCompressor {
      void compress(ByteView block, Buffer& out) override {
        if (block[0] == std::byte{'!'}) throw Error(ErrorCode::runtime_error, "bad block");
        std::this_thread::sleep_for(std::chrono::microseconds(1000 / (1 + std::to_integer<int>(block[0]))));
        out.push_back(std::byte{'['});
        out.insert(out.end(), block.begin(), block.end());
        out.push_back(std::byte{']'});
      }
    };
    return std::make_unique<Compressor>();
  }
  void append_start(Buffer& out) override { out.push_back(std::byte{'<'}); }
  void append_end(Buffer& out) override { out.push_back(std::byte{'>'}); }
};

class StringSink final : public Sink {
 public:
  explicit StringSink(std::size_t fail_after = SIZE_MAX) : fail_after_(fail_after) {}
  void write(ByteView bytes) override {
    if (text.size() + bytes.size() > fail_after_) throw Error(ErrorCode::os_error, "full", ErrorCause::no_space);
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void finish() override {}
  std::string text;

 private:
  std::size_t fail_after_;
};

ByteView bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(BlockPipeline, WritesInOrderWhateverFinishesFirst) {
  for (const unsigned threads : {1U, 2U, 8U}) {
    BracketFormat format;
    StringSink sink;
    std::vector<std::uint64_t> places;
    BlockPipeline pipeline(sink, format, threads,
                           [&](ArchiveBlock block) { places.push_back(block.offset * 1000 + block.stream_offset); });
    for (const char* piece : {"aa", "aabbb", "b", "ccccdddd", "e"}) pipeline.write(bytes(piece));
    pipeline.finish();
    EXPECT_EQ(sink.text, "<[aaaa][bbbb][cccc][dddd][e]>");
    EXPECT_THAT(places, ElementsAre(1000, 7004, 13008, 19012, 25016));
  }
}

TEST(BlockPipeline, PassesAWorkersErrorOnInItsTurn) {
  BracketFormat format;
  StringSink sink;
  BlockPipeline pipeline(sink, format, 2, {});
  EXPECT_THROW(
      {
        pipeline.write(bytes("aaaa!!!!cccc"));
        pipeline.finish();
      },
      Error);
  EXPECT_EQ(sink.text, "<[aaaa]");
}

TEST(BlockPipeline, EndsItsWorkersWhenTheSinkFailsAtAnyByte) {
  for (std::size_t room = 1; room < 26; ++room) {
    BracketFormat format;
    StringSink sink(room);
    BlockPipeline pipeline(sink, format, 2, {});
    EXPECT_THROW(
        {
          pipeline.write(bytes("aaaabbbbccccdddd"));
          pipeline.finish();
        },
        Error)
        << room;
  }
}

TEST(BlockPipeline, MayBeGivenUpWithWorkUnderWay) {
  BracketFormat format;
  StringSink sink;
  BlockPipeline pipeline(sink, format, 4, {});
  for (int i = 0; i < 50; ++i) pipeline.write(bytes("\x01\x01\x01\x01"));
}

}  // namespace
}  // namespace autoarchive::tar_internal
