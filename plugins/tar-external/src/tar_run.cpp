#include "tar_run.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "autoarchive/base/child_process.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "gnu_tar.hpp"
#include "line_buffer.hpp"
#include "member_name.hpp"
#include "tar_messages.hpp"
#include "tar_stream.hpp"

namespace autoarchive::tar_external {
namespace {

constexpr std::size_t kBufferBytes = 1U << 20U;
constexpr int kPollMilliseconds = 500;  // how long a stop request may go unnoticed

using Words = std::vector<std::string>;

void append(Words& words, Words more) {
  for (auto& word : more) words.push_back(std::move(word));
}

Words metadata_options(const MetadataOptions& metadata) {
  Words words;
  if (metadata.xattrs) append(words, {"--xattrs", "--xattrs-include=*"});
  if (metadata.acls) words.emplace_back("--acls");
  if (metadata.selinux) words.emplace_back("--selinux");
  if (metadata.sparse) words.emplace_back("--sparse");
  if (!metadata.owner_names) words.emplace_back("--numeric-owner");
  return words;
}

// How patterns are read also goes for the names that follow, so the literal ones come last.
Words exclude_options(const TarInput& input) {
  Words words{"--anchored"};
  if (!input.excluded_patterns().empty()) words.emplace_back("--wildcards");
  for (const auto& pattern : input.excluded_patterns()) words.push_back("--exclude=" + pattern);
  words.emplace_back("--no-wildcards");
  if (input.excluded().size() != 0) words.push_back("--exclude-from=" + input.excluded().path_in_child());
  for (const auto& name : input.excluded_names()) words.push_back("--exclude=" + name);
  return words;
}

Words arguments(const BackupJob& job, const TarInput& input, const std::string& index) {
  Words words{
      "--create",
      "--format=posix",
      "--verbose",
      "--index-file=" + index,
      "--file=-",
      "--directory=" + job.root().native(),
      "--quoting-style=escape",
      "--sort=name",
      "--pax-option=globexthdr.name=PaxHeaders/autoarchive,delete=atime,delete=ctime,comment=" + job.archive_comment()};
  if (const auto* const snapshot = input.snapshot()) {
    append(words, {"--no-check-device", "--no-recursion", "--warning=no-new-directory",
                   "--listed-incremental=" + snapshot->path_in_child()});
  }
  append(words, metadata_options(job.request().metadata));
  append(words, exclude_options(input));
  append(words, {"--null", "--verbatim-files-from", "--files-from=" + input.names().path_in_child()});
  return words;
}

/// What tar says, understood.
class Conversation {
 public:
  Conversation(const TarRun& run, BackupJob& job) : run_(run), job_(job) {}

  void take_message(std::string_view line) {
    if (const auto trouble = parse_entry_trouble(line)) {
      const auto path = path_of_member(unescape_name(trouble->name));
      run_.members.add_problem(path, trouble->state);
    }
    const auto message = parse_tar_message(line);
    switch (message.kind) {
      case MessageKind::ignored:
        return;
      case MessageKind::event:
        return take_event(message);
      case MessageKind::no_space:
        throw Error(ErrorCode::runtime_error, "tar: " + escaped(*message.text), ErrorCause::no_space);
      case MessageKind::incompatible:
        throw Error(ErrorCode::runtime_error, quote(run_.tar) + " is not compatible: " + escaped(*message.text),
                    ErrorCause::unavailable);
      case MessageKind::aborted:
        throw Error(ErrorCode::runtime_error, "tar gave up: " + escaped(*message.text));
    }
  }

  void judge(int status) {
    const bool exited = WIFEXITED(status);
    const int code = exited ? WEXITSTATUS(status) : 0;
    if (exited && code == 0) return;
    if (exited && code == 1)
      return job_.operation_error(BackupSubOperation::finish, BackupOperationError::some_files_changed);
    // Status 2 with a named reason: those files are missing, all others are there. A signal has no such excuse.
    if (exited && code == 2 && excuses_status_) return;
    throw Error(ErrorCode::runtime_error, "tar ended with " + end_text(status) + " and no reason that names a file");
  }

 private:
  void take_event(const TarMessage& message) {
    excuses_status_ = excuses_status_ || message.error == BackupOperationError::permission_denied ||
                      message.error == BackupOperationError::unknown_os_error ||
                      message.error == BackupOperationError::unknown_error;
    const bool is_known = message.name && run_.reported.contains(path_of_member(unescape_name(*message.name)));
    if (!is_known) job_.operation_error(message.operation, message.error, message.name, message.text);
  }

  const TarRun& run_;
  BackupJob& job_;
  bool excuses_status_ = false;
};

StreamCalls stream_calls(const TarRun& run, BackupJob& job) {
  StreamCalls calls;
  calls.dumpdir = [&run](const std::string& path) { return run.dumpdirs.find(path); };
  calls.content = [&job](std::uint64_t bytes) { job.content_stored(bytes); };
  calls.member = [&run](const StreamMember& member) { run.members.add_member(member); };
  return calls;
}

/// Reads tar's three streams to their ends.
class Streams {
 public:
  Streams(Sink& archive, Conversation& conversation, BackupJob& job)
      : archive_(archive), conversation_(conversation), job_(job), buffer_(kBufferBytes) {}

  void read(const ChildProcess& tar, int index) {
    std::array<pollfd, 3> streams{pollfd{tar.standard_output(), POLLIN, 0}, pollfd{index, POLLIN, 0},
                                  pollfd{tar.standard_error(), POLLIN, 0}};
    for (std::size_t open = streams.size(); open > 0;) {
      job_.check_stop();
      if (::poll(streams.data(), streams.size(), kPollMilliseconds) < 0 && errno != EINTR)
        throw Error::from_errno(errno, "poll");
      for (std::size_t i = 0; i < streams.size(); ++i) {
        if (streams[i].fd < 0 || streams[i].revents == 0 || read_some(streams[i].fd, i)) continue;
        streams[i].fd = -1;
        --open;
      }
    }
    names_.finish(on_name_);
    messages_.finish(on_message_);
  }

 private:
  // Returns false at the end of the stream.
  bool read_some(int fd, std::size_t stream) {
    const auto got = ::read(fd, buffer_.data(), buffer_.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (got < 0) throw Error::from_errno(errno, "reading from tar");
    const auto bytes = ByteView(buffer_).first(static_cast<std::size_t>(got));
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (stream == 0) archive_.write(bytes);
    if (stream == 1) names_.feed(text, on_name_);
    if (stream == 2) messages_.feed(text, on_message_);
    return got > 0;
  }

  Sink& archive_;
  Conversation& conversation_;
  BackupJob& job_;
  std::vector<std::byte> buffer_;
  LineBuffer names_;
  LineBuffer messages_;
  std::function<void(std::string_view)> on_name_ = [this](std::string_view line) { job_.file_added(line); };
  std::function<void(std::string_view)> on_message_ = [this](std::string_view line) {
    conversation_.take_message(line);
  };
};

}  // namespace

void run_tar(const TarRun& run, BackupJob& job) {
  auto [index_read, index_write] = make_pipe();
  const auto& input = run.input;
  ChildCommand command{run.tar,
                       arguments(job, input, "/dev/fd/" + std::to_string(index_write.get())),
                       {"LC_ALL=C", "PATH=" + std::string(kProgramPath)},
                       {index_write.get(), input.names().fd(), input.excluded().fd()}};
  if (input.snapshot() != nullptr) command.inherited.push_back(input.snapshot()->fd());
  ChildProcess tar(command);
  index_write.reset();

  TarStream archive(run.archive, stream_calls(run, job));
  Conversation conversation(run, job);
  Streams(archive, conversation, job).read(tar, index_read.get());
  conversation.judge(tar.wait());
  archive.finish();
}

}  // namespace autoarchive::tar_external
