// Small files that are made on other threads.
#include "file_queue.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::tar_internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FileQueueTest : public ::testing::Test {
 protected:
  NewFile file(const std::string& name, std::uint64_t size = 0) {
    NewFile file;
    file.parent = parent_;
    file.temporary = ".partial";
    file.entry.path = name;
    file.entry.kind = EntryKind::file;
    file.entry.mode = 0640;
    file.entry.size = size;
    return file;
  }
  static FileContent content(FileQueue& queue, const std::string& text, std::uint64_t offset = 0) {
    auto content = queue.content();
    content.add({offset, std::as_bytes(std::span(text))});
    return content;
  }
  [[nodiscard]] std::string read(const std::string& name) const { return test::read_file(directory_ / name); }

  test::TempDir directory_;
  std::shared_ptr<const UniqueFd> parent_ =
      std::make_shared<const UniqueFd>(::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
};

TEST_F(FileQueueTest, MakesEveryFileAndGivesTheResultsInTheirOrder) {
  for (const unsigned threads : {1U, 2U, FileQueue::kMaxThreads}) {
    FileQueue queue(threads);
    constexpr int kFiles = 500;
    int taken = 0;
    const auto check = [&](const MadeFile& made) {
      EXPECT_EQ(made.entry.path, std::to_string(taken++));
      EXPECT_TRUE(made.is_made);
      EXPECT_EQ(made.content_bytes, made.entry.path.size() * 1000);
      EXPECT_THAT(made.problems, IsEmpty());
    };
    for (int i = 0; i < kFiles; ++i) {
      std::string text;
      for (int times = 0; times < 1000; ++times) text += std::to_string(i);
      queue.add(file(std::to_string(i), text.size()), content(queue, text));
      while (const auto made = queue.take(/*wait=*/false)) check(*made);
    }
    while (const auto made = queue.take(/*wait=*/true)) check(*made);
    EXPECT_EQ(taken, kFiles);
    EXPECT_EQ(read("7"), std::string(1000, '7'));
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
      names.insert(entry.path().filename());
    EXPECT_EQ(names.size(), std::size_t{kFiles}) << "nothing else is left";
  }
}

TEST_F(FileQueueTest, LeavesHolesAndSetsTheSize) {
  FileQueue queue(1);
  queue.add(file("f", 10), content(queue, "abc", 4));
  EXPECT_TRUE(queue.take(/*wait=*/true)->is_made);
  EXPECT_EQ(read("f"), std::string("\0\0\0\0abc\0\0\0", 10));
}

TEST_F(FileQueueTest, TellsWhatCouldNotBeMade) {
  std::filesystem::create_directories(directory_ / "in the way/x");
  FileQueue queue(2);
  queue.add(file("in the way"), content(queue, "x"));
  queue.add(file("fine"), content(queue, "x"));
  const auto made = queue.take(/*wait=*/true);
  EXPECT_FALSE(made->is_made);
  EXPECT_THAT(made->problems, ElementsAre(HasSubstr("what is there can't be replaced")));
  EXPECT_TRUE(queue.take(/*wait=*/true)->is_made);
  EXPECT_FALSE(queue.take(/*wait=*/true));
}

TEST_F(FileQueueTest, EndsInTheMiddleWithoutHalfFiles) {
  for (int round = 0; round < 20; ++round) {
    FileQueue queue(3);
    for (int i = 0; i < 60; ++i) queue.add(file(std::to_string(i)), content(queue, "whole"));
  }
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
    EXPECT_EQ(entry.path().filename().native().find(".partial"), std::string::npos);
    EXPECT_EQ(test::read_file(entry.path()), "whole");
  }
}

}  // namespace
}  // namespace autoarchive::tar_internal
