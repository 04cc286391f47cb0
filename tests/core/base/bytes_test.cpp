#include "autoarchive/base/bytes.hpp"

#include <gtest/gtest.h>

#include "autoarchive/base/digest.hpp"

namespace autoarchive {
namespace {

using namespace literals;

TEST(Bytes, ReadsNumbersWithUnitsOfBothKinds) {
  EXPECT_EQ(parse_bytes("4096"), 4096_B);
  EXPECT_EQ(parse_bytes("100MB"), Bytes{100'000'000});
  EXPECT_EQ(parse_bytes("4GiB"), 4_GiB);
  EXPECT_EQ(parse_bytes("1.5 KiB"), Bytes{1536});
  EXPECT_EQ(parse_bytes("18446744073709551615"), Bytes{UINT64_MAX});
}

TEST(Bytes, RefusesWhatIsNoSize) {
  for (const char* text : {"", "MB", "-1", "1XB", "1 2", ".5MB", "99999999999999999999", "99999999999TiB", "1e3"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

TEST(Bytes, AreShownWithOneDecimal) {
  EXPECT_EQ(format_bytes(812_B), "812 B");
  EXPECT_EQ(format_bytes(Bytes{1536}), "1.5 KiB");
  EXPECT_EQ(format_bytes(1_GiB), "1.0 GiB");
  EXPECT_EQ(format_bytes(Bytes{1024ULL * 1024 - 1}), "1.0 MiB");
}

TEST(Digest, Sha256IsThatOfFips180) {
  const std::string text = "abc";
  EXPECT_EQ(sha256_of(std::as_bytes(std::span(text))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, ContentDigestIsXxh3WithSeedZero) {
  ContentDigest digest;
  EXPECT_EQ(digest.value(), 0x2D06800538D394C2ULL);  // of nothing, from the xxHash specification
  const std::string text = "some content";
  digest.update(std::as_bytes(std::span(text)));
  const auto whole = digest.value();
  digest.reset();
  for (const char c : text) digest.update(std::as_bytes(std::span(&c, 1)));
  EXPECT_EQ(digest.value(), whole);
}

TEST(Digest, ContentInMemoryHasTheDigestOfTheStream) {
  std::string text;
  for (std::size_t size = 0; size < 1500; ++size) {
    ContentDigest digest;
    digest.update(std::as_bytes(std::span(text)));
    ASSERT_EQ(content_digest_of(std::as_bytes(std::span(text))), digest.value()) << size;
    text += static_cast<char>(size * 7);
  }
}

}  // namespace
}  // namespace autoarchive
