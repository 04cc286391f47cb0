#include "stored_content.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/tree/attributes.hpp"

namespace autoarchive::tar_external {
namespace {

std::optional<std::uint64_t> digest_of(int fd, std::uint64_t bytes, const BackupJob& job) {
  ContentDigest digest;
  std::array<std::byte, 1U << 16U> buffer{};
  std::uint64_t offset = 0;
  // Not beyond the size: a file may grow as fast as it is read.
  while (offset < bytes) {
    job.check_stop();
    const auto got = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    digest.update(ByteView(buffer).first(static_cast<std::size_t>(got)));
    offset += static_cast<std::uint64_t>(got);
  }
  if (offset != bytes) return std::nullopt;
  return digest.value();
}

bool is_same_stat(const Entry& a, const Entry& b) {
  return a.ctime == b.ctime && a.inode == b.inode && !differs_visibly(a, b);
}

}  // namespace

// What was stored with holes has the digest of its map and data, and never is the same: it is stored again.
bool is_as_stored(WalkItem& item, const ManifestEntry& parent, const BackupJob& job) {
  if (!parent.digest || differs_visibly(item.entry, parent.entry)) return false;
  auto opened = open_entry(item);
  if (!opened.fd || !is_same_stat(opened.entry, item.entry)) return false;
  int os_errno = 0;
  opened.entry.xattrs = read_xattrs(opened.fd.get(), job.request().metadata, &os_errno);
  if (os_errno != 0 || opened.entry.xattrs != parent.entry.xattrs) return false;
  if (digest_of(opened.fd.get(), opened.entry.size, job) != parent.digest) return false;
  const auto after = stat_entry(item);
  return after.os_errno == 0 && is_same_stat(after.entry, item.entry);
}

}  // namespace autoarchive::tar_external
