// Which plugins the program takes, and what it says of the others: real plugins in real folders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>
#include <sstream>

#include "application.hpp"
#include "autoarchive/plugin/fingerprint.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class PluginsTest : public ::testing::Test {
 protected:
  PluginsTest() {
    test::write_file(directory_ / "root/a", "content of a");
    fs::create_directory(directory_ / "backups");
  }

  /// A fixture in a folder; its path.
  fs::path put(const std::string& fixture, const fs::path& folder) const {
    fs::create_directories(folder);
    fs::copy_file(fs::path(AA_FIXTURE_DIR) / (fixture + ".so"), folder / (fixture + ".so"));
    return folder / (fixture + ".so");
  }
  int run(std::vector<std::string> words) {
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    const ProcessContext process{in, out, err, false, false, false, environment_, as_root_, fs::path(AA_PROGRAM), {}};
    const int status = run_application(process, words);
    out_ = out.str();
    err_ = err.str();
    return status;
  }
  int create(const std::string& type) {
    return run({"create", "home", "--root", directory_ / "root", "--destination", directory_ / "backups", "--type",
                type, "--plugin-dir", plugins_});
  }
  void configure(const std::string& plugins) const {
    test::write_file(directory_ / "config/autoarchive/config.yaml", "version: 1\nplugins:\n" + plugins);
  }

  test::TempDir directory_;
  fs::path plugins_ = directory_.make("plugins");
  bool as_root_ = false;
  std::map<std::string, std::string> environment_{{"AA_STATE_DIR", directory_ / "state"},
                                                  {"XDG_CONFIG_HOME", directory_ / "config"},
                                                  {"HOME", directory_ / "home"}};
  std::string out_;
  std::string err_;
};

TEST_F(PluginsTest, SaysWhichRefusedPluginWouldHaveMadeTheTypeAndWhatToDo) {
  const auto plugin = put("good", plugins_).native();
  ::chmod(plugin.c_str(), 0757);
  EXPECT_EQ(create("fixture"), 69);
  EXPECT_THAT(err_,
              HasSubstr("type 'fixture': a plugin would make it, but plugin '" + plugin + "' was refused: AA-P103 '" +
                        plugin + "' can be written by others (mode 0757); fix: chmod go-w '" + plugin + "'"));
}

TEST_F(PluginsTest, WarnsOfARefusedPluginAndOnlyNotesWhatTheUserDoesNotWant) {
  const auto plugin = put("good", plugins_).native();
  ::chmod(plugin.c_str(), 0757);
  EXPECT_EQ(create("tar"), 0);
  EXPECT_THAT(err_, HasSubstr("aa: warning: plugin '" + plugin + "' was refused: AA-P103 "));
  ::chmod(plugin.c_str(), 0755);
  configure("  deny: [org.example.good]\n");
  EXPECT_EQ(create("tar"), 0);
  EXPECT_THAT(err_, HasSubstr("aa: notice: plugin '" + plugin + "' was refused: AA-P401 "));
}

TEST_F(PluginsTest, RouteListsARefusedPluginAmongTheCandidates) {
  const auto plugin = put("good", plugins_).native();
  EXPECT_EQ(create("fixture"), 0) << err_;
  const std::vector<std::string> route{
      "route", "x", "--root", directory_ / "root", "--destination", directory_ / "backups", "--plugin-dir", plugins_};
  EXPECT_EQ(run(route), 0);
  EXPECT_THAT(out_, HasSubstr("- fixture: does not make tar.gz, but fixture\n"));
  ::chmod(plugin.c_str(), 0757);
  EXPECT_EQ(run(route), 0);
  EXPECT_THAT(out_, HasSubstr("- fixture: does not make tar.gz, but fixture; not available: plugin '" + plugin +
                              "' was refused: AA-P103"));
}

TEST_F(PluginsTest, LoadsNothingThatIsNotNeeded) {
  put("throws", plugins_);
  EXPECT_EQ(create("tar"), 0);
  EXPECT_EQ(err_, "");
  EXPECT_EQ(create("fixture"), 69);
  EXPECT_THAT(err_, HasSubstr("AA-P604 its component failed: no licence found"));
}

TEST_F(PluginsTest, RefusesAnOptionThatNoPluginDeclares) {
  configure("  settings:\n    tar-external: {options: {tra: /usr/bin/tar}}\n");
  EXPECT_EQ(create("tar"), 78);
  EXPECT_THAT(err_, HasSubstr("config.yaml:4:30: provider 'tar-external' has no option 'tra'; did you mean tar?"));
  configure("  settings:\n    tar-external: {options: {tar: tar}}\n    tar-internal: {options: {x: y}}\n");
  EXPECT_EQ(create("tar"), 78);
  EXPECT_THAT(err_,
              HasSubstr("4:30: option 'tar' of provider 'tar-external' has to be an absolute path, and is 'tar'"));
  EXPECT_THAT(err_, HasSubstr("5:30: provider 'tar-internal' has no option 'x', and takes none"));
  configure("  settings:\n    tar-external: {options: {tar: /usr/bin/tar}}\n    not-here: {options: {x: y}}\n");
  EXPECT_EQ(create("tar"), 0) << err_;
}

TEST_F(PluginsTest, StartsNothingWithoutWhatIsRequired) {
  configure("  settings:\n    fixture: {required: true}\n");
  EXPECT_EQ(create("tar"), 69);
  EXPECT_THAT(err_, HasSubstr("config.yaml:4:5: provider 'fixture' is required, and no plugin declares it"));
  put("throws", plugins_);
  EXPECT_EQ(create("tar"), 69);
  EXPECT_THAT(err_, HasSubstr("is required, but plugin '" + plugins_.native() + "/throws.so' was refused: AA-P604"));
  EXPECT_EQ(run({"plugins", "list", "--plugin-dir", plugins_}), 0);  // to see why
  EXPECT_THAT(out_, HasSubstr("AA-P604"));
  fs::remove(plugins_ / "throws.so");
  put("good", plugins_);
  EXPECT_EQ(create("tar"), 0) << err_;
}

TEST_F(PluginsTest, ContainsAProviderThatThrowsAndStopsAskingIt) {
  put("throwing_archiver", plugins_);
  std::string archives = "archives:\n";
  for (const char* name : {"a", "b", "c", "d"})
    archives += std::string("  ") + name + ": {root: " + (directory_ / "root").native() +
                ", destination: " + (directory_ / "backups").native() + ", type: fixture}\n";
  configure("  directories: [" + plugins_.native() + "]\n" + archives);
  EXPECT_EQ(run({"create", "--all"}), 2);
  for (const char* name : {"a", "b", "c"})
    EXPECT_THAT(err_,
                HasSubstr(std::string("[") + name + "] error: provider 'fixture' has failed with 'no memory\\n', "));
  EXPECT_THAT(err_, HasSubstr("[d] error: no provider makes fixture; fixture: not available: AA-P704 it has failed 3 "
                              "times in a row, last with 'no memory\\n'"));
  for (const auto& file : fs::directory_iterator(directory_ / "backups"))
    EXPECT_THAT(file.path().filename().native(), ::testing::StartsWith("."));  // locks and the marker
}

TEST_F(PluginsTest, ContainsAReaderThatThrowsAndStopsAskingIt) {
  put("throwing_reader", plugins_);
  std::vector<std::string> verify{"verify", "--plugin-dir", plugins_};
  for (const char* name : {"a", "b", "c", "d"}) {
    verify.push_back(directory_ / (std::string(name) + ".fixture"));
    test::write_file(verify.back(), "fixture of an archive");
  }
  EXPECT_EQ(run(verify), 2);
  for (const char* name : {"a", "b", "c"})
    EXPECT_THAT(
        err_,
        HasSubstr(name + std::string(".fixture] error: provider 'fixture-reader' has failed with 'no memory\\n', ")))
        << name;
  EXPECT_THAT(err_,
              HasSubstr("d.fixture': not an archive that any plugin reads; fixture-reader: AA-P704 it has failed 3 "
                        "times in a row, last with 'no memory\\n'"));
  for (const char* command : {"ls", "restore", "cat"}) {
    std::vector<std::string> words{command, directory_ / "a.fixture", "--plugin-dir", plugins_};
    if (words[0] == "restore") words.insert(words.end(), {"--to", directory_ / "restored"});
    if (words[0] == "cat") words.emplace_back("x");
    EXPECT_EQ(run(words), 2) << command;
    EXPECT_THAT(err_, HasSubstr("provider 'fixture-reader' has failed with 'no memory\\n', ")) << command;
  }
}

TEST_F(PluginsTest, BlamesNoProviderForAStateDirectoryThatCanNotBeUsed) {
  const auto circle = directory_ / "circle";
  fs::create_symlink(circle, circle);
  test::write_file(directory_ / "file", "");
  EXPECT_EQ(create("tar"), 0) << err_;
  std::vector<std::string> verify{"verify"};
  for (int i = 0; i < 4; ++i) verify.push_back(directory_ / "backups/home.tar");  // a provider is faulty after three
  for (const auto& [state, why] : {std::pair<fs::path, std::string>{circle, "not a directory"},
                                   {circle / "below", "Too many levels of symbolic links"},
                                   {directory_ / "file", "not a directory"}}) {
    environment_["AA_STATE_DIR"] = state;
    EXPECT_EQ(run(verify), 2);
    EXPECT_THAT(err_, HasSubstr("state_dir '" + state.native() + "': " + why +
                                "; make it a directory that this user may write to, or name another with state_dir in "
                                "the configuration or AA_STATE_DIR"));
    EXPECT_THAT(err_, Not(HasSubstr("fault of its plugin"))) << state;
    EXPECT_THAT(err_, Not(HasSubstr("AA-P704"))) << state;
  }
}

TEST_F(PluginsTest, AReaderThatCanNotTellKeepsNoOtherFromReading) {
  put("throwing_reader", plugins_);
  test::write_file(directory_ / "unspeakable", "unspeakable content");
  // The name of the first member is what a tar begins with.
  const auto made = test::run_shell("tar -C " + test::shell_quote(directory_.path()) + " -cf " +
                                    test::shell_quote(directory_ / "x.tar") + " unspeakable");
  ASSERT_EQ(made.status, 0) << made.output;
  EXPECT_EQ(run({"ls", directory_ / "x.tar", "--plugin-dir", plugins_}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("'unspeakable'"));
  EXPECT_EQ(run({"ls", directory_ / "unspeakable", "--plugin-dir", plugins_}), 69);
  EXPECT_THAT(err_,
              HasSubstr("not an archive that any plugin reads; provider 'fixture-reader' has failed with 'no words'"));
}

TEST_F(PluginsTest, RoutesByRequiredAndPreferredFeatures) {
  const auto archive = [&](const std::string& plugins, const std::string& keys) {
    test::write_file(directory_ / "config/autoarchive/config.yaml",
                     "version: 1\nplugins:\n" + plugins + "defaults:\n  root: " + (directory_ / "root").native() +
                         "\n  destination: " + (directory_ / "backups").native() + "\n" + keys +
                         "archives:\n  home: {}\n");
  };
  const std::string prefers_external = "  settings:\n    tar-external: {priority: 5}\n";
  archive(prefers_external, "");
  EXPECT_EQ(run({"route"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("home: tar.gz\n  -> tar-external: chosen: priority 5 against 0 of tar-internal\n"));
  archive(prefers_external, "  features: {preferred: [RandomAccess, Metadata]}\n");
  EXPECT_EQ(run({"route"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("home: tar.gz, preferably with Metadata, preferably with RandomAccess\n"
                              "  -> tar-internal: chosen: preferred features 2 against 1 of tar-external\n"
                              "   + tar-external: could do it: preferred features 1 against 2 of tar-internal; has no "
                              "RandomAccess, which is preferred\n"));
  EXPECT_EQ(run({"route", "--json"}), 0);
  EXPECT_THAT(out_, HasSubstr("\"required\":[],\"preferred\":[\"Metadata\",\"RandomAccess\"]"));
  archive(prefers_external, "  features: {required: [RandomAccess]}\n");
  EXPECT_EQ(run({"route"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("home: tar.gz with RandomAccess\n  -> tar-internal: chosen: the only one"));
  EXPECT_THAT(out_, HasSubstr("- tar-external: has no RandomAccess for tar.gz\n"));
  archive(prefers_external, "  features: {required: [RandmAccess]}\n");
  EXPECT_EQ(run({"create", "home"}), 69);
  EXPECT_THAT(err_,
              HasSubstr("config.yaml:8:24: features.required: no plugin declares the feature 'RandmAccess'; "
                        "there are CompressionStrength, Incremental, Metadata, RandomAccess, Restore, Verify; did "
                        "you mean RandomAccess?"));
}

TEST_F(PluginsTest, OnlyWarnsOfAPreferredFeatureThatNobodyHas) {
  configure("archives:\n  home:\n    root: " + (directory_ / "root").native() + "\n    destination: " +
            (directory_ / "backups").native() + "\n    features: {preferred: [RandmAccess, RandomAccess, Quantum]}\n");
  const auto* const fault =
      "config.yaml:7:27: features.preferred: no plugin declares the feature 'RandmAccess'; there are "
      "CompressionStrength, Incremental, Metadata, RandomAccess, Restore, Verify; did you mean RandomAccess?; no "
      "plugin declares the feature 'Quantum'; there are CompressionStrength, Incremental, Metadata, RandomAccess, "
      "Restore, Verify";
  for (const auto& command : {std::vector<std::string>{"create", "home"}, {"create", "--dry-run", "home"}, {"route"}}) {
    EXPECT_EQ(run(command), 0) << err_;
    EXPECT_THAT(err_, HasSubstr("aa: [home] warning: ")) << command.front();
    EXPECT_THAT(err_, HasSubstr(fault)) << command.front();
  }
  EXPECT_THAT(out_, HasSubstr("preferred features 1 against 0 of tar-external"));  // the one that is known still counts
  EXPECT_EQ(run({"config", "check"}), 1);
  EXPECT_THAT(err_, HasSubstr(fault));
  EXPECT_TRUE(fs::exists(directory_ / "backups/home.tar.gz"));
}

TEST_F(PluginsTest, MakesNoBackupThatNobodyCouldCheckAsTheConfigurationWants) {
  configure("  deny: [org.autoarchive.tar-internal]\narchives:\n  home: {root: " + (directory_ / "root").native() +
            ", destination: " + (directory_ / "backups").native() + ", verify: {after_create: true}}\n");
  EXPECT_EQ(run({"create", "home"}), 69);
  EXPECT_THAT(err_, HasSubstr("no provider makes tar.gz with Verify; tar-external: has no Verify for tar.gz"));
  EXPECT_FALSE(fs::exists(directory_ / "backups/home.tar.gz"));
}

TEST_F(PluginsTest, NeverUsesWhatIsNotEnabled) {
  configure("  settings:\n    tar-internal: {enabled: false}\n");
  EXPECT_EQ(run({"route", "x", "--root", directory_ / "root", "--destination", directory_ / "backups"}), 0);
  EXPECT_THAT(out_, HasSubstr("-> tar-external: chosen: the only one that can do it\n"));
  EXPECT_THAT(out_, HasSubstr("- tar-internal: denied by the configuration (plugins.deny, or enabled: false)\n"));
}

TEST_F(PluginsTest, TakesNoPathOfTheEnvironmentAsRootUnlessItIsAllowed) {
  put("good", plugins_);
  put("good", directory_ / "home/.local/share/autoarchive/plugins");
  environment_["AA_PLUGIN_PATH"] = plugins_;
  as_root_ = true;
  EXPECT_EQ(run({"plugins", "list"}), 0);
  EXPECT_THAT(out_, Not(HasSubstr("org.example.good")));
  EXPECT_THAT(err_, HasSubstr("AA_PLUGIN_PATH is ignored for root; use --plugin-dir"));
  EXPECT_THAT(err_, HasSubstr("(plugin.path_ignored)"));
  configure("  environment_path: true\n");
  EXPECT_EQ(run({"plugins", "list"}), 0);
  EXPECT_THAT(out_, HasSubstr("loaded    org.example.good 1.0  '" + plugins_.native()));
}

TEST_F(PluginsTest, TakesTheFirstOfAllPlacesAndListsTheOthers) {
  const auto of_user = put("good", directory_ / "home/.local/share/autoarchive/plugins").native();
  const auto of_environment = put("same_id", directory_ / "environment").native();
  const auto of_command_line = put("good", plugins_).native();
  environment_["AA_PLUGIN_PATH"] = directory_ / "environment";
  EXPECT_EQ(run({"plugins", "list", "--plugin-dir", plugins_}), 0);
  EXPECT_THAT(out_, HasSubstr("loaded    org.example.good 1.0  '" + of_command_line));
  const auto shadowed = "'\n          shadowed by '" + of_command_line;
  EXPECT_THAT(out_, HasSubstr("shadowed  org.example.good 1.0  '" + of_environment + shadowed));
  EXPECT_THAT(out_, HasSubstr("shadowed  org.example.good 1.0  '" + of_user + shadowed));
}

TEST_F(PluginsTest, PutsUpABannerForADevelopersFile) {
  const auto mine = put("same_id", directory_ / "build").native();
  put("good", plugins_);
  configure("  dev_overrides: {org.example.good: " + mine + "}\n");
  EXPECT_EQ(create("fixture"), 0);
  EXPECT_THAT(err_, HasSubstr("DEVELOPMENT: plugin org.example.good is '" + mine + "'"));
  EXPECT_EQ(run({"plugins", "list", "--safe-mode"}), 0);
  EXPECT_THAT(err_ + out_, Not(HasSubstr(mine)));
}

TEST_F(PluginsTest, InspectsAPluginWithoutRunningAnyOfIt) {
  const auto plugin = put("exiting_constructor", plugins_).native();
  EXPECT_EQ(run({"plugins", "inspect", "--no-load", plugin}), 0);
  EXPECT_THAT(out_, HasSubstr("plugin    org.example.exiting_constructor 1.0\nfile      '" + plugin +
                              "', named by the command line\nstate     accepted\nsha256    "));
  EXPECT_THAT(out_, HasSubstr("provider  fixture, of the service archiver\n          fixture\n"));
  EXPECT_EQ(run({"plugins", "inspect", plugin}), 69);
  EXPECT_THAT(out_, HasSubstr("AA-P601 it can't be loaded: it ended the process with status 23"));
}

TEST_F(PluginsTest, InspectsByIdNameAndFileAndSaysTheNearest) {
  EXPECT_EQ(run({"plugins", "inspect", "tar-external"}), 0);
  EXPECT_THAT(out_, HasSubstr("needs the programs tar"));
  EXPECT_THAT(out_, HasSubstr("option tar (path, default the first of /usr/bin and /bin): GNU tar, 1.29 or newer"));
  EXPECT_EQ(run({"plugins", "inspect", "--json", "org.autoarchive.tar-internal"}), 0);
  EXPECT_THAT(out_, HasSubstr("\"state\":\"loaded\",\"id\":\"org.autoarchive.tar-internal\""));
  EXPECT_THAT(out_, HasSubstr("\"abi.epoch\":\"" AA_STRINGIFY(AUTOARCHIVE_ABI_EPOCH) "\""));
  EXPECT_EQ(run({"plugins", "inspect", "org.autoarchive.tar-intrenal"}), 66);
  EXPECT_THAT(err_, HasSubstr("did you mean org.autoarchive.tar-internal?"));
  EXPECT_EQ(run({"plugins", "inspect", directory_ / "missing.so"}), 69);
  EXPECT_THAT(out_, HasSubstr("AA-P101"));
}

TEST_F(PluginsTest, ExaminesAllPluginsAndSaysWhatToDo) {
  EXPECT_EQ(run({"plugins", "doctor"}), 0) << out_;
  EXPECT_THAT(out_, HasSubstr("tar-internal.so': file ok, ELF ok, note ok, policy ok, ABI ok, load ok\n"));
  EXPECT_THAT(out_, HasSubstr("nothing is wrong\n"));
  const auto epoch = put("wrong_epoch", plugins_).native();
  put("throws", plugins_);
  environment_["PATH"] = directory_ / "no programs";
  EXPECT_EQ(run({"plugins", "doctor", "--plugin-dir", plugins_}), 1);
  EXPECT_THAT(out_, HasSubstr("'" + epoch + "': file ok, ELF ok, note ok, policy ok, ABI: AA-P502\n"));
  EXPECT_THAT(out_, HasSubstr("fix: rebuild the plugin against the headers of this host\n"));
  EXPECT_THAT(out_, HasSubstr("AA-P604 its component failed"));
  EXPECT_THAT(out_, HasSubstr("AA-P701 provider tar-external needs the program 'tar', which is not in "));
  EXPECT_EQ(run({"plugins", "doctor", epoch}), 1);
  EXPECT_THAT(out_, Not(HasSubstr("AA-P604")));
}

TEST_F(PluginsTest, MakesANewPluginAndNeverOverAnother) {
  EXPECT_EQ(run({"plugins", "new", "my-zip", "--into", directory_.path()}), 0) << err_;
  EXPECT_THAT(test::read_file(directory_ / "my-zip/CMakeLists.txt"),
              HasSubstr("aa_add_plugin(NAME my-zip ID org.example.my-zip"));
  EXPECT_THAT(test::read_file(directory_ / "my-zip/archiver.cpp"), HasSubstr("provider.my-zip.types=my-zip\\n"));
  EXPECT_THAT(test::read_file(directory_ / "my-zip/archiver.cpp"), Not(HasSubstr("@NAME@")));
  EXPECT_EQ(run({"plugins", "new", "my-zip", "--into", directory_.path()}), 64);
  EXPECT_THAT(err_, HasSubstr("it is there already"));
  for (const char* name : {"", "../x", "A", "a b", "-a", "a-", "9a"})
    EXPECT_EQ(run({"plugins", "new", name}), 64) << name;
}

TEST_F(PluginsTest, ReportsWhatTheFormatOfANewPluginCanNotHold) {
  put("honest", plugins_);
  test::write_file(directory_ / "root/large", "");
  fs::resize_file(directory_ / "root/large", 5'000'000'000);
  EXPECT_EQ(create("liar"), 1);  // its type's name
  EXPECT_THAT(err_, HasSubstr("large"));
  EXPECT_THAT(err_, HasSubstr("the newc format holds no file of 4 GiB or more"));
}

TEST_F(PluginsTest, ValidatesAndWritesAReportThatIsNotGreenBeforeItsEnd) {
  const auto report = directory_ / "report.xml";
  const auto plugin = put("liar_that_leaks", plugins_).native();
  EXPECT_EQ(run({"plugins", "validate", plugin, "--only", "life-cycle/", "--junit", report}), 2);
  EXPECT_THAT(out_, HasSubstr("fail     life-cycle/leaves-nothing-behind\n         O-8 open descriptors: "));
  EXPECT_THAT(out_, HasSubstr("4 tests: 1 fail, 3 pass\n"));
  const auto xml = test::read_file(report);
  EXPECT_THAT(xml, HasSubstr("tests=\"5\" failures=\"1\""));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"harness\" name=\"has come to its end\"/>"));
  EXPECT_THAT(xml, HasSubstr("name=\"leaves-nothing-behind\"><failure message=\"O-8 fail: "));
  EXPECT_EQ(run({"plugins", "validate", plugin, "--only", "packaging/exports", "--json"}), 0);
  EXPECT_THAT(out_, HasSubstr("\"obligation\":\"O-3\",\"must\":true,\"outcome\":\"pass\""));
  EXPECT_EQ(run({"plugins", "validate", plugin, "--only", "nonsense"}), 64);
  EXPECT_THAT(err_, HasSubstr("no test has that in its name; there are packaging/passes-all-gates"));
}

TEST_F(PluginsTest, NamesEveryFaultOfThePluginSection) {
  configure(
      "  pins: {org.example.zip: {sha256: abc, fiel: /x}}\n  dev_overrides: {a.b: relative}\n  alow: []\n"
      "  environment_path: maybe\n  settings: {zip: {enabled: 1, colour: red}}\n");
  EXPECT_EQ(run({"list"}), 78);
  for (const char* fault :
       {"3:36: sha256 has to be 64 hexadecimal digits in lower case", "3:41: unknown key 'fiel'; did you mean file?",
        "4:24: ", "5:3: unknown key 'alow'; did you mean allow?", "6:21: plugins.environment_path has to be true or",
        "7:29: enabled has to be true or false", "7:32: unknown key 'colour'; allowed are enabled options"})
    EXPECT_THAT(err_, HasSubstr(fault));
}

}  // namespace
}  // namespace autoarchive::host
