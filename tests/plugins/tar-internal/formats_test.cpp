#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <utility>

#include "acl_text.hpp"
#include "header_scanner.hpp"
#include "pax_records.hpp"
#include "sparse_map.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "tar_writer.hpp"

namespace autoarchive::tar_internal {
namespace {

TEST(PaxRecords, CountTheirOwnLength) {
  PaxRecords records;
  records.add("path", "x");
  EXPECT_EQ(records.text(), "9 path=x\n");
  for (std::size_t size = 0; size < 1100; ++size) {
    PaxRecords one;
    one.add("k", std::string(size, 'v'));
    std::string_view rest(one.text());
    std::string_view key;
    std::string_view value;
    ASSERT_TRUE(next_pax_record(rest, key, value)) << size;
    EXPECT_EQ(value.size(), size);
    EXPECT_TRUE(rest.empty());
  }
}

TEST(PaxRecords, RefuseWhatIsNoRecord) {
  for (const std::string text : {"", "5", "99 a=b\n", "0 a=b\n", "6 a=bx", "5 ab\n", "-6 a=b\n"}) {
    std::string_view rest(text);
    std::string_view key;
    std::string_view value;
    EXPECT_FALSE(next_pax_record(rest, key, value) && rest.empty()) << text;
  }
}

TEST(PaxTime, SurvivesNegativeAndFractionalSeconds) {
  for (const auto& time : {Timestamp{0, 0}, Timestamp{1'700'000'000, 1}, Timestamp{-1, 500'000'000},
                           Timestamp{-86'400, 0}, Timestamp{-1, 999'999'999}}) {
    PaxRecords records;
    records.add_time("mtime", time);
    const auto text = records.text().substr(records.text().find('=') + 1);
    EXPECT_EQ(parse_pax_time(text.substr(0, text.size() - 1)), time) << text;
  }
  PaxRecords quarter;
  quarter.add_time("mtime", {-1, 250'000'000});
  EXPECT_EQ(quarter.text(), "22 mtime=-0.750000000\n");
  for (const char* text : {"", "x", "1.x", "--1", "1 "}) EXPECT_FALSE(parse_pax_time(text)) << text;
}

TEST(AclText, SurvivesBothWays) {
  const auto nobody = [](const std::string& name) { return name == "alice" ? std::int64_t{1000} : std::int64_t{-1}; };
  const auto value =
      acl_from_text("user::rw-,user:alice:r--,group::r--,group:3000000000:r-x,mask::r-x,other::---", nobody, nobody);
  ASSERT_TRUE(value);
  EXPECT_EQ(acl_to_text(*value), "user::rw-,user:1000:r--,group::r--,group:3000000000:r-x,mask::r-x,other::---");
  EXPECT_TRUE(acl_from_text("u::rwx\ng::r-x # a comment\no:r--\nuser:bob:rw-:1001", nobody, nobody));
  // More of one kind than the kernel takes stay in their order.
  std::string masks;
  for (int i = 0; i < 40; ++i) masks += i % 3 == 0 ? "mask::r--\n" : "mask::-wx\n";
  const auto many = acl_from_text(masks, nobody, nobody);
  ASSERT_TRUE(many);
  EXPECT_EQ(acl_from_text(*acl_to_text(*many), nobody, nobody), many);
  for (const char* text : {"", "user", "user:nobody here:r--", "elephant::r--", "user::q"})
    EXPECT_FALSE(acl_from_text(text, nobody, nobody)) << text;
  for (const std::string& bytes : {std::string(), std::string("\2\0\0\0x", 5), std::string("\1\0\0\0", 4)})
    EXPECT_FALSE(acl_to_text(bytes));
}

TEST(TarHeader, SplitsLongNamesAtASlash) {
  const std::string prefix(150, 'p');
  const std::string name(90, 'n');
  const std::string path = prefix + "/" + name;
  UstarFields fields;
  EXPECT_TRUE(split_name(path, fields));
  EXPECT_EQ(std::string(fields.prefix) + "/" + std::string(fields.name), path);
  EXPECT_FALSE(split_name(std::string(101, 'x'), fields));
  EXPECT_FALSE(split_name(std::string(160, 'x') + "/" + name, fields));
}

TEST(TarHeader, ItsChecksumCountsEveryByteButItsOwnPlace) {
  std::array<std::byte, kBlockBytes> block{};
  UstarFields fields;
  const std::string high(kMaxName, '\xff');
  fields.name = fields.linkname = high;
  format_header(fields, block);
  EXPECT_EQ(block[kBlockBytes - 1], std::byte{0});
  ASSERT_TRUE(has_valid_checksum(block));
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (i >= 148 && i < 156) continue;
    const auto before = std::exchange(block[i], block[i] ^ std::byte{1});
    EXPECT_FALSE(has_valid_checksum(block)) << i;
    block[i] = before;
  }
}

TEST(TarHeader, ReadsNumbersOfAllKinds) {
  const auto parse = [](const std::string& field) { return parse_number(std::as_bytes(std::span(field))); };
  EXPECT_EQ(parse("0000644"), 0644U);
  EXPECT_EQ(parse("   644 "), 0644U);
  EXPECT_EQ(parse(std::string("\x80\0\0\0\0\0\1\0\0\0\0\0", 12)), 1ULL << 40U);
  EXPECT_EQ(parse(std::string("\xff\xff\xff\xff", 4)), 0U);
  EXPECT_EQ(parse("nonsense"), 0U);
}

std::string text_of(const SegmentBuffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.view().data()), buffer.size()};
}

TEST(TarWriter, PutsWhatDoesNotFitIntoRecordsThatOthersRead) {
  Entry entry;
  entry.kind = EntryKind::file;
  entry.path = std::string(300, 'p');
  entry.mode = 0644;
  entry.uid = 4'000'000'000U;
  entry.gid = 3'000'000;
  entry.user = std::string(40, 'u');
  entry.mtime = {-5, 250'000'000};
  SegmentBuffer buffer;
  TarWriter tar(buffer);
  tar.add_comment("autoarchive test");
  tar.add_header({entry, {}, 3, false, true});
  buffer.append(std::as_bytes(std::span("abc", 3)));
  tar.pad();
  append_end(buffer, buffer.size());
  const auto text = text_of(buffer);
  EXPECT_EQ(text.size() % 10'240, 0U);
  const test::TempDir directory;
  test::write_file(directory / "x.tar", text);
  const auto python = test::run_shell(
      "python3 -c \"import tarfile; m = tarfile.open(" + test::shell_quote(directory / "x.tar").replace(0, 1, "'") +
      ").getmembers()[0]; print(len(m.name), m.uid, m.gid, len(m.uname), m.mtime, m.size)\"");
  EXPECT_EQ(python.output, "300 4000000000 3000000 40 -4.75 3\n");
  HeaderScanner scanner;
  for (const char c : text) scanner.feed(std::as_bytes(std::span(&c, 1)));
  EXPECT_TRUE(scanner.ended());
  EXPECT_FALSE(scanner.trailing_at());
  EXPECT_EQ(scanner.comment(), "autoarchive test");
  ASSERT_EQ(scanner.members().size(), 1U);
  EXPECT_EQ(scanner.members()[0].path, entry.path);
}

TEST(SparseMap, LosesItsShortestHolesWhereItHasTooManyPieces) {
  SparseMap map;
  for (std::uint64_t i = 0; i < 100; ++i) map.pieces.push_back({i * (1U << 20U), i % 2 == 0 ? 4096U : 1'044'480U});
  map.pieces.push_back({1U << 30U, 0});  // it ends in a hole
  merge_pieces(map, 101);
  EXPECT_EQ(map.pieces.size(), 101U);
  merge_pieces(map, 60);
  EXPECT_EQ(map.pieces.size(), 52U);
  EXPECT_EQ(map.pieces.at(1).offset, 1U << 20U);
  EXPECT_EQ(map.pieces.at(1).length, (1U << 20U) + 4096U);
  EXPECT_EQ(map.pieces.back().offset, 1U << 30U);
  merge_pieces(map, 1);
  EXPECT_EQ(map.data_bytes(), 1U << 30U);
}

TEST(HeaderScanner, SurvivesAnyBytes) {
  std::uint32_t state = 3;
  SegmentBuffer buffer;
  TarWriter tar(buffer);
  Entry entry;
  entry.path = std::string(200, 'x');
  entry.kind = EntryKind::directory;
  for (int i = 0; i < 4; ++i) tar.add_header({entry, {}, 0, false, true});
  append_end(buffer, buffer.size());
  for (int round = 0; round < 500; ++round) {
    auto text = text_of(buffer);
    for (int i = 0; i < 3; ++i) {
      state = state * 1'664'525 + 1'013'904'223;
      text[state % text.size()] = static_cast<char>(state >> 24U);
    }
    HeaderScanner scanner;
    scanner.feed(std::as_bytes(std::span(text)));
    EXPECT_LE(scanner.members().size(), 10U);
  }
}

}  // namespace
}  // namespace autoarchive::tar_internal
