#include "output/completion.hpp"

#include "application_fixture.hpp"
#include "output/manual_page.hpp"

namespace autoarchive::host {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> complete(std::vector<std::string> words) {
  words.insert(words.begin(), "aa");
  return completions(describe_command_line(), words, {"home", "host", "www"});
}

TEST(Completion, OffersCommandsAndTheirActions) {
  EXPECT_THAT(complete({"ver"}), ElementsAre("versions", "verify", "version"));
  EXPECT_THAT(complete({"--json", "config", "sh"}), ElementsAre("show"));
  EXPECT_THAT(complete({""}), Not(Contains("complete")));  // it is not for people
}

TEST(Completion, OffersArchivesWhereOneBelongs) {
  EXPECT_THAT(complete({"create", "ho"}), ElementsAre("home", "host"));
  EXPECT_THAT(complete({"create", "home", "w"}), ElementsAre("www"));
  EXPECT_THAT(complete({"restore", "--to", "/somewhere", ""}), ElementsAre("home", "host", "www"));
  EXPECT_THAT(complete({"restore", "home", "w"}), IsEmpty());  // a path in the backup
  EXPECT_THAT(complete({"explain", "home", "w"}), IsEmpty());  // takes one
  EXPECT_THAT(complete({"config", "show", "w"}), ElementsAre("www"));
}

TEST(Completion, OffersOptionsAndWhatTheyTake) {
  EXPECT_THAT(complete({"create", "--fu"}), ElementsAre("--full"));
  EXPECT_THAT(complete({"create", "--js"}), ElementsAre("--json"));  // a global one
  EXPECT_THAT(complete({"list", "--progress", ""}), ElementsAre("auto", "bar", "plain", "none"));
  EXPECT_THAT(complete({"completion", "z"}), ElementsAre("zsh"));
  EXPECT_THAT(complete({"create", "--root", "ho"}), IsEmpty());  // a directory
}

TEST(Completion, OffersWhatAnOptionTakesBehindItsEqualsSign) {
  EXPECT_THAT(complete({"create", "--type=tar.x"}), ElementsAre("--type=tar.xz"));
  EXPECT_THAT(complete({"create", "--type", "tar.x"}), ElementsAre("tar.xz"));
  EXPECT_THAT(complete({"create", "--provider=tar-i"}), ElementsAre("--provider=tar-internal"));
  EXPECT_THAT(complete({"list", "--progress="}), Contains("--progress=bar"));
  EXPECT_THAT(complete({"create", "--config=/x"}), IsEmpty());  // a file
  EXPECT_THAT(complete({"create", "--full="}), IsEmpty());
  EXPECT_THAT(complete({"create", "--type=tar", "ho"}), ElementsAre("home", "host"));
}

class CompletionTest : public ApplicationTest {};

TEST_F(CompletionTest, ReadsTheConfigurationThatTheWordsName) {
  configure("version: 1\narchives: {one: {root: /r, destination: /d}}\n");
  test::write_file(directory_ / "other.yaml", "version: 1\narchives: {two: {root: /r, destination: /d}}\n");
  EXPECT_EQ(run({"complete", "--", "aa", "list", ""}), 0) << err_;
  EXPECT_EQ(out_, "one\n");
  EXPECT_EQ(run({"complete", "--", "aa", "-c", directory_ / "other.yaml", "list", ""}), 0) << err_;
  EXPECT_EQ(out_, "two\n");
  test::write_file(directory_ / "other.yaml", "nonsense: [");
  EXPECT_EQ(run({"complete", "--", "aa", "--config=" + (directory_ / "other.yaml").native(), "list", ""}), 0);
  EXPECT_EQ(out_ + err_, "");
}

TEST(Manual, HasEveryCommandOptionAndProblem) {
  const auto page = program_manual(describe_command_line());
  for (const auto& verb : describe_command_line().verbs) {
    EXPECT_THAT(page, HasSubstr("\\fBaa " + verb.name)) << verb.name;
    for (const auto& option : verb.options) {
      if (option.names.front() == "--help") continue;
      EXPECT_THAT(page, HasSubstr(roff(option.names.front())));
    }
  }
  EXPECT_THAT(page, HasSubstr("\n.B file.changed\n"));
  EXPECT_THAT(page, HasSubstr("\n.B AA_PROGRESS\nas \\-\\-progress\n"));
}

TEST(Manual, HasEveryKeyOfTheConfiguration) {
  EXPECT_THAT(configuration_manual(), HasSubstr(".TP\n\\fBguard.shrink_limit\\fR"));
  EXPECT_THAT(configuration_manual(), HasSubstr(".TP\n\\fBplugins.directories\\fR"));
}

TEST(Manual, LeavesNothingToTroffThatIsMeantForPeople) {
  EXPECT_EQ(roff(".so /etc/passwd"), "\\&.so /etc/passwd");
  EXPECT_EQ(roff("'a \\n -b …"), "\\&'a \\en \\-b ...");
  EXPECT_EQ(roff_of_markdown("# T\n\n## Keys of `a`\n\n| key | value |\n| --- | --- |\n| `b-c` | d |\n"),
            ".SH KEYS OF A\n.TP\n\\fBb\\-c\\fR\nd\n");
}

}  // namespace
}  // namespace autoarchive::host
