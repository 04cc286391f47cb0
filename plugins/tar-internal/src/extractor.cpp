#include "extractor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "file_queue.hpp"
#include "member_reader.hpp"

namespace autoarchive::tar_internal {
namespace {

mode_t type_bits(EntryKind kind) {
  if (kind == EntryKind::fifo) return S_IFIFO;
  return kind == EntryKind::block_device ? S_IFBLK : S_IFCHR;
}

bool is_device(EntryKind kind) {
  return kind == EntryKind::block_device || kind == EntryKind::character_device;
}

int make_node(int parent, const std::string& name, const Entry& entry) {
  return ::mknodat(parent, name.c_str(), type_bits(entry.kind) | 0600U, makedev(entry.rdev_major, entry.rdev_minor));
}

bool is_one_file(int parent, const std::string& name, int other_parent, const std::string& other_name) {
  struct stat status {};
  struct stat other {};
  return ::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         ::fstatat(other_parent, other_name.c_str(), &other, AT_SYMLINK_NOFOLLOW) == 0 &&
         status.st_dev == other.st_dev && status.st_ino == other.st_ino;
}

}  // namespace

Extractor::Extractor(RestoreDirectory& target, OwnerPolicy owner, bool keep_halves, RestoreReport report,
                     std::stop_token stop)
    : target_(target),
      owner_(owner),
      report_(std::move(report)),
      stop_(std::move(stop)),
      maker_(keep_halves),
      is_root_(::geteuid() == 0) {}

void Extractor::fail(const Entry& entry, const char* what, int os_errno) {
  report_failure(entry, what, os_errno, report_);
}

std::shared_ptr<const UniqueFd> Extractor::prepare_parent(const Entry& entry) {
  auto parent = target_.parent_of(entry.path, /*make=*/true);
  if (!parent) fail(entry, "its directory can't be reached (a link or a file is in the way)", errno);
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

bool Extractor::make_room(const Entry& entry) {
  const auto parent = target_.parent_of(entry.path, /*make=*/false);
  return !parent || clear_place(parent->get(), last_component(entry.path), entry);
}

Error stopped_restore() {
  return {ErrorCode::runtime_error, "stopped on request; what has been restored so far is there",
          ErrorCause::cancelled};
}

std::optional<NewFile> Extractor::place_file(const Entry& entry) {
  auto parent = prepare_parent(entry);
  if (!parent) return std::nullopt;
  return NewFile{std::move(parent), temporary_, entry, owner_of(entry)};
}

bool Extractor::make_file(const Entry& entry, MemberReader& reader, const ContentCheck& is_right,
                          std::uint64_t& bytes) {
  const auto file = place_file(entry);
  if (!file) return false;
  const auto next = [&](ContentPiece& piece) {
    if (stop_.stop_requested()) throw stopped_restore();
    return reader.next_piece(piece);
  };
  return maker_.make(*file, next, is_right, report_, bytes);
}

bool Extractor::make_directory(const Entry& entry) {
  if (entry.path == ".") return true;
  auto parent = prepare_parent(entry);
  if (!parent) return false;
  const auto name = last_component(entry.path);
  if (::mkdirat(parent->get(), name.c_str(), 0700) == 0) return true;
  struct stat status {};
  if (errno == EEXIST && ::fstatat(parent->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISDIR(status.st_mode)) {
    // One that its owner may not enter would keep what is in it out.
    if (!is_root_ && (status.st_mode & 0700U) != 0700U)
      ::fchmodat(parent->get(), name.c_str(), status.st_mode | 0700U, 0);
    return true;
  }
  if (!clear_place(parent->get(), name, entry)) return false;
  parent = target_.parent_of(entry.path, /*make=*/true);
  if (parent && ::mkdirat(parent->get(), name.c_str(), 0700) == 0) return true;
  fail(entry, "can't be created", errno);
  return false;
}

void Extractor::finish_directory(const Entry& entry) {
  const auto fd = target_.open_directory(entry.path);
  if (!fd) return fail(entry, "its attributes can't be set", errno);
  attributes_.set(fd.get(), entry, owner_of(entry), report_);
}

// Tried beside its place, so that whoever may not make one keeps what stands there.
bool Extractor::can_make_device(int parent, const Entry& entry) {
  if (make_node(parent, temporary_, entry) == 0 && ::unlinkat(parent, temporary_.c_str(), 0) == 0) return true;
  fail(entry, "a device can't be made here", errno);
  return false;
}

// Complete before it takes the place of what is there, so that there always is one. False, with errno, if it can't.
bool Extractor::make_symlink(int parent, const std::string& name, const Entry& entry) {
  if (::symlinkat(entry.link_target.c_str(), parent, temporary_.c_str()) != 0) return false;
  attributes_.set_at(parent, temporary_, entry, owner_of(entry), report_);
  if (::renameat(parent, temporary_.c_str(), parent, name.c_str()) == 0) return true;
  const int os_errno = errno;
  ::unlinkat(parent, temporary_.c_str(), 0);
  errno = os_errno;
  return false;
}

bool Extractor::make_special(const Entry& entry) {
  auto parent = prepare_parent(entry);
  const auto name = last_component(entry.path);
  if (!parent || (is_device(entry.kind) && !can_make_device(parent->get(), entry))) return false;
  if (entry.kind == EntryKind::symlink && make_symlink(parent->get(), name, entry)) return true;
  if (!clear_place(parent->get(), name, entry)) return false;
  parent = target_.parent_of(entry.path, /*make=*/true);
  const int directory = parent ? parent->get() : -1;
  if (entry.kind == EntryKind::symlink ? !make_symlink(directory, name, entry)
                                       : make_node(directory, name, entry) != 0) {
    fail(entry, "can't be created", errno);
    return false;
  }
  if (entry.kind == EntryKind::symlink) return true;
  attributes_.set_at(directory, name, entry, owner_of(entry), report_);
  return true;
}

bool Extractor::make_hard_link(const Entry& entry) {
  const auto source = target_.parent_of(entry.link_target, /*make=*/false);
  auto parent = prepare_parent(entry);
  const auto name = last_component(entry.path);
  if (!parent) return false;
  if (source && is_one_file(source->get(), last_component(entry.link_target), parent->get(), name)) return true;
  if (!clear_place(parent->get(), name, entry)) return false;
  parent = target_.parent_of(entry.path, /*make=*/true);
  // No flag: a symlink at the source is linked itself, never followed.
  if (source && parent &&
      ::linkat(source->get(), last_component(entry.link_target).c_str(), parent->get(), name.c_str(), 0) == 0) {
    return true;
  }
  fail(entry, "can't be linked to the file that it is another name of", errno);
  return false;
}

RestoredOwner Extractor::owner_of(const Entry& entry) {
  if (owner_ == OwnerPolicy::none) return {};
  const auto by_name = [this](std::int64_t id, std::uint32_t number) {
    return owner_ == OwnerPolicy::names && id >= 0 ? static_cast<std::uint32_t>(id) : number;
  };
  const RestoredOwner owner{by_name(entry.user.empty() ? -1 : names_.uid(entry.user), entry.uid),
                            by_name(entry.group.empty() ? -1 : names_.gid(entry.group), entry.gid)};
  constexpr RestoredOwner kNobody{};
  if (owner.uid == kNobody.uid || owner.gid == kNobody.gid)
    report_(entry.path, "its owner or group has a number that nobody can have here; it is not set");
  return owner;
}

}  // namespace autoarchive::tar_internal
