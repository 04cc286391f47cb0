#include "autoarchive/storage/temporary_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

constexpr std::size_t kBufferBytes = 1U << 16U;
constexpr const char* kDescription = "a temporary file of this run";

// It has no name, but a place: whoever has to make room wants to know where.
Error failed(int fd, int os_errno) {
  std::error_code error;
  const auto place = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error).parent_path();
  return Error::from_errno(os_errno, error ? kDescription : "temporary file in " + quote(place.native()));
}

UniqueFd open_unnamed(const std::filesystem::path& directory) {
  UniqueFd fd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd) return fd;
  // Not every file system knows unnamed files: one that loses its name at once will do.
  auto name = (directory / ".autoarchive-XXXXXX").native();
  fd = UniqueFd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd) throw Error::from_errno(errno, "temporary file in " + quote(directory.native()));
  ::unlink(name.c_str());
  return fd;
}

std::size_t read_fully(int fd, std::uint64_t offset, std::span<std::byte> buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const auto got = ::pread(fd, buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw failed(fd, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

class Reader final : public ReadableFile {
 public:
  Reader(UniqueFd fd, std::uint64_t size) : fd_(std::move(fd)), size_(size) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
    return read_fully(fd_.get(), offset, buffer);
  }
  [[nodiscard]] std::string description() const override { return kDescription; }

 private:
  UniqueFd fd_;
  std::uint64_t size_;
};

}  // namespace

TemporaryFile::TemporaryFile(const std::filesystem::path& directory) : fd_(open_unnamed(directory)) {
  buffer_.reserve(kBufferBytes);
}

void TemporaryFile::write(ByteView bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes) finish();
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  size_ += bytes.size();
}

void TemporaryFile::finish() {
  for (std::size_t done = 0; done < buffer_.size();) {
    const auto written = ::write(fd_.get(), buffer_.data() + done, buffer_.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw failed(fd_.get(), written < 0 ? errno : EIO);
    done += static_cast<std::size_t>(written);
  }
  buffer_.clear();
}

std::string TemporaryFile::read(std::uint64_t offset, std::size_t length) const {
  std::string text(length, '\0');
  if (read_fully(fd_.get(), offset, std::as_writable_bytes(std::span(text))) != length) throw failed(fd_.get(), EIO);
  return text;
}

std::unique_ptr<ReadableFile> TemporaryFile::reader() const {
  UniqueFd fd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd) throw failed(fd_.get(), errno);
  return std::make_unique<Reader>(std::move(fd), size_);
}

}  // namespace autoarchive
