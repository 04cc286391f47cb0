// The archive as a whole, made by several threads.
#include "segment_pipeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "autoarchive/base/error.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "internal_tar_archiver_provider.hpp"
#include "support/failing_storage.hpp"
#include "support/manifest_files.hpp"
#include "support/recording_observer.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::tar_internal {
namespace {

using test::noise;
using test::shell_quote;
using test::write_file;
using ::testing::IsEmpty;

class SegmentPipelineTest : public ::testing::Test {
 protected:
  SegmentPipelineTest() : provider_({directory_.make("work"), {}}), storage_(directory_.make("destination")) {
    request_.definition.backup_id = "x";
    request_.definition.backup_type = backup_type::kTar;
    request_.definition.destination = storage_.directory().native();
    request_.definition.root = directory_.make("root").native();
    request_.definition.include_files = {"."};
    request_.identity.backup_uuid = "00000000-0000-4000-8000-000000000000";  // the same in each archive
  }

  // Files around the size of a segment, many small ones, one with holes.
  void make_tree() const {
    for (std::size_t i = 0; i < 600; ++i)
      write_file(root() / ("d" + std::to_string(i % 70)) / std::to_string(i), noise(i * 13, static_cast<unsigned>(i)));
    for (const std::size_t size : {kSmallFileBytes - 1, kSmallFileBytes, kSmallFileBytes + 1, std::size_t{3'000'000}})
      write_file(root() / "large" / std::to_string(size), noise(size, 7));
    write_file(root() / "large" / "sparse", "begin");
    std::filesystem::resize_file(root() / "large" / "sparse", 5'000'000);
    std::filesystem::create_hard_link(root() / "large" / "3000000", root() / "large" / "link");
  }

  [[nodiscard]] std::filesystem::path root() const { return directory_ / "root"; }
  [[nodiscard]] std::filesystem::path archive() const {
    return storage_.directory() / ("x." + request_.definition.backup_type->extension);
  }
  void restore_and_compare() const {
    const auto target = directory_.make("restored");
    const auto tar = test::run_shell("tar -xpf " + shell_quote(archive()) + " -C " + shell_quote(target));
    EXPECT_EQ(tar.status, 0) << tar.output;
    EXPECT_THAT(test::diff_trees(root(), target), IsEmpty());
    std::filesystem::remove_all(target);
  }

  test::TempDir directory_;
  InternalTarArchiverProvider provider_;
  LocalStorage storage_;
  BackupRequest request_;
};

// The stream behind the compression, and behind the comment, which has the time of the run.
TEST_F(SegmentPipelineTest, WritesTheSameStreamWithAnyNumberOfThreads) {
  make_tree();
  for (const auto& [type, reader] : {std::pair{backup_type::kTar, "cat "}, std::pair{backup_type::kTarGz, "gzip -dc "},
                                     std::pair{backup_type::kTarZst, "zstd -dc "}}) {
    request_.definition.backup_type = type;
    std::string first;
    for (const unsigned threads : {1U, 2U, 7U}) {
      request_.threads = threads;
      static_cast<void>(provider_.backup_files(request_));
      const auto plain = directory_ / "plain";
      const auto read = test::run_shell(reader + shell_quote(archive()) + " > " + shell_quote(plain));
      ASSERT_EQ(read.status, 0) << read.output;
      auto bytes = test::read_file(plain);
      ASSERT_EQ(bytes.substr(2 * kBlockBytes + 257, 5), "ustar") << "the comment takes two blocks";
      bytes.erase(0, 2 * kBlockBytes);
      if (threads == 1) first = bytes;
      EXPECT_TRUE(bytes == first) << type.extension << " with " << threads << " threads";
    }
    restore_and_compare();
  }
}

// A segment that did not end on a block of the tar stream would put everything behind it out of place.
TEST_F(SegmentPipelineTest, FollowsALargeFileByTheNextMemberWithEveryTypeAndStrength) {
  write_file(root() / "large", noise(2'000'123, 5));
  write_file(root() / "zz", "behind it");
  for (const auto& type : backup_type::kWellKnown) {
    request_.definition.backup_type = type;
    for (int strength = 0; strength <= 9; ++strength) {
      request_.compression_strength.reset();
      if (type != backup_type::kTar) request_.compression_strength = strength;
      static_cast<void>(provider_.backup_files(request_));
      const auto behind = test::run_shell("tar -xOf " + shell_quote(archive()) + " ./zz zz 2>/dev/null");
      EXPECT_EQ(behind.output, "behind it") << type.extension << " " << strength;
      if (type == backup_type::kTar) break;
    }
    restore_and_compare();
  }
}

TEST_F(SegmentPipelineTest, OpensWhatHasTakenAFilesNameSinceTheWalk) {
  write_file(root() / "f", "old");
  const Filter filter(FilterRules{});
  Walker walker({root(), {"f"}, {}, false}, filter);
  Step step;
  ASSERT_TRUE(walker.next(step.item));
  write_file(root() / "new", "saved by renaming");
  std::filesystem::rename(root() / "new", root() / "f");
  const auto opened = open_current(step.item);
  EXPECT_TRUE(opened.fd);
  EXPECT_EQ(opened.entry.size, 17U);
}

TEST_F(SegmentPipelineTest, SaysOfAFileThatCouldNotBeReadThatNoBackupHasIt) {
  Step step;
  step.item.entry.path = "f";
  step.outcome.stored_level = 0;
  step.outcome.offset = 512;
  set_failed(step, BackupSubOperation::read, EIO);
  EXPECT_EQ(step.outcome.stored_level, -1);
  EXPECT_FALSE(step.outcome.offset);
  EXPECT_THROW(set_failed(step, BackupSubOperation::open, EMFILE), Error);
}

TEST_F(SegmentPipelineTest, RecordsWhereEachMemberBeginsAndTheDigestOfItsContent) {
  make_tree();
  static_cast<void>(provider_.backup_files(request_));
  const auto tar = test::read_file(archive());
  const auto bytes = std::as_bytes(std::span(tar));
  const auto manifest = test::read_manifest(archive().native() + ".manifest.zst");
  EXPECT_EQ(manifest.size(), 600U + 70 + 1 + 1 + 6);
  for (const auto& [path, line] : manifest) {
    ASSERT_TRUE(line.offset) << path;
    EXPECT_TRUE(has_valid_checksum(bytes.subspan(static_cast<std::size_t>(*line.offset)).first<kBlockBytes>())) << path;
    if (line.entry.kind != EntryKind::file || path == "large/sparse") continue;
    ContentDigest digest;
    const auto content = test::read_file(root() / path);
    digest.update(std::as_bytes(std::span(content)));
    EXPECT_EQ(line.digest, digest.value()) << path;
  }
  EXPECT_EQ(manifest.at("large/link").offset, manifest.at("large/3000000").offset);
}

TEST_F(SegmentPipelineTest, CommitsNothingWhenTheDestinationIsFullAtAnyByte) {
  make_tree();
  request_.threads = 3;
  for (const auto& type : {backup_type::kTar, backup_type::kTarZst}) {
    request_.definition.backup_type = type;
    for (const std::size_t room : {0U, 1U, 5'000U, 600'000U, 1'500'000U, 4'000'000U}) {
      const auto transaction = storage_.begin({"x", {}, {}, {}, false, false, {}});
      test::FailingTransaction failing(*transaction, archive().filename(), room);
      request_.transaction = &failing;
      request_.storage = &storage_;
      try {
        static_cast<void>(provider_.backup_files(request_));
        ADD_FAILURE() << type.extension << " " << room;
      } catch (const Error& error) {
        EXPECT_EQ(error.cause(), ErrorCause::no_space);
      }
      EXPECT_FALSE(std::filesystem::exists(archive()));
    }
  }
}

// As when the file of the first name is gone, and its inode's number is that of another one.
TEST_F(SegmentPipelineTest, TakesNoNameForALinkToWhatItsFileNoLongerIs) {
  write_file(root() / "a", "old");
  for (int i = 0; i < 8000; ++i) write_file(root() / "between" / std::to_string(i), "");
  std::filesystem::create_hard_link(root() / "a", root() / "z");
  class Changer final : public IBackupObserver {
   public:
    explicit Changer(std::filesystem::path file) : file_(std::move(file)) {}
    void file_add(std::string_view name) override {
      if (name == "./a" || name == "a") write_file(file_, "something else");
    }

   private:
    std::filesystem::path file_;
  } changer(root() / "z");
  request_.observer = &changer;
  request_.threads = 1;
  static_cast<void>(provider_.backup_files(request_));
  EXPECT_EQ(test::run_shell("tar -xOf " + shell_quote(archive()) + " ./a a 2>/dev/null").output, "old");
  EXPECT_EQ(test::run_shell("tar -xOf " + shell_quote(archive()) + " ./z z 2>/dev/null").output, "something else");
}

TEST_F(SegmentPipelineTest, StopsInTheMiddleWhenAsked) {
  make_tree();
  class Stopper final : public IBackupObserver {
   public:
    void file_add(std::string_view /*name*/) override { source.request_stop(); }
    std::stop_source source;
  } stopper;
  request_.observer = &stopper;
  request_.stop = stopper.source.get_token();
  try {
    static_cast<void>(provider_.backup_files(request_));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::cancelled);
  }
}

TEST_F(SegmentPipelineTest, KeepsFewDirectoriesOpenWhateverTheTreeLooksLike) {
  for (int i = 0; i < 400; ++i) std::filesystem::create_directories(root() / std::to_string(i) / "below");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  auto few = before;
  few.rlim_cur = 100;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  test::RecordingObserver observer;
  request_.observer = &observer;
  static_cast<void>(provider_.backup_files(request_));
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_THAT(observer.errors(), IsEmpty());
  restore_and_compare();
}

}  // namespace
}  // namespace autoarchive::tar_internal
