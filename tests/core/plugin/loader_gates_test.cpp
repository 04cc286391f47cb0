// What is refused without running any of its code: one broken plugin a refusal.
#include <sys/stat.h>

#include "autoarchive/plugin/abi.h"
#include "loader_fixture.hpp"

namespace autoarchive {
namespace {

namespace fs = std::filesystem;
using test::LoaderTest;
using test::text_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LoaderGatesTest : public LoaderTest {};

TEST_F(LoaderGatesTest, RefusesALibraryThatIsNoPlugin) {
  EXPECT_THAT(codes("no_note"), ElementsAre("AA-P301"));
}

TEST_F(LoaderGatesTest, RefusesAMalformedNote) {
  EXPECT_THAT(codes("malformed_note"), ::testing::Contains("AA-P302"));
}

TEST_F(LoaderGatesTest, RefusesANewerFormat) {
  EXPECT_THAT(codes("newer_format"), ElementsAre("AA-P303"));
}

TEST_F(LoaderGatesTest, RefusesABadId) {
  EXPECT_THAT(codes("bad_id"), ElementsAre("AA-P304"));
}

TEST_F(LoaderGatesTest, RefusesAnotherEpoch) {
  EXPECT_THAT(codes("wrong_epoch"), ElementsAre("AA-P502"));
}

TEST_F(LoaderGatesTest, RefusesOtherHeadersUntilTheInterfacesHaveSettled) {
  if constexpr (AUTOARCHIVE_ABI_EPOCH == 0U) {
    EXPECT_THAT(codes("wrong_headers"), ElementsAre("AA-P503"));
  } else {
    put("wrong_headers");
    EXPECT_EQ(load().front().state, PluginState::loaded) << text_of(loader_.reports());
  }
}

TEST_F(LoaderGatesTest, RefusesADebugLibraryAndNamesFieldAndValues) {
  EXPECT_THAT(codes("debug_stl"), ElementsAre("AA-P506"));
  const auto& refusal = loader_.reports().front().refusals.front();
  EXPECT_EQ(refusal.field + " " + refusal.found + " " + refusal.allowed, "abi.debug_stl 1 0");
}

TEST_F(LoaderGatesTest, TellsAllFaultsOfTheFingerprintTogether) {
  EXPECT_THAT(codes("no_rtti_and_newer_library"), ElementsAre("AA-P507", "AA-P504"));
}

TEST_F(LoaderGatesTest, RefusesAnExecutableStack) {
  EXPECT_THAT(codes("executable_stack"), ElementsAre("AA-P204"));
}

TEST_F(LoaderGatesTest, RefusesARunPathThatDependsOnTheCurrentDirectory) {
  EXPECT_THAT(codes("run_path"), ElementsAre("AA-P205"));
  EXPECT_THAT(loader_.reports().front().refusals.front().text, HasSubstr("in 'lib', which depends"));
}

TEST_F(LoaderGatesTest, NamesTheLibraryThatIsMissing) {
  EXPECT_THAT(codes("missing_library"), ElementsAre("AA-P206"));
  EXPECT_THAT(loader_.reports().front().refusals.front().text, HasSubstr("libgone.so"));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(LoaderGatesTest, RefusesASanitizerThatTheHostHasNot) {
  EXPECT_THAT(codes("address_sanitizer"), ElementsAre("AA-P508"));
}
#endif

TEST_F(LoaderGatesTest, ReadsAllOfAPluginWithoutRunningAnyOfIt) {
  put("exiting_constructor");
  auto policy = here();
  policy.installed_directory = plugins_;  // here it would not even be tried
  loader_.discover(policy);
  const auto& report = loader_.reports().front();
  EXPECT_EQ(report.state, PluginState::accepted);
  EXPECT_EQ(report.descriptor.providers.front().features.count("fixture"), 1U);
}

TEST_F(LoaderGatesTest, RefusesFilesThatAreNoCompleteLibrary) {
  test::write_file(plugins_ / "1text.so", "not a library");
  put("good", "2truncated");
  fs::resize_file(plugins_ / "2truncated.so", 5000);
  fs::create_directory(plugins_ / "3directory.so");
  fs::create_symlink("/nowhere", plugins_ / "4broken.so");
  std::vector<std::string> found;
  for (const auto& report : load()) found.push_back(report.refusals.empty() ? "loaded" : report.refusals.front().code);
  EXPECT_THAT(found, ElementsAre("AA-P201", "AA-P203", "AA-P101", "AA-P101"));
}

TEST_F(LoaderGatesTest, RefusesWhatOthersCouldHaveWritten) {
  put("good", "1world");
  ::chmod((plugins_ / "1world.so").c_str(), 0757);
  const auto elsewhere = directory_.make("elsewhere");
  fs::copy_file(fs::path(AA_FIXTURE_DIR) / "good.so", elsewhere / "good.so");
  fs::create_symlink(elsewhere / "good.so", plugins_ / "2link.so");
  const auto& reports = load();
  EXPECT_EQ(reports[0].refusals.front().code, "AA-P103");
  EXPECT_THAT(reports[0].refusals.front().remedy, HasSubstr("chmod go-w"));
  EXPECT_EQ(reports[1].refusals.front().code, "AA-P104");
}

TEST_F(LoaderGatesTest, NamesTheDirectoryThatOthersCanWriteTo) {
  put("good");
  ::chmod(plugins_.c_str(), 0777);
  EXPECT_THAT(load().front().refusals.front().text,
              HasSubstr(plugins_.native() + "' can be written by others (mode 0777)"));
}

}  // namespace
}  // namespace autoarchive
