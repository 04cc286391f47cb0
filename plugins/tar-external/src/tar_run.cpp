#include "tar_run.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "child_process.hpp"
#include "gnu_tar.hpp"
#include "tar_messages.hpp"

namespace autoarchive::tar_external {
namespace {

constexpr std::size_t kBufferBytes = 1U << 20U;
constexpr int kPollMilliseconds = 500;  // how long a stop request may go unnoticed
constexpr std::size_t kMaxLineBytes = 1U << 20U;

/// Cuts a stream into lines.
class LineBuffer {
 public:
  template <class Call>
  void feed(std::string_view bytes, const Call& call) {
    text_ += bytes;
    std::size_t begin = 0;
    for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n', begin)) {
      call(std::string_view(text_).substr(begin, end - begin));
      begin = end + 1;
    }
    text_.erase(0, begin);
    if (text_.size() > kMaxLineBytes) finish(call);
  }
  template <class Call>
  void finish(const Call& call) {
    if (!text_.empty()) call(std::string_view(text_));
    text_.clear();
  }

 private:
  std::string text_;
};

std::string device_path(const UniqueFd& fd) {
  return "/dev/fd/" + std::to_string(fd.get());
}

// A file of patterns holds one a line, and tar drops blanks at a line's end.
bool fits_into_a_line(const std::string& name) {
  return name.find('\n') == std::string::npos && !name.empty() &&
         std::isspace(static_cast<unsigned char>(name.back())) == 0;
}

class TarRun {
 public:
  TarRun(const TarCommand& command, BackupJob& job) : command_(command), job_(job), buffer_(kBufferBytes) {}

  std::unordered_set<std::string> run() {
    auto [index_read, index_write] = make_pipe();
    const auto includes = make_memory_file(include_list());
    const auto excludes = make_memory_file(exclude_list());
    ChildProcess tar({command_.tar,
                      arguments(device_path(index_write), device_path(includes), device_path(excludes)),
                      {"LC_ALL=C", "PATH=" + std::string(kProgramPath)},
                      {index_write.get(), includes.get(), excludes.get()}});
    index_write.reset();
    read_streams(tar, index_read.get());
    judge(tar.wait());
    return std::move(members_);
  }

 private:
  [[nodiscard]] std::string include_list() const {
    std::string list;
    for (const auto& include : *job_.request().definition.include_files) list += normalize_path(include) + '\0';
    return list;
  }

  [[nodiscard]] std::string exclude_list() const {
    std::string list;
    for (const auto& name : command_.excluded) {
      if (fits_into_a_line(name)) list += name + "\n";
    }
    return list;
  }

  [[nodiscard]] std::vector<std::string> arguments(const std::string& index, const std::string& includes,
                                                   const std::string& excludes) const {
    const auto& metadata = job_.request().metadata;
    std::vector<std::string> words{
        "--create",
        "--format=posix",
        "--verbose",
        "--index-file=" + index,
        "--file=-",
        "--directory=" + job_.root().native(),
        "--quoting-style=escape",
        "--sort=name",
        "--pax-option=globexthdr.name=PaxHeaders/autoarchive,delete=atime,delete=ctime,comment=" +
            job_.archive_comment()};
    if (!command_.compressor.empty()) words.push_back("--use-compress-program=" + command_.compressor);
    if (!command_.snapshot.empty()) {
      words.emplace_back("--no-check-device");
      words.push_back("--listed-incremental=" + command_.snapshot.native());
    }
    if (metadata.xattrs) words.insert(words.end(), {"--xattrs", "--xattrs-include=*"});
    if (metadata.acls) words.emplace_back("--acls");
    if (metadata.selinux) words.emplace_back("--selinux");
    if (metadata.sparse) words.emplace_back("--sparse");
    if (!metadata.owner_names) words.emplace_back("--numeric-owner");
    words.insert(words.end(), {"--anchored", "--no-wildcards", "--exclude-from=" + excludes});
    for (const auto& name : command_.excluded) {
      if (!fits_into_a_line(name)) words.push_back("--exclude=" + name);
    }
    words.insert(words.end(), {"--null", "--verbatim-files-from", "--files-from=" + includes});
    return words;
  }

  // Returns false at the end of the stream.
  template <class Call>
  bool read_some(int fd, const Call& call) {
    const auto got = ::read(fd, buffer_.data(), buffer_.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (got < 0) throw Error::from_errno(errno, "reading from tar");
    if (got > 0) call(ByteView(buffer_).first(static_cast<std::size_t>(got)));
    return got > 0;
  }

  static std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  void read_streams(ChildProcess& tar, int index) {
    std::array<pollfd, 3> streams{pollfd{tar.standard_output(), POLLIN, 0}, pollfd{index, POLLIN, 0},
                                  pollfd{tar.standard_error(), POLLIN, 0}};
    LineBuffer names;
    LineBuffer messages;
    const auto on_name = [this](std::string_view line) { take_name(line); };
    const auto on_message = [this](std::string_view line) { take_message(line); };
    for (std::size_t open = streams.size(); open > 0;) {
      job_.check_stop();
      if (::poll(streams.data(), streams.size(), kPollMilliseconds) < 0 && errno != EINTR)
        throw Error::from_errno(errno, "poll");
      for (std::size_t i = 0; i < streams.size(); ++i) {
        if (streams[i].fd < 0 || streams[i].revents == 0) continue;
        const bool more = read_some(streams[i].fd, [&](ByteView bytes) {
          if (i == 0) job_.archive().write(bytes);
          if (i == 1) names.feed(as_text(bytes), on_name);
          if (i == 2) messages.feed(as_text(bytes), on_message);
        });
        if (more) continue;
        streams[i].fd = -1;
        --open;
      }
    }
    names.finish(on_name);
    messages.finish(on_message);
  }

  void take_name(std::string_view line) {
    job_.file_added(line);
    auto name = unescape_name(line);
    while (name.size() > 1 && name.ends_with('/')) name.pop_back();
    members_.insert(std::move(name));
  }

  void take_message(std::string_view line) {
    const auto message = parse_tar_message(line);
    switch (message.kind) {
      case MessageKind::ignored:
        return;
      case MessageKind::event:
        excuses_status_ = excuses_status_ || message.error == BackupOperationError::permission_denied ||
                          message.error == BackupOperationError::unknown_os_error ||
                          message.error == BackupOperationError::unknown_error;
        return job_.operation_error(message.operation, message.error, message.name, message.text);
      case MessageKind::no_space:
        throw Error(ErrorCode::runtime_error, "tar: " + escaped(*message.text), ErrorCause::no_space);
      case MessageKind::incompatible:
        throw Error(ErrorCode::runtime_error, quote(command_.tar) + " is not compatible: " + escaped(*message.text),
                    ErrorCause::unavailable);
      case MessageKind::aborted:
        throw Error(ErrorCode::runtime_error, "tar gave up: " + escaped(*message.text));
    }
  }

  void judge(int status) {
    const bool exited = WIFEXITED(status);
    const int code = exited ? WEXITSTATUS(status) : WTERMSIG(status);
    if (exited && code == 0) return;
    if (exited && code == 1) {
      return job_.operation_error(BackupSubOperation::finish, BackupOperationError::some_files_changed);
    }
    // Status 2 with a named reason: those files are missing, all others are there. A signal has no such excuse.
    if (exited && code == 2 && excuses_status_) return;
    throw Error(ErrorCode::runtime_error, std::string("tar ended with ") + (exited ? "status " : "signal ") +
                                              std::to_string(code) + " and no reason that names a file");
  }

  const TarCommand& command_;
  BackupJob& job_;
  std::vector<std::byte> buffer_;
  std::unordered_set<std::string> members_;
  bool excuses_status_ = false;
};

}  // namespace

std::unordered_set<std::string> run_tar(const TarCommand& command, BackupJob& job) {
  return TarRun(command, job).run();
}

}  // namespace autoarchive::tar_external
