#include "autoarchive/archiver/backup_name.hpp"

#include <gtest/gtest.h>

#include "autoarchive/base/error.hpp"

namespace autoarchive {
namespace {

using namespace backup_type;

// contract 3
TEST(BackupName, IsTheTableOfTheContract) {
  EXPECT_EQ((BackupName{"docs", kTarGz, {}, ""}.file_name()), "docs.tar.gz");
  EXPECT_EQ((BackupName{"docs", kTarGz, 0, ""}.file_name()), "docs.tar.gz");
  EXPECT_EQ((BackupName{"docs", kTarGz, 2, ""}.file_name()), "docs.2.tar.gz");
  EXPECT_EQ((BackupName{"docs", kTarXz, {}, "aa"}.file_name()), "docs.aa.tar.xz");
  EXPECT_EQ((BackupName{"docs", kTarXz, 0, "aa"}.file_name()), "docs.aa.tar.xz");
  EXPECT_EQ((BackupName{"docs", kTar, 3, "ab"}.file_name()), "docs.3.ab.tar");
  EXPECT_EQ((BackupName{"docs", kTarGz, {}, ""}.path(".")), "./docs.tar.gz");
  EXPECT_EQ((BackupName{"docs", kTarGz, {}, ""}.path("")), "docs.tar.gz");
}

TEST(BackupName, IsReadBackForExactlyItsArchive) {
  for (const std::string archive : {"docs", "my.docs", "a.b", "x-1"}) {
    for (const int level : {0, 2, 17}) {
      for (const std::string keep : {"", "aa", "zz"}) {
        const BackupName name{archive, kTarGz, level, keep};
        EXPECT_EQ(parse_backup_name(name.file_name(), archive, kWellKnown), name);
      }
    }
  }
}

// contract 6.6: an id never sees the files of another one.
TEST(BackupName, IsNotThatOfANeighbour) {
  EXPECT_FALSE(parse_backup_name("a.b.tar.gz", "a", kWellKnown));
  EXPECT_FALSE(parse_backup_name("ab.tar.gz", "a", kWellKnown));
  EXPECT_FALSE(parse_backup_name("a.tar.gz", "a.b", kWellKnown));
  for (const char* name : {"a.tar.gz.sha256", "a.0.tar", "a.aaa.tar", "a.2.2.tar", "a.tar.gz._partial", "a", "a.",
                           "a.AA.tar", "a.-1.tar"}) {
    EXPECT_FALSE(parse_backup_name(name, "a", kWellKnown)) << name;
  }
}

TEST(ArchiveName, RefusesWhatCouldLeaveTheDestinationOrReadAsSomethingElse) {
  for (const std::string name : {"", "a/b", "..", ".a", "-a", "a b", "a*", "a.2", "a.aa", "a.held", "ä"})
    EXPECT_THROW(check_archive_name(name), Error) << name;
  EXPECT_THROW(check_archive_name(std::string(201, 'a')), Error);
  for (const std::string name : {"a", "my.docs", "A_b-c.d1", "a.b.c", "a.aaa"})
    EXPECT_NO_THROW(check_archive_name(name)) << name;
}

TEST(KeepingId, IsAnythingButEmptyOrAPath) {
  EXPECT_THROW(check_keeping_id(""), Error);
  EXPECT_THROW(check_keeping_id("../x"), Error);
  EXPECT_NO_THROW(check_keeping_id("before the move"));
  for (const int number : {0, 1, 25, 26, 675}) EXPECT_EQ(generation_of(keeping_id_of(number)), number);
  EXPECT_EQ(keeping_id_of(26), "ba");
  EXPECT_FALSE(generation_of("a") || generation_of("aaa") || generation_of("A1"));
}

}  // namespace
}  // namespace autoarchive
