#include "config/secret.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/base/unique_fd.hpp"

namespace autoarchive::host {
namespace {

constexpr std::string_view kFile = "${file:";
constexpr std::string_view kVariable = "${env:";
constexpr std::size_t kMaxBytes = 64U << 10U;
// A shorter one can't be kept out of messages without making them unreadable.
constexpr std::size_t kMinBytes = 4;

std::string read_file(const std::string& name) {
  const auto fault = [&](const std::string& text) {
    return Error(ErrorCode::os_error, "secret file " + quote(name) + ": " + text, ErrorCause::unavailable);
  };
  if (!name.starts_with('/')) throw fault("its path has to be absolute");
  struct stat status {};
  if (::stat(name.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) throw fault("it is no regular file");
  const UniqueFd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd || ::fstat(fd.get(), &status) != 0) throw fault(errno_text(errno));
  if (!S_ISREG(status.st_mode)) throw fault("it is no regular file");
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) throw fault("it belongs to another user; chown it");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) throw fault("others may read it; chmod 600 it");
  std::string text(kMaxBytes + 1, '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const auto got = ::read(fd.get(), text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw fault(errno_text(errno));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (filled > kMaxBytes) throw fault("it has more than 64 KiB");
  text.resize(filled);
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

std::string read_variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value != nullptr) return value;
  throw Error(ErrorCode::key_error, "environment variable " + quote(name) + " is not set", ErrorCause::unavailable);
}

std::string name_in(std::string_view reference, std::string_view beginning) {
  return std::string(reference.substr(beginning.size(), reference.size() - beginning.size() - 1));
}

}  // namespace

bool is_secret_reference(std::string_view text) {
  return (text.starts_with(kFile) || text.starts_with(kVariable)) && text.ends_with('}');
}

std::string resolve_secret(std::string_view reference, const Origin& origin) {
  try {
    auto value = reference.starts_with(kFile) ? read_file(name_in(reference, kFile))
                                              : read_variable(name_in(reference, kVariable));
    if (value.size() >= kMinBytes && value.find('\0') == std::string::npos) return value;
    throw Error(ErrorCode::value_error,
                "the secret " + quote(reference) + " is shorter than 4 bytes, or has a NUL in it",
                ErrorCause::unavailable);
  } catch (const Error& error) {
    throw Error(error.code(), origin.text() + ": " + error.message(), error.cause());
  }
}

}  // namespace autoarchive::host
