#include "storage/journal.hpp"

#include <gtest/gtest.h>

#include "support/temp_dir.hpp"

namespace autoarchive {
namespace {

Journal sample() {
  Journal journal;
  journal.steps.push_back({JournalStep::Action::move, "home.tar.gz", "home.aa.tar.gz", {12, 34, "ab"}, {}});
  journal.steps.push_back(
      {JournalStep::Action::publish, "home.tar.gz._partial", "home.tar.gz", {1, 2, "cd"}, FileIdentity{3, 4, "ef"}});
  journal.steps.push_back({JournalStep::Action::state, "/s p%a\nce._partial", "/s p%a\nce", {5, 6, "00"}, {}});
  journal.steps.push_back({JournalStep::Action::unstate, "/gone", "", {}, {}});
  return journal;
}

TEST(Journal, SurvivesItsOwnText) {
  const auto text = sample().text();
  const auto parsed = Journal::parse(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->text(), text);
  EXPECT_EQ(parsed->steps[2].to, "/s p%a\nce");
}

TEST(Journal, IsNotTakenWhenAnyByteIsWrongOrMissing) {
  const auto text = sample().text();
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_FALSE(Journal::parse(text.substr(0, length))) << length;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto flipped = text;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_FALSE(Journal::parse(flipped)) << i;
  }
}

TEST(Journal, OverwritesNothingForeign) {
  const test::TempDir directory;
  test::write_file(directory / "new", "new");
  test::write_file(directory / "old", "old");
  const Directory place(directory.path(), ErrorCause::destination);
  Journal journal;
  journal.steps.push_back(
      {JournalStep::Action::publish, "new", "target", *place.identify("new"), place.identify("old")});
  test::write_file(directory / "target", "somebody else's");
  EXPECT_THROW(journal.run(place, false), Error);
  EXPECT_EQ(test::read_file(directory / "target"), "somebody else's");
  std::filesystem::rename(directory / "old", directory / "target");
  EXPECT_TRUE(journal.run(place, false).empty());
  EXPECT_TRUE(journal.run(place, false).empty());  // done is done
  EXPECT_EQ(test::read_file(directory / "target"), "new");
}

// Whoever can write into a destination can write a journal there.
TEST(Journal, NamesNothingOutsideOfTheDestinationAndTheState) {
  for (const char* name : {"../up", "/etc/passwd", "a/b", "..", "."}) {
    for (const auto action : {JournalStep::Action::retire, JournalStep::Action::move, JournalStep::Action::keep,
                              JournalStep::Action::publish}) {
      EXPECT_FALSE(Journal::parse(Journal{{{action, name, "to", {}, {}}}}.text())) << name;
      EXPECT_FALSE(Journal::parse(Journal{{{action, "from", name, {}, {}}}}.text())) << name;
    }
  }
  const test::TempDir directory;
  const auto state = directory.make("state");
  const auto elsewhere = directory.make("elsewhere");
  test::write_file(elsewhere / "file", "stays");
  test::write_file(state / "file", "goes");
  const Directory place(directory.path(), ErrorCause::destination);
  Journal journal;
  journal.steps.push_back({JournalStep::Action::unstate, elsewhere / "file", "", {}, {}});
  journal.steps.push_back({JournalStep::Action::unstate, state / "../elsewhere/file", "", {}, {}});
  journal.steps.push_back({JournalStep::Action::state, elsewhere / "from", elsewhere / "file", {}, {}});
  journal.steps.push_back({JournalStep::Action::unstate, state / "file", "", {}, {}});
  EXPECT_EQ(journal.run(place, false, state).size(), 3U);
  EXPECT_EQ(test::read_file(elsewhere / "file"), "stays");
  EXPECT_FALSE(std::filesystem::exists(state / "file"));
}

}  // namespace
}  // namespace autoarchive
