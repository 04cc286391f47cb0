#include "autoarchive/archiver/archive_comment.hpp"

#include <gtest/gtest.h>

namespace autoarchive {
namespace {

TEST(ArchiveComment, ComesBackAsItWasWritten) {
  const SystemTime time{std::chrono::seconds(1'764'000'000) + std::chrono::nanoseconds(120)};
  for (const ArchiveIdentity& identity : {ArchiveIdentity{"home", 0, "b", "b", ""},
                                          {"a.b", 12, "b", "c", "p"},
                                          {"home", 1, "b", "c", "p", "tar-external", time, "/srv/a, b=c%/\xff\n"}}) {
    EXPECT_EQ(to_comment(identity).find_first_of(",\n\xff"), std::string::npos);
    EXPECT_EQ(parse_comment(to_comment(identity)), identity) << to_comment(identity);
  }
}

TEST(ArchiveComment, OfOthersIsNone) {
  for (const char* text :
       {"", "autoarchive", "a comment", "autoarchive archive=x level=0 backup=b",
        "autoarchive archive=x level=-1 backup=b chain=c", "autoarchive archive=x level=1x backup=b chain=c",
        "xautoarchive archive=x level=0 backup=b chain=c", "autoarchive archive=x level=0 backup=b chain=c root=/%4",
        "autoarchive archive=x level=0 backup=b chain=c root=/%zz",
        "autoarchive archive=x level=0 backup=b chain=c started=yesterday"}) {
    EXPECT_FALSE(parse_comment(text)) << text;
  }
  EXPECT_TRUE(parse_comment("autoarchive archive=x level=999999 backup=b chain=c"));
  EXPECT_FALSE(parse_comment("autoarchive archive=x level=1000000 backup=b chain=c"));
  EXPECT_TRUE(parse_comment("autoarchive archive=x level=0 backup=b chain=c later=word word"));
}

TEST(ArchiveComment, HasNoIdThatWouldBreakALineOfARecord) {
  for (const char* id : {"a\tb", "a\nb", "", "../x"}) {
    EXPECT_FALSE(parse_comment(std::string("autoarchive archive=home level=0 backup=") + id + " chain=c")) << id;
    EXPECT_FALSE(parse_comment(std::string("autoarchive archive=home level=0 backup=b chain=") + id)) << id;
  }
  EXPECT_TRUE(parse_comment("autoarchive archive=home level=0 backup=b chain=c"));
}

}  // namespace
}  // namespace autoarchive
