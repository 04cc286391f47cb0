#include "autoarchive/storage/local_storage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "file_sink.hpp"
#include "local_transaction.hpp"

namespace autoarchive {
namespace {

class LocalFile final : public ReadableFile {
 public:
  LocalFile(UniqueFd fd, std::uint64_t size, std::string path)
      : fd_(std::move(fd)), size_(size), path_(std::move(path)) {}

  [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
  [[nodiscard]] std::string description() const override { return path_; }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
      const auto got =
          ::pread(fd_.get(), buffer.data() + filled, buffer.size() - filled, static_cast<off_t>(offset + filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Error::from_errno(errno, "reading " + quote(path_));
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    return filled;
  }

 private:
  UniqueFd fd_;
  std::uint64_t size_;
  std::string path_;
};

StoredFile stored_file(std::string name, const struct stat& status) {
  StoredFile file;
  file.name = std::move(name);
  file.size = static_cast<std::uint64_t>(status.st_size);
  file.modified =
      SystemTime(std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec));
  file.device = status.st_dev;
  file.inode = status.st_ino;
  file.link_count = status.st_nlink;
  return file;
}

struct DirDeleter {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

}  // namespace

std::unique_ptr<ReadableFile> open_local_file(const std::string& path) {
  // O_NONBLOCK: a FIFO is refused below, not waited for.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) throw Error::from_errno(errno, "archive " + quote(path));
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::value_error, "archive " + quote(path) + " is not a regular file", ErrorCause::usage);
  }
  return std::make_unique<LocalFile>(std::move(fd), static_cast<std::uint64_t>(status.st_size), path);
}

LocalStorage::LocalStorage(std::filesystem::path directory) : directory_(std::move(directory)) {}
LocalStorage::~LocalStorage() = default;

std::string LocalStorage::description() const {
  return directory_.native();
}

bool LocalStorage::has(StorageCapability /*capability*/) const noexcept {
  return true;
}

std::unique_ptr<ITransaction> LocalStorage::begin(const TransactionOptions& options) {
  return std::make_unique<LocalTransaction>(directory_, options);
}

std::unique_ptr<ReadableFile> LocalStorage::open(std::string_view name) const {
  const auto path = (directory_ / name).native();
  try {
    return open_local_file(path);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::file_not_found) throw;
    throw Error(ErrorCode::file_not_found, error.message(), ErrorCause::no_such_backup, error.os_errno());
  }
}

std::optional<StoredFile> LocalStorage::stat(std::string_view name) const {
  struct stat status {};
  if (::lstat((directory_ / name).c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return stored_file(std::string(name), status);
}

std::vector<StoredFile> LocalStorage::list(std::string_view prefix) const {
  const std::unique_ptr<DIR, DirDeleter> directory(::opendir(directory_.empty() ? "." : directory_.c_str()));
  if (!directory) {
    throw Error::from_errno(errno, "destination " + quote(directory_.native()), ErrorCause::destination);
  }
  std::vector<StoredFile> files;
  while (const auto* record = ::readdir(directory.get())) {
    const std::string_view name(record->d_name);
    struct stat status {};
    if (!name.starts_with(prefix) ||
        ::fstatat(::dirfd(directory.get()), record->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
      continue;
    }
    files.push_back(stored_file(std::string(name), status));
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return files;
}

std::optional<std::uint64_t> LocalStorage::free_bytes() const {
  struct statvfs status {};
  if (::statvfs(directory_.c_str(), &status) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

std::unique_ptr<Sink> create_state_file(const std::filesystem::path& path) {
  const auto description = "state " + quote(path.native());
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600));
  if (!fd) throw Error::from_errno(errno, description);
  return std::make_unique<FileSink>(std::move(fd), description, /*sync=*/false);
}

}  // namespace autoarchive
