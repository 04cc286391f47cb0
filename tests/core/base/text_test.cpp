#include "autoarchive/base/text.hpp"

#include <gtest/gtest.h>

#include <set>

namespace autoarchive {
namespace {

TEST(Quote, MakesNamesSafeOnATerminal) {
  EXPECT_EQ(quote("plain"), "'plain'");
  EXPECT_EQ(quote("a\nb\x1b[31m"), "'a\\nb\\x1b[31m'");
  EXPECT_EQ(quote("it's \\"), "'it\\'s \\\\'");
  EXPECT_EQ(quote("\xff"), "'\\xff'");
  EXPECT_EQ(quote("größe"), "'größe'");
  EXPECT_EQ(quote("\xe2\x80\xae"
                  "txt\xe2\x80\xac"),
            "'\\xe2\\x80\\xaetxt\\xe2\\x80\\xac'");  // right-to-left override, and its end
}

TEST(Utf8, IsToldFromOtherBytes) {
  EXPECT_TRUE(is_utf8("aä€😀"));
  for (const char* text : {"\x80", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82"})
    EXPECT_FALSE(is_utf8(text));
}

TEST(Base64, SurvivesEveryLength) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    bytes += static_cast<char>(i * 7);
  }
  EXPECT_EQ(to_base64("ab"), "YWI=");
  for (const char* text : {"YWI", "YW=I", "Y===", "YWI!"}) EXPECT_FALSE(from_base64(text)) << text;
}

TEST(Nearest, FindsTypingErrorsAndNothingElse) {
  const std::vector<std::string> known{"exclude", "include", "type"};
  EXPECT_EQ(nearest("exlcude", known), "exclude");
  EXPECT_EQ(nearest("typ", known), "type");
  EXPECT_EQ(nearest("quantum", known), "");
}

TEST(Id, HasNothingThatWouldBreakALineOfARecord) {
  EXPECT_TRUE(is_id(make_uuid()));
  EXPECT_TRUE(is_id("aZ09-"));
  EXPECT_TRUE(is_id(std::string(64, 'a')));
  for (const char* text : {"", "a b", "a\nb", "a/b", "a.b", "a_b", "\xc3\xa4"}) EXPECT_FALSE(is_id(text)) << text;
  EXPECT_FALSE(is_id(std::string(65, 'a')));
}

TEST(Uuid, IsRandomAndOfVersion4) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto uuid = make_uuid();
    EXPECT_EQ(uuid.size(), 36U);
    EXPECT_EQ(uuid[14], '4');
    seen.insert(uuid);
  }
  EXPECT_EQ(seen.size(), 100U);
}

}  // namespace
}  // namespace autoarchive
