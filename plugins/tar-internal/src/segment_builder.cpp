#include "segment_builder.hpp"

#include <utility>

namespace autoarchive::tar_internal {
namespace {

// A file that changes while it is read is read again that often.
constexpr int kMaxReads = 4;
// A small file that has grown since the walk is stored as it is now, up to this size, and cut to what it was beyond.
constexpr std::uint64_t kMaxGrownBytes = 4U << 20U;

// What is stored is what the descriptor says, not what the listing said a moment ago.
void take_as_found(Step& step, Entry& found) {
  auto& entry = step.item.entry;
  if (found.uid == entry.uid) found.user = std::move(entry.user);
  if (found.gid == entry.gid) found.group = std::move(entry.group);
  entry = std::move(found);
}

void report_change(Step& step) {
  step.outcome.state = EntryState::changed;
  step.outcome.problems.push_back({BackupSubOperation::read, BackupOperationError::file_changed, {}});
}

}  // namespace

SegmentBuilder::SegmentBuilder(const BackupJob& job, std::string comment)
    : job_(job), comment_(std::move(comment)), metadata_(job.request().metadata) {}

void SegmentBuilder::build(Segment& segment) {
  TarWriter tar(segment.bytes);
  for (auto& step : segment.steps) {
    job_.check_stop();
    build(step, segment, tar);
  }
}

void SegmentBuilder::build(Step& step, Segment& segment, TarWriter& tar) {
  switch (step.action) {
    case StepAction::record:
      return;
    case StepAction::comment:
      return tar.add_comment(comment_);
    case StepAction::header:
      return add_header(step, segment, tar);
    case StepAction::file:
    case StepAction::compare:
      return add_file(step, segment, tar);
    case StepAction::part:
      return add_part(step, segment, tar);
  }
}

TarMember SegmentBuilder::member_of(const Step& step) const {
  TarMember member{step.item.entry, step.link_to};
  member.nanoseconds = metadata_.nanoseconds;
  member.dumpdir = step.dumpdir;
  return member;
}

void SegmentBuilder::stored(Step& step, std::size_t offset) const {
  step.outcome.is_member = true;
  step.outcome.offset = offset;
  step.outcome.stored_level = job_.level();
}

void SegmentBuilder::add_header(Step& step, Segment& segment, TarWriter& tar) {
  const auto& item = step.item;
  if (!step.attributes_known && step.link_to.empty()) {
    const bool readable = item.entry.kind == EntryKind::directory && item.listed;
    const auto opened = readable ? open_entry(item) : OpenedEntry{};
    read_attributes(step, opened.fd.get(), metadata_);
  }
  stored(step, segment.bytes.size());
  tar.add_header(member_of(step));
}

void SegmentBuilder::add_file(Step& step, Segment& segment, TarWriter& tar) {
  const auto begin = segment.bytes.size();
  const auto planned = step.outcome;
  for (int reads = 1;; ++reads) {
    segment.bytes.truncate(begin);
    step.outcome = planned;
    const bool is_settled = try_file(step, segment, tar);
    if (!step.outcome.is_member) return segment.bytes.truncate(begin);
    if (is_settled) {
      if (reads > 1) step.outcome.status = EntryStatus::retried;
      break;
    }
    if (reads == kMaxReads) {
      report_change(step);
      break;
    }
  }
  if (!is_what_it_was(step)) return;
  segment.bytes.truncate(begin);
  step.outcome.content_bytes = 0;
  carry_over(step, *step.parent);
}

bool SegmentBuilder::is_what_it_was(const Step& step) const {
  return step.action == StepAction::compare && step.outcome.state == EntryState::ok && step.outcome.digest &&
         step.outcome.digest == step.parent->digest && step.item.entry.xattrs == step.parent->entry.xattrs &&
         !differs_visibly(step.item.entry, step.parent->entry);
}

// Reads the file once. True if it did not change meanwhile; if it can't be read, it is no member.
bool SegmentBuilder::try_file(Step& step, Segment& segment, TarWriter& tar) {
  const auto planned_bytes = step.item.entry.size;
  auto opened = open_current(step.item);
  if (!opened.fd) {
    set_failed(step, BackupSubOperation::open, opened.os_errno);
    return true;
  }
  const bool is_cut = opened.entry.size > kMaxGrownBytes;
  if (is_cut) opened.entry.size = planned_bytes;
  const auto map = metadata_.sparse ? find_holes(opened) : SparseMap();
  take_as_found(step, opened.entry);
  const int fd = opened.fd.get();
  read_attributes(step, fd, metadata_);

  stored(step, segment.bytes.size());
  const auto result = append_member(step, fd, map, segment, tar);
  if (result.state == EntryState::failed) {
    step.outcome.problems.clear();
    set_failed(step, BackupSubOperation::read, result.os_errno);
    return true;
  }
  if (!is_cut) return result.state == EntryState::ok && is_as_it_was(fd, step.item.entry);
  report_change(step);  // it will not become shorter by reading it again
  return true;
}

// Header, content or map and data, padding; and the digest of what is between.
OpenFile::ReadResult SegmentBuilder::append_member(Step& step, int fd, const SparseMap& map, Segment& segment,
                                                   TarWriter& tar) {
  auto member = member_of(step);
  member.is_sparse = !map.pieces.empty();
  const auto map_text = member.is_sparse ? map.text() : std::string();
  member.stored_size = member.is_sparse ? map_text.size() + map.data_bytes() : step.item.entry.size;
  tar.add_header(member);
  auto& bytes = segment.bytes;
  const auto begin = bytes.size();
  OpenFile::ReadResult result;
  if (member.is_sparse) {
    bytes.append(std::as_bytes(std::span(map_text)));
    for (const auto& piece : map.pieces) {
      const auto read = read_exactly(fd, piece.offset, bytes.grow(static_cast<std::size_t>(piece.length)));
      if (read.state != EntryState::ok) result = read;
    }
  } else {
    result = read_exactly(fd, 0, bytes.grow(static_cast<std::size_t>(step.item.entry.size)));
  }
  step.outcome.digest = content_digest_of(bytes.view().subspan(begin));
  step.outcome.content_bytes = bytes.size() - begin;
  tar.pad();
  return result;
}

void SegmentBuilder::add_part(Step& step, Segment& segment, TarWriter& tar) {
  auto& file = *step.file;
  if (step.part_offset == 0) {
    stored(step, segment.bytes.size());
    auto member = member_of(step);
    member.is_sparse = file.is_sparse();
    member.stored_size = file.stored_bytes();
    tar.add_header(member);
  }
  step.part_begin = segment.bytes.size();
  const auto result = file.read(step.part_offset, segment.bytes.grow(static_cast<std::size_t>(step.part_bytes)));
  step.outcome.state = result.state;
  step.outcome.content_bytes = step.part_bytes;
  if (result.state == EntryState::failed) {
    step.outcome.problems.push_back(
        {BackupSubOperation::read, BackupOperationError::unknown_os_error, errno_text(result.os_errno)});
  }
  if (step.outcome.is_done) tar.pad();
}

}  // namespace autoarchive::tar_internal
