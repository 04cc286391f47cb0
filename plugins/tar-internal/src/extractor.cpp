#include "extractor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "autoarchive/base/text.hpp"
#include "file_copy.hpp"
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

// For other reasons a copy could not be made either.
bool can_only_be_copied(int os_errno) {
  return os_errno == EXDEV || os_errno == EPERM || os_errno == EMLINK || os_errno == EOPNOTSUPP || os_errno == ENOSYS;
}

/// Empty: it is no symlink.
std::string link_target(int parent, const std::string& name) {
  std::string target(PATH_MAX, '\0');
  const auto size = ::readlinkat(parent, name.c_str(), target.data(), target.size());
  target.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return target;
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
  const bool is_in_the_way = errno == ENOTDIR || errno == ELOOP;
  if (!parent)
    fail(entry,
         is_in_the_way ? "its directory can't be reached (a link or a file is in the way)"
                       : "its directory can't be made or opened",
         errno);
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

void Extractor::finish_directory(const Entry& entry, bool only_its_own) {
  const auto fd = target_.open_directory(entry.path);
  if (!fd) return fail(entry, "its attributes can't be set", errno);
  if (only_its_own) AttributeSetter::remove_others(fd.get(), entry, report_);
  attributes_.set(fd.get(), entry, owner_of(entry), report_);
}

// Complete before it takes the place of what is there, so that there always is one.
bool Extractor::make_special(const Entry& entry) {
  const auto parent = prepare_parent(entry);
  if (!parent) return false;
  const bool is_symlink = entry.kind == EntryKind::symlink;
  if (is_symlink ? ::symlinkat(entry.link_target.c_str(), parent->get(), temporary_.c_str()) != 0
                 : make_node(parent->get(), temporary_, entry) != 0) {
    fail(entry, is_device(entry.kind) ? "a device can't be made here" : "can't be created", errno);
    return false;
  }
  TemporaryName guard(parent->get(), temporary_);
  attributes_.set_at(parent->get(), temporary_, entry, owner_of(entry), report_);
  if (!name_temporary(parent->get(), entry)) return false;
  guard.set_named();
  return true;
}

bool Extractor::name_temporary(int parent, const Entry& entry) {
  const auto name = last_component(entry.path);
  if (::renameat(parent, temporary_.c_str(), parent, name.c_str()) == 0) return true;
  target_.forget();  // what gives way may be a directory that is open
  if (take_place(parent, temporary_, name)) return true;
  fail(entry, "what is there can't be replaced", errno);
  return false;
}

bool Extractor::make_hard_link(const Entry& entry) {
  const auto parent = prepare_parent(entry);
  if (!parent) return false;
  const auto source = target_.parent_of(entry.link_target, /*make=*/false);
  const auto first = last_component(entry.link_target);
  const auto name = last_component(entry.path);
  // No flag: a symlink at the source is linked itself, never followed.
  const auto link_as = [&](const std::string& new_name) {
    return source && ::linkat(source->get(), first.c_str(), parent->get(), new_name.c_str(), 0) == 0;
  };
  if (link_as(name)) return true;
  int os_errno = errno;
  if (source && os_errno == EEXIST) {
    if (is_one_file(source->get(), first, parent->get(), name)) return true;
    if (link_as(temporary_)) {
      const TemporaryName guard(parent->get(), temporary_);
      return name_temporary(parent->get(), entry);
    }
    os_errno = errno;
  }
  if (source && can_only_be_copied(os_errno)) return copy_file(source->get(), parent, entry, os_errno);
  fail(entry, "can't be linked to the file that it is another name of", os_errno);
  return false;
}

bool Extractor::copy_file(int source, std::shared_ptr<const UniqueFd> parent, const Entry& entry, int why_not_linked) {
  FileCopy copy(source, last_component(entry.link_target));
  const std::string reason = "can't be another name of " + quote(entry.link_target) + " (" + errno_text(why_not_linked);
  if (copy.os_errno() == EINVAL) {
    const auto target =
        entry.kind == EntryKind::symlink ? link_target(source, last_component(entry.link_target)) : std::string();
    report_(entry.path, reason + ")" + (target.empty() ? "" : ": it is a link of its own to the same"));
    auto link = entry;
    link.link_target = target;
    return !target.empty() && make_special(link);
  }
  bool is_made = false;
  if (copy.os_errno() == 0) {
    NewFile file{std::move(parent), temporary_, copy.entry(entry.path),
                 owner_ == OwnerPolicy::none ? RestoredOwner{} : copy.owner()};
    const auto next = [&](ContentPiece& piece) {
      if (stop_.stop_requested()) throw stopped_restore();
      return copy.next(piece);
    };
    std::uint64_t bytes = 0;
    is_made = maker_.make(
        file, next, [&] { return copy.os_errno() == 0; }, report_, bytes);
  }
  if (copy.os_errno() != 0) fail(entry, (reason + "), and a copy of it can't be read").c_str(), copy.os_errno());
  if (is_made) report_(entry.path, reason + "): it is a file of its own with the same content");
  return is_made;
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
