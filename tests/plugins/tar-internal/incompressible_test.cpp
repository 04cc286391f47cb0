#include "incompressible.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

namespace autoarchive::tar_internal {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20U;
constexpr std::size_t kWindowBytes = 32 * 1024;

std::string random_bytes(std::size_t size) {
  std::mt19937 random(1);
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random() >> 24U);
  return bytes;
}

bool incompressible(const std::string& block, std::size_t window_bytes = kWindowBytes) {
  return is_incompressible(std::as_bytes(std::span(block)), window_bytes);
}

std::string repeated(const std::string& text) {
  std::string block;
  while (block.size() < kBlockBytes) block += text;
  return block;
}

TEST(Incompressible, IsWhatIsRandom) {
  EXPECT_TRUE(incompressible(random_bytes(kBlockBytes)));
  EXPECT_TRUE(incompressible(random_bytes(kBlockBytes), kBlockBytes));
  EXPECT_TRUE(incompressible(random_bytes(24 * kBlockBytes), 8 * kBlockBytes));
  EXPECT_TRUE(incompressible(random_bytes(64 * 1024)));
}

TEST(Incompressible, IsNoText) {
  EXPECT_FALSE(incompressible(repeated("A line of text, and another one.\n")));
  EXPECT_FALSE(incompressible(std::string(kBlockBytes, '\0')));
  std::string base64 = random_bytes(kBlockBytes);
  for (auto& c : base64) c = static_cast<char>(c & 63);
  EXPECT_FALSE(incompressible(base64));
}

TEST(Incompressible, IsNotWhatRepeatsItselfWithinTheWindow) {
  const auto text = repeated(random_bytes(100'000));
  EXPECT_FALSE(incompressible(text, 100'000));
  EXPECT_TRUE(incompressible(text, 99'000));
  EXPECT_TRUE(looks_incompressible(std::as_bytes(std::span(text))));
}

TEST(Incompressible, IsNotWhatHasRandomPartsOnly) {
  auto block = random_bytes(kBlockBytes);
  for (std::size_t i = 0; i < kBlockBytes; i += 64 * 1024) block.replace(i + 4096, 60 * 1024, 60 * 1024, 'x');
  EXPECT_FALSE(incompressible(block));
  auto with_text = random_bytes(kBlockBytes);
  with_text.replace(500'000, 100'000, repeated("Some text in the middle. ").substr(0, 100'000));
  EXPECT_FALSE(incompressible(with_text));
}

TEST(Incompressible, IsNothingThatIsSmall) {
  EXPECT_FALSE(incompressible(""));
  EXPECT_FALSE(incompressible(random_bytes(60'000)));
}

}  // namespace
}  // namespace autoarchive::tar_internal
