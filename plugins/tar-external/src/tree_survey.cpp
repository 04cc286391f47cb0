#include "tree_survey.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string_view>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "member_name.hpp"
#include "stored_content.hpp"

namespace autoarchive::tar_external {
namespace {

bool has_links(const Entry& entry) {
  return entry.link_count > 1 && entry.kind != EntryKind::directory;
}

std::uint64_t device_of(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_dev : 0;
}

Timestamp current_time() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  return {seconds.count(),
          static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now - seconds).count())};
}

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// A directory that may not be listed, or is gone, has no names, for tar neither.
std::vector<std::string> names_in(const WalkItem& directory) {
  const auto failed = [&](int os_errno) {
    return Error::from_errno(os_errno, "listing " + quote(directory.entry.path));
  };
  std::vector<std::string> names;
  auto opened = open_entry(directory);
  for (const int harmless : {EACCES, ENOENT, ENOTDIR, ESTALE}) {
    if (!opened.fd && opened.os_errno == harmless) return names;
  }
  if (!opened.fd) throw failed(opened.os_errno);
  const std::unique_ptr<DIR, DirectoryCloser> stream(::fdopendir(opened.fd.get()));
  if (!stream) throw failed(errno);
  static_cast<void>(opened.fd.release());  // the stream's now
  for (;;) {
    errno = 0;
    const dirent* const found = ::readdir(stream.get());
    if (found == nullptr && errno != 0) throw failed(errno);
    if (found == nullptr) return names;
    const std::string_view name = found->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

}  // namespace

// The file is a manifest, whose stored_level carries the verdict.
bool SurveyReader::next(SurveyedEntry& entry) {
  if (!reader_.next(line_)) return false;
  std::swap(entry.entry, line_.entry);
  entry.state = line_.state;
  entry.verdict = static_cast<Verdict>(line_.stored_level);
  return true;
}

void TreeSurvey::put(Entry entry, Verdict verdict, EntryState state) {
  // What is excluded above several includes comes once for each.
  if (verdict == Verdict::excluded && entry.path == last_excluded_) return;
  if (verdict == Verdict::excluded) last_excluded_ = entry.path;
  ManifestEntry line;
  line.entry = std::move(entry);
  line.state = state;
  line.stored_level = static_cast<int>(verdict);
  writer_->add(line);
}

TreeSurvey::TreeSurvey(BackupJob& job, const std::filesystem::path& scratch)
    : job_(job), started_(current_time()), file_(scratch), dumpdirs_(scratch), root_device_(device_of(job.root())) {
  ManifestHeader header;
  header.backup_uuid = job.identity().backup_uuid;
  writer_ = std::make_unique<ManifestWriter>(file_, header);
  const auto tree = job.compare_with_parent();
  for (ComparedItem step; tree->next(step);) {
    job.check_stop();
    take(step);
  }
  writer_->finish({});
  writer_.reset();
  file_.finish();
}

void TreeSurvey::take(ComparedItem& step) {
  auto& item = step.item;
  if (step.change == TreeChange::unseen) return put(std::move(item.entry), Verdict::unseen, step.unseen_state);
  if (step.change == TreeChange::gone) {
    if (item.entry.path != ".") lost_names_.emplace(parent_of(item.entry.path));
    return job_.entry_done(item.entry, EntryStatus::deleted);
  }
  switch (item.event) {
    case WalkEvent::entry:
      return take_entry(step);
    case WalkEvent::excluded:
      job_.entry_done(item.entry, EntryStatus::excluded, item.rule);
      return put(std::move(item.entry), Verdict::excluded);
    case WalkEvent::list_failed:
      job_.walk_problem(item);
      reported_.insert(item.entry.path);
      return;
    case WalkEvent::stat_failed:
      return take_failed(item);
    case WalkEvent::socket:
    case WalkEvent::unknown_type:
      job_.walk_problem(item);
      reported_.insert(item.entry.path);
      job_.entry_done(item.entry, EntryStatus::failed);
      return put(std::move(item.entry), Verdict::unstorable);
  }
}

void TreeSurvey::take_entry(ComparedItem& step) {
  auto& item = step.item;
  auto& entry = item.entry;
  if (item.is_include) includes_.push_back(entry.path);
  const auto verdict = judge(step);
  if (job_.request().metadata.owner_names) {
    entry.user = owners_.user(entry.uid);
    entry.group = owners_.group(entry.gid);
  }
  if (verdict != Verdict::unchanged) {
    int os_errno = 0;  // tar meets it as well, and reports it
    entry.xattrs = read_xattrs_at(item.parent->fd(), item.name(), job_.request().metadata, &os_errno);
  }
  if (has_links(entry)) {
    auto& any_is_stored = linked_[{entry.device, entry.inode}];
    any_is_stored = any_is_stored || verdict != Verdict::unchanged;
  }
  if (entry.kind == EntryKind::directory) take_directory(item);
  put(std::move(entry), verdict, item.listed ? EntryState::ok : EntryState::failed);
}

Verdict TreeSurvey::judge(ComparedItem& step) const {
  switch (step.change) {
    case TreeChange::added:
      return Verdict::added;
    case TreeChange::unchanged:
      return Verdict::unchanged;
    case TreeChange::touched:
      return is_as_stored(step.item, step.parent, job_) ? Verdict::unchanged : Verdict::modified;
    default:
      return Verdict::modified;
  }
}

void TreeSurvey::take_directory(const WalkItem& item) {
  const bool is_foreign = item.entry.device != root_device_ && job_.request().filter.one_file_system;
  if (is_foreign) closed_directories_.push_back(item.entry.path);
  if (!job_.incremental() || !item.listed) return;
  dumpdirs_.add(item);
  const bool is_in_include =
      !includes_.empty() && (item.entry.path == includes_.back() || is_below(item.entry.path, includes_.back()));
  if (!is_in_include) note_neighbours(item);
}

void TreeSurvey::note_neighbours(const WalkItem& ancestor) {
  auto& neighbours = neighbours_[ancestor.entry.path];
  for (auto& name : names_in(ancestor)) {
    const auto known =
        std::lower_bound(ancestor.names.begin(), ancestor.names.end(), name,
                         [](const ChildName& child, const std::string& text) { return child.name < text; });
    if (known == ancestor.names.end() || known->name != name) neighbours.push_back(std::move(name));
  }
}

const std::vector<std::string>& TreeSurvey::neighbours(const std::string& directory) const {
  static const std::vector<std::string> none;
  const auto found = neighbours_.find(directory);
  return found == neighbours_.end() ? none : found->second;
}

void TreeSurvey::take_failed(const WalkItem& item) {
  job_.walk_problem(item);
  reported_.insert(item.entry.path);
  const bool is_gone = item.os_errno == ENOENT || item.os_errno == ENOTDIR;
  // A missing include is in no directory's list, so the manifest does not have it either.
  if (item.is_include && is_gone) return job_.entry_done(item.entry, EntryStatus::failed);
  put(item.entry, Verdict::failed, is_gone ? EntryState::vanished : EntryState::failed);
}

bool TreeSurvey::is_wanted(const SurveyedEntry& entry) const {
  if (entry.verdict == Verdict::added || entry.verdict == Verdict::modified) return true;
  if (entry.verdict != Verdict::unchanged || !has_links(entry.entry)) return false;
  const auto found = linked_.find({entry.entry.device, entry.entry.inode});
  return found != linked_.end() && found->second;
}

}  // namespace autoarchive::tar_external
