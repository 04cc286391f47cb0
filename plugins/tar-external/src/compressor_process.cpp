#include "compressor_process.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive::tar_external {
namespace {

constexpr std::size_t kBufferBytes = 1U << 20U;
constexpr std::size_t kMaxMessageBytes = 4096;
constexpr int kPollMilliseconds = 500;  // how long a stop request may go unnoticed

ChildCommand child_command(const std::vector<std::string>& command) {
  return {command.front(), {command.begin() + 1, command.end()}, {"LC_ALL=C"}, {}, /*has_input=*/true};
}

}  // namespace

CompressorProcess::CompressorProcess(const std::vector<std::string>& command, Sink& out,
                                     std::function<void()> check_stop)
    : program_(command.front()),
      out_(out),
      check_stop_(std::move(check_stop)),
      process_(child_command(command)),
      buffer_(kBufferBytes) {}

void CompressorProcess::write(ByteView bytes) {
  while (!bytes.empty()) {
    check_stop_();
    exchange(bytes);
    if (!has_output_ && !bytes.empty()) fail();
  }
}

void CompressorProcess::finish() {
  process_.close_standard_input();
  ByteView nothing;
  while (has_output_ || has_messages_) {
    check_stop_();
    exchange(nothing);
  }
  const int status = process_.wait();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail_with(status);
}

// Whatever is possible now, or after some waiting: writes some of `bytes`, reads output and messages.
void CompressorProcess::exchange(ByteView& bytes) {
  std::array<pollfd, 3> streams{pollfd{bytes.empty() ? -1 : process_.standard_input(), POLLOUT, 0},
                                pollfd{has_output_ ? process_.standard_output() : -1, POLLIN, 0},
                                pollfd{has_messages_ ? process_.standard_error() : -1, POLLIN, 0}};
  if (::poll(streams.data(), streams.size(), kPollMilliseconds) < 0) {
    if (errno == EINTR) return;
    throw Error::from_errno(errno, "poll");
  }
  if (streams[1].revents != 0) has_output_ = read_output();
  if (streams[2].revents != 0) has_messages_ = read_messages();
  if (streams[0].revents == 0) return;
  const auto sent = ::send(process_.standard_input(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent > 0) bytes = bytes.subspan(static_cast<std::size_t>(sent));
  const bool may_go_on = sent > 0 || errno == EINTR || errno == EAGAIN;
  if (!may_go_on) fail();
}

bool CompressorProcess::read_output() {
  const auto got = ::read(process_.standard_output(), buffer_.data(), buffer_.size());
  if (got < 0 && errno == EINTR) return true;
  if (got < 0) throw Error::from_errno(errno, "reading from " + program_);
  if (got > 0) out_.write(ByteView(buffer_).first(static_cast<std::size_t>(got)));
  return got > 0;
}

bool CompressorProcess::read_messages() {
  std::array<char, kMaxMessageBytes> text{};
  const auto got = ::read(process_.standard_error(), text.data(), text.size());
  if (got < 0 && errno == EINTR) return true;
  if (got > 0 && messages_.size() < kMaxMessageBytes) messages_.append(text.data(), static_cast<std::size_t>(got));
  return got > 0;
}

// It takes or gives no more: it has ended, or is good for nothing.
void CompressorProcess::fail() {
  process_.kill();
  const int status = process_.wait();
  while (has_messages_) has_messages_ = read_messages();
  fail_with(status);
}

void CompressorProcess::fail_with(int status) const {
  auto text = quote(program_) + " ended with " + end_text(status);
  if (!messages_.empty()) text += ": " + escaped(messages_.substr(0, messages_.find('\n')));
  throw Error(ErrorCode::runtime_error, text);
}

}  // namespace autoarchive::tar_external
