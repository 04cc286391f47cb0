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
#include <cerrno>
#include <cstddef>
#include <iostream>
#include <map>

#include "autoarchive/archiver/archiver_identification.hpp"
#include "autoarchive/base/error.hpp"
#include "plugin/gate.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

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
  EXPECT_EQ(report.id, "org.example.good");
  EXPECT_THAT(report.providers, ElementsAre("fixture"));
  EXPECT_THAT(accessor_.providers_identifications(ArchiverServiceIdentification()), SizeIs(1));
  loader_.destroy_services();
  EXPECT_FALSE(accessor_.is_registered(ArchiverServiceIdentification()));
}

TEST_F(LoaderTest, RefusesALibraryThatIsNoPlugin) {
  EXPECT_THAT(codes("no_entry"), ElementsAre("AA-P602"));
}
TEST_F(LoaderTest, RefusesAnotherEpoch) {
  EXPECT_THAT(codes("wrong_epoch"), ElementsAre("AA-P502"));
}
TEST_F(LoaderTest, RefusesOtherHeaders) {
  EXPECT_THAT(codes("wrong_headers"), ElementsAre("AA-P503"));
}
TEST_F(LoaderTest, RefusesAMalformedDescriptor) {
  EXPECT_THAT(codes("bad_descriptor"), ::testing::Contains("AA-P302"));
}
TEST_F(LoaderTest, RefusesANewerFormat) {
  EXPECT_THAT(codes("newer_format"), ElementsAre("AA-P303"));
}
TEST_F(LoaderTest, RefusesABadId) {
  EXPECT_THAT(codes("bad_id"), ElementsAre("AA-P304"));
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
  for (const char* fixture : {"bad_descriptor", "good", "throws", "undefined_symbol"}) put(fixture);
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

TEST_F(LoaderTest, HoldsToDenials) {
  put("good");
  EXPECT_EQ(load({{{plugins_, ""}}, {"org.example.good"}, false, {}}).front().refusals.front().code, "AA-P401");
}

TEST_F(LoaderTest, RunsNoCodeOfAForeignDirectoryInSafeMode) {
  put("good");
  const auto& report = load({{{plugins_, ""}}, {}, true, directory_.path()}).front();
  EXPECT_EQ(report.refusals.front().code, "AA-P404");
  EXPECT_EQ(report.id, "");  // it was not even asked
}

TEST_F(LoaderTest, LooksOnlyAtLibrariesSortedByNameAndNotBelow) {
  put("good", "b");
  put("same_provider", "a");
  test::write_file(plugins_ / "README", "x");
  test::write_file(plugins_ / "below/c.so", "x");
  std::vector<std::string> names;
  for (const auto& report : load({{{plugins_, ""}, {plugins_, "test"}, {directory_ / "missing", ""}}, {}, false, {}}))
    names.push_back(report.file.filename());
  EXPECT_THAT(names, ElementsAre("a.so", "b.so"));
}

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

// contract 1.3 and 2
TEST_F(LoaderTest, BringsInTheTwoProvidersThatShip) {
  load({{{AA_PLUGIN_DIR, ""}}, {}, false, {}});
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
