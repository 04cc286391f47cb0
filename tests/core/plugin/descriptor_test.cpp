#include "autoarchive/plugin/descriptor.hpp"

#include <gtest/gtest.h>

namespace autoarchive {
namespace {

const std::string kGood = "format=1\nid=org.example.zip\nname=zip\nprovider.zip.service=archiver\nversion=1.0\n";

std::string codes(const std::string& text) {
  std::string all;
  for (const auto& fault : parse_descriptor(text).faults) all += fault.code + " ";
  return all;
}

TEST(Descriptor, IsReadIntoIdVersionNameAndProviders) {
  const auto parsed = parse_descriptor(kGood);
  EXPECT_TRUE(parsed.faults.empty());
  EXPECT_EQ(parsed.descriptor.id, "org.example.zip");
  ASSERT_EQ(parsed.descriptor.providers.size(), 1U);
  EXPECT_EQ(parsed.descriptor.providers[0].id + "/" + parsed.descriptor.providers[0].service, "zip/archiver");
}

TEST(Descriptor, TellsAllItsFaultsTogether) {
  EXPECT_EQ(codes("format=1\nid=zip\nname=\nprovider.zip.service=archiver\nversion=x y\n"), "AA-P304 AA-P304 AA-P304 ");
  EXPECT_EQ(codes("format=2\n" + kGood.substr(9)), "AA-P303 ");
}

TEST(Descriptor, RefusesWhatIsNotSortedPlainLines) {
  for (const std::string& text : {kGood + "a=1\n", kGood + "z", kGood + "z=\x01\n", kGood + "no equals\n",
                                  "x=1\nx=1\n" + kGood, std::string(17'000, 'a')}) {
    EXPECT_NE(codes(text).find("AA-P302"), std::string::npos) << text.substr(0, 100);
  }
}

TEST(Descriptor, SurvivesAnyBytes) {
  std::uint32_t state = 7;
  for (int round = 0; round < 2000; ++round) {
    auto text = kGood;
    for (int i = 0; i < 4; ++i) {
      state = state * 1'664'525 + 1'013'904'223;
      text[state % text.size()] = static_cast<char>(state >> 24U);
    }
    static_cast<void>(parse_descriptor(text));
  }
}

}  // namespace
}  // namespace autoarchive
