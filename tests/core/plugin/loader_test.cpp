// What is loaded, and what is found out only then.
#include "autoarchive/plugin/loader.hpp"

#include <gmock/gmock.h>

#include <map>

#include "loader_fixture.hpp"

namespace autoarchive {
namespace {

using test::LoaderTest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST_F(LoaderTest, LoadsAGoodPluginAndTakesItBack) {
  put("good");
  const auto& report = load().front();
  EXPECT_EQ(report.state, PluginState::loaded) << report.refusals.front().text;
  EXPECT_EQ(report.id(), "org.example.good");
  EXPECT_EQ(report.descriptor.providers.front().id, "fixture");
  EXPECT_THAT(accessor_.providers_identifications(ArchiverServiceIdentification()), SizeIs(1));
  loader_.destroy_services();
  EXPECT_FALSE(accessor_.is_registered(ArchiverServiceIdentification()));
}

TEST_F(LoaderTest, RefusesANoteWithoutADoor) {
  EXPECT_THAT(codes("no_entry"), ElementsAre("AA-P602"));
}

TEST_F(LoaderTest, RefusesANoteThatLiesAboutTheCode) {
  EXPECT_THAT(codes("lying_note"), ElementsAre("AA-P603"));
}

// What can't be caught after the fact happens in a child process.
TEST_F(LoaderTest, SurvivesAConstructorThatThrows) {
  EXPECT_THAT(codes("throwing_constructor"), ElementsAre("AA-P601"));
  EXPECT_THAT(loader_.reports().front().refusals.front().text, HasSubstr("ended the process by signal 6"));
}

TEST_F(LoaderTest, SurvivesAConstructorThatEndsTheProcess) {
  EXPECT_THAT(codes("exiting_constructor"), ElementsAre("AA-P601"));
  EXPECT_THAT(loader_.reports().front().refusals.front().text, HasSubstr("with status 23"));
}

TEST_F(LoaderTest, LoadsOnlyWhatIsAskedFor) {
  put("good");
  put("throws");
  auto policy = here();
  policy.denied = {"org.example.throws"};
  loader_.discover(policy);
  loader_.load_providers({"archiver", "tar", ""});
  EXPECT_EQ(loader_.reports()[0].state, PluginState::accepted);
  loader_.load_providers({"archiver", "fixture", "another"});
  EXPECT_EQ(loader_.reports()[0].state, PluginState::accepted);
  loader_.load_providers({"archiver", "fixture", ""});
  EXPECT_EQ(loader_.reports()[0].state, PluginState::loaded);
  EXPECT_EQ(loader_.reports()[1].state, PluginState::refused);
}

TEST_F(LoaderTest, RefusesAProviderThatIsDeclaredAndNotRegistered) {
  EXPECT_THAT(codes("not_registered"), ElementsAre("AA-P605"));
}

TEST_F(LoaderTest, RefusesAProviderThatIsRegisteredAndNotDeclared) {
  EXPECT_THAT(codes("not_declared"), ElementsAre("AA-P605", "AA-P605"));
}

TEST_F(LoaderTest, RefusesAMissingSymbolAtOnceAndNotAtItsFirstCall) {
  EXPECT_THAT(codes("undefined_symbol"), ElementsAre("AA-P601"));
  EXPECT_THAT(loader_.reports().front().refusals.front().text, HasSubstr("no_library_has_this"));
}

TEST_F(LoaderTest, ContainsAThrowingComponent) {
  EXPECT_THAT(codes("throws"), ElementsAre("AA-P604"));
  EXPECT_THAT(loader_.reports().front().refusals.front().text, HasSubstr("no licence found\\n"));
}

TEST_F(LoaderTest, OneBadPluginDoesNotStopTheOthers) {
  for (const char* fixture : {"bad_id", "good", "throws", "undefined_symbol"}) put(fixture);
  std::vector<PluginState> states;
  for (const auto& report : load()) states.push_back(report.state);
  EXPECT_THAT(states,
              ElementsAre(PluginState::refused, PluginState::loaded, PluginState::refused, PluginState::refused));
}

TEST_F(LoaderTest, RefusesASecondProviderOfTheSameName) {
  put("good");
  put("same_provider");
  const auto& reports = load();
  EXPECT_EQ(reports[1].refusals.front().code, "AA-P606");
}

// contract 1.3 and 2
TEST_F(LoaderTest, BringsInTheTwoProvidersThatShip) {
  load(policy_for({{AA_PLUGIN_DIR, ""}}));
  const ArchiverServiceIdentification service;
  std::map<std::string, std::size_t> types;
  for (const auto& id : accessor_.providers_identifications(service)) {
    const auto& archiver = dynamic_cast<const IArchiverProviderIdentification&>(*id);
    types[std::string(id->provider_id())] = archiver.supported_backup_types().size();
    const auto all = archiver.supported_features({});
    for (const auto& type : archiver.supported_backup_types()) {
      for (const auto& feature : archiver.supported_features(type)) EXPECT_TRUE(all.contains(feature));
    }
  }
  EXPECT_EQ(types, (std::map<std::string, std::size_t>{{"tar-external", 5}, {"tar-internal", 5}}));
}

}  // namespace
}  // namespace autoarchive
