#include "member_table.hpp"

#include <gtest/gtest.h>

#include "support/temp_dir.hpp"

namespace autoarchive::tar_external {
namespace {

StreamMember member(std::string path, std::uint64_t offset, std::optional<std::uint64_t> digest = {},
                    std::string link_path = {}) {
  return {std::move(path), std::move(link_path), offset, digest};
}

TEST(MemberTable, FindsWhatWasAddedInAnyOrder) {
  const test::TempDir directory;
  MemberTable table(directory.path());
  for (int i = 999; i >= 0; --i)
    table.add_member(member("d/" + std::to_string(i), static_cast<std::uint64_t>(i) * 512, i));
  table.add_member(member("d", 7));
  table.seal();
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto found = table.find("d/" + std::to_string(i));
    EXPECT_TRUE(found.is_stored);
    EXPECT_EQ(found.offset, i * 512);
    EXPECT_EQ(found.digest, i);
    EXPECT_EQ(found.problem, EntryState::ok);
  }
  EXPECT_EQ(table.find("d").digest, std::nullopt);
  EXPECT_FALSE(table.find("d/1000").is_stored);
  EXPECT_FALSE(table.find("").is_stored);
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));  // the file has no name
}

TEST(MemberTable, GivesALinkTheContentOfItsTarget) {
  const test::TempDir directory;
  MemberTable table(directory.path());
  table.add_member(member("first", 512, 42));
  table.add_member(member("second", 2048, {}, "first"));
  table.add_member(member("alone", 3072, 42));
  table.add_member(member("to nowhere", 4096, {}, "missing"));
  table.add_member(member("itself", 4096, {}, "itself"));
  table.add_problem("first", EntryState::changed);
  table.seal();
  const auto found = table.find("second");
  EXPECT_TRUE(found.is_stored);
  EXPECT_EQ(found.offset, 512U);
  EXPECT_EQ(found.digest, 42U);
  EXPECT_EQ(found.problem, EntryState::changed);
  EXPECT_TRUE(found.has_names);
  EXPECT_TRUE(table.find("first").has_names);
  EXPECT_FALSE(table.find("alone").has_names);
  EXPECT_FALSE(table.find("to nowhere").is_stored);
  EXPECT_FALSE(table.find("itself").is_stored);
}

TEST(MemberTable, KnowsTheWorstOfSeveralProblems) {
  const test::TempDir directory;
  MemberTable table(directory.path());
  table.add_problem("a", EntryState::failed);
  table.add_problem("a", EntryState::changed);
  table.seal();
  EXPECT_EQ(table.find("a").problem, EntryState::failed);
  EXPECT_FALSE(table.find("a").is_stored);
}

TEST(MemberTable, MayBeEmpty) {
  const test::TempDir directory;
  MemberTable table(directory.path());
  table.seal();
  EXPECT_FALSE(table.find("a").is_stored);
}

}  // namespace
}  // namespace autoarchive::tar_external
