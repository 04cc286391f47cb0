// Streams are GNU tar's own, and what comes out is read by GNU tar.
#include "tar_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "autoarchive/base/error.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::tar_external {
namespace {

using test::shell_quote;
using test::write_file;
using namespace std::string_literals;

class StringSink final : public Sink {
 public:
  void write(ByteView bytes) override { text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()); }
  void finish() override {}
  std::string text;
};

struct Outcome {
  std::string stream;
  std::map<std::string, StreamMember> members;
  std::uint64_t content_bytes = 0;
};

class TarStreamTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path tree() const { return directory_ / "tree"; }

  [[nodiscard]] std::string make(const std::string& options) const {
    const auto archive = directory_ / "archive.tar";
    const auto made = test::run_shell("cd " + shell_quote(tree()) + " && tar --create --format=posix --file " +
                                      shell_quote(archive) + " " + options);
    EXPECT_EQ(made.status, 0) << made.output;
    return test::read_file(archive);
  }

  /// Passes `stream` on in pieces of that size.
  static Outcome pass(const std::string& stream, std::size_t piece_bytes = 1U << 20U,
                      std::optional<std::string> dumpdir = {}) {
    Outcome outcome;
    StringSink out;
    StreamCalls calls;
    calls.dumpdir = [&](const std::string& /*path*/) { return dumpdir; };
    calls.content = [&](std::uint64_t bytes) { outcome.content_bytes += bytes; };
    calls.member = [&](const StreamMember& member) { outcome.members[member.path] = member; };
    TarStream passing(out, std::move(calls));
    for (std::size_t begin = 0; begin < stream.size(); begin += piece_bytes)
      passing.write(std::as_bytes(std::span(stream).subspan(begin, std::min(piece_bytes, stream.size() - begin))));
    passing.finish();
    outcome.stream = std::move(out.text);
    return outcome;
  }

  [[nodiscard]] std::string list(const std::string& stream, const std::string& options) const {
    write_file(directory_ / "passed.tar", stream);
    const auto listed = test::run_shell("tar " + options + " --file " + shell_quote(directory_ / "passed.tar"));
    EXPECT_EQ(listed.status, 0) << listed.output;
    return listed.output;
  }

  static std::uint64_t digest_of(const std::string& text) {
    ContentDigest digest;
    digest.update(std::as_bytes(std::span(text)));
    return digest.value();
  }

  test::TempDir directory_;
};

TEST_F(TarStreamTest, PassesEverythingOnWhateverThePieces) {
  test::make_nasty_tree(tree());
  const auto stream = make("--sparse --xattrs --xattrs-include='*' .");
  const auto whole = pass(stream);
  EXPECT_EQ(whole.stream, stream);
  for (const std::size_t piece_bytes : {1U, 7U, 511U, 512U, 513U, 4096U}) {
    const auto outcome = pass(stream, piece_bytes);
    EXPECT_EQ(outcome.stream, stream) << piece_bytes;
    EXPECT_EQ(outcome.members.size(), whole.members.size());
    for (const auto& [path, member] : outcome.members) EXPECT_EQ(member.digest, whole.members.at(path).digest) << path;
  }
}

TEST_F(TarStreamTest, TellsPlacesDigestsAndLinks) {
  const std::string name(200, 'n');
  write_file(tree() / "a", "content");
  write_file(tree() / "empty", "");
  write_file(tree() / name / name, std::string(100'000, 'x'));
  std::filesystem::create_hard_link(tree() / "a", tree() / "b");
  std::filesystem::create_symlink("a", tree() / "symlink");
  write_file(tree() / "sparse", "begin");
  std::filesystem::resize_file(tree() / "sparse", 1'000'000);
  const auto stream = make("--sort=name --sparse .");
  const auto outcome = pass(stream);
  EXPECT_EQ(outcome.members.at("a").digest, digest_of("content"));
  EXPECT_EQ(outcome.members.at("empty").digest, digest_of(""));
  EXPECT_EQ(outcome.members.at(name + "/" + name).digest, digest_of(std::string(100'000, 'x')));
  EXPECT_EQ(outcome.members.at("b").link_path, "a");
  EXPECT_EQ(outcome.members.at("b").digest, std::nullopt);
  EXPECT_EQ(outcome.members.at("symlink").digest, std::nullopt);
  EXPECT_EQ(outcome.members.at("symlink").link_path, "");
  EXPECT_EQ(outcome.members.at("symlink").kind, EntryKind::symlink);
  EXPECT_EQ(outcome.members.at("a").kind, EntryKind::file);
  EXPECT_EQ(outcome.members.at(".").kind, EntryKind::directory);
  EXPECT_TRUE(outcome.members.at("sparse").digest);
  EXPECT_EQ(outcome.members.at("a").size, 7U);
  EXPECT_EQ(outcome.members.at("sparse").size, 1'000'000U);
  EXPECT_TRUE(outcome.members.contains("."));
  EXPECT_GT(outcome.content_bytes, 100'000U);
  EXPECT_LT(outcome.content_bytes, 200'000U);
  for (const auto& [path, member] : outcome.members) {
    const auto names = list(stream.substr(static_cast<std::size_t>(member.offset)), "--list");
    EXPECT_EQ(names.substr(0, path == "." ? 3 : path.size() + 2), "./" + (path == "." ? "\n" : path));
  }
}

TEST_F(TarStreamTest, GivesDirectoriesTheListThatItIsTold) {
  for (const char* name : {"keep", "drop", "d/x"}) write_file(tree() / name, "");
  const auto stream = make("--listed-incremental " + shell_quote(directory_ / "snar") + " .");
  const auto outcome = pass(stream, 100, "Ykeep\0Dd\0\0"s);
  const auto listed = list(outcome.stream, "--list --incremental --verbose --verbose");
  EXPECT_THAT(listed, ::testing::HasSubstr("Y keep\nD d\n"));
  EXPECT_THAT(listed, ::testing::Not(::testing::HasSubstr(" drop\n")));
  EXPECT_THAT(listed, ::testing::HasSubstr("./drop"));  // the member is still there
  for (const auto& [path, member] : outcome.members) {
    const auto names = list(outcome.stream.substr(static_cast<std::size_t>(member.offset)), "--list");
    EXPECT_EQ(names.substr(0, path == "." ? 3 : path.size() + 2), "./" + (path == "." ? "\n" : path));
  }
  // Longer than all that tar wrote, and gone altogether.
  std::string names;
  for (int i = 0; i < 1000; ++i) names += "Y" + std::to_string(i) + '\0';
  EXPECT_THAT(list(pass(stream, 1000, names + '\0').stream, "--list --incremental --verbose --verbose"),
              ::testing::HasSubstr("Y 999\n"));
  EXPECT_THAT(list(pass(stream).stream, "--list --incremental --verbose --verbose"),
              ::testing::Not(::testing::HasSubstr("keep\n\n")));
}

TEST_F(TarStreamTest, RefusesWhatIsCutOrForeign) {
  write_file(tree() / "a", std::string(2000, 'a'));
  const auto stream = make(".");
  const auto is_refused = [](const std::string& text) {
    try {
      static_cast<void>(pass(text));
      return false;
    } catch (const Error& error) {
      return error.code() == ErrorCode::runtime_error;
    }
  };
  const auto end = stream.find_last_not_of('\0') / kBlockBytes * kBlockBytes + kBlockBytes;
  for (std::size_t length = 0; length <= end; length += 100)
    EXPECT_TRUE(is_refused(stream.substr(0, length))) << length;
  EXPECT_FALSE(is_refused(stream.substr(0, end + kBlockBytes)));
  EXPECT_TRUE(is_refused(std::string(10'000, 'x')));
  auto flipped = stream;
  flipped[5] ^= 1;
  EXPECT_TRUE(is_refused(flipped));
}

}  // namespace
}  // namespace autoarchive::tar_external
