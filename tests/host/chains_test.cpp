// Chains whose files are not what their names say, are damaged, or have lost their manifests.
#include <unistd.h>

#include <filesystem>

#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "chains_fixture.hpp"
#include "state/verify_record.hpp"
#include "support/run_program.hpp"

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(ChainsTest, AreWhatTheFilesSayWhereThereAreNoManifests) {
  make_chain();
  drop_manifests();
  expect_day(3, "3");
  swap("home.1.tar.gz", "home.2.tar.gz");
  for (int level = 0; level < 4; ++level) expect_day(level, std::to_string(level));
  EXPECT_EQ(restore("3"), 0);
  EXPECT_THAT(err_, HasSubstr("'home.2.tar.gz' is level 1, whatever its name says"));
}

TEST_F(ChainsTest, AreNotMadeOfTheLevelsOfAnother) {
  make_chain();
  ASSERT_EQ(run({"create", "home", "--root", day(0), "--destination", directory_.make("elsewhere"), "--incremental",
                 "--full", "--new-destination"}),
            0)
      << err_;
  drop_manifests();
  fs::copy_file(directory_ / "elsewhere/home.tar.gz", backup("home.tar.gz"), fs::copy_options::overwrite_existing);
  EXPECT_EQ(restore("3"), 2);
  EXPECT_THAT(err_, HasSubstr("which 'home.1.tar.gz' is based on, is missing: 'home.tar.gz' is the backup "));
  fs::copy_file(directory_ / "elsewhere/home.tar.gz.manifest.zst", backup("home.tar.gz.manifest.zst"));
  EXPECT_EQ(restore("3"), 2);
  EXPECT_EQ(run({"verify", "home@3", "--destination", destination()}), 2);
}

// What has not changed would never get them.
TEST_F(ChainsTest, BeginAnewForAttributesThatTheyWereMadeWithout) {
  test::write_file(directory_ / "root/doc", "x");
  configure_home(", metadata: {xattrs: false, acls: false}");
  for (int level = 0; level < 2; ++level) {
    ASSERT_EQ(run({"create", "home"}), 0) << err_;
    EXPECT_THAT(err_, Not(HasSubstr("level 0 instead")));
  }
  configure_home(", metadata: {xattrs: false, selinux: false}");
  ASSERT_EQ(run({"create", "home"}), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("level 0 instead of an increment: metadata.acls was off when 'home.tar.gz' was made"));
  configure_home(", metadata: {xattrs: false, acls: false, selinux: false}");
  ASSERT_EQ(run({"create", "home"}), 0) << err_;
  EXPECT_THAT(err_, Not(HasSubstr("level 0 instead")));
  EXPECT_TRUE(fs::exists(backup("home.1.tar.gz")));
}

TEST_F(ChainsTest, MayLackTheManifestOfALevelInTheMiddle) {
  make_chain();
  drop_manifest("home.1.tar.gz");
  expect_day(3, "3");
  EXPECT_THAT(err_, HasSubstr("'home.1.tar.gz' has no manifest"));
  expect_day(1, "1");
  EXPECT_EQ(run({"versions", "home", "doc", "--destination", destination()}), 1);
  EXPECT_THAT(err_, HasSubstr("'home.1.tar.gz' has no manifest that can be used, and is not searched"));
}

TEST_F(ChainsTest, WhoseNamesAreMixedUpAreReadByTheirLevels) {
  make_chain();
  for (const char* suffix : {"", ".manifest.zst", ".sha256"}) swap("home.1.tar.gz", "home.2.tar.gz", suffix);
  expect_day(1, "1");
  expect_day(2, "2");
  EXPECT_EQ(verify("quick"), 1);
  EXPECT_THAT(err_, HasSubstr("'home.1.tar.gz' is level 2, whatever its name says"));
}

TEST_F(ChainsTest, KeepTheManifestOfAFileThatIsCutShort) {
  for (unsigned i = 0; i < 20; ++i) test::write_file(directory_ / "root" / std::to_string(i), test::noise(300'000, i));
  configure_home("");
  ASSERT_EQ(run({"create", "home"}), 0) << err_;
  fs::resize_file(backup("home.tar.gz"), fs::file_size(backup("home.tar.gz")) / 2);
  EXPECT_EQ(verify("data"), 2);
  EXPECT_THAT(err_, HasSubstr("of its members can still be restored"));
  EXPECT_EQ(restore("", {"--salvage"}), 2);
  EXPECT_THAT(err_, HasSubstr("'9': "));
  EXPECT_EQ(run({"ls", "home", "9"}), 0);
  EXPECT_EQ(status(), 2);
  fs::resize_file(backup("home.tar.gz"), 5);
  EXPECT_EQ(run({"ls", "home", "9"}), 0) << "also where it does not say any more what it is: " << err_;
  EXPECT_EQ(run({"create", "home"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("level 0")) << "nothing builds on what is cut short";
}

TEST_F(ChainsTest, ThatAreKnownToBeDamagedAreToldOfAndNotContinued) {
  test::write_file(directory_ / "root/large", test::noise(300'000, 1));
  configure_home(", keep: {generations: 1}");
  ASSERT_EQ(run({"create", "home"}), 0) << err_;
  EXPECT_EQ(verify("data"), 0);
  ASSERT_EQ(run({"create", "home", "--full"}), 0) << err_;
  EXPECT_EQ(verify("restore"), 0);
  EXPECT_EQ(status(), 0) << out_;
  damage("home.tar.gz");
  EXPECT_EQ(verify("data"), 2);
  // A quick check reads no content, and proves nothing of it.
  EXPECT_EQ(verify("quick"), 0);
  EXPECT_EQ(status(), 2);
  EXPECT_THAT(out_, HasSubstr("verify found damage in what 'home.tar.gz' needs"));
  configure_home(", keep: {generations: 0}");
  EXPECT_EQ(run({"keep", "home", "--yes"}), 0);
  EXPECT_TRUE(fs::exists(backup("home.aa.tar.gz"))) << "the only one that is whole";
  EXPECT_EQ(run({"create", "home", "--dry-run"}), 0);
  EXPECT_THAT(out_, HasSubstr("level 0 ('home.tar.gz' was found damaged on "));
}

TEST_F(ChainsTest, OfWhichOnlyALevelIsLeftAreCheckedByItsManifest) {
  make_chain();
  const auto file = backup("home.2.tar.gz");
  fs::remove(backup("home.1.tar.gz"));
  fs::remove(backup("home.2.tar.gz.sha256"));
  for (const std::string depth : {"quick", "data", "restore"}) {
    EXPECT_EQ(run({"verify", file, "--level", depth, "--json"}), 1) << err_;
    EXPECT_THAT(err_, HasSubstr("is read without the levels that it is based on"));
    EXPECT_THAT(out_, HasSubstr("\"proven\":true"));
  }
  // It is whole for whoever knows nothing but the format.
  const auto packed = test::run_shell("cd " + test::shell_quote(backup("")) +
                                      " && gzip -dc home.2.tar.gz | sed 's/version 2/version X/' | gzip > other && "
                                      "mv other home.2.tar.gz");
  ASSERT_EQ(packed.status, 0) << packed.output;
  EXPECT_EQ(run({"verify", file}), 2);
  EXPECT_THAT(err_, HasSubstr("'doc'"));
}

TEST_F(ChainsTest, OfWhichAPartCouldNotBeReadAreNotCalledDamaged) {
  make_chain();
  const ManifestReader manifest(open_local_file(backup("home.3.tar.gz.manifest.zst")));
  const auto id = manifest.header().backup_uuid;
  const VerifyRecord unread{id, VerifyDepth::data, std::chrono::system_clock::now(), false, true};
  remember_verified(directory_ / "state", "home", destination(), {unread}, {id});
  EXPECT_EQ(run({"list", "home", "--destination", destination()}), 0) << err_;
  EXPECT_THAT(out_, AllOf(HasSubstr(" data unread  home.3.tar.gz"), Not(HasSubstr("DAMAGED"))));
  EXPECT_EQ(run({"list", "home", "--destination", destination(), "--json"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("\"whole\":false,\"unread\":true"));
}

TEST_F(ChainsTest, ElsewhereProveNothingOfThoseHere) {
  configure_home("");
  ASSERT_EQ(run({"create", "home"}), 0) << err_;
  EXPECT_EQ(verify("data"), 0);
  fs::copy(directory_ / "backups", directory_ / "copy", fs::copy_options::recursive);
  auto bytes = test::read_file(directory_ / "copy/home.tar.gz");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  test::write_file(directory_ / "copy/home.tar.gz", bytes);
  EXPECT_EQ(run({"verify", "home", "--destination", directory_ / "copy"}), 2);
  EXPECT_EQ(status(), 0) << out_;
  EXPECT_EQ(run({"list", "home"}), 0);
  EXPECT_THAT(out_, HasSubstr(" data "));
  EXPECT_THAT(out_, Not(HasSubstr("DAMAGED")));
  EXPECT_EQ(run({"list", "home", "--destination", directory_ / "copy"}), 0);
  EXPECT_THAT(out_, HasSubstr("data DAMAGED"));
}

TEST_F(ChainsTest, LeaveFilesOfOthersWithTheirNamesAlone) {
  configure_home(", keep: {generations: 1}");
  const auto foreign = [&](const std::string& name) {
    const auto made = test::run_shell("tar -czf " + test::shell_quote(backup(name)) + " -C " +
                                      test::shell_quote(directory_ / "root") + " a");
    EXPECT_EQ(made.status, 0) << made.output;
  };
  // In the way of the first backup, with a level of it: both are moved aside.
  foreign("home.tar.gz");
  foreign("home.1.tar.gz");
  EXPECT_EQ(run({"create", "home"}), 0) << err_;
  EXPECT_TRUE(fs::exists(backup("home.aa.tar.gz")) && fs::exists(backup("home.1.aa.tar.gz")));
  foreign("home.5.tar.gz");
  test::write_file(backup("home.3.tar.gz"), "no archive at all");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run({"create", "home", "--full"}), 0) << err_;
  EXPECT_EQ(run({"keep", "home", "--yes"}), 0) << err_;
  for (const char* name : {"home.5.tar.gz", "home.3.tar.gz", "home.aa.tar.gz", "home.1.aa.tar.gz"})
    EXPECT_TRUE(fs::exists(backup(name))) << name;
  EXPECT_TRUE(fs::exists(backup("home.ab.tar.gz"))) << "the one generation that is kept";
  // They are neither the newest, nor a level of ours.
  EXPECT_EQ(status(), 0) << out_;
  EXPECT_EQ(verify("data"), 0) << err_;
  test::write_file(directory_ / "root/new", "new");
  EXPECT_EQ(run({"create", "home"}), 0) << err_;
  foreign("home.2.tar.gz");
  EXPECT_EQ(restore("2"), 2);
  EXPECT_THAT(err_, HasSubstr("'home.2.tar.gz' does not say which backup it is"));
  EXPECT_EQ(restore(""), 0);
  EXPECT_THAT(test::diff_trees(directory_ / "root", directory_ / "restored"), IsEmpty());
  EXPECT_EQ(run({"remove", "home@5", "--yes"}), 64);
  EXPECT_EQ(run({"remove", "home", "--from-level", "1", "--yes"}), 0);
  EXPECT_TRUE(fs::exists(backup("home.5.tar.gz")));
}

TEST_F(ChainsTest, LeaveABackupOfAnotherArchiveThatHasTheirNameAlone) {
  const auto archive = [this](const std::string& name, const std::string& root) {
    return "  " + name + ": {root: " + (directory_ / root).native() + ", destination: " + backup("").native() +
           ", type: tar.gz, incremental: true, keep: {generations: 1}}\n";
  };
  test::write_file(directory_ / "papers/precious", "precious");
  configure("version: 1\narchives:\n" + archive("home", "root") + archive("docs", "papers"));
  for (const char* name : {"home.1", "home.aa"}) {
    ASSERT_EQ(run({"create", "docs", "--full"}), 0) << err_;
    for (const std::string end : {".tar.gz", ".tar.gz.manifest.zst"})
      fs::rename(backup("docs" + end), backup(name + end));
    fs::remove(backup("docs.tar.gz.sha256"));
  }
  drop_manifest("home.aa.tar.gz");
  ASSERT_EQ(run({"create", "home"}), 0) << err_;
  EXPECT_EQ(run({"rescan"}), 1) << err_;
  EXPECT_THAT(err_, HasSubstr("'home.1.tar.gz': is called as a backup of the archive home, and left alone"));
  EXPECT_EQ(run({"list", "home"}), 1);
  EXPECT_THAT(err_, HasSubstr("'home.1.tar.gz': it says that it is a backup of 'docs'"));
  EXPECT_EQ(run({"remove", "home@aa", "--yes"}), 64);
  for (int i = 0; i < 4; ++i) {
    test::write_file(directory_ / "root/new", std::to_string(i));
    std::vector<std::string> words{"create", "home"};
    if (i % 2 == 1) words.emplace_back("--full");
    EXPECT_EQ(run(words), 0) << err_;
    EXPECT_EQ(restore(""), 0) << err_;
    EXPECT_THAT(test::diff_trees(directory_ / "root", directory_ / "restored"), IsEmpty());
  }
  EXPECT_EQ(run({"keep", "home", "--yes"}), 0) << err_;
  int left = 0;
  for (const auto& file : fs::directory_iterator(backup(""))) {
    if (file.path().extension() != ".gz") continue;
    fs::remove_all(directory_ / "restored");
    EXPECT_LE(run({"restore", file.path(), "--to", directory_ / "restored"}), 1) << err_;
    left += fs::exists(directory_ / "restored/precious") ? 1 : 0;
  }
  EXPECT_EQ(left, 2) << "the backups of docs";
}

TEST_F(ChainsTest, AreRestoredByAScriptThatRemovesNothing) {
  ASSERT_EQ(create({"--incremental"}), 0) << err_;
  const auto target = directory_ / "a\tb";
  EXPECT_EQ(run({"restore", "home", "--destination", destination(), "--to", target, "--script"}), 0) << err_;
  EXPECT_THAT(out_, Not(HasSubstr("\t")));
  test::write_file(directory_ / "script", out_);
  const auto shell = [&] { return test::run_shell("sh " + test::shell_quote(directory_ / "script")).status; };
  EXPECT_EQ(shell(), 0);
  EXPECT_EQ(test::read_file(target / "d/b"), "b");
  fs::remove_all(target);
  test::write_file(target / "d/mine", "mine");
  EXPECT_NE(shell(), 0);
  EXPECT_EQ(test::read_file(target / "d/mine"), "mine");
  for (const char* option : {"--delete", "--salvage", "--owner=none", "--overwrite=never"})
    EXPECT_EQ(run({"restore", "home", "--destination", destination(), "--to", target, "--script", option}), 64)
        << option;
}

TEST_F(ChainsTest, AreOverwrittenAtTheStartOnlyIfTheyDoNotStay) {
  configure_home(", overwrite_at_start: true");
  for (int level = 0; level < 2; ++level) ASSERT_EQ(run({"create", "home"}), 0) << err_;
  ASSERT_EQ(run({"create", "home", "--full"}), 0) << err_;
  EXPECT_THAT(err_ + out_, HasSubstr("'home.tar.gz' is not removed at the start"));
  EXPECT_EQ(restore("1.aa"), 0) << err_;
  configure_home(", overwrite_at_start: true, keep: {generations: 0}");
  ASSERT_EQ(run({"keep", "home", "--pin"}), 0) << err_;
  ASSERT_EQ(run({"create", "home", "--full"}), 0) << err_;
  EXPECT_THAT(err_ + out_, HasSubstr("is not removed at the start"));
  ASSERT_EQ(run({"create", "home", "--full"}), 0) << err_;
  EXPECT_THAT(err_ + out_, Not(HasSubstr("is not removed at the start")));
  EXPECT_EQ(restore(""), 0) << err_;
}

TEST_F(ChainsTest, GoOnWithManifestsThatOnlyTheStateHas) {
  make_chain();
  drop_manifest("home.1.tar.gz");
  test::write_file(backup("home.2.tar.gz.manifest.zst"), "damaged");
  EXPECT_EQ(create({"--incremental"}), 0) << err_;
  EXPECT_THAT(err_ + out_, HasSubstr("the manifest of 'home.1.tar.gz' was put back from the state"));
  EXPECT_TRUE(fs::exists(backup("home.4.tar.gz")));
  expect_day(1, "1");
  expect_day(2, "2");
  EXPECT_EQ(verify("data"), 0) << err_;
  // Not that of another backup.
  fs::rename(backup("home.3.tar.gz.manifest.zst"), backup("home.4.tar.gz.manifest.zst"));
  ASSERT_EQ(create({"--incremental"}), 0) << err_;
  EXPECT_THAT(err_ + out_, HasSubstr("level 0 instead of an increment"));
}

TEST_F(ChainsTest, BeginAnewWithoutTheStateThatALevelNeedsAlsoIfItWasAskedFor) {
  const std::vector<std::string> external{"--incremental", "--provider", "tar-external"};
  for (int level = 0; level < 2; ++level) ASSERT_EQ(create(external), 0) << err_;
  for (const auto& file : fs::directory_iterator(directory_ / "state/snapshots"))
    if (file.path().native().find(".snar") != std::string::npos) test::write_file(file.path(), "of another chain");
  auto asked = external;
  asked.insert(asked.end(), {"--level", "1"});
  EXPECT_EQ(create(asked), 0) << err_;
  EXPECT_THAT(err_ + out_, HasSubstr("level 0 instead of an increment"));
}

TEST_F(ChainsTest, GoOnHoweverTheRootIsSpelled) {
  for (const char* spelled : {"root", "root/", "backups/..//root/."})
    ASSERT_EQ(run({"create", "home", "--incremental", "--root", directory_ / spelled, "--destination", destination()}),
              0)
        << err_;
  EXPECT_TRUE(fs::exists(backup("home.2.tar.gz")));
}

TEST_F(ChainsTest, AreChosenByTheArchivesNameAndNotByAFiles) {
  ASSERT_EQ(create({"--incremental"}), 0) << err_;
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"ls", backup("home.tar.gz").native() + "@0"},
           {"restore", backup("home.tar.gz"), "--at", "2020-01-01", "--to", directory_ / "x"},
           {"restore", "home", "--destination", destination(), "--to", ""},
           {"ls", "home", "--destination", ""}})
    EXPECT_EQ(run(words), 64) << words.front() << err_;
}

TEST_F(ChainsTest, AreComparedWithSparseFilesByTheirContent) {
  const auto file = directory_ / "root/sparse";
  test::write_file(file, "data");
  fs::resize_file(file, 1'000'000);
  ASSERT_EQ(create(), 0) << err_;
  EXPECT_EQ(verify("source"), 0) << err_;
  const auto time = fs::last_write_time(file);
  const auto rewrite = [&](const std::string& begin) {
    auto content = test::read_file(file);
    content.replace(0, begin.size(), begin);
    test::write_file(file, content);  // without holes
    fs::last_write_time(file, time);
  };
  rewrite("data");
  EXPECT_EQ(verify("source"), 0) << err_;
  rewrite("DATA");
  EXPECT_EQ(verify("source"), 1);
  EXPECT_THAT(err_, HasSubstr("'sparse' is not as in the backup: content"));
}

}  // namespace
}  // namespace autoarchive::host
