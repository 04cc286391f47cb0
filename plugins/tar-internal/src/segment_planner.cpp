#include "segment_planner.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "tar_header.hpp"

namespace autoarchive::tar_internal {
namespace {

// What a member takes beside its content: its header, and the record of its time.
constexpr std::uint64_t kHeaderBytes = 3 * kBlockBytes;
constexpr std::size_t kMaxSteps = 1024;

std::uint64_t padded(std::uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

/// GNU tar's list: for each name "Y", or "D" for a directory, the name and a NUL, and a NUL at the end.
std::string dumpdir_of(const WalkItem& directory) {
  std::string text;
  for (const auto& child : directory.names) {
    text += child.is_directory ? 'D' : 'Y';
    text += child.name;
    text += '\0';
  }
  text += '\0';
  return text;
}

bool is_below(std::string_view path, std::string_view directory) {
  if (directory == ".") return path != ".";
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

Problem problem_of(const WalkItem& item) {
  const auto failed = [&](BackupSubOperation operation) -> Problem {
    if (item.os_errno == EACCES) return {operation, BackupOperationError::permission_denied, {}};
    return {operation, BackupOperationError::unknown_os_error, errno_text(item.os_errno)};
  };
  switch (item.event) {
    case WalkEvent::socket:
      return {BackupSubOperation::open, BackupOperationError::socket_ignored, {}};
    case WalkEvent::unknown_type:
      return {BackupSubOperation::open, BackupOperationError::unknown_type_ignored, {}};
    case WalkEvent::list_failed:
      return failed(BackupSubOperation::open);
    case WalkEvent::entry:
    case WalkEvent::excluded:
    case WalkEvent::stat_failed:
      break;
  }
  return failed(BackupSubOperation::stat);
}

OpenFile::ReadResult read_digest(const OpenFile& file, const BackupJob& job, std::uint64_t& digest) {
  OpenFile::ReadResult worst;
  ContentDigest content;
  std::vector<std::byte> buffer(kSmallFileBytes);
  for (std::uint64_t offset = 0; offset < file.stored_bytes();) {
    job.check_stop();
    const auto count = std::min<std::uint64_t>(buffer.size(), file.stored_bytes() - offset);
    const auto piece = std::span(buffer).first(static_cast<std::size_t>(count));
    const auto read = file.read(offset, piece);
    if (read.state == EntryState::failed) return read;
    if (read.state != EntryState::ok) worst = read;
    content.update(piece);
    offset += count;
  }
  digest = content.value();
  return worst;
}

}  // namespace

/// A directory on the current path whose member is not in this archive yet.
struct SegmentPlanner::Directory {
  WalkItem item;
  std::string dumpdir;
  bool is_stored = false;
};

/// A file with several names.
struct SegmentPlanner::Inode {
  std::uint64_t names = 0;  // seen
  std::string stored_path;  // its member in this archive; empty: none yet
  // What was stored.
  EntryKind kind = EntryKind::unknown;
  Timestamp ctime;
  std::uint64_t size = 0;
  /// Names that were unchanged when they were seen: they follow as links if another name is stored later.
  struct EarlierName {
    Entry entry;
    Ancestors ancestors;
  };
  std::vector<EarlierName> earlier_names;

  /// A number that has meanwhile gone to another file, and content that has changed since, are no name of what was
  /// stored.
  [[nodiscard]] bool is_stored_as(const Entry& entry) const {
    return !stored_path.empty() && kind == entry.kind && ctime == entry.ctime && size == entry.size;
  }
};

SegmentPlanner::SegmentPlanner(const BackupJob& job, TreeComparison& tree, SegmentExchange& exchange,
                               SegmentLimits limits)
    : job_(job),
      tree_(tree),
      exchange_(exchange),
      limits_(std::move(limits)),
      metadata_(job.request().metadata),
      incremental_(job.incremental()) {}

SegmentPlanner::~SegmentPlanner() = default;

void SegmentPlanner::run() {
  segment_ = exchange_.empty_segment();
  segment_bytes_ = limits_.bytes_at(0);
  Step comment;
  comment.action = StepAction::comment;
  add_member(std::move(comment), kHeaderBytes);
  for (ComparedItem compared; tree_.next(compared);) {
    job_.check_stop();
    plan(compared);
  }
  plan_late_links();
  if (!segment_->steps.empty()) exchange_.submit(std::move(segment_));
}

void SegmentPlanner::plan(ComparedItem& compared) {
  if (incremental_) leave_directories(compared.item.entry.path);
  if (compared.change == TreeChange::gone || compared.change == TreeChange::unseen) return plan_absent(compared);
  if (compared.item.event != WalkEvent::entry) return plan_event(compared);
  Step step;
  step.item = std::move(compared.item);
  if (compared.has_parent && compared.change != TreeChange::unchanged)
    step.parent = std::make_unique<ManifestEntry>(std::move(compared.parent));
  step.outcome.in_manifest = true;
  step.outcome.status = compared.change == TreeChange::added ? EntryStatus::added : EntryStatus::modified;
  set_owner_names(step.item.entry);
  switch (step.item.entry.kind) {
    case EntryKind::directory:
      return plan_directory(std::move(step), compared);
    case EntryKind::file:
      return plan_file(std::move(step), compared);
    default:
      return plan_special(std::move(step), compared);
  }
}

// Something that is no entry: left out, or trouble.
void SegmentPlanner::plan_event(ComparedItem& compared) {
  Step step;
  step.item = std::move(compared.item);
  if (step.item.event == WalkEvent::excluded) {
    step.outcome.status = EntryStatus::excluded;
    return add_record(std::move(step));
  }
  step.outcome.status = EntryStatus::failed;
  const bool is_missing_include =
      step.item.is_include && (step.item.os_errno == ENOENT || step.item.os_errno == ENOTDIR);
  if (step.item.event != WalkEvent::stat_failed || is_missing_include) {
    step.outcome.problems.push_back(problem_of(step.item));
    step.outcome.is_done = step.item.event != WalkEvent::list_failed;  // its entry has been told before
    return add_record(std::move(step));
  }
  // It is in its directory's list, so it is in the manifest, with what the parent level has of it.
  if (compared.has_parent) step.parent = std::make_unique<ManifestEntry>(std::move(compared.parent));
  set_failed(step, BackupSubOperation::stat, step.item.os_errno);
  add_record(std::move(step));
}

// Only the parent level has it.
void SegmentPlanner::plan_absent(ComparedItem& compared) {
  Step step;
  step.item = std::move(compared.item);
  step.parent = std::make_unique<ManifestEntry>(std::move(compared.parent));
  if (compared.change == TreeChange::unseen) {
    carry_over(step, *step.parent);
    step.outcome.state = compared.unseen_state;
  } else {
    store_ancestors(pending_);  // whose lists tell that it is gone
    step.outcome.status = EntryStatus::deleted;
  }
  add_record(std::move(step));
}

void SegmentPlanner::plan_directory(Step&& step, const ComparedItem& compared) {
  std::string dumpdir;
  if (incremental_ && step.item.listed) dumpdir = dumpdir_of(step.item);
  step.item.names = {};
  if (!step.item.listed) step.outcome.state = EntryState::failed;
  if (compared.change != TreeChange::unchanged) {
    store_ancestors(pending_);
    step.dumpdir = std::move(dumpdir);
    step.action = StepAction::header;
    const auto bytes = kHeaderBytes + padded(step.dumpdir.size());
    return add_member(std::move(step), bytes);
  }
  step.item.entry.xattrs = compared.parent.entry.xattrs;
  step.item.parent.reset();  // nothing more is opened
  pending_.push_back(std::make_shared<Directory>(Directory{step.item, std::move(dumpdir), false}));
  plan_unchanged(std::move(step), compared.parent);
}

void SegmentPlanner::plan_unchanged(Step&& step, const ManifestEntry& parent) {
  step.item.entry.xattrs = parent.entry.xattrs;
  carry_over(step, parent);
  add_record(std::move(step));
}

void SegmentPlanner::plan_special(Step&& step, const ComparedItem& compared) {
  if (step.item.entry.link_count > 1 && plan_as_link(step, compared.change)) return;
  if (compared.change == TreeChange::unchanged) return plan_unchanged(std::move(step), compared.parent);
  if (step.item.entry.link_count > 1) note_stored(step.item.entry);
  store_ancestors(pending_);
  step.action = StepAction::header;
  add_member(std::move(step), kHeaderBytes);
}

void SegmentPlanner::plan_file(Step&& step, const ComparedItem& compared) {
  const auto& entry = step.item.entry;
  if (entry.link_count > 1 && plan_as_link(step, compared.change)) return;
  if (compared.change == TreeChange::unchanged) return plan_unchanged(std::move(step), compared.parent);
  const bool compare = compared.change == TreeChange::touched && step.parent->digest.has_value();
  if (entry.link_count > 1 || entry.size > kSmallFileBytes) return plan_open_file(std::move(step), compare);
  store_ancestors(pending_);
  step.action = compare ? StepAction::compare : StepAction::file;
  const auto bytes = kHeaderBytes + padded(entry.size);
  add_member(std::move(step), bytes);
}

// A further name of something that is stored is a link. A name that has not changed waits for the others of its set: if
// one of those is stored, all of them are, as links to it. True if nothing remains to be planned. A set is forgotten
// when all of its names have been seen, so that only those with names outside of the tree are kept to the end.
bool SegmentPlanner::plan_as_link(Step& step, TreeChange change) {
  const auto place = inodes_.try_emplace({step.item.entry.device, step.item.entry.inode}).first;
  auto& inode = place->second;
  const bool is_name = inode.is_stored_as(step.item.entry);
  if (!inode.stored_path.empty() && !is_name) inode = {};
  const bool is_last = ++inode.names >= step.item.entry.link_count;
  if (is_name) {
    store_ancestors(pending_);
    step.action = StepAction::header;
    step.link_to = inode.stored_path;
    step.is_last_name = is_last && inode.earlier_names.empty();
    if (step.is_last_name) inodes_.erase(place);
    add_member(std::move(step), kHeaderBytes);
    return true;
  }
  if (change != TreeChange::unchanged) return false;
  step.is_last_name = is_last;
  if (is_last) {
    inodes_.erase(place);
  } else {
    inode.earlier_names.push_back({step.item.entry, pending_});
  }
  return false;
}

void SegmentPlanner::plan_late_links() {
  for (auto& [key, inode] : inodes_) {
    for (auto& name : inode.earlier_names) {
      if (!inode.is_stored_as(name.entry)) continue;
      store_ancestors(name.ancestors);
      Step link;
      link.action = StepAction::header;
      link.item.entry = std::move(name.entry);
      link.link_to = inode.stored_path;
      link.outcome.status = EntryStatus::unchanged;
      link.outcome.is_done = false;  // told with its record
      add_member(std::move(link), kHeaderBytes);
    }
  }
}

// Opened here: because several segments share it, or because further names must know that this one could be read.
void SegmentPlanner::plan_open_file(Step&& step, bool compare) {
  auto opened = open_current(step.item);
  if (!opened.fd) {
    set_failed(step, BackupSubOperation::open, opened.os_errno);
    return add_record(std::move(step));
  }
  if (opened.entry.uid == step.item.entry.uid) opened.entry.user = std::move(step.item.entry.user);
  if (opened.entry.gid == step.item.entry.gid) opened.entry.group = std::move(step.item.entry.group);
  step.item.entry = opened.entry;
  const auto file = std::make_shared<OpenFile>(std::move(opened), metadata_.sparse);
  read_attributes(step, file->fd(), metadata_);
  const auto& entry = step.item.entry;
  if (compare && step.outcome.state == EntryState::ok && entry.xattrs == step.parent->entry.xattrs &&
      !differs_visibly(entry, step.parent->entry)) {
    std::uint64_t digest = 0;
    const auto read = read_digest(*file, job_, digest);
    if (read.state == EntryState::failed) {
      set_failed(step, BackupSubOperation::read, read.os_errno);
      return add_record(std::move(step));
    }
    if (read.state == EntryState::ok && digest == step.parent->digest && file->is_unchanged()) {
      carry_over(step, *step.parent);
      return add_record(std::move(step));
    }
  }
  if (entry.link_count > 1) note_stored(entry);
  file->state = step.outcome.state;
  store_ancestors(pending_);
  plan_parts(std::move(step), file);
}

void SegmentPlanner::plan_parts(Step&& step, const std::shared_ptr<OpenFile>& file) {
  std::uint64_t offset = 0;
  do {
    const auto header = offset == 0 ? kHeaderBytes : 0;
    // A part that is too small to be worth a piece of this segment begins the next.
    if (estimated_bytes_ + header + segment_bytes_ / 8 > segment_bytes_) end_segment();
    Step part;
    part.action = StepAction::part;
    part.item = step.item;
    part.file = file;
    part.outcome.status = step.outcome.status;
    if (offset == 0) part.outcome.problems = step.outcome.problems;
    const auto room = std::max<std::uint64_t>(segment_bytes_, estimated_bytes_ + header) - estimated_bytes_ - header;
    part.part_offset = offset;
    part.part_bytes = std::min(file->stored_bytes() - offset, std::max<std::uint64_t>(room, kBlockBytes));
    offset += part.part_bytes;
    part.outcome.is_done = offset == file->stored_bytes();
    part.outcome.in_manifest = part.outcome.is_done;
    if (part.outcome.is_done) part.parent = std::move(step.parent);
    const auto bytes = header + padded(part.part_bytes);
    ++open_files_;
    add_member(std::move(part), bytes);
  } while (offset < file->stored_bytes());
}

void SegmentPlanner::leave_directories(const std::string& path) {
  while (!pending_.empty() && !is_below(path, pending_.back()->item.entry.path)) pending_.pop_back();
}

void SegmentPlanner::store_ancestors(const Ancestors& ancestors) {
  for (const auto& directory : ancestors) {
    if (directory->is_stored) continue;
    directory->is_stored = true;
    Step step;
    step.action = StepAction::header;
    step.attributes_known = true;
    step.item = std::move(directory->item);
    directory->item.entry.path = step.item.entry.path;  // leave_directories() still asks
    step.dumpdir = std::move(directory->dumpdir);
    step.outcome.is_done = false;  // told with its record
    const auto bytes = kHeaderBytes + padded(step.dumpdir.size());
    add_member(std::move(step), bytes);
  }
}

void SegmentPlanner::set_owner_names(Entry& entry) {
  if (!metadata_.owner_names) return;
  entry.user = owners_.user(entry.uid);
  entry.group = owners_.group(entry.gid);
}

void SegmentPlanner::note_stored(const Entry& entry) {
  auto& inode = inodes_[{entry.device, entry.inode}];
  inode.stored_path = entry.path;
  inode.kind = entry.kind;
  inode.ctime = entry.ctime;
  inode.size = entry.size;
}

void SegmentPlanner::add_record(Step&& step) {
  step.action = StepAction::record;
  step.item.parent.reset();
  add_step(std::move(step));
}

void SegmentPlanner::add_member(Step&& step, std::uint64_t estimated_bytes) {
  const bool is_too_much = estimated_bytes_ != 0 && estimated_bytes_ + estimated_bytes > segment_bytes_ / 4 * 5;
  if (is_too_much || directories_ >= limits_.directories) end_segment();
  estimated_bytes_ += estimated_bytes;
  if (step.item.parent.get() != last_directory_) {
    last_directory_ = step.item.parent.get();
    ++directories_;
  }
  add_step(std::move(step));
  if (estimated_bytes_ >= segment_bytes_ || open_files_ >= limits_.open_files) end_segment();
}

void SegmentPlanner::add_step(Step&& step) {
  segment_->steps.push_back(std::move(step));
  if (segment_->steps.size() >= kMaxSteps) end_segment();
}

void SegmentPlanner::end_segment() {
  if (segment_->steps.empty()) return;
  exchange_.submit(std::move(segment_));
  segment_ = exchange_.empty_segment();
  planned_bytes_ += estimated_bytes_;
  segment_bytes_ = limits_.bytes_at(planned_bytes_);
  estimated_bytes_ = 0;
  open_files_ = 0;
  directories_ = 0;
  last_directory_ = nullptr;
}

}  // namespace autoarchive::tar_internal
