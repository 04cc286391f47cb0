#include "autoarchive/plugin/plugin_descriptor.hpp"

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

TEST(Descriptor, SaysNothingOfANewerFormatButThatItIsNewer) {
  EXPECT_EQ(codes("format=2\nidentity=whatever\nno equals\n"), "AA-P303 ");
  for (const std::string format : {"", "0", "-1", "one", "1x", "99999999999"}) {
    EXPECT_EQ(codes("format=" + format + kGood.substr(8)), "AA-P302 ") << format;
  }
}

TEST(Descriptor, RefusesIdsVersionsAndNamesOfDots) {
  const auto with = [](const std::string& id, const std::string& name, const std::string& version) {
    return codes("format=1\nid=" + id + "\nname=" + name + "\nprovider.zip.service=archiver\nversion=" + version +
                 "\n");
  };
  EXPECT_EQ(with("org.example.zip-2", "zip_2", "1.0.0-rc1"), "");
  for (const char* id : {".", "..", "org.", ".zip", "org..zip", "org.-zip"})
    EXPECT_EQ(with(id, "zip", "1.0"), "AA-P304 ") << id;
  for (const char* name : {".", "..", "-rf"}) EXPECT_EQ(with("org.zip", name, "1.0"), "AA-P304 ") << name;
  for (const char* version : {".", "1.", "1..0", "new"})
    EXPECT_EQ(with("org.zip", "zip", version), "AA-P304 ") << version;
}

TEST(Descriptor, RefusesAProviderWithoutAName) {
  for (const char* provider : {"provider.service", "provider..service", "provider.-.service"}) {
    EXPECT_EQ(codes(std::string("format=1\nid=org.zip\nname=zip\n") + provider + "=archiver\nversion=1\n"), "AA-P302 ")
        << provider;
  }
}

std::string with_lines(const std::string& lines) {
  return "format=1\nid=org.example.zip\nname=zip\n" + lines + "version=1.0\n";
}

TEST(Descriptor, SaysWhatAProviderCanDoAndNeeds) {
  const auto parsed = parse_descriptor(with_lines(
      "provider.a.b.features.tar.gz=One,Two\nprovider.a.b.needs=tar,gzip\nprovider.a.b.option.level.default=3\n"
      "provider.a.b.option.level.doc=How hard it tries\nprovider.a.b.option.level.range=1..9\n"
      "provider.a.b.option.level.type=integer\nprovider.a.b.service=archiver\nprovider.a.b.types=tar,tar.gz\n"));
  EXPECT_TRUE(parsed.faults.empty());
  const auto& provider = parsed.descriptor.providers.at(0);
  EXPECT_EQ(provider.id, "a.b");
  EXPECT_EQ(provider.features.at("tar.gz"), (std::vector<std::string>{"One", "Two"}));
  EXPECT_TRUE(provider.features.at("tar").empty());
  EXPECT_EQ(provider.needs, (std::vector<std::string>{"tar", "gzip"}));
  const auto& option = provider.options.at("level");
  EXPECT_EQ(option.doc + option.default_value, "How hard it tries3");
  EXPECT_EQ(fault_of_option(option, "9"), "");
  EXPECT_EQ(fault_of_option(option, "10"), "has to be an integer from 1 to 9, and is '10'");
}

TEST(Descriptor, RefusesFeaturesOfForeignTypesAndOptionsThatMakeNoSense) {
  for (const char* line : {"provider.a.features.zip=One\nprovider.a.service=archiver\nprovider.a.types=tar\n",
                           "provider.a.option.x=1\nprovider.a.service=archiver\n",
                           "provider.a.option.x.type=colour\nprovider.a.service=archiver\n",
                           "provider.a.option.x.range=9..1\nprovider.a.service=archiver\n",
                           "provider.a.option.x.range=9\nprovider.a.service=archiver\n"}) {
    EXPECT_EQ(codes(with_lines(line)), "AA-P302 ") << line;
  }
}

TEST(Descriptor, ChecksValuesOfEveryTypeAndNeverShowsASecret) {
  OptionDeclaration option;
  EXPECT_EQ(fault_of_option(option, "any\nthing"), "");
  option.type = OptionType::path;
  EXPECT_EQ(fault_of_option(option, "/usr/bin/tar"), "");
  EXPECT_EQ(fault_of_option(option, "tar"), "has to be an absolute path, and is 'tar'");
  option.type = OptionType::boolean;
  EXPECT_EQ(fault_of_option(option, "true"), "");
  EXPECT_NE(fault_of_option(option, "yes"), "");
  option.type = OptionType::integer;
  option.secret = true;
  EXPECT_EQ(fault_of_option(option, "4711x"), "has to be an integer, and is something else");
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
