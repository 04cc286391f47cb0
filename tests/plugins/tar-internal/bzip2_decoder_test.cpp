// Streams of many blocks, as bzip2 makes them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "codec.hpp"
#include "support/memory_file.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::tar_internal {
namespace {

class Bzip2DecoderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    test::write_file(directory_ / "text", text_);
    const auto made = test::run_shell("bzip2 -1 " + test::shell_quote(directory_ / "text"));
    if (made.status != 0) GTEST_SKIP() << made.output;
    file_ = test::read_file(directory_ / "text.bz2");
  }

  [[nodiscard]] ByteView bytes() const { return std::as_bytes(std::span(file_)); }
  /// Where parts begin, up to the end.
  [[nodiscard]] std::vector<std::uint64_t> parts() const {
    std::vector<std::uint64_t> found;
    for (std::size_t from = 0; const auto at = find_bzip2_part(bytes().subspan(from));) {
      found.push_back(from + *at);
      from = found.back() + 1;
    }
    return found;
  }
  /// What comes before an error; from where on to go on behind that.
  std::string decode(std::uint64_t offset, std::uint64_t* next_from = nullptr) const {
    const test::MemoryFile source(bytes());
    FileInput input(source, offset);
    const auto decoder = make_bzip2_block_decoder(source, input);
    std::string text;
    std::vector<std::byte> chunk(20'000);
    try {
      while (const auto size = decoder->read(chunk)) text.append(reinterpret_cast<const char*>(chunk.data()), size);
    } catch (const Error& error) {
      EXPECT_EQ(error.cause(), ErrorCause::damaged);
    }
    if (next_from != nullptr) *next_from = decoder->next_part_from().value_or(0);
    return text;
  }

  test::TempDir directory_;
  const std::string text_ = test::noise(1'050'000, 1);
  std::string file_;
};

TEST_F(Bzip2DecoderTest, ReadsOnFromEveryBlock) {
  const auto found = parts();
  ASSERT_EQ(found.size(), 12U);  // the stream, and its blocks, of which the first one follows the header
  EXPECT_EQ(found[0], 0U);
  EXPECT_EQ(found[1], 4U);
  std::size_t before = text_.size() + 1;
  for (const auto offset : found) {
    if (offset == 4) continue;
    const auto rest = decode(offset);
    EXPECT_LT(rest.size(), before);
    EXPECT_GT(rest.size(), 0U);
    EXPECT_TRUE(text_.ends_with(rest)) << offset;
    before = rest.size();
  }
}

TEST_F(Bzip2DecoderTest, LeadsFromADamagedBlockToTheNextOne) {
  const auto found = parts();
  ASSERT_GE(found.size(), 8U);
  const auto rest = decode(found[7]);
  const auto whole = file_;
  // Wherever it is, it loses one block.
  for (auto at = found[6] + 10; at < found[7] - 2; at += 4999) {
    file_ = whole;
    file_[at] = static_cast<char>(file_[at] ^ 16);
    std::uint64_t next_from = 0;
    const auto begin = decode(0, &next_from);
    EXPECT_TRUE(text_.starts_with(begin.substr(0, 400'000)));
    for (std::string brought; brought.size() < rest.size();) {
      const auto next = find_bzip2_part(bytes().subspan(next_from));
      ASSERT_TRUE(next) << at;
      brought = decode(next_from + *next);
      next_from += *next + 1;
      EXPECT_LE(brought.size(), rest.size() + 110'000) << at;
      EXPECT_TRUE(brought.size() < rest.size() || brought.ends_with(rest)) << at;
    }
  }
}

TEST_F(Bzip2DecoderTest, TakesNoBlockForAFile) {
  const test::MemoryFile source(bytes().subspan(4));
  FileInput input(source);
  std::vector<std::byte> chunk(100);
  EXPECT_THROW(static_cast<void>(make_bzip2_decoder(input)->read(chunk)), Error);
}

TEST_F(Bzip2DecoderTest, HandsOutAllOfTheBlockThatAFileIsCutBehind) {
  file_.resize(file_.size() - 10);  // what marks the end, and the last checksum
  EXPECT_TRUE(decode(0) == text_);
}

TEST_F(Bzip2DecoderTest, FindsNoPartInOtherBytes) {
  EXPECT_FALSE(find_bzip2_part({}));
  file_ = std::string(100, '\0');
  EXPECT_FALSE(find_bzip2_part(bytes()));
  file_ = "\x31\x41\x59\x26\x53";
  EXPECT_FALSE(find_bzip2_part(bytes()));
  file_ += "\x59";
  EXPECT_EQ(find_bzip2_part(bytes()), 0U);
}

}  // namespace
}  // namespace autoarchive::tar_internal
