// One broken plugin a refusal: real shared libraries, built beside this test.
#include "autoarchive/plugin/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <iostream>
#include <map>
#include <span>
#include <thread>

#include "autoarchive/archiver/archiver_identification.hpp"
#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/plugin/abi.h"
#include "plugin/gate.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// The codes and texts of all that is not loaded, a line each.
std::string text_of(const std::vector<PluginReport>& reports) {
  std::string text;
  for (const auto& report : reports) {
    for (const auto& refusal : report.refusals) {
      EXPECT_NE(refusal.remedy, "");
      text += refusal.code + " " + refusal.text + "\n";
    }
  }
  return text;
}

class LoaderTest : public ::testing::Test {
 protected:
  void put(const std::string& fixture, const std::string& name = "") const {
    fs::copy_file(fs::path(AA_FIXTURE_DIR) / (fixture + ".so"), plugins_ / ((name.empty() ? fixture : name) + ".so"));
  }
  const std::vector<PluginReport>& load(PluginPolicy policy = {}) {
    if (policy.directories.empty()) policy.directories = {{plugins_, ""}};
    loader_.load(policy);
    return loader_.reports();
  }
  /// The codes with which the only plugin is refused; nothing is registered then.
  std::vector<std::string> codes(const std::string& fixture) {
    put(fixture);
    std::vector<std::string> found;
    for (const auto& refusal : load().front().refusals) {
      found.push_back(refusal.code);
      EXPECT_NE(refusal.text, "");
      EXPECT_NE(refusal.remedy, "");
    }
    EXPECT_EQ(loader_.reports().front().state, PluginState::refused);
    EXPECT_FALSE(accessor_.is_registered(ArchiverServiceIdentification()));
    return found;
  }

  test::TempDir directory_;
  fs::path plugins_ = directory_.make("plugins");
  ApplicationContext context_{{"test", {}, {}}, nullptr, nullptr};
  ServiceAccessor accessor_;
  PluginLoader loader_{context_, accessor_};
};

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

TEST_F(LoaderTest, RefusesALibraryThatIsNoPlugin) {
  EXPECT_THAT(codes("no_note"), ElementsAre("AA-P301"));
}
TEST_F(LoaderTest, RefusesAMalformedNote) {
  EXPECT_THAT(codes("malformed_note"), ::testing::Contains("AA-P302"));
}
TEST_F(LoaderTest, RefusesANewerFormat) {
  EXPECT_THAT(codes("newer_format"), ElementsAre("AA-P303"));
}
TEST_F(LoaderTest, RefusesABadId) {
  EXPECT_THAT(codes("bad_id"), ElementsAre("AA-P304"));
}
TEST_F(LoaderTest, RefusesAnotherEpoch) {
  EXPECT_THAT(codes("wrong_epoch"), ElementsAre("AA-P502"));
}
TEST_F(LoaderTest, RefusesOtherHeadersUntilTheInterfacesHaveSettled) {
  if constexpr (AUTOARCHIVE_ABI_EPOCH == 0U) {
    EXPECT_THAT(codes("wrong_headers"), ElementsAre("AA-P503"));
  } else {
    put("wrong_headers");
    EXPECT_EQ(load().front().state, PluginState::loaded) << text_of(loader_.reports());
  }
}
TEST_F(LoaderTest, RefusesADebugLibraryAndNamesFieldAndValues) {
  EXPECT_THAT(codes("debug_stl"), ElementsAre("AA-P506"));
  const auto& refusal = loader_.reports().front().refusals.front();
  EXPECT_EQ(refusal.field + " " + refusal.found + " " + refusal.allowed, "abi.debug_stl 1 0");
}
TEST_F(LoaderTest, TellsAllFaultsOfTheFingerprintTogether) {
  EXPECT_THAT(codes("no_rtti_and_newer_library"), ElementsAre("AA-P507", "AA-P504"));
}
TEST_F(LoaderTest, RefusesAnExecutableStack) {
  EXPECT_THAT(codes("executable_stack"), ElementsAre("AA-P204"));
}
TEST_F(LoaderTest, RefusesARunPathThatDependsOnTheCurrentDirectory) {
  EXPECT_THAT(codes("run_path"), ElementsAre("AA-P205"));
  EXPECT_THAT(loader_.reports().front().refusals.front().text, HasSubstr("in 'lib', which depends"));
}
TEST_F(LoaderTest, NamesTheLibraryThatIsMissing) {
  EXPECT_THAT(codes("missing_library"), ElementsAre("AA-P206"));
  EXPECT_THAT(loader_.reports().front().refusals.front().text, HasSubstr("libgone.so"));
}
TEST_F(LoaderTest, RefusesANoteWithoutADoor) {
  EXPECT_THAT(codes("no_entry"), ElementsAre("AA-P602"));
}
TEST_F(LoaderTest, RefusesANoteThatLiesAboutTheCode) {
  EXPECT_THAT(codes("lying_note"), ElementsAre("AA-P603"));
}
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(LoaderTest, RefusesASanitizerThatTheHostHasNot) {
  EXPECT_THAT(codes("address_sanitizer"), ElementsAre("AA-P508"));
}
#endif

// What can't be caught after the fact happens in a child process.
TEST_F(LoaderTest, SurvivesAConstructorThatThrows) {
  EXPECT_THAT(codes("throwing_constructor"), ElementsAre("AA-P601"));
  EXPECT_THAT(loader_.reports().front().refusals.front().text, HasSubstr("ended the process by signal 6"));
}
TEST_F(LoaderTest, SurvivesAConstructorThatEndsTheProcess) {
  EXPECT_THAT(codes("exiting_constructor"), ElementsAre("AA-P601"));
  EXPECT_THAT(loader_.reports().front().refusals.front().text, HasSubstr("with status 23"));
}
TEST_F(LoaderTest, ReadsAllOfAPluginWithoutRunningAnyOfIt) {
  put("exiting_constructor");
  loader_.discover({{{plugins_, ""}}, {}, false, plugins_, {}, {}, {}});  // here it would not even be tried
  const auto& report = loader_.reports().front();
  EXPECT_EQ(report.state, PluginState::accepted);
  EXPECT_EQ(report.descriptor.providers.front().features.count("fixture"), 1U);
}

TEST_F(LoaderTest, LoadsOnlyWhatIsAskedFor) {
  put("good");
  put("throws");
  loader_.discover({{{plugins_, ""}}, {"org.example.throws"}, false, {}, {}, {}, {}});
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

TEST_F(LoaderTest, RefusesFilesThatAreNoCompleteLibrary) {
  test::write_file(plugins_ / "1text.so", "not a library");
  put("good", "2truncated");
  fs::resize_file(plugins_ / "2truncated.so", 5000);
  fs::create_directory(plugins_ / "3directory.so");
  fs::create_symlink("/nowhere", plugins_ / "4broken.so");
  std::vector<std::string> found;
  for (const auto& report : load()) found.push_back(report.refusals.empty() ? "loaded" : report.refusals.front().code);
  EXPECT_THAT(found, ElementsAre("AA-P201", "AA-P203", "AA-P101", "AA-P101"));
}

TEST_F(LoaderTest, RefusesWhatOthersCouldHaveWritten) {
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

TEST_F(LoaderTest, NamesTheDirectoryThatOthersCanWriteTo) {
  put("good");
  ::chmod(plugins_.c_str(), 0777);
  EXPECT_THAT(load().front().refusals.front().text,
              HasSubstr(plugins_.native() + "' can be written by others (mode 0777)"));
}

TEST_F(LoaderTest, OneBadPluginDoesNotStopTheOthers) {
  for (const char* fixture : {"bad_id", "good", "throws", "undefined_symbol"}) put(fixture);
  std::vector<PluginState> states;
  for (const auto& report : load()) states.push_back(report.state);
  EXPECT_THAT(states,
              ElementsAre(PluginState::refused, PluginState::loaded, PluginState::refused, PluginState::refused));
}

TEST_F(LoaderTest, TakesTheFirstOfTwoWithTheSameIdAndShadowsTheOther) {
  put("good");
  put("same_id");
  const auto& reports = load();
  EXPECT_EQ(reports[0].state, PluginState::loaded);
  EXPECT_EQ(reports[1].state, PluginState::shadowed);
  EXPECT_EQ(reports[1].shadowed_by, reports[0].file);
}

TEST_F(LoaderTest, RefusesASecondProviderOfTheSameName) {
  put("good");
  put("same_provider");
  const auto& reports = load();
  EXPECT_EQ(reports[1].refusals.front().code, "AA-P606");
}

TEST_F(LoaderTest, HoldsToDenialsAndToTheListOfWhatIsAllowed) {
  put("good");
  put("throws");
  PluginPolicy policy{{{plugins_, ""}}, {"org.example.throws"}, false, {}, {}, {}, {}};
  policy.allowed = {"org.example.other"};
  EXPECT_EQ(text_of(load(policy)),
            "AA-P402 plugin org.example.good is not on the list of what is allowed\n"
            "AA-P401 plugin org.example.throws is denied by the configuration\n"
            "AA-P402 plugin org.example.throws is not on the list of what is allowed\n");
}

TEST_F(LoaderTest, RunsNoCodeOfAForeignDirectoryInSafeMode) {
  put("exiting_constructor");
  PluginPolicy policy{{{plugins_, ""}}, {}, true, directory_.path(), {}, {}, {}};
  policy.dev_overrides["org.example.exiting_constructor"].file = plugins_ / "exiting_constructor.so";
  const auto& report = load(policy).front();
  EXPECT_EQ(report.refusals.front().code, "AA-P404");
  EXPECT_FALSE(report.is_dev_override);
}

TEST_F(LoaderTest, KeepsReservedIdsForInstalledPlugins) {
  put("reserved_id");
  const auto installed = directory_.make("installed");
  fs::copy_file(plugins_ / "reserved_id.so", installed / "reserved_id.so");
  const auto& reports = load({{{plugins_, ""}, {installed, ""}}, {}, false, installed, {}, {}, {}});
  EXPECT_EQ(reports[0].refusals.front().code, "AA-P405");
  EXPECT_EQ(reports[1].state, PluginState::loaded);
}

TEST_F(LoaderTest, TakesAPinnedFileFirstAndHoldsItToItsDigest) {
  const auto elsewhere = directory_.make("elsewhere");
  const auto pinned = elsewhere / "pinned.so";
  put("good");
  fs::copy_file(plugins_ / "good.so", pinned);
  PluginPolicy policy{{{plugins_, ""}}, {}, false, {}, {}, {}, {}};
  auto& pin = policy.pins["org.example.good"];
  const auto content = test::read_file(pinned);
  pin = {pinned, sha256_of(std::as_bytes(std::span(content))), "config.yaml:5:3"};
  loader_.discover(policy);
  EXPECT_EQ(loader_.reports()[0].file, pinned);
  EXPECT_EQ(loader_.reports()[0].state, PluginState::accepted);
  EXPECT_EQ(loader_.reports()[1].shadowed_by, pinned);

  pin.sha256 = std::string(64, '0');
  PluginLoader other(context_, accessor_);
  other.discover(policy);
  const auto& refusal = other.reports()[0].refusals.front();
  EXPECT_EQ(refusal.code, "AA-P403");
  EXPECT_EQ(refusal.allowed, pin.sha256);
  EXPECT_EQ(refusal.found.size(), 64U);
}

TEST_F(LoaderTest, PutsADevelopersOwnFileBeforeAllOthers) {
  put("good");
  const auto build = directory_.make("build");
  fs::copy_file(fs::path(AA_FIXTURE_DIR) / "same_id.so", build / "mine.so");
  PluginPolicy policy{{{plugins_, ""}}, {}, false, {}, {}, {}, {}};
  policy.dev_overrides["org.example.good"] = {build / "mine.so", "", "config.yaml:5:3"};
  policy.dev_overrides["org.example.another"] = {plugins_ / "good.so", "", "config.yaml:6:3"};
  const auto& reports = load(policy);
  EXPECT_EQ(reports[0].refusals.front().code, "AA-P406");
  EXPECT_EQ(reports[0].refusals.front().text, "id: file 'org.example.good', config.yaml:6:3 'org.example.another'");
  EXPECT_EQ(reports[1].state, PluginState::loaded);
  EXPECT_TRUE(reports[1].is_dev_override);
}

TEST_F(LoaderTest, LooksOnlyAtLibrariesSortedByNameAndNotBelow) {
  put("good", "b");
  put("same_provider", "a");
  test::write_file(plugins_ / "README", "x");
  test::write_file(plugins_ / "below/c.so", "x");
  std::vector<std::string> names;
  for (const auto& report :
       load({{{plugins_, ""}, {plugins_, "test"}, {directory_ / "missing", ""}}, {}, false, {}, {}, {}, {}}))
    names.push_back(report.file.filename());
  EXPECT_THAT(names, ElementsAre("a.so", "b.so"));
}

TEST_F(LoaderTest, TellsADirectoryThatIsNamedAndCanNotBeRead) {
  put("good");
  test::write_file(directory_ / "file", "");
  const fs::path too_long = directory_ / std::string(300, 'x');
  const auto& reports = load({{{directory_ / "missing", "--plugin-dir"},
                               {directory_ / "file", "config.yaml:3:17"},
                               {too_long, ""},
                               {directory_ / "absent", ""},
                               {plugins_, ""}},
                              {},
                              false,
                              {},
                              {},
                              {},
                              {}});
  EXPECT_EQ(text_of(reports),
            "AA-P105 named by --plugin-dir, it can't be read as a directory: No such file or directory\n"
            "AA-P105 named by config.yaml:3:17, it can't be read as a directory: Not a directory\n"
            "AA-P105 it can't be read as a directory: File name too long\n");
  ASSERT_THAT(reports, SizeIs(4));  // the default one that is absent goes without saying
  EXPECT_EQ(reports[0].file, directory_ / "missing");
  EXPECT_EQ(reports[0].state, PluginState::unsearched);
  EXPECT_EQ(reports[3].state, PluginState::loaded);
}

/// From now on this system call fails, for good: for a child that ends after the test.
void refuse_call(unsigned number, unsigned os_errno) {
  std::array filter{sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
                    sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | os_errno),
                    sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{filter.size(), filter.data()};
  EXPECT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  EXPECT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

TEST_F(LoaderTest, RefusesAFileThatCanNotBeExamined) {
  put("good");
  const auto look_blindly = [&] {
    refuse_call(SYS_newfstatat, EACCES);
    const auto refusal = check_file(plugins_ / "good.so").front();
    std::cerr << refusal.code << " " << refusal.text << "\n";
    ::_exit(0);
  };
  EXPECT_EXIT(look_blindly(), ::testing::ExitedWithCode(0), "AA-P101 .*good.so': Permission denied");
}

TEST_F(LoaderTest, TellsADirectoryThatCanNotBeReadToItsEnd) {
  const auto load_from_a_bad_disk = [&] {
    refuse_call(SYS_getdents64, EIO);
    std::cerr << text_of(load());
    ::_exit(0);
  };
  EXPECT_EXIT(load_from_a_bad_disk(), ::testing::ExitedWithCode(0), "AA-P105 .*Input/output error");
}

/// Makes an archiver of the plugin as often as it is there, and keeps the last one for good.
void ask_for_the_fixture(ServiceAccessor& accessor, const fs::path& state, const std::atomic<bool>& stop) {
  const ArchiverServiceIdentification service;
  std::shared_ptr<IArchiver> lease;
  while (!stop) {
    try {
      for (const auto& id : accessor.providers_identifications(service))
        lease = accessor.get_or_create(service, id.get(), {state, {}});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::key_error);  // taken back meanwhile
    }
    EXPECT_EQ(lease == nullptr ? 1U : lease->supported_backup_types().size(), 1U);
  }
}

TEST_F(LoaderTest, ServesThreadsThatAskWhileThePluginComesAndGoes) {
  put("good");
  PluginPolicy policy;
  policy.directories = {{plugins_, ""}};
  policy.installed_directory = plugins_;  // no trial: a process with many threads is not to be forked
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back(
        [&, state = directory_.make("state" + std::to_string(i))] { ask_for_the_fixture(accessor_, state, stop); });
  }
  for (int round = 0; round < 100; ++round) {
    PluginLoader loader(context_, accessor_);
    loader.load(policy);
    EXPECT_EQ(loader.reports().front().state, PluginState::loaded) << text_of(loader.reports());
    std::this_thread::yield();
    loader.destroy_services();
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(accessor_.is_registered(ArchiverServiceIdentification()));
}

TEST_F(LoaderTest, LoadsOnePluginForManyThreadsEachWithItsOwnRegistry) {
  put("good");
  PluginPolicy policy;
  policy.directories = {{plugins_, ""}};
  policy.installed_directory = plugins_;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      ApplicationContext context{{"test", {}, {}}, nullptr, nullptr};
      ServiceAccessor accessor;
      for (int round = 0; round < 20; ++round) {
        PluginLoader loader(context, accessor);
        loader.load(policy);
        EXPECT_TRUE(accessor.is_registered(ArchiverServiceIdentification()));
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

// contract 1.3 and 2
TEST_F(LoaderTest, BringsInTheTwoProvidersThatShip) {
  load({{{AA_PLUGIN_DIR, ""}}, {}, false, {}, {}, {}, {}});
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
