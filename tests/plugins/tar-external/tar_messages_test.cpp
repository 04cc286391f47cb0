// contract 6.4, rule by rule.
#include "tar_messages.hpp"

#include <gtest/gtest.h>

#include "gnu_tar.hpp"

namespace autoarchive::tar_external {
namespace {

using O = BackupSubOperation;
using E = BackupOperationError;

void expect_event(const char* line, O operation, E error, std::optional<std::string_view> name,
                  std::optional<std::string_view> text) {
  const auto message = parse_tar_message(line);
  EXPECT_EQ(message.kind, MessageKind::event) << line;
  EXPECT_EQ(message.operation, operation) << line;
  EXPECT_EQ(message.error, error) << line;
  EXPECT_EQ(message.name, name) << line;
  EXPECT_EQ(message.text, text) << line;
}

TEST(TarMessages, AreIgnoredByRule1) {
  for (const char* line :
       {"", "tar: Exiting with failure status due to previous errors", "tar: ./x: Directory is new"}) {
    EXPECT_EQ(parse_tar_message(line).kind, MessageKind::ignored) << line;
  }
}

TEST(TarMessages, AreEventsByRules2To6) {
  expect_event("tar: a/b: Cannot stat: Permission denied", O::stat, E::permission_denied, "a/b", {});
  expect_event("tar: a: Cannot stat: No such file or directory", O::stat, E::unknown_os_error, "a",
               "No such file or directory");
  expect_event("/usr/bin/tar: a: Cannot open: Permission denied", O::open, E::permission_denied, "a", {});
  expect_event("tar: a: cannot OPEN: Input/output error", O::open, E::unknown_os_error, "a", "Input/output error");
  expect_event("tar: ./s: socket ignored", O::open, E::socket_ignored, "./s", {});
  expect_event("tar: a: b: file changed as we read it", O::read, E::file_changed, "a: b", {});
  expect_event("tar: ./new: Directory has been renamed from './old'", O::read, E::directory_renamed, "./new", {});
}

TEST(TarMessages, EndTheBackupByRules7To9) {
  EXPECT_EQ(parse_tar_message("tar: -: Wrote only 4096 of 10240 bytes: No space left on device").kind,
            MessageKind::no_space);
  EXPECT_EQ(parse_tar_message("gzip: stdout: No space left on device").kind, MessageKind::no_space);
  EXPECT_EQ(parse_tar_message("tar: unrecognized option '--sort=name'").kind, MessageKind::incompatible);
  EXPECT_EQ(parse_tar_message("Try 'tar --help' or 'tar --usage' for more information.").kind,
            MessageKind::incompatible);
  EXPECT_EQ(parse_tar_message("tar: Error is not recoverable: exiting now").kind, MessageKind::aborted);
}

TEST(TarMessages, AreUnknownErrorsByRules10And11) {
  expect_event("tar: a: File removed before we read it", O::unknown_file_operation, E::unknown_error, "a",
               "File removed before we read it");
  expect_event("tar: x: y: File shrank by 5 bytes; padding with zeros", O::unknown_file_operation, E::unknown_error,
               "x: y", "File shrank by 5 bytes; padding with zeros");
  expect_event("tar: Removing leading `/' from member names", O::unknown, E::unknown_error, {},
               "Removing leading `/' from member names");
}

TEST(TarNames, AreUnescaped) {
  EXPECT_EQ(unescape_name("plain"), "plain");
  EXPECT_EQ(unescape_name("new\\nline\\\\ \\303\\244 \\t"), "new\nline\\ \xc3\xa4 \t");
  EXPECT_EQ(unescape_name("end\\"), "end\\");
}

TEST(GnuTar, IsToldFromOtherPrograms) {
  EXPECT_TRUE(check_tar("").available) << check_tar("").reason;
  EXPECT_FALSE(check_tar("/nonexistent/tar").available);
  EXPECT_NE(check_tar("/bin/echo").reason.find("is not GNU tar"), std::string::npos);
  EXPECT_EQ(find_program("no such program"), "");
}

void expect_trouble(const char* line, std::string_view name, EntryState state) {
  const auto trouble = parse_entry_trouble(line);
  ASSERT_TRUE(trouble) << line;
  EXPECT_EQ(trouble->name, name) << line;
  EXPECT_EQ(trouble->state, state) << line;
}

TEST(TarMessages, TellHowAnEntryGotIntoTheArchive) {
  expect_trouble("tar: ./a: file changed as we read it", "./a", EntryState::changed);
  expect_trouble("tar: ./a: File shrank by 5 bytes; padding with zeros", "./a", EntryState::changed);
  expect_trouble("tar: ./a: Warning: Cannot flistxattr: Operation not permitted", "./a", EntryState::changed);
  expect_trouble("tar: ./a: File removed before we read it", "./a", EntryState::vanished);
  expect_trouble("tar: ./a: Cannot stat: No such file or directory", "./a", EntryState::vanished);
  expect_trouble("tar: ./a: Cannot open: Permission denied", "./a", EntryState::failed);
  expect_trouble("/usr/bin/tar: ./a: Cannot stat: File name too long", "./a", EntryState::failed);
  expect_trouble("tar: ./a: Read error at byte 0, while reading 512 bytes: Input/output error", "./a",
                 EntryState::failed);
  for (const char* line : {"tar: ./s: socket ignored", "tar: Exiting with failure status due to previous errors",
                           "tar: ./d: Directory is new", "", "tar: "}) {
    EXPECT_FALSE(parse_entry_trouble(line)) << line;
  }
}

// tar escapes the colons of names, so that no name can speak for another.
TEST(TarMessages, AreNotForgedByNames) {
  expect_trouble("tar: ./x\\: Cannot open\\: y: file changed as we read it", "./x\\: Cannot open\\: y",
                 EntryState::changed);
  EXPECT_EQ(unescape_name("./x\\: Cannot open\\: y"), "./x: Cannot open: y");
}

}  // namespace
}  // namespace autoarchive::tar_external
