#include "deflate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace autoarchive::tar_internal {
namespace {

ByteView bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string sample(std::size_t size) {
  std::mt19937 random(static_cast<unsigned>(size));
  std::string text;
  while (text.size() < size) text += "line " + std::to_string(random() % 1000) + '\n';
  text.resize(size);
  return text;
}

std::string little_endian(std::size_t value) {
  std::string bytes;
  for (unsigned i = 0; i < 4; ++i) bytes += static_cast<char>(value >> 8 * i);
  return bytes;
}

const std::string kPlainHeader("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);

std::string member(Deflater& deflater, const std::string& text, const std::string& header = kPlainHeader) {
  std::vector<std::byte> out(text.size() + text.size() / 100 + 1000);
  const auto size = deflater.deflate(bytes_of(text), out);
  EXPECT_NE(size, 0U);
  return header + std::string(reinterpret_cast<const char*>(out.data()), size) +
         little_endian(deflater.crc32(bytes_of(text))) + little_endian(text.size());
}

/// What came out, and how it ended. Feeds `chunk` bytes at a time.
struct Inflated {
  std::string text;
  std::size_t consumed = 0;
  bool ended = false;
  bool failed = false;
};

Inflated inflate(Inflater& inflater, const std::string& file, std::size_t chunk = 4096) {
  Inflated result;
  std::vector<std::byte> out(chunk);
  inflater.begin_member();
  for (;;) {
    const auto in = bytes_of(file).subspan(result.consumed);
    const auto step = inflater.inflate(in.first(std::min(chunk, in.size())), out);
    result.consumed += step.consumed;
    result.text.append(reinterpret_cast<const char*>(out.data()), step.produced);
    result.ended = step.member_ended;
    result.failed = step.error != nullptr;
    if (result.ended || result.failed || step.consumed + step.produced == 0) return result;
  }
}

struct DeflaterCase {
  const char* name;
  std::function<std::unique_ptr<Deflater>()> make;
};

class DeflaterTest : public ::testing::TestWithParam<DeflaterCase> {
 protected:
  void SetUp() override {
    deflater_ = GetParam().make();
    if (!deflater_) GTEST_SKIP() << "this build has not got the library";
  }
  std::unique_ptr<Deflater> deflater_;
};

TEST_P(DeflaterTest, IsUndoneByEveryInflater) {
  for (auto* make : {make_isal_inflater, make_zlib_inflater}) {
    const auto inflater = make();
    if (!inflater) continue;
    for (const std::size_t size : {0U, 1U, 100U, 65'535U, 65'536U, 300'000U}) {
      const auto text = sample(size);
      const auto result = inflate(*inflater, member(*deflater_, text) + "behind");
      EXPECT_TRUE(result.ended && result.text == text) << size;
    }
  }
}

TEST_P(DeflaterTest, ReturnsNothingWhereThereIsNoPlace) {
  const auto text = sample(10'000);
  std::vector<std::byte> out(200);
  EXPECT_EQ(deflater_->deflate(bytes_of(text), out), 0U);
  EXPECT_FALSE(member(*deflater_, text).empty());  // it can still be used
}

TEST_P(DeflaterTest, CountsTheCrcOfGzip) {
  EXPECT_EQ(deflater_->crc32(bytes_of("123456789")), 0xCBF43926U);
  EXPECT_EQ(deflater_->crc32({}), 0U);
}

INSTANTIATE_TEST_SUITE_P(AllLibraries, DeflaterTest,
                         ::testing::Values(DeflaterCase{"isal_0", [] { return make_isal_deflater(0); }},
                                           DeflaterCase{"isal_1", [] { return make_isal_deflater(1); }},
                                           DeflaterCase{"isal_2", [] { return make_isal_deflater(2); }},
                                           DeflaterCase{"isal_3", [] { return make_isal_deflater(3); }},
                                           DeflaterCase{"libdeflate_1", [] { return make_libdeflate_deflater(1); }},
                                           DeflaterCase{"libdeflate_10", [] { return make_libdeflate_deflater(10); }},
                                           DeflaterCase{"zlib_1", [] { return make_zlib_deflater(1); }},
                                           DeflaterCase{"zlib_9", [] { return make_zlib_deflater(9); }}),
                         [](const auto& one) { return std::string(one.param.name); });

struct InflaterCase {
  const char* name;
  std::unique_ptr<Inflater> (*make)();
};

class InflaterTest : public ::testing::TestWithParam<InflaterCase> {
 protected:
  void SetUp() override {
    inflater_ = GetParam().make();
    if (!inflater_) GTEST_SKIP() << "this build has not got the library";
  }
  std::unique_ptr<Inflater> inflater_;
  std::unique_ptr<Deflater> deflater_ = make_zlib_deflater(6);
};

TEST_P(InflaterTest, StopsAtTheEndOfAMemberWhateverTheChunks) {
  const auto text = sample(3000);
  const auto file = member(*deflater_, text);
  for (std::size_t chunk = 1; chunk < 400; chunk += chunk < 30 ? 1 : 37) {
    const auto result = inflate(*inflater_, file + file, chunk);
    EXPECT_TRUE(result.ended && result.text == text) << chunk;
    EXPECT_EQ(result.consumed, file.size()) << chunk;
  }
}

TEST_P(InflaterTest, PassesOverEveryFieldOfAHeader) {
  const std::string all(
      "\x1f\x8b\x08\x1d\1\2\3\4\2\xff"
      "\3\0xyz"
      "name\0"
      "comment\0",
      28);
  for (std::size_t chunk = 1; chunk < 40; ++chunk)
    EXPECT_EQ(inflate(*inflater_, member(*deflater_, "content", all), chunk).text, "content") << chunk;
}

TEST_P(InflaterTest, RefusesAHeaderWithReservedFlags) {
  for (const unsigned flag : {0x20U, 0x40U, 0x80U}) {
    auto header = kPlainHeader;
    header[3] = static_cast<char>(flag);
    for (const std::size_t chunk : {1U, 7U, 4096U})
      EXPECT_TRUE(inflate(*inflater_, member(*deflater_, "content", header), chunk).failed) << flag << " " << chunk;
  }
}

TEST_P(InflaterTest, NoticesTruncationAndFlippedBits) {
  const auto text = sample(300);
  const auto file = member(*deflater_, text);
  int unnoticed = 0;
  for (std::size_t length = 0; length < file.size(); ++length)
    EXPECT_FALSE(inflate(*inflater_, file.substr(0, length)).ended) << length;
  constexpr std::size_t kHeaderBits = 80;
  for (std::size_t bit = kHeaderBits; bit < 8 * file.size(); ++bit) {
    auto flipped = file;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    const auto result = inflate(*inflater_, flipped);
    EXPECT_TRUE(!result.ended || result.text == text) << bit;  // the same content: bits that fill the last byte
    unnoticed += result.ended;
  }
  EXPECT_LT(unnoticed, 8);
}

TEST_P(InflaterTest, SurvivesAnyBytes) {
  std::mt19937 random(5);
  const auto text = sample(2000);
  const auto file = member(*deflater_, text);
  for (int round = 0; round < 3000; ++round) {
    auto changed = file;
    for (int i = 0; i < 4; ++i) changed[10 + random() % (file.size() - 10)] = static_cast<char>(random());
    const auto result = inflate(*inflater_, changed, 1 + random() % 500);
    EXPECT_TRUE(!result.ended || result.text == text) << round;
  }
}

INSTANTIATE_TEST_SUITE_P(AllLibraries, InflaterTest,
                         ::testing::Values(InflaterCase{"isal", make_isal_inflater},
                                           InflaterCase{"zlib", make_zlib_inflater}),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace autoarchive::tar_internal
