// What the provider makes of a tar that meets trouble: a script stands before the real one, and does something first or
// says something more.
#include "external_tar_archiver_provider.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "brought_snapshot.hpp"
#include "support/recording_observer.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive::tar_external {
namespace {

namespace fs = std::filesystem;
using test::shell_quote;
using test::write_file;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ExternalTarTest : public ::testing::Test {
 protected:
  ExternalTarTest() {
    set_tar("", "");
    request_.definition.backup_id = "docs";
    request_.definition.backup_type = backup_type::kTar;
    request_.definition.destination = directory_.make("destination").native();
    request_.definition.root = directory_.make("root").native();
    request_.definition.include_files = {"."};
    request_.observer = &observer_;
    for (const char* name : {"a", "b", "d/c"}) write(name, "old");
  }

  [[nodiscard]] fs::path root() const { return directory_ / "root"; }
  void write(const std::string& path, std::string_view content) const { write_file(root() / path, content); }

  /// From now on, tar is a script that runs `before`, tar, and `after` when an archive is made.
  void set_tar(const std::string& before, const std::string& after) {
    const auto tar = directory_ / "tar";
    write_file(tar, "#!/bin/sh\ncase \"$*\" in --create*)\n" + before + "\n:;; esac\n/usr/bin/tar \"$@\"; status=$?\n" +
                        "case \"$*\" in --create*)\n" + after + "\n:;; esac\nexit $status\n");
    fs::permissions(tar, fs::perms::owner_all);
  }

  BackupResult make() {
    ExternalTarArchiverProvider provider({directory_.make("work"), {{"tar", directory_ / "tar"}}});
    const auto result = provider.backup_files_incrementally(request_);
    level_ = result.level;
    return result;
  }
  Error failure() {
    try {
      make();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {ErrorCode::runtime_error, ""};
  }

  [[nodiscard]] fs::path file(int level) const {
    return directory_ / "destination" / (level == 0 ? "docs.tar" : "docs." + std::to_string(level) + ".tar");
  }
  [[nodiscard]] ManifestEntry entry_of(const std::string& path) const {
    ManifestReader manifest(open_local_file(manifest_name(file(level_).native())));
    for (ManifestEntry entry; manifest.next(entry);) {
      if (entry.entry.path == path) return entry;
    }
    ADD_FAILURE() << path << " is not in the manifest";
    return {};
  }
  [[nodiscard]] std::vector<std::string> names_in(std::string_view directory) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_ / directory)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  test::TempDir directory_;
  test::RecordingObserver observer_;
  BackupRequest request_;
  int level_ = 0;
};

TEST_F(ExternalTarTest, KeepsWhatTheParentHasOfAFileThatVanishedBeforeTarCame) {
  make();
  write("a", "new content");
  write("fresh", "fresh");
  set_tar("rm " + shell_quote(root() / "a") + " " + shell_quote(root() / "fresh"), "");
  make();
  EXPECT_THAT(observer_.errors(), Contains("error Stat/UnknownOsError a: No such file or directory"));
  EXPECT_EQ(entry_of("a").state, EntryState::vanished);
  EXPECT_EQ(entry_of("a").stored_level, 0);
  EXPECT_EQ(entry_of("a").entry.size, 3U);
  EXPECT_EQ(entry_of("fresh").state, EntryState::vanished);
  EXPECT_EQ(entry_of("fresh").stored_level, -1);
  set_tar("", "");
  write("a", "old");
  make();
  EXPECT_EQ(entry_of("a").state, EntryState::racy);
}

TEST_F(ExternalTarTest, MarksAFileThatChangedWhileItWasRead) {
  make();
  write("a", "new content");
  set_tar("", "echo 'tar: ./a: file changed as we read it' >&2; status=1");
  make();
  EXPECT_THAT(observer_.errors(), Contains("error Read/FileChanged ./a"));
  EXPECT_EQ(observer_.errors().back(), "error Finish/SomeFilesChanged");
  EXPECT_EQ(entry_of("a").state, EntryState::changed);
  EXPECT_EQ(entry_of("a").stored_level, 1);
  EXPECT_TRUE(entry_of("a").digest);
}

// A reader compares it: files of logs grow between the survey and tar.
TEST_F(ExternalTarTest, NotesTheSizeOfWhatTarHasStored) {
  fs::create_hard_link(root() / "a", root() / "link");
  write("shorter", "a long content");
  write("sparse", "begin");
  set_tar("cd " + shell_quote(root()) + "\necho more >> a; echo s > shorter; truncate --size 1000000 sparse", "");
  make();
  EXPECT_EQ(entry_of("a").entry.size, 8U);
  EXPECT_EQ(entry_of("link").entry.size, 8U);
  EXPECT_EQ(entry_of("shorter").entry.size, 2U);
  EXPECT_EQ(entry_of("sparse").entry.size, 1'000'000U);
  EXPECT_EQ(entry_of("b").entry.size, 3U);
}

// A reader tells by them that one member is several entries', or that of another name.
TEST_F(ExternalTarTest, NotesNamesThatFilesGetBetweenTheSurveyAndTar) {
  write("c", "other");
  set_tar("cd " + shell_quote(root()) + "\nln -f b c; ln a 0", "");
  make();
  EXPECT_EQ(entry_of("b").offset, entry_of("c").offset);
  EXPECT_EQ(entry_of("b").digest, entry_of("c").digest);
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(entry_of(name).entry.link_count, 2U) << name;
    EXPECT_EQ(entry_of(name).entry.size, 3U) << name;
  }
  EXPECT_EQ(entry_of("d/c").entry.link_count, 1U);
  EXPECT_THAT(observer_.errors(), IsEmpty());
}

TEST_F(ExternalTarTest, KeepsWhatTheParentHasOfWhatBecameAnotherKind) {
  make();
  for (const char* name : {"a", "fresh"}) write(name, "new content");
  set_tar("cd " + shell_quote(root()) + "\nln -sf b a; ln -sf b fresh", "");
  make();
  EXPECT_THAT(observer_.errors(), ::testing::ElementsAre("error Read/FileChanged a", "error Read/FileChanged fresh",
                                                         "error Finish/SomeFilesChanged"));
  EXPECT_EQ(entry_of("a").state, EntryState::failed);
  EXPECT_EQ(entry_of("a").stored_level, 0);
  EXPECT_EQ(entry_of("a").entry.kind, EntryKind::file);
  EXPECT_EQ(entry_of("fresh").state, EntryState::failed);
  EXPECT_EQ(entry_of("fresh").stored_level, -1);
  set_tar("", "");
  make();
  EXPECT_EQ(entry_of("a").entry.kind, EntryKind::symlink);
  EXPECT_EQ(entry_of("a").stored_level, 2);
  EXPECT_EQ(entry_of("fresh").stored_level, 2);
}

// tar stores zeros for what it can't read.
TEST_F(ExternalTarTest, PrefersWhatTheParentHasToAFileThatWasReadInPart) {
  make();
  write("a", "new content");
  write("fresh", "fresh");
  set_tar("",
          "for f in a fresh; do\n"
          "echo \"tar: ./$f: Read error at byte 0, while reading 512 bytes: Input/output error\" >&2\n"
          "done; status=2");
  make();
  EXPECT_EQ(entry_of("a").state, EntryState::failed);
  EXPECT_EQ(entry_of("a").stored_level, 0);
  EXPECT_EQ(entry_of("fresh").state, EntryState::failed);
  EXPECT_EQ(entry_of("fresh").stored_level, 1);
}

TEST_F(ExternalTarTest, CommitsNothingThatTarDidNotFinish) {
  make();
  const auto kept = names_in("destination");
  const auto state = names_in("work/snapshots");
  const std::pair<const char*, const char*> ends[] = {
      {"status=2", "tar ended with status 2 and no reason"},
      {"kill -9 $$", "tar ended with signal 9"},
      {"echo 'tar: Error is not recoverable: exiting now' >&2; status=2", "tar gave up"},
  };
  for (const auto& [after, message] : ends) {
    set_tar("", after);
    EXPECT_THAT(failure().message(), HasSubstr(message));
    EXPECT_EQ(names_in("destination"), kept) << after;
    EXPECT_EQ(names_in("work/snapshots"), state) << after;
  }
  set_tar("/usr/bin/tar \"$@\" | head -c 1024; exit 0", "");
  EXPECT_THAT(failure().message(), HasSubstr("cut short"));
  set_tar("echo this is no archive; exit 0", "");
  EXPECT_THAT(failure().message(), HasSubstr("no archive in the posix format"));
  EXPECT_EQ(names_in("destination"), kept);
  EXPECT_EQ(names_in("work/snapshots"), state);
}

TEST_F(ExternalTarTest, EndsTarWhateverEndsTheBackup) {
  const auto is_running = [this] {
    const auto pid = std::stoi(test::read_file(directory_ / "pid"));
    for (int i = 0; i < 2000 && ::kill(-pid, 0) == 0; ++i) ::usleep(10'000);
    return ::kill(-pid, 0) == 0;
  };
  // A request to stop, while tar says nothing.
  set_tar("echo $$ > " + shell_quote(directory_ / "pid") + "; sleep 100", "");
  std::stop_source stop;
  request_.stop = stop.get_token();
  std::thread stopper([&] {
    while (test::read_file(directory_ / "pid").empty()) ::usleep(1000);
    stop.request_stop();
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(failure().cause(), ErrorCause::cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
  stopper.join();
  EXPECT_FALSE(is_running());
  // A handler that throws.
  request_.stop = {};
  class Thrower final : public IBackupObserver {
   public:
    void file_add(std::string_view /*name*/) override { throw Error(ErrorCode::runtime_error, "handler"); }
  } thrower;
  request_.observer = &thrower;
  set_tar("echo $$ > " + shell_quote(directory_ / "pid"), "sleep 100");
  EXPECT_EQ(failure().message(), "handler");
  EXPECT_FALSE(is_running());
}

TEST_F(ExternalTarTest, ReportsOnceWhatTarMeetsAgain) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  write("closed/x", "x");
  fs::permissions(root() / "closed", fs::perms::none);
  const auto opened =
      test::run_shell("chmod a+rwx " + shell_quote(directory_.path()) + " " + shell_quote(directory_ / "destination") +
                      " " + shell_quote(directory_ / "tar") + " " + shell_quote(directory_.make("work")));
  ASSERT_EQ(opened.status, 0);
  ASSERT_EQ(::seteuid(65534), 0);
  std::string failure;
  try {
    make();
  } catch (const Error& error) {
    failure = error.message();
  }
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(failure, "");
  EXPECT_THAT(observer_.errors(), ::testing::ElementsAre("error Open/PermissionDenied closed"));
  EXPECT_EQ(entry_of("closed").state, EntryState::failed);
}

// GNU tar itself takes the second for the first, renamed, and its archive then can't be restored.
TEST_F(ExternalTarTest, StoresADirectoryThatIsMountedTwice) {
  fs::create_directory(root() / "again");
  if (::mount((root() / "d").c_str(), (root() / "again").c_str(), nullptr, MS_BIND, nullptr) != 0)
    GTEST_SKIP() << "needs to mount";
  const std::unique_ptr<void, std::function<void(void*)>> unmount(
      this, [this](void* /*unused*/) { ::umount2((root() / "again").c_str(), MNT_DETACH); });
  make();
  make();
  const auto target = directory_.make("target");
  for (const int level : {0, 1}) {
    const auto restored =
        test::run_shell("tar -g /dev/null -xf " + shell_quote(file(level)) + " -C " + shell_quote(target));
    EXPECT_EQ(restored.status, 0) << restored.output;
  }
  EXPECT_EQ(test::read_file(target / "d/c"), "old");
  EXPECT_EQ(test::read_file(target / "again/c"), "old");
}

TEST_F(ExternalTarTest, KeepsASnapshotFromWhichTarCanGoOnByItself) {
  make();
  write("d/new", "new");
  const auto snapshot = directory_ / "snapshot";
  fs::copy_file(directory_ / "work/snapshots/docs.snar", snapshot);
  const auto listed =
      test::run_shell("cd " + shell_quote(root()) + " && tar -g " + shell_quote(snapshot) + " -cf - . | tar -tf -");
  EXPECT_EQ(listed.status, 0) << listed.output;
  EXPECT_EQ(listed.output, "./\n./d/\n./d/new\n");
}

TEST_F(ExternalTarTest, LeavesNoFilesOfItsOwnBehind) {
  make();
  make();
  EXPECT_THAT(names_in("work/snapshots"),
              ::testing::ElementsAre("docs.1.snar", "docs.1.snar.id", "docs.1.snar.manifest", "docs.snar",
                                     "docs.snar.id", "docs.snar.manifest"));
}

TEST_F(ExternalTarTest, NeverStoresWhatStandsBesideAnInclude) {
  for (const char* name : {"in/x", "beside/y", "file beside"}) write(name, name);
  request_.definition.include_files = {"in"};
  // One that comes after the survey is stored at most, but is in no manifest.
  set_tar("echo > " + shell_quote(root() / "late"), "");
  make();
  const auto listed = test::run_shell("tar -tf " + shell_quote(file(0)));
  EXPECT_THAT(listed.output, HasSubstr("./in/x\n"));
  EXPECT_THAT(listed.output, Not(HasSubstr("beside")));
  const auto lists = test::run_shell("tar -tvvGf " + shell_quote(file(0)));
  EXPECT_THAT(lists.output, HasSubstr("D in\n"));
  EXPECT_THAT(lists.output, Not(HasSubstr("late\nY")));
  EXPECT_THAT(lists.output, Not(HasSubstr("Y late")));
}

TEST_F(ExternalTarTest, TakesASnapshotThatWasBroughtForThatOfTheBackup) {
  make();
  write("a", "new");
  make();
  const auto state = directory_ / "work/snapshots";
  for (const char* file : {"docs.snar.id", "docs.snar.manifest", "docs.1.snar.id", "docs.1.snar.manifest"})
    fs::remove(state / file);
  write("b", "new");
  EXPECT_THAT(failure().message(), HasSubstr("make a level 0"));
  ExternalTarArchiverProvider({directory_.make("work"), {}})
      .recover_state(request_.definition, LocalStorage(request_.definition.destination));
  EXPECT_EQ(make().level, 2);
  EXPECT_EQ(entry_of("b").stored_level, 2);
  EXPECT_EQ(entry_of("a").stored_level, 1);
}

TEST_F(ExternalTarTest, TakesNoSnapshotWithoutTheManifestOfItsBackup) {
  make();
  const auto state = directory_ / "work/snapshots";
  fs::remove(state / "docs.snar.id");
  fs::remove(directory_ / "destination/docs.tar.manifest.zst");
  ExternalTarArchiverProvider({directory_.make("work"), {}})
      .recover_state(request_.definition, LocalStorage(request_.definition.destination));
  EXPECT_FALSE(fs::exists(state / "docs.snar.id"));
}

TEST_F(ExternalTarTest, KnowsASnapshotThatIsCutAnywhere) {
  for (const char* name : {"in/x", "in/below/y", "beside/y"}) write(name, name);
  make();
  const auto snapshot = directory_ / "theirs.snar";
  const auto made =
      test::run_shell("tar -cf /dev/null -g " + shell_quote(snapshot) + " -C " + shell_quote(root()) + " .");
  ASSERT_EQ(made.status, 0) << made.output;
  const auto fault = [&](const std::string& text) {
    test::write_file(snapshot, text);
    ManifestReader manifest(open_local_file(directory_ / "destination/docs.tar.manifest.zst"));
    return fault_of_snapshot(snapshot, manifest);
  };
  const auto whole = test::read_file(snapshot);
  EXPECT_EQ(fault(whole), "");
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) EXPECT_NE(fault(whole.substr(0, bytes)), "") << bytes;
  EXPECT_NE(fault(whole + "x"), "");
  EXPECT_NE(fault("GNU tar-1.34-2\n1\0001\000" + std::string(1U << 20U, 'x')), "");
}

}  // namespace
}  // namespace autoarchive::tar_external
