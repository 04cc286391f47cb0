#include "extractor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "acl_text.hpp"
#include "autoarchive/base/error.hpp"
#include "member_reader.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr uid_t kKeepUid = static_cast<uid_t>(-1);
constexpr gid_t kKeepGid = static_cast<gid_t>(-1);
constexpr std::string_view kTemporaryName = ".aa-restore._partial";

/// Removes the file again unless it has got its name.
class TemporaryFile {
 public:
  /// `parent` must stay open.
  TemporaryFile(int parent, const std::string& name) : parent_(parent), name_(name) {}
  ~TemporaryFile() {
    if (!named_) ::unlinkat(parent_, name_.c_str(), 0);
  }
  void set_named() noexcept { named_ = true; }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

 private:
  int parent_;
  const std::string& name_;
  bool named_ = false;
};

std::array<timespec, 2> times_of(const Entry& entry) {
  timespec time{};
  time.tv_sec = entry.mtime.seconds;
  time.tv_nsec = entry.mtime.nanoseconds;
  return {time, time};
}

bool write_all(int fd, ByteView bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return true;
}

mode_t type_bits(EntryKind kind) {
  if (kind == EntryKind::fifo) return S_IFIFO;
  return kind == EntryKind::block_device ? S_IFBLK : S_IFCHR;
}

bool is_acl(const Xattr& xattr) {
  return xattr.name == kAccessAcl || xattr.name == kDefaultAcl;
}

}  // namespace

std::string last_component(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

Extractor::Extractor(RestoreDirectory& target, OwnerPolicy owner, bool keep_halves, Report report)
    : target_(target),
      owner_(owner),
      report_(std::move(report)),
      is_root_(::geteuid() == 0),
      keep_halves_(keep_halves) {}

void Extractor::fail(const Entry& entry, const char* what, int os_errno) {
  // A full disk does not get better with the next file.
  if (os_errno == ENOSPC || os_errno == EDQUOT) throw Error::from_errno(os_errno, "restoring");
  report_(entry.path, std::string(what) + ": " + errno_text(os_errno));
}

int Extractor::prepare_parent(const Entry& entry) {
  const int parent = target_.parent_of(entry.path, /*make=*/true);
  if (parent < 0) fail(entry, "its directory can't be reached (a link or a file is in the way)", errno);
  return parent;
}

bool Extractor::clear_place(int parent, const std::string& name, const Entry& entry) {
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return true;
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0) {
    target_.forget();
    return true;
  }
  fail(entry, "what is there can't be replaced", errno);
  return false;
}

// One file is made at a time, so that one name in each directory does.
std::string Extractor::temporary_name(std::string_view path) const {
  const auto directory = path.substr(0, path.size() - last_component(path).size());
  std::string name(kTemporaryName);
  while (odd_names_.contains(std::string(directory) + name)) name += '+';
  return name;
}

bool Extractor::make_file(const Entry& entry, MemberReader& reader, std::uint64_t& bytes) {
  const int parent = prepare_parent(entry);
  if (parent < 0) return false;
  const auto temporary = temporary_name(entry.path);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(::openat(parent, temporary.c_str(), kFlags, 0600));
  if (!fd && errno == EEXIST && ::unlinkat(parent, temporary.c_str(), 0) == 0)  // an interrupted restore's
    fd = UniqueFd(::openat(parent, temporary.c_str(), kFlags, 0600));
  if (!fd) {
    fail(entry, "can't be created", errno);
    return false;
  }
  TemporaryFile guard(parent, temporary);
  try {
    if (!write_content(fd.get(), entry, reader, bytes)) return false;
  } catch (const Error& error) {
    const bool keep = keep_halves_ && error.cause() == ErrorCause::damaged;
    if (keep && finish_file(std::move(fd), parent, temporary, entry)) guard.set_named();
    throw;
  }
  if (!finish_file(std::move(fd), parent, temporary, entry)) return false;
  guard.set_named();
  return true;
}

bool Extractor::write_content(int fd, const Entry& entry, MemberReader& reader, std::uint64_t& bytes) {
  std::uint64_t end = 0;
  for (ContentPiece piece; reader.next_piece(piece);) {
    if (!write_all(fd, piece.bytes, piece.offset)) {
      fail(entry, "writing failed", errno);
      return false;
    }
    end = piece.offset + piece.bytes.size();
    bytes += piece.bytes.size();
  }
  if (end < entry.size && ::ftruncate(fd, static_cast<off_t>(entry.size)) != 0)
    fail(entry, "its size can't be set", errno);
  return true;
}

bool Extractor::finish_file(UniqueFd fd, int parent, const std::string& temporary, const Entry& entry) {
  apply_to_descriptor(fd.get(), entry);
  if (::close(fd.release()) != 0) {
    fail(entry, "closing failed", errno);
    return false;
  }
  const auto name = last_component(entry.path);
  bool is_named = ::renameat(parent, temporary.c_str(), parent, name.c_str()) == 0;
  if (!is_named && errno == EISDIR && ::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0)
    is_named = ::renameat(parent, temporary.c_str(), parent, name.c_str()) == 0;
  if (!is_named) {
    fail(entry, "what is there can't be replaced", errno);
    return false;
  }
  if (name.starts_with(kTemporaryName)) odd_names_.insert(entry.path);
  return true;
}

bool Extractor::make_directory(const Entry& entry) {
  if (entry.path == ".") return true;
  int parent = prepare_parent(entry);
  if (parent < 0) return false;
  const auto name = last_component(entry.path);
  if (::mkdirat(parent, name.c_str(), 0700) == 0) return true;
  struct stat status {};
  if (errno == EEXIST && ::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISDIR(status.st_mode)) {
    // One that its owner may not enter would keep what is in it out.
    if (!is_root_ && (status.st_mode & 0700U) != 0700U) ::fchmodat(parent, name.c_str(), status.st_mode | 0700U, 0);
    return true;
  }
  if (!clear_place(parent, name, entry)) return false;
  parent = target_.parent_of(entry.path, /*make=*/true);
  if (::mkdirat(parent, name.c_str(), 0700) == 0) return true;
  fail(entry, "can't be created", errno);
  return false;
}

void Extractor::finish_directory(const Entry& entry) {
  const auto fd = target_.open_directory(entry.path);
  if (!fd) return fail(entry, "its attributes can't be set", errno);
  apply_to_descriptor(fd.get(), entry);
}

bool Extractor::make_special(const Entry& entry) {
  int parent = prepare_parent(entry);
  const auto name = last_component(entry.path);
  if (parent < 0 || !clear_place(parent, name, entry)) return false;
  parent = target_.parent_of(entry.path, /*make=*/true);
  const int made = entry.kind == EntryKind::symlink ? ::symlinkat(entry.link_target.c_str(), parent, name.c_str())
                                                    : ::mknodat(parent, name.c_str(), type_bits(entry.kind) | 0600U,
                                                                makedev(entry.rdev_major, entry.rdev_minor));
  if (made != 0) {
    fail(entry, "can't be created", errno);
    return false;
  }
  apply_to_name(parent, name, entry);
  return true;
}

bool Extractor::make_hard_link(const Entry& entry) {
  const int source = target_.parent_of(entry.link_target, /*make=*/false);
  const UniqueFd source_directory(source < 0 ? -1 : ::fcntl(source, F_DUPFD_CLOEXEC, 3));
  int parent = prepare_parent(entry);
  const auto name = last_component(entry.path);
  if (parent < 0 || !clear_place(parent, name, entry)) return false;
  parent = target_.parent_of(entry.path, /*make=*/true);
  // No flag: a symlink at the source is linked itself, never followed.
  if (source_directory &&
      ::linkat(source_directory.get(), last_component(entry.link_target).c_str(), parent, name.c_str(), 0) == 0) {
    return true;
  }
  fail(entry, "can't be linked to the file that it is another name of", errno);
  return false;
}

std::pair<uid_t, gid_t> Extractor::owner_of(const Entry& entry) {
  if (owner_ == OwnerPolicy::none) return {kKeepUid, kKeepGid};
  const auto by_name = [this](std::int64_t id, std::uint32_t number) {
    return owner_ == OwnerPolicy::names && id >= 0 ? static_cast<std::uint32_t>(id) : number;
  };
  return {by_name(entry.user.empty() ? -1 : names_.uid(entry.user), entry.uid),
          by_name(entry.group.empty() ? -1 : names_.gid(entry.group), entry.gid)};
}

void Extractor::apply_xattrs(int fd, const Entry& entry, bool acls) {
  for (const auto& xattr : entry.xattrs) {
    if (is_acl(xattr) != acls) continue;
    if (::fsetxattr(fd, xattr.name.c_str(), xattr.value.data(), xattr.value.size(), 0) == 0) continue;
    // Only root may set most of them; a user who restores would get a problem for every file.
    const bool needs_root = !xattr.name.starts_with("user.") && !acls;
    if (!is_root_ && needs_root && errno == EPERM) continue;
    fail(entry, ("attribute " + xattr.name).c_str(), errno);
  }
}

void Extractor::apply_to_descriptor(int fd, const Entry& entry) {
  const auto [uid, gid] = owner_of(entry);
  bool owned = true;
  if (uid != kKeepUid && ::fchown(fd, uid, gid) != 0) {
    owned = false;
    if (is_root_ || errno != EPERM) fail(entry, "its owner can't be set", errno);
  }
  // A set-id bit on a file that is somebody else's would lend that one's rights.
  const mode_t allowed = owned && uid != kKeepUid ? 07777U : 01777U;
  apply_xattrs(fd, entry, /*acls=*/true);
  if (::fchmod(fd, entry.mode & allowed) != 0) fail(entry, "its mode can't be set", errno);
  if ((entry.mode & ~allowed) != 0 && entry.kind == EntryKind::file)
    report_(entry.path, "it is restored without set-user-id and set-group-id, as it is not its owner's");
  apply_xattrs(fd, entry, /*acls=*/false);
  if (::futimens(fd, times_of(entry).data()) != 0) fail(entry, "its time can't be set", errno);
}

void Extractor::apply_to_name(int parent, const std::string& name, const Entry& entry) {
  const auto [uid, gid] = owner_of(entry);
  if (uid != kKeepUid && ::fchownat(parent, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) != 0 &&
      (is_root_ || errno != EPERM)) {
    fail(entry, "its owner can't be set", errno);
  }
  const std::string path = "/proc/self/fd/" + std::to_string(parent) + "/" + name;
  if (entry.kind != EntryKind::symlink && ::fchmodat(parent, name.c_str(), entry.mode & 07777U, 0) != 0) {
    fail(entry, "its mode can't be set", errno);
  }
  for (const auto& xattr : entry.xattrs) {
    if (::lsetxattr(path.c_str(), xattr.name.c_str(), xattr.value.data(), xattr.value.size(), 0) != 0 &&
        (is_root_ || errno != EPERM)) {
      fail(entry, ("attribute " + xattr.name).c_str(), errno);
    }
  }
  if (::utimensat(parent, name.c_str(), times_of(entry).data(), AT_SYMLINK_NOFOLLOW) != 0)
    fail(entry, "its time can't be set", errno);
}

}  // namespace autoarchive::tar_internal
