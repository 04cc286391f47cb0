#include "directory_reader.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "open_entry.hpp"

namespace autoarchive {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;
// The beginning of a CACHEDIR.TAG, from bford.info/cachedir.
constexpr std::string_view kCacheSignature = "Signature: 8a477f597d28d172789f06886806bc55";

struct RawName {
  std::string name;
  std::uint64_t inode;
  unsigned char type;  // DT_…; DT_UNKNOWN where the file system does not tell
};

int read_names(int fd, std::vector<RawName>& names) {
  // Not filled with zeros first, which would cost more than to list a small directory.
  const auto buffer = std::make_unique_for_overwrite<char[]>(kBufferBytes);
  for (;;) {
    const auto length = ::getdents64(fd, buffer.get(), kBufferBytes);
    if (length < 0) return errno;
    if (length == 0) return 0;
    for (std::size_t at = 0; at < static_cast<std::size_t>(length);) {
      const auto* record = reinterpret_cast<const dirent64*>(buffer.get() + at);
      at += record->d_reclen;
      const std::string_view name(record->d_name);
      if (name != "." && name != "..") names.push_back({std::string(name), record->d_ino, record->d_type});
    }
  }
}

class Listing {
 public:
  Listing(int fd, const std::string& path, const Filter& filter, const OwnFiles& own_files)
      : fd_(fd), filter_(filter), own_files_(own_files) {
    if (path != ".") child_path_ = path + "/";
    prefix_length_ = child_path_.size();
  }

  DirectoryListing read() {
    DirectoryListing listing;
    std::vector<RawName> names;
    listing.os_errno = read_names(fd_, names);
    std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    listing.children.reserve(names.size());
    for (auto& raw : names) {
      if (is_own(raw)) continue;
      listing.children.push_back(decide(raw));
    }
    apply_markers(listing.children);
    return listing;
  }

 private:
  [[nodiscard]] bool is_own(const RawName& raw) const {
    struct stat status {};
    return own_files_.may_contain(raw.inode) && ::fstatat(fd_, raw.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           own_files_.contains(status.st_dev, status.st_ino);
  }

  Child decide(RawName& raw) {
    struct stat status {};
    const bool need_stat = raw.type == DT_UNKNOWN || (raw.type == DT_REG && filter_.rules().exclude_larger_than);
    const bool known = need_stat && ::fstatat(fd_, raw.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    const bool is_directory = raw.type == DT_DIR || (known && S_ISDIR(status.st_mode));
    child_path_.resize(prefix_length_);
    child_path_ += raw.name;
    auto verdict = filter_.decide(child_path_, is_directory);
    if (!verdict.excluded && known && S_ISREG(status.st_mode) && is_too_large(status)) {
      verdict = {true, "exclude_larger_than"};
    }
    const bool is_socket = raw.type == DT_SOCK || (known && S_ISSOCK(status.st_mode));
    return {std::move(raw.name), std::move(verdict.rule),
            verdict.excluded,    !verdict.excluded && !is_socket,
            is_directory,        kind_of(static_cast<mode_t>(DTTOIF(raw.type)))};
  }

  [[nodiscard]] bool is_too_large(const struct stat& status) const {
    const auto limit = filter_.rules().exclude_larger_than;
    return limit && static_cast<std::uint64_t>(status.st_size) > limit->count;
  }

  // A marked directory keeps its marker, and nothing else.
  void apply_markers(std::vector<Child>& children) const {
    std::string rule;
    const auto marker = find_marker(children, rule);
    if (marker.empty()) return;
    for (auto& child : children) {
      if (child.name != marker) child = {std::move(child.name), rule, true, false, child.is_directory, child.kind};
    }
  }

  [[nodiscard]] std::string find_marker(const std::vector<Child>& children, std::string& rule) const {
    const auto has = [&](const std::string& name) {
      return std::binary_search(children.begin(), children.end(), name,
                                [](const auto& a, const auto& b) { return key(a) < key(b); });
    };
    for (const auto& name : filter_.rules().exclude_if_present) {
      if (!has(name)) continue;
      rule = "exclude_if_present '" + name + "'";
      return name;
    }
    std::string tag = "CACHEDIR.TAG";
    if (!filter_.rules().exclude_caches || !has(tag) || !is_cache_tag(tag)) return {};
    rule = "exclude_caches";
    return tag;
  }

  static std::string_view key(const Child& child) { return child.name; }
  static std::string_view key(const std::string& name) { return name; }

  [[nodiscard]] bool is_cache_tag(const std::string& name) const {
    struct stat status {};
    if (::fstatat(fd_, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) return false;
    const auto tag = open_at(fd_, name.c_str(), 0);
    std::array<char, kCacheSignature.size()> head{};
    return tag && ::read(tag.get(), head.data(), head.size()) == static_cast<ssize_t>(head.size()) &&
           std::string_view(head.data(), head.size()) == kCacheSignature;
  }

  int fd_;
  const Filter& filter_;
  const OwnFiles& own_files_;
  std::string child_path_;  // of the child that is looked at; kept for its memory
  std::size_t prefix_length_ = 0;
};

}  // namespace

OwnFiles::OwnFiles(std::set<std::pair<std::uint64_t, std::uint64_t>> files) : files_(std::move(files)) {
  for (const auto& file : files_) inodes_.insert(file.second);
}

DirectoryListing list_directory(int fd, const std::string& path, const Filter& filter, const OwnFiles& own_files) {
  return Listing(fd, path, filter, own_files).read();
}

std::string join_path(const std::string& directory, const std::string& name) {
  return directory == "." ? name : directory + "/" + name;
}

}  // namespace autoarchive
