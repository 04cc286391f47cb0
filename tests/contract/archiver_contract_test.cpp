// contract 3 to 7 for every provider and type: what no provider may do differently.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "plugin_providers.hpp"
#include "support/recording_observer.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive {
namespace {

using test::ProviderAndType;
using test::shell_quote;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ArchiverContract : public ::testing::TestWithParam<ProviderAndType> {
 protected:
  ArchiverContract() : archiver_(test::make_archiver(GetParam().provider, directory_.make("work"))) {
    std::filesystem::create_directory(directory_ / "destination");
    std::filesystem::create_directory(directory_ / "root");
    request_.definition.backup_id = "docs";
    request_.definition.backup_type = GetParam().type;
    request_.definition.destination = (directory_ / "destination").native();
    request_.definition.root = (directory_ / "root").native();
    request_.definition.include_files = {"."};
    request_.observer = &observer_;
  }

  [[nodiscard]] std::filesystem::path root() const { return directory_ / "root"; }
  [[nodiscard]] std::filesystem::path file() const {
    return directory_ / "destination" / ("docs." + GetParam().type.extension);
  }
  [[nodiscard]] bool has(const ArchiverFeature& feature) const {
    return archiver_->supported_features(GetParam().type).contains(feature);
  }
  [[nodiscard]] std::vector<std::string> visible_files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "destination")) {
      if (!entry.path().filename().native().starts_with(".")) names.push_back(entry.path().filename());
    }
    return names;
  }
  template <class Call>
  static Error error_of(const Call& call) {
    try {
      call();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {ErrorCode::runtime_error, ""};
  }

  test::TempDir directory_;
  test::RecordingObserver observer_;
  BackupRequest request_;
  std::shared_ptr<IArchiver> archiver_;
};

std::string provider_name(const ::testing::TestParamInfo<ProviderAndType>& info) {
  auto name = info.param.provider + "_" + info.param.type.extension;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

TEST_P(ArchiverContract, BringsBackANastyTreeByOurReaderGnuTarAndBsdtar) {
  test::make_nasty_tree(root());
  const auto result = archiver_->backup_files(request_);
  EXPECT_EQ(result.path, file().native());
  EXPECT_THAT(observer_.errors(), IsEmpty());

  RestoreRequest restore;
  restore.levels.emplace_back();
  restore.levels[0].file = open_local_file(file());
  restore.target = directory_ / "ours";
  restore.owner = OwnerPolicy::ids;
  EXPECT_EQ(test::make_reader()->restore(restore).problems, 0U);
  EXPECT_THAT(test::diff_trees(root(), directory_ / "ours"), IsEmpty());

  const auto gnu =
      test::run_shell("mkdir " + shell_quote(directory_ / "gnu") +
                      " && tar --numeric-owner --xattrs --xattrs-include='*' --acls -xpf " + shell_quote(file()) +
                      " -C " + shell_quote(directory_ / "gnu") + " --warning=no-timestamp");
  EXPECT_EQ(gnu.status, 0) << gnu.output;
  EXPECT_THAT(test::diff_trees(root(), directory_ / "gnu"), IsEmpty());

  // bsdtar reads the fraction of a time before 1970 on the wrong side of the second, which is no fault of the archive.
  const timespec whole[2] = {{-86'400, 0}, {-86'400, 0}};
  const auto bsd =
      test::run_shell("mkdir " + shell_quote(directory_ / "bsd") + " && LC_ALL=C.UTF-8 bsdtar --numeric-owner -xpf " +
                      shell_quote(file()) + " -C " + shell_quote(directory_ / "bsd"));
  // GNU tar does not mark names that are not UTF-8 in its records: bsdtar restores them, and complains.
  const bool complains_only =
      GetParam().provider == "tar-external" && bsd.output.find("Pathname can't be converted") != std::string::npos;
  EXPECT_TRUE(bsd.status == 0 || complains_only) << bsd.output;
  for (const auto& tree : {root(), directory_ / "bsd"}) ::utimensat(AT_FDCWD, (tree / "empty").c_str(), whole, 0);
  EXPECT_THAT(test::diff_trees(root(), directory_ / "bsd"), IsEmpty());
}

TEST_P(ArchiverContract, WritesAManifestAndADigestThatFitTheFile) {
  test::write_file(root() / "a", "content");
  const auto result = archiver_->backup_files(request_);
  const auto check = test::run_shell("cd " + shell_quote(directory_ / "destination") + " && sha256sum -c " +
                                     shell_quote(sha256_name(file().filename().native())));
  EXPECT_EQ(check.status, 0) << check.output;
  const auto manifest = open_local_file(manifest_name(file().native()));
  const auto archive = open_local_file(file());
  const auto verified = test::make_reader()->verify(*archive, manifest.get(), {});
  EXPECT_THAT(verified.faults, IsEmpty());
  EXPECT_EQ(verified.sha256, result.summary.archive_sha256);
  EXPECT_EQ(verified.members, result.summary.stored_entries);
}

// contract 3.1: the temporary name, and 9 of the promises: private.
TEST_P(ArchiverContract, TakesItsNameWhenItIsCompleteAndIsPrivate) {
  test::write_file(root() / "a", "x");
  class Looker final : public IBackupObserver {
   public:
    explicit Looker(std::filesystem::path file) : file_(std::move(file)) {}
    void file_add(std::string_view /*name*/) override {
      partial_seen |= std::filesystem::exists(file_.native() + "._partial");
      final_seen |= std::filesystem::exists(file_);
    }
    bool partial_seen = false;
    bool final_seen = false;

   private:
    std::filesystem::path file_;
  } looker(file());
  request_.observer = &looker;
  static_cast<void>(archiver_->backup_files(request_));
  EXPECT_TRUE(looker.partial_seen);
  EXPECT_FALSE(looker.final_seen);
  struct stat status {};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

// contract 4: kinds of error, in their order, before anything is written.
TEST_P(ArchiverContract, ChecksInTheOrderOfTheSeed) {
  request_.definition.backup_type = BackupType{"Zip", "zip"};
  request_.compression_strength = 99;
  request_.definition.include_files = {};
  const auto unsupported = error_of([&] { static_cast<void>(archiver_->backup_files(request_)); });
  EXPECT_EQ(unsupported.code(), ErrorCode::value_error);
  EXPECT_EQ(unsupported.cause(), ErrorCause::unsupported);
  request_.definition.backup_type = GetParam().type;
  if (!has(archiver_feature::kCompressionStrength)) {
    EXPECT_EQ(error_of([&] { static_cast<void>(archiver_->backup_files(request_)); }).code(), ErrorCode::runtime_error);
    request_.compression_strength.reset();
  }
  EXPECT_EQ(error_of([&] { static_cast<void>(archiver_->backup_files(request_)); }).code(),
            ErrorCode::runtime_error);  // nothing to back up
  request_.definition.include_files = {"."};
  if (has(archiver_feature::kCompressionStrength)) {
    EXPECT_EQ(error_of([&] { static_cast<void>(archiver_->backup_files(request_)); }).code(),
              ErrorCode::value_error);  // 99 is out of range
  }
  EXPECT_THAT(visible_files(), IsEmpty());
}

TEST_P(ArchiverContract, TakesEveryStrengthThatItDeclares) {
  if (!has(archiver_feature::kCompressionStrength)) GTEST_SKIP() << "takes no strength";
  test::write_file(root() / "a", std::string(10'000, 'x'));
  for (const int strength : {0, 1, 9}) {
    request_.compression_strength = strength;
    static_cast<void>(archiver_->backup_files(request_));
    const auto list = test::run_shell("tar tf " + shell_quote(file()));
    EXPECT_EQ(list.status, 0) << list.output;
  }
}

TEST_P(ArchiverContract, RefusesAMissingOrEmptyRootAndKeepsTheOldBackup) {
  test::write_file(file(), "old backup");
  EXPECT_EQ(error_of([&] { static_cast<void>(archiver_->backup_files(request_)); }).cause(), ErrorCause::source);
  request_.definition.root = (directory_ / "missing").native();
  EXPECT_EQ(error_of([&] { static_cast<void>(archiver_->backup_files(request_)); }).cause(), ErrorCause::source);
  EXPECT_EQ(test::read_file(file()), "old backup");
  request_.definition.root = root().native();
  request_.allow_empty = true;
  static_cast<void>(archiver_->backup_files(request_));
  EXPECT_NE(test::read_file(file()), "old backup");
}

TEST_P(ArchiverContract, RefusesADestinationThatIsMissing) {
  test::write_file(root() / "a", "");
  request_.definition.destination = (directory_ / "nowhere").native();
  EXPECT_EQ(error_of([&] { static_cast<void>(archiver_->backup_files(request_)); }).cause(), ErrorCause::destination);
}

TEST_P(ArchiverContract, LeavesADestinationInsideOfItsRootOut) {
  test::write_file(root() / "a", "x");
  std::filesystem::create_directory(root() / "backups");
  request_.definition.destination = (root() / "backups").native();
  static_cast<void>(archiver_->backup_files(request_));
  const auto list = test::run_shell("tar tf " + shell_quote(root() / "backups" / file().filename().native()));
  EXPECT_THAT(list.output, HasSubstr("a\n"));
  EXPECT_THAT(list.output, ::testing::Not(HasSubstr("backups/")));
}

TEST_P(ArchiverContract, ReportsAMissingIncludeAndStoresTheRest) {
  test::write_file(root() / "there", "x");
  request_.definition.include_files = {"there", "not there"};
  static_cast<void>(archiver_->backup_files(request_));
  EXPECT_THAT(observer_.errors(), Contains("error Stat/UnknownOsError not there: No such file or directory"));
  EXPECT_EQ(test::run_shell("tar tf " + shell_quote(file())).output, "there\n");
}

TEST_P(ArchiverContract, ReportsASocketAndStoresAFifo) {
  ::mkfifo((root() / "fifo").c_str(), 0600);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = (root() / "s").native();
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  static_cast<void>(archiver_->backup_files(request_));
  ::close(fd);
  ASSERT_EQ(observer_.errors().size(), 1U);
  EXPECT_THAT(observer_.errors().front(), ::testing::MatchesRegex("error Open/SocketIgnored (\\./)?s"));
  EXPECT_THAT(test::run_shell("tar tf " + shell_quote(file())).output, HasSubstr("fifo\n"));
}

TEST_P(ArchiverContract, ReportsAnUnreadableFileAndStoresTheRest) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  test::write_file(root() / "closed", "secret");
  test::write_file(root() / "open", "x");
  ::chmod((root() / "closed").c_str(), 0);
  ASSERT_EQ(
      ::system(
          ("chmod -R a+rwX " + shell_quote(directory_.path()) + "; chmod 0 " + shell_quote(root() / "closed")).c_str()),
      0);
  ASSERT_EQ(::seteuid(65534), 0);
  std::string failure;
  try {
    static_cast<void>(archiver_->backup_files(request_));
  } catch (const Error& error) {
    failure = error.message();
  }
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(failure, "");
  EXPECT_THAT(observer_.errors(), Contains(::testing::MatchesRegex("error Open/PermissionDenied (\\./)?closed")));
  EXPECT_THAT(test::run_shell("tar tf " + shell_quote(file())).output, HasSubstr("open\n"));

  ManifestReader manifest(open_local_file(manifest_name(file().native())));
  manifest.seek("closed");
  ManifestEntry entry;
  ASSERT_TRUE(manifest.next(entry));
  EXPECT_EQ(entry.entry.path, "closed");
  EXPECT_EQ(entry.stored_level, -1);  // the tree has it, no backup does
}

TEST_P(ArchiverContract, ExcludesLiteralPathsAndPatternsAlike) {
  for (const char* name : {"keep", "a*b", "axb", "dir/x", "dir/y", "z.tmp", "trailing ", "new\nline"})
    test::write_file(root() / name, "");
  request_.definition.exclude_files = {"a*b", "dir/", "trailing ", "new\nline"};
  request_.filter.exclude = {"*.tmp"};
  static_cast<void>(archiver_->backup_files(request_));
  EXPECT_EQ(test::run_shell("tar tf " + shell_quote(file()) + " | sed 's/^\\.\\///' | grep -v '^$' | sort").output,
            "axb\nkeep\n");
}

TEST_P(ArchiverContract, CommitsNothingWhenAHandlerThrows) {
  test::write_file(root() / "a", "x");
  test::write_file(file(), "old backup");
  class Thrower final : public IBackupObserver {
   public:
    void file_add(std::string_view /*name*/) override { throw Error(ErrorCode::runtime_error, "handler"); }
  } thrower;
  request_.observer = &thrower;
  EXPECT_EQ(error_of([&] { static_cast<void>(archiver_->backup_files(request_)); }).message(), "handler");
  EXPECT_THAT(visible_files(), ::testing::ElementsAre(file().filename().native()));
  EXPECT_EQ(test::read_file(file()), "old backup");
}

TEST_P(ArchiverContract, StopsWhenAsked) {
  test::write_file(root() / "a", "x");
  std::stop_source stop;
  stop.request_stop();
  request_.stop = stop.get_token();
  EXPECT_EQ(error_of([&] { static_cast<void>(archiver_->backup_files(request_)); }).cause(), ErrorCause::cancelled);
  EXPECT_THAT(visible_files(), IsEmpty());
}

TEST_P(ArchiverContract, RemovesTheOldBackupFirstOnlyWhenAsked) {
  test::write_file(root() / "a", "x");
  static_cast<void>(archiver_->backup_files(request_));
  class Looker final : public IBackupObserver {
   public:
    explicit Looker(std::filesystem::path file) : file_(std::move(file)) {}
    void file_add(std::string_view /*name*/) override { seen |= std::filesystem::exists(file_); }
    bool seen = false;

   private:
    std::filesystem::path file_;
  } looker(file());
  request_.observer = &looker;
  static_cast<void>(archiver_->backup_files(request_));
  EXPECT_TRUE(looker.seen);
  looker.seen = false;
  request_.overwrite_at_start = true;
  static_cast<void>(archiver_->backup_files(request_));
  EXPECT_FALSE(looker.seen);
}

// contract 7
TEST_P(ArchiverContract, KeepsAndRemovesBackups) {
  test::write_file(root() / "a", "x");
  const auto& definition = request_.definition;
  EXPECT_FALSE(archiver_->does_backup_exist(definition));
  EXPECT_EQ(error_of([&] { archiver_->remove_backup(definition); }).code(), ErrorCode::file_not_found);
  EXPECT_EQ(error_of([&] { archiver_->keep_backup(definition, "", "aa"); }).code(), ErrorCode::file_not_found);
  EXPECT_EQ(error_of([&] { archiver_->keep_backup(definition, "", ""); }).code(), ErrorCode::value_error);
  static_cast<void>(archiver_->backup_files(request_));
  EXPECT_TRUE(archiver_->does_backup_exist(definition) && archiver_->does_backup_exist(definition, 0));
  archiver_->keep_backup(definition, "", "aa");
  EXPECT_TRUE(archiver_->does_backup_exist(definition, {}, "aa"));
  EXPECT_FALSE(archiver_->does_backup_exist(definition));
  const auto check =
      test::run_shell("cd " + shell_quote(directory_ / "destination") + " && sha256sum -c docs.aa.*.sha256");
  EXPECT_EQ(check.status, 0) << check.output;
  static_cast<void>(archiver_->backup_files(request_));
  EXPECT_EQ(error_of([&] { archiver_->keep_backup(definition, "", "aa"); }).code(), ErrorCode::file_exists);
  archiver_->remove_backup(definition, "aa");
  archiver_->remove_backup(definition);
  EXPECT_THAT(visible_files(), IsEmpty());
}

TEST_P(ArchiverContract, HonestlyLacksWhatItDoesNotDeclare) {
  if (has(archiver_feature::kIncremental)) GTEST_SKIP() << "makes levels";
  const auto& definition = request_.definition;
  for (const auto& code :
       {error_of([&] { static_cast<void>(archiver_->backup_files_incrementally(request_)); }).code(),
        error_of([&] { static_cast<void>(archiver_->max_backup_level("docs")); }).code(),
        error_of([&] { archiver_->remove_backup_increments(definition); }).code(),
        error_of([&] { static_cast<void>(archiver_->does_any_backup_level_exist(definition)); }).code()}) {
    EXPECT_EQ(code, ErrorCode::not_implemented);
  }
  EXPECT_THAT(archiver_->stored_backup_ids(), IsEmpty());
  EXPECT_NO_THROW(archiver_->purge_stored_backup_data("docs"));
}

INSTANTIATE_TEST_SUITE_P(AllArchivers, ArchiverContract,
                         ::testing::ValuesIn(test::all_providers(/*incremental_only=*/false)), provider_name);

}  // namespace
}  // namespace autoarchive
