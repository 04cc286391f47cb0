#include "autoarchive/tree/attributes.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace autoarchive {
namespace {

// From xattr(7): a name list or a value has at most 64 KiB.
constexpr std::size_t kMaxXattrBytes = 65'536;

bool is_wanted(std::string_view name, const MetadataOptions& options) {
  if (name == "security.selinux") return options.selinux;
  if (name == "system.posix_acl_access" || name == "system.posix_acl_default") return options.acls;
  return options.xattrs;
}

bool has_no_xattrs(int os_errno) {
  return os_errno == ENOTSUP || os_errno == ENODATA;
}

// Most files have none, so nothing is allocated before a name is seen.
template <class ListCall, class GetCall>
std::vector<Xattr> read_all(const MetadataOptions& options, int* os_errno, const ListCall& list, const GetCall& get) {
  *os_errno = 0;
  std::vector<Xattr> xattrs;
  if (!options.xattrs && !options.acls && !options.selinux) return xattrs;
  std::array<char, 512> few_names;
  std::string many_names;
  const char* names = few_names.data();
  ssize_t length = list(few_names.data(), few_names.size());
  if (length < 0 && errno == ERANGE) {
    many_names.resize(kMaxXattrBytes);
    names = many_names.data();
    length = list(many_names.data(), many_names.size());
  }
  if (length < 0) {
    if (!has_no_xattrs(errno)) *os_errno = errno;
    return xattrs;
  }
  std::string value;
  for (std::string_view rest(names, static_cast<std::size_t>(length)); !rest.empty();) {
    const std::string name(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    if (!is_wanted(name, options)) continue;
    value.resize(kMaxXattrBytes);
    const auto size = get(name.c_str(), value.data(), value.size());
    if (size < 0) {
      if (!has_no_xattrs(errno)) *os_errno = errno;
      continue;
    }
    xattrs.push_back({name, value.substr(0, static_cast<std::size_t>(size))});
  }
  std::sort(xattrs.begin(), xattrs.end());
  return xattrs;
}

}  // namespace

std::vector<Xattr> read_xattrs(int fd, const MetadataOptions& options, int* os_errno) {
  return read_all(
      options, os_errno, [fd](char* names, std::size_t size) { return ::flistxattr(fd, names, size); },
      [fd](const char* name, char* value, std::size_t size) { return ::fgetxattr(fd, name, value, size); });
}

std::vector<Xattr> read_xattrs_at(int directory_fd, const std::string& name, const MetadataOptions& options,
                                  int* os_errno) {
  // The only way to reach an object that must not be opened, relative to a descriptor, on kernels without
  // listxattrat().
  const std::string path = "/proc/self/fd/" + std::to_string(directory_fd) + "/" + name;
  return read_all(
      options, os_errno, [&](char* names, std::size_t size) { return ::llistxattr(path.c_str(), names, size); },
      [&](const char* key, char* value, std::size_t size) { return ::lgetxattr(path.c_str(), key, value, size); });
}

struct OwnerNames::Cache {
  std::unordered_map<std::uint32_t, std::string> users;
  std::unordered_map<std::uint32_t, std::string> groups;
  std::unordered_map<std::string, std::int64_t> uids;
  std::unordered_map<std::string, std::int64_t> gids;
  std::vector<char> buffer = std::vector<char>(16'384);

  /// Calls one of the get…_r functions with a buffer that is large enough; null if there is no such entry.
  template <class Record, class Call>
  const Record* look_up(Record& record, const Call& call) {
    Record* result = nullptr;
    while (call(&record, buffer.data(), buffer.size(), &result) == ERANGE && buffer.size() < (1U << 24U)) {
      buffer.resize(buffer.size() * 4);
    }
    return result;
  }
};

OwnerNames::OwnerNames() : cache_(std::make_unique<Cache>()) {}
OwnerNames::~OwnerNames() = default;

const std::string& OwnerNames::user(std::uint32_t uid) {
  const auto [place, is_new] = cache_->users.try_emplace(uid);
  if (is_new) {
    passwd record{};
    const auto* found = cache_->look_up(record, [uid](auto... rest) { return ::getpwuid_r(uid, rest...); });
    if (found != nullptr) place->second = found->pw_name;
  }
  return place->second;
}

const std::string& OwnerNames::group(std::uint32_t gid) {
  const auto [place, is_new] = cache_->groups.try_emplace(gid);
  if (is_new) {
    ::group record{};
    const auto* found = cache_->look_up(record, [gid](auto... rest) { return ::getgrgid_r(gid, rest...); });
    if (found != nullptr) place->second = found->gr_name;
  }
  return place->second;
}

std::int64_t OwnerNames::uid(const std::string& user) {
  const auto [place, is_new] = cache_->uids.try_emplace(user, -1);
  if (is_new) {
    passwd record{};
    const auto* found = cache_->look_up(record, [&](auto... rest) { return ::getpwnam_r(user.c_str(), rest...); });
    if (found != nullptr) place->second = found->pw_uid;
  }
  return place->second;
}

std::int64_t OwnerNames::gid(const std::string& group) {
  const auto [place, is_new] = cache_->gids.try_emplace(group, -1);
  if (is_new) {
    ::group record{};
    const auto* found = cache_->look_up(record, [&](auto... rest) { return ::getgrnam_r(group.c_str(), rest...); });
    if (found != nullptr) place->second = found->gr_gid;
  }
  return place->second;
}

}  // namespace autoarchive
