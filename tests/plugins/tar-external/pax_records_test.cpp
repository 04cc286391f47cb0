#include "pax_records.hpp"

#include <gtest/gtest.h>

#include "autoarchive/base/error.hpp"

namespace autoarchive::tar_external {
namespace {

using namespace std::string_view_literals;

TEST(PaxRecords, AreFoundByTheirLastValue) {
  constexpr auto kRecords = "12 path=a=b\n17 GNU.dumpdir=\0\n10 path=c\n"sv;
  EXPECT_EQ(pax_value(kRecords, "path"), "c");
  EXPECT_EQ(pax_value(kRecords, "GNU.dumpdir"), "\0"sv);
  EXPECT_EQ(pax_value(kRecords, "pat"), std::nullopt);
  EXPECT_EQ(pax_value("", "path"), std::nullopt);
}

TEST(PaxRecords, AreReplacedAndRemoved) {
  constexpr auto kRecords = "10 path=a\n13 mtime=1.5\n10 path=b\n"sv;
  EXPECT_EQ(replace_pax_record(kRecords, "path", "new\n"), "13 mtime=1.5\n13 path=new\n\n");
  EXPECT_EQ(replace_pax_record(kRecords, "path", std::nullopt), "13 mtime=1.5\n");
  EXPECT_EQ(replace_pax_record("", "k", ""), "5 k=\n");
}

// The length counts its own digits, also where those make it one longer.
TEST(PaxRecords, HaveLengthsThatCountThemselves) {
  for (std::size_t size = 0; size < 1200; ++size) {
    const auto record = replace_pax_record("", "k", std::string(size, 'v'));
    EXPECT_EQ(std::stoul(record), record.size());
    EXPECT_EQ(pax_value(record, "k").value().size(), size);
  }
}

TEST(PaxRecords, RefuseWhatIsMalformed) {
  for (const auto text : {"x"sv, "12"sv, "8 path=a\n"sv, "11 path=a\n"sv, "10 path=a "sv, "0 \n"sv, "3 \n"sv,
                          "7 patha\n"sv, "99999999999999999999 a=b\n"sv, "-5 a=b\n"sv}) {
    EXPECT_THROW(static_cast<void>(pax_value(text, "path")), Error) << text;
    EXPECT_THROW(static_cast<void>(replace_pax_record(text, "path", "b")), Error) << text;
  }
}

}  // namespace
}  // namespace autoarchive::tar_external
