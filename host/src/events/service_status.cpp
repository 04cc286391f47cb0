#include "events/service_status.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <utility>

#include "autoarchive/base/text.hpp"
#include "autoarchive/base/unique_fd.hpp"

namespace autoarchive::host {
namespace {

constexpr std::chrono::seconds kInterval{10};

}  // namespace

void ServiceStatus::tell(std::string_view text) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_.front() == '@') address.sun_path[0] = '\0';
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return;
  const auto message = "STATUS=" + escaped(text);  // a line break would begin another assignment
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  [[maybe_unused]] const auto sent = ::sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL,
                                              reinterpret_cast<const sockaddr*>(&address), length);
}

ServiceProgress::ServiceProgress(const ServiceStatus& status, std::string archive)
    : status_(status), archive_(std::move(archive)), started_(Clock::now()), told_(started_) {}

void ServiceProgress::started(const BackupStarted& job) {
  status_.tell(fmt::format("{}: level {} by {}", archive_, job.level, job.provider));
}

void ServiceProgress::progress(const BackupProgress& progress) {
  const auto now = Clock::now();
  if (now - told_ < kInterval) return;
  told_ = now;
  status_.tell(progress_text(archive_, progress, now - started_, std::nullopt));
}

}  // namespace autoarchive::host
