#include "autoarchive/base/error.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "autoarchive/base/unique_fd.hpp"

namespace autoarchive {
namespace {

TEST(Error, KeepsTheEightKindsOfTheSeedApart) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::file_not_found); ++code)
    names.insert(to_string(static_cast<ErrorCode>(code)));
  EXPECT_EQ(names, (std::set<std::string_view>{"ValueError", "RuntimeError", "OSError", "NotImplementedError",
                                               "KeyError", "TypeError", "FileExistsError", "FileNotFoundError"}));
}

TEST(Error, TellsTheSystemsReasonAndItsKind) {
  const auto missing = Error::from_errno(ENOENT, "archive 'x'");
  EXPECT_EQ(missing.code(), ErrorCode::file_not_found);
  EXPECT_EQ(missing.message(), "archive 'x': No such file or directory");
  EXPECT_TRUE(missing.is_os_error());
  EXPECT_EQ(Error::from_errno(EEXIST, "x").code(), ErrorCode::file_exists);
  EXPECT_EQ(Error::from_errno(ENOSPC, "x").cause(), ErrorCause::no_space);
  EXPECT_EQ(Error::from_errno(ENOSPC, "x", ErrorCause::destination).cause(), ErrorCause::destination);
  EXPECT_FALSE(Error(ErrorCode::value_error, "x").is_os_error());
}

TEST(Error, HasAWordForEveryCause) {
  std::set<std::string_view> words;
  for (int cause = 0; cause <= static_cast<int>(ErrorCause::internal); ++cause)
    words.insert(to_string(static_cast<ErrorCause>(cause)));
  EXPECT_EQ(words.size(), static_cast<std::size_t>(ErrorCause::internal) + 1);
}

TEST(UniqueFd, ClosesWhatItOwnsAndNothingElse) {
  const int number = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  {
    UniqueFd first(number);
    UniqueFd second(std::move(first));
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_EQ(second.get(), number);
  }
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

}  // namespace
}  // namespace autoarchive
