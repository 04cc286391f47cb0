#include "autoarchive/base/child_answer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

#include "autoarchive/base/child_process.hpp"
#include "process_group.hpp"

namespace autoarchive {
namespace {

void close_standard_streams(bool keeps_standard_error) noexcept {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, 0);
  ::dup2(null, 1);
  if (!keeps_standard_error) ::dup2(null, 2);
  if (null > 2) ::close(null);
}

}  // namespace

ChildAnswer ask_in_child(const ChildCall& call) {
  auto [in, out] = make_pipe();
  ProcessGroup group("starting a process of our own", [&, answer = out.get()] {
    close_standard_streams(call.keeps_standard_error);
    call.function(answer);
  });
  out.reset();
  ChildAnswer answer;
  answer.timed_out = !read_to_end(in.get(), call.time_limit, kMaxAnswerBytes, answer.text);
  if (answer.timed_out) group.signal(SIGKILL);
  answer.status = group.wait(Leftovers::killed);
  return answer;
}

bool write_answer(int out, std::string_view text) noexcept {
  while (!text.empty()) {
    const auto written = ::write(out, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace autoarchive
