#include "target_tree.hpp"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "acl_text.hpp"
#include "autoarchive/base/error.hpp"
#include "member_reader.hpp"

namespace autoarchive::tar_internal {
namespace {

// Some dozens of such files are in memory at a time. For larger ones it does not matter who creates them.
constexpr std::uint64_t kMaxQueuedBytes = 128U << 10U;

template <class Container>
void erase_below(Container& container, const std::string& path) {
  if (path == ".") return container.clear();
  container.erase(path);
  constexpr char kBehindSlash = '/' + 1;
  container.erase(container.lower_bound(path + '/'), container.lower_bound(path + kBehindSlash));
}

}  // namespace

TargetTree::TargetTree(const RestoreRequest& request, bool makes, RestoreResult& result, RestoreReport report)
    : request_(request),
      result_(result),
      report_(std::move(report)),
      target_(request.target, makes),
      extractor_(target_, request.owner, request.salvage, report_, request.stop) {
  const auto threads = std::min(std::max(std::thread::hardware_concurrency(), 1U) - 1, FileQueue::kMaxThreads);
  // What is salvaged keeps halves, which are written as they are read.
  if (makes && !request.salvage && threads > 0) queue_ = std::make_unique<FileQueue>(threads);
  if (const auto fd = target_.open_directory("."); makes && fd) had_entries_ = !names_in(fd.get()).empty();
  if (had_entries_) note_sources();
}

// Of storages that are no local files nothing can be in the target.
void TargetTree::note_sources() {
  for (const auto& level : request_.levels) {
    for (const auto* file : {level.file.get(), level.manifest.get()}) {
      struct stat status {};
      const auto path = file == nullptr ? std::string() : file->description();
      if (::stat(path.c_str(), &status) == 0) sources_[last_component(path)].emplace(status.st_dev, status.st_ino);
    }
  }
}

bool TargetTree::is_source(const std::string& path) {
  if (sources_.empty()) return false;
  const auto found = sources_.find(last_component(path));
  if (found == sources_.end()) return false;
  const auto parent = target_.parent_of(path, /*make=*/false);
  struct stat status {};
  return parent && ::fstatat(parent->get(), found->first.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         found->second.contains({status.st_dev, status.st_ino});
}

void TargetTree::keep(std::string_view path) {
  // With the directories above it, which need not be members.
  while (request_.delete_others && kept_.insert(hash_of(path)).second && path != ".") path = directory_of(path);
}

bool TargetTree::may_replace(const Entry& entry) {
  if (request_.overwrite == OverwritePolicy::always || entry.path == "." || was_restored(entry.path)) return true;
  const auto parent = target_.parent_of(entry.path, /*make=*/false);
  struct stat status {};
  if (!parent || ::fstatat(parent->get(), last_component(entry.path).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return true;
  // Nothing is lost where both are directories.
  if (entry.kind == EntryKind::directory && S_ISDIR(status.st_mode)) return true;
  const Timestamp there{status.st_mtim.tv_sec, static_cast<std::uint32_t>(status.st_mtim.tv_nsec)};
  const bool may = request_.overwrite == OverwritePolicy::newer && there < entry.mtime;
  if (!may) leave_contents(entry.path);
  return may;
}

void TargetTree::clear_way(const Entry& directory) {
  const auto& path = directory.path;
  if (!had_entries_ || path == "." || target_.is_free(path) || target_.directory_mode(path) != 0 || is_source(path))
    return;
  if (may_replace(directory)) static_cast<void>(extractor_.make_directory(directory));
}

void TargetTree::extract(const ArchiveMember& member, MemberReader* reader, const ContentCheck& is_right) {
  const auto& entry = member.entry;
  // Nothing replaces the target itself, with all that is in it.
  if (entry.path == "." && (entry.kind != EntryKind::directory || member.hard_link))
    return report_(entry.path, "the root of the backup is no directory in it; it is not restored");
  if (member.hard_link && is_name_of_itself(entry)) return;
  if (is_source(entry.path)) return report_(entry.path, "it is a backup that is read here; it stays");
  // What this run made there before may have been something else: a directory gives way to a file with all that is in
  // it, which this run has made, too.
  if (entry.kind != EntryKind::directory && directories_.contains(entry.path) && !were_there_.contains(entry.path))
    remove(entry.path);
  symlinks_.erase(entry.path);
  if (!is_apart(member)) settle();
  if (is_to_replace_directory(member)) return replace_directory(member, reader, is_right);
  make_in_place(member, reader, is_right);
}

// GNU tar stores so what it was told to store twice.
bool TargetTree::is_name_of_itself(const Entry& entry) const {
  if (!was_restored(entry.path)) return false;
  const auto own = symlinks_.find(entry.path);
  const auto target = symlinks_.find(entry.link_target);
  const bool is_one_symlink = own != symlinks_.end() && target != symlinks_.end() && own->second == target->second;
  return entry.link_target == entry.path || is_one_symlink;
}

void TargetTree::make_in_place(const ArchiveMember& member, MemberReader* reader, const ContentCheck& is_right) {
  const auto& entry = member.entry;
  if (can_queue(member)) return queue(member, *reader, is_right);
  if (!(member.hard_link ? make_hard_link(entry) : make(member, reader, is_right))) return;
  restored_.insert(hash_of(entry.path));
  ++result_.entries;
  if (request_.observer != nullptr) request_.observer->restored(member);
}

// Only who wants what the backup does not have removed loses a directory with what is in it.
bool TargetTree::is_to_replace_directory(const ArchiveMember& member) {
  const bool is_other = member.hard_link || member.entry.kind != EntryKind::directory;
  return request_.delete_others && is_other && target_.open_directory(member.entry.path);
}

// Not before all of a file's content was read, and is right.
void TargetTree::replace_directory(const ArchiveMember& member, MemberReader* reader, const ContentCheck& is_right) {
  if (reader == nullptr || member.hard_link || member.entry.kind != EntryKind::file) {
    remove(member.entry.path);
    return make_in_place(member, reader, is_right);
  }
  make_in_place(member, reader, [&] {
    if (is_right && !is_right()) return false;
    remove(member.entry.path);
    return true;
  });
}

// A file that is being made may be what a hard link refers to, stand at this path, or where this path has a directory
// that no member has made.
bool TargetTree::is_apart(const ArchiveMember& member) {
  const auto& entry = member.entry;
  const bool is_plain =
      entry.kind == EntryKind::file || entry.kind == EntryKind::directory || entry.kind == EntryKind::symlink;
  if (member.hard_link || !is_plain || was_restored(entry.path)) return false;
  const auto parent = directory_of(entry.path);
  if (parent == last_parent_) return true;
  last_parent_ = parent;
  return parent == "." || directories_.contains(last_parent_);
}

bool TargetTree::can_queue(const ArchiveMember& member) const {
  return queue_ && member.entry.kind == EntryKind::file && !member.hard_link && member.entry.size <= kMaxQueuedBytes;
}

void TargetTree::queue(const ArchiveMember& member, MemberReader& reader, const ContentCheck& is_right) {
  auto file = extractor_.place_file(member.entry);
  if (!file) return;
  auto content = queue_->content();
  for (ContentPiece piece; reader.next_piece(piece);) content.add(piece);
  if (is_right && !is_right()) return;
  note_directory_of(member.entry.path);
  restored_.insert(hash_of(member.entry.path));
  queue_->add(std::move(*file), std::move(content));
  take_made_files(/*all=*/false);
}

void TargetTree::note_directory_of(std::string_view path) {
  if (had_entries_) made_in_.emplace(directory_of(path));
}

void TargetTree::take_made_files(bool all) {
  while (const auto made = queue_ ? queue_->take(all) : std::nullopt) {
    const auto& path = made->entry.path;
    for (const auto& problem : made->problems) report_(path, problem);
    result_.content_bytes += made->content_bytes;
    if (!made->is_made) {
      restored_.erase(hash_of(path));
      continue;
    }
    ++result_.entries;
    if (request_.observer != nullptr) request_.observer->restored({made->entry, false, {}});
  }
}

void TargetTree::settle() {
  take_made_files(/*all=*/true);
}

bool TargetTree::make(const ArchiveMember& member, MemberReader* reader, const ContentCheck& is_right) {
  const auto& entry = member.entry;
  switch (entry.kind) {
    case EntryKind::directory:
      if (const auto mode = is_made_here(entry.path) ? 0 : target_.directory_mode(entry.path)) {
        were_there_.insert(entry.path);
        if (request_.overwrite == OverwritePolicy::never) as_they_were_.emplace(entry.path, mode);
      }
      if (!extractor_.make_directory(entry)) return false;
      note_directory(entry);
      return true;
    case EntryKind::symlink: {
      if (entry.link_target.size() >= PATH_MAX) {
        report_(entry.path, "can't be created: " + errno_text(ENAMETOOLONG));
        return false;
      }
      // A directory goes now, so that no later member is written into it. What else stands there, which none is
      // written through, stays until the link takes its place.
      if (target_.directory_mode(entry.path) != 0) {
        settle();
        if (!extractor_.make_room(entry)) return false;
      }
      symlinks_[entry.path] = std::make_shared<LateSymlink>(LateSymlink{entry, {}});
      return true;
    }
    case EntryKind::file:
      note_directory_of(entry.path);
      return extractor_.make_file(entry, *reader, is_right, result_.content_bytes);
    case EntryKind::fifo:
    case EntryKind::character_device:
    case EntryKind::block_device:
      return extractor_.make_special(entry);
    case EntryKind::socket:
    case EntryKind::unknown:
      break;
  }
  report_(entry.path, "its type can't be restored");
  return false;
}

bool TargetTree::make_hard_link(const Entry& entry) {
  const auto& target = entry.link_target;
  if (safe_member_path(target).empty() || !was_restored(target)) {
    report_(entry.path, "it is another name of '" + target + "', which was not restored here before it");
    return false;
  }
  const auto late = symlinks_.find(target);
  if (late == symlinks_.end()) return extractor_.make_hard_link(entry);
  symlinks_.insert_or_assign(entry.path, late->second);
  return true;
}

// No file system has attributes of this size; a few bytes of a compressed archive can be as many as one likes.
void TargetTree::note_directory(const Entry& entry) {
  constexpr std::uint64_t kUsualBytes = 4U << 10U;
  constexpr std::uint64_t kMaxBytes = 32U << 20U;
  auto& noted = directories_[entry.path] = entry;
  std::uint64_t bytes = 0;
  for (auto& [name, value] : noted.xattrs) {
    if (value.size() > XATTR_SIZE_MAX) value = std::string(XATTR_SIZE_MAX + 1, '\0');  // is refused as well
    bytes += name.size() + value.size();
  }
  const auto unusual = bytes - std::min(bytes, kUsualBytes);
  if (attribute_bytes_ + unusual > kMaxBytes) {
    // The mode has the mask of an ACL that is not set.
    for (const auto& xattr : noted.xattrs) {
      if (xattr.name == kAccessAcl) noted.mode &= ~070U | group_rights(xattr.value) << 3U;
    }
    noted.xattrs.clear();
    return report_(entry.path, "its attributes are not restored: those of directories take too much memory");
  }
  attribute_bytes_ += unusual;
}

bool TargetTree::is_made_here(const std::string& directory) const {
  return !had_entries_ || was_restored(directory) || target_.has_made(directory);
}

void TargetTree::forget_below(const std::string& path, bool is_gone) {
  erase_below(directories_, path);
  erase_below(symlinks_, path);
  if (!is_gone) return;
  erase_below(as_they_were_, path);
  erase_below(were_there_, path);
}

void TargetTree::remove(const std::string& path) {
  settle();
  last_parent_.clear();
  if (!request_.dry_run) {
    const bool is_gone = target_.remove_tree(path, request_.stop);
    if (!is_gone) {
      const bool is_mounted = errno == EXDEV;
      if (request_.stop.stop_requested()) throw stopped_restore();
      report_(path, is_mounted ? "another file system is mounted in it, which is left alone"
                               : "it can't be removed: " + errno_text(errno));
    }
    forget_below(path, is_gone);
    if (!is_gone) return;
  }
  ++result_.removed;
  if (request_.observer != nullptr) request_.observer->removed(path);
}

void TargetTree::remove_others(const std::function<bool(std::string_view)>& is_wanted,
                               const std::function<bool(std::string_view)>& is_above) {
  settle();
  remove_others_in(".", is_wanted, is_above);
}

void TargetTree::remove_others_in(const std::string& directory, const std::function<bool(std::string_view)>& is_wanted,
                                  const std::function<bool(std::string_view)>& is_above) {
  std::vector<std::string> below;
  {
    const auto fd = target_.open_directory(directory);
    if (!fd) return;
    for (const auto& name : names_in(fd.get())) {
      if (request_.stop.stop_requested()) throw stopped_restore();
      const auto path = join(directory, name);
      const bool is_on_the_way = is_above(path);
      const bool belongs = is_on_the_way || was_restored(path) || kept_.contains(hash_of(path));
      if (!belongs && is_wanted(path)) remove(path);
      if (belongs && may_clear(fd.get(), path, is_on_the_way)) below.push_back(path);
    }
  }
  for (const auto& path : below) remove_others_in(path, is_wanted, is_above);
}

// What is mounted below the target was perhaps left out of the backup, and is perhaps where backups lie.
bool TargetTree::may_clear(int parent, const std::string& path, bool is_asked_for) {
  struct stat above {};
  struct stat status {};
  const bool is_directory = ::fstat(parent, &above) == 0 &&
                            ::fstatat(parent, last_component(path).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                            S_ISDIR(status.st_mode);
  if (!is_directory || left_.contains(hash_of(path))) return false;
  if (status.st_dev == above.st_dev || is_asked_for) return true;
  report_(path, "another file system is mounted here: nothing is removed in it but by its own path");
  return false;
}

void TargetTree::remove_leftovers_in(const std::string& directory) {
  const auto fd = target_.open_directory(directory);
  if (!fd) return;
  for (const auto& name : names_in(fd.get())) {
    if (is_temporary_name(name) && !was_restored(join(directory, name))) remove_leftover(fd.get(), name);
  }
}

void TargetTree::make_late() {
  settle();
  for (const auto& directory : made_in_) remove_leftovers_in(directory);
  for (const auto& [path, symlink] : symlinks_) make_late(path, *symlink);
}

void TargetTree::make_late(const std::string& path, LateSymlink& symlink) {
  auto entry = symlink.entry;
  entry.path = path;
  if (!symlink.made_at.empty()) entry.link_target = symlink.made_at;
  const bool is_made = symlink.made_at.empty() ? extractor_.make_special(entry) : extractor_.make_hard_link(entry);
  if (is_made && symlink.made_at.empty()) symlink.made_at = path;
  if (!is_made) --result_.entries;  // it was counted when it was read
}

void TargetTree::finish_ways() {
  const auto mask = ::umask(0);
  ::umask(mask);
  target_.for_each_made([&](const std::string& path) {
    if (directories_.contains(path)) return;
    if (const auto way = ways_.find(path); way != ways_.end()) {
      extractor_.finish_directory(way->second, /*only_its_own=*/false);
    } else if (const auto fd = target_.open_directory(path)) {
      ::fchmod(fd.get(), 0777U & ~mask);
    }
  });
}

void TargetTree::finish() {
  // Deepest first, as setting a time is the last thing that may happen in a directory: the reverse of the order of
  // paths does.
  for (auto directory = directories_.rbegin(); directory != directories_.rend(); ++directory) {
    const auto as_it_was = as_they_were_.find(directory->first);
    if (as_it_was == as_they_were_.end()) {
      // What could not be read for the backup may have more than it says.
      const bool is_known = !left_.contains(hash_of(directory->first));
      extractor_.finish_directory(directory->second, /*only_its_own=*/request_.delete_others && is_known);
    } else if (const auto fd = target_.open_directory(directory->first)) {  // it was opened up for what is in it
      ::fchmod(fd.get(), as_it_was->second & 07777U);
    }
  }
  finish_ways();
}

}  // namespace autoarchive::tar_internal
