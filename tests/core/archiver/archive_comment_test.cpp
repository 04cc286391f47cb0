#include "autoarchive/archiver/archive_comment.hpp"

#include <gtest/gtest.h>

namespace autoarchive {
namespace {

TEST(ArchiveComment, ComesBackAsItWasWritten) {
  for (const ArchiveIdentity& identity : {ArchiveIdentity{"home", 0, "b", "b", ""}, {"a.b", 12, "b", "c", "p"}}) {
    EXPECT_EQ(parse_comment(to_comment(identity)), identity) << to_comment(identity);
  }
}

TEST(ArchiveComment, OfOthersIsNone) {
  for (const char* text :
       {"", "autoarchive", "a comment", "autoarchive archive=x level=0 backup=b",
        "autoarchive archive=x level=-1 backup=b chain=c", "autoarchive archive=x level=1x backup=b chain=c",
        "xautoarchive archive=x level=0 backup=b chain=c"}) {
    EXPECT_FALSE(parse_comment(text)) << text;
  }
  EXPECT_TRUE(parse_comment("autoarchive archive=x level=0 backup=b chain=c later=word word"));
}

}  // namespace
}  // namespace autoarchive
