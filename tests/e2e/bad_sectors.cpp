// Loaded before the C library, makes a part of a file unreadable, as bad sectors do: BAD_FILE is the end of its path,
// BAD_FROM the first byte of the part, BAD_TO the one behind the last.
#include <dlfcn.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

long long number(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::atoll(text);
}

bool is_bad(int fd, std::size_t count, off64_t offset) {
  const char* file = std::getenv("BAD_FILE");
  if (file == nullptr || offset >= number("BAD_TO") || offset + static_cast<off64_t>(count) <= number("BAD_FROM"))
    return false;
  std::array<char, 4096> path{};
  const auto link = "/proc/self/fd/" + std::to_string(fd);
  const auto size = ::readlink(link.c_str(), path.data(), path.size());
  return size > 0 && std::string_view(path.data(), static_cast<std::size_t>(size)).ends_with(file);
}

}  // namespace

// Everything here calls it by this name, as offsets have 64 bits.
extern "C" __attribute__((visibility("default"))) ssize_t pread64(int fd, void* buffer, size_t count, off64_t offset) {
  using Function = ssize_t (*)(int, void*, size_t, off64_t);
  static const auto original = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "pread64"));
  if (!is_bad(fd, count, offset)) return original(fd, buffer, count, offset);
  errno = EIO;
  return -1;
}
