#include "restore_job.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "borrowed_file.hpp"
#include "chain_reader.hpp"
#include "member_reader.hpp"

namespace autoarchive::tar_internal {
namespace {

bool is_below(std::string_view path, std::string_view directory) {
  return directory == "." || path == directory ||
         (path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/');
}

std::string join(const std::string& directory, const std::string& name) {
  return directory == "." ? name : directory + "/" + name;
}

}  // namespace

RestoreJob::RestoreJob(const RestoreRequest& request)
    : request_(request),
      target_(request.target),
      extractor_(target_, request.owner, [this](std::string_view path, std::string_view text) { problem(path, text); }),
      found_(request.paths.size(), false) {}

void RestoreJob::problem(std::string_view path, std::string_view text) {
  ++result_.problems;
  if (request_.observer != nullptr) request_.observer->problem(path, text);
}

RestoreResult RestoreJob::run() {
  if (can_select()) {
    restore_selection();
  } else {
    for (std::size_t i = 0; i < request_.levels.size(); ++i) restore_level(request_.levels[i], i == 0);
  }
  if (!request_.dry_run) {
    make_symlinks();
    if (request_.delete_others) remove_others(".");
    finish_directories();
  }
  for (std::size_t i = 0; i < found_.size(); ++i) {
    if (!found_[i]) result_.not_found.push_back(request_.paths[i]);
  }
  return result_;
}

// Places are needed: a manifest whose entries have none is that of a provider that does not know them.
bool RestoreJob::can_select() const {
  const auto* manifest = request_.levels.empty() ? nullptr : request_.levels.back().manifest.get();
  if (request_.paths.empty() || manifest == nullptr) return false;
  ManifestReader reader(std::make_unique<BorrowedFile>(*manifest));
  for (ManifestEntry line; reader.next(line);) {
    if (line.stored_level >= 0) return line.offset.has_value();
  }
  return false;
}

void RestoreJob::restore_selection() {
  ManifestReader manifest(std::make_unique<BorrowedFile>(*request_.levels.back().manifest));
  ChainReader chain(request_.levels, request_.decoder_memory);
  auto paths = request_.paths;
  std::sort(paths.begin(), paths.end(), [](const auto& a, const auto& b) { return compare_paths(a, b) < 0; });
  std::string done;  // the last one that was restored with all below it
  for (const auto& path : paths) {
    if (!done.empty() && is_below(path, done)) continue;
    done = path;
    manifest.seek(path);
    for (ManifestEntry line; manifest.next(line) && is_below(line.entry.path, path);) {
      check_stop();
      static_cast<void>(is_wanted(line.entry.path));
      restore_entry(line, chain);
    }
  }
}

void RestoreJob::restore_entry(const ManifestEntry& line, ChainReader& chain) {
  ArchiveMember member{line.entry, false, {}};
  const auto& path = line.entry.path;
  if (safe_member_path(path).empty()) return problem(path, "its name leads out of the target; it is not restored");
  if (line.stored_level < 0) return problem(path, "it could not be read when this backup was made");
  const bool is_earlier = line.stored_level + 1 < static_cast<int>(request_.levels.size());
  if (is_problem(line.state) && is_earlier)
    problem(path, "it could not be read at this level; it is as in level " + std::to_string(line.stored_level));
  if (is_problem(line.state) && !is_earlier) problem(path, "it changed or could not be read while it was stored");
  if (request_.dry_run) return count_only(member);
  if (!may_replace(member.entry)) return;
  if (line.entry.link_count > 1 && line.entry.kind != EntryKind::directory) {
    const auto first = first_names_.find({line.entry.device, line.entry.inode});
    member.hard_link = first != first_names_.end();
    if (member.hard_link) member.entry.link_target = first->second;
  }
  extract_entry(line, member, chain);
  if (line.entry.link_count > 1 && was_restored(path))
    first_names_.try_emplace({line.entry.device, line.entry.inode}, path);
}

// One bad member does not end the restore of the others.
void RestoreJob::extract_entry(const ManifestEntry& line, const ArchiveMember& member, ChainReader& chain) {
  const auto& path = line.entry.path;
  if (member.hard_link || line.entry.kind != EntryKind::file) return extract(member, nullptr);
  if (!line.offset) return problem(path, "the manifest does not say where it is");
  ArchiveMember stored;
  MemberReader* reader = nullptr;
  try {
    reader = &chain.seek(line.stored_level, *line.offset, stored);
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged) throw;
    return problem(path, error.message());
  }
  if (stored.entry.kind != EntryKind::file || stored.hard_link || stored.entry.size != line.entry.size)
    return problem(path, "the member at its place is another one: the manifest is not that of the archive");
  extract(member, reader);
}

void RestoreJob::count_only(const ArchiveMember& member) {
  ++result_.entries;
  result_.content_bytes += member.entry.size;
  if (request_.observer != nullptr) request_.observer->restored(member);
}

void RestoreJob::check_stop() const {
  if (!request_.stop.stop_requested()) return;
  throw Error(ErrorCode::runtime_error, "stopped on request; what has been restored so far is there",
              ErrorCause::cancelled);
}

void RestoreJob::restore_level(const ArchiveLevel& level, bool is_first) {
  MemberReader reader(*level.file, request_.decoder_memory);
  for (ArchiveMember member; reader.next(member);) {
    check_stop();
    take(member, reader, is_first);
  }
  // What follows the last member may be what was damaged.
  reader.drain();
}

bool RestoreJob::is_wanted(std::string_view path) {
  bool wanted = request_.paths.empty();
  for (std::size_t i = 0; i < request_.paths.size(); ++i) {
    if (!is_below(path, request_.paths[i])) continue;
    found_[i] = true;
    wanted = true;
  }
  return wanted;
}

void RestoreJob::take(const ArchiveMember& member, MemberReader& reader, bool is_first) {
  const auto& path = member.entry.path;
  if (safe_member_path(path).empty()) return problem(path, "its name leads out of the target; it is not restored");
  if (!is_wanted(path)) return;
  if (request_.dry_run) return count_only(member);
  // A level's directory lists all that it holds; what an earlier level has brought and the list does not have is
  // deleted.
  if (member.dumpdir && !is_first) apply_dumpdir(member);
  if (!may_replace(member.entry)) return;
  extract(member, &reader);
  if (request_.observer != nullptr) request_.observer->progress(result_.entries, result_.content_bytes);
}

bool RestoreJob::may_replace(const Entry& entry) {
  if (request_.overwrite == OverwritePolicy::always || entry.kind == EntryKind::directory || was_restored(entry.path))
    return true;
  const int parent = target_.parent_of(entry.path, /*make=*/false);
  struct stat status {};
  if (parent < 0 || ::fstatat(parent, last_component(entry.path).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return true;
  return request_.overwrite == OverwritePolicy::newer && status.st_mtim.tv_sec < entry.mtime.seconds;
}

// `reader` stands at the content of a file, and is null for everything else.
void RestoreJob::extract(const ArchiveMember& member, MemberReader* reader) {
  const auto& entry = member.entry;
  // What this run made there before may have been something else: a directory gives way to a file with all that is in
  // it.
  if (entry.kind != EntryKind::directory && directories_.contains(entry.path)) remove(entry.path);
  symlinks_.erase(entry.path);
  late_links_.erase(entry.path);
  if (member.hard_link) return extract_hard_link(member);
  bool made = false;
  switch (entry.kind) {
    case EntryKind::directory:
      made = extractor_.make_directory(entry);
      if (made) directories_[entry.path] = entry;
      break;
    case EntryKind::symlink:
      // Whatever stands there goes now, so that no later member is written through it.
      made = target_.remove_tree(entry.path) || !directories_.contains(entry.path);
      symlinks_[entry.path] = entry;
      break;
    case EntryKind::file:
      made = extractor_.make_file(entry, *reader, result_.content_bytes);
      break;
    case EntryKind::fifo:
    case EntryKind::character_device:
    case EntryKind::block_device:
      made = extractor_.make_special(entry);
      break;
    case EntryKind::socket:
    case EntryKind::unknown:
      return problem(entry.path, "its type can't be restored");
  }
  if (!made) return;
  restored_.insert(std::hash<std::string>()(entry.path));
  ++result_.entries;
  if (request_.observer != nullptr) request_.observer->restored(member);
}

void RestoreJob::extract_hard_link(const ArchiveMember& member) {
  const auto& entry = member.entry;
  const auto& target = entry.link_target;
  if (safe_member_path(target).empty() || !was_restored(target)) {
    return problem(entry.path, "it is another name of '" + target + "', which was not restored here before it");
  }
  if (symlinks_.contains(target) || late_links_.contains(target)) {
    late_links_[entry.path] = entry;
  } else if (!extractor_.make_hard_link(entry)) {
    return;
  }
  restored_.insert(std::hash<std::string>()(entry.path));
  ++result_.entries;
  if (request_.observer != nullptr) request_.observer->restored(member);
}

void RestoreJob::forget_below(const std::string& path) {
  for (auto* entries : {&directories_, &symlinks_, &late_links_}) {
    std::erase_if(*entries, [&](const auto& item) { return is_below(item.first, path); });
  }
}

void RestoreJob::remove(const std::string& path) {
  if (!target_.remove_tree(path)) problem(path, "it can't be removed: " + errno_text(errno));
  forget_below(path);
  ++result_.removed;
  if (request_.observer != nullptr) request_.observer->removed(path);
}

void RestoreJob::apply_dumpdir(const ArchiveMember& directory) {
  const auto& path = directory.entry.path;
  const auto& listed = *directory.dumpdir;
  std::vector<std::string> gone;
  const auto check = [&](const std::string& name) {
    const auto child = join(path, name);
    if (!std::binary_search(listed.begin(), listed.end(), name) && was_restored(child) && is_wanted(child))
      gone.push_back(child);
  };
  if (const auto fd = target_.open_directory(path)) {
    for (const auto& name : names_in(fd.get())) check(name);
  }
  for (const auto* late : {&symlinks_, &late_links_}) {
    for (const auto& [link, entry] : *late) {
      const auto slash = link.rfind('/');
      const auto parent = slash == std::string::npos ? std::string(".") : link.substr(0, slash);
      if (parent == path) check(last_component(link));
    }
  }
  for (const auto& child : gone) remove(child);
}

void RestoreJob::make_symlinks() {
  for (const auto& [path, entry] : symlinks_) static_cast<void>(extractor_.make_special(entry));
  for (const auto& [path, entry] : late_links_) static_cast<void>(extractor_.make_hard_link(entry));
}

void RestoreJob::remove_others(const std::string& directory) {
  const auto fd = target_.open_directory(directory);
  if (!fd) return;
  for (const auto& name : names_in(fd.get())) {
    const auto path = join(directory, name);
    const bool on_the_way = std::any_of(request_.paths.begin(), request_.paths.end(),
                                        [&](const auto& wanted) { return is_below(wanted, path); });
    if (!on_the_way && !was_restored(path)) {
      if (is_wanted(path)) remove(path);
      continue;
    }
    struct stat status {};
    if (::fstatat(fd.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode))
      remove_others(path);
  }
}

void RestoreJob::finish_directories() {
  // Deepest first, as setting a time is the last thing that may happen in a directory: the reverse of the order of
  // paths does.
  for (auto directory = directories_.rbegin(); directory != directories_.rend(); ++directory)
    extractor_.finish_directory(directory->second);
}

}  // namespace autoarchive::tar_internal
