#include "level_manifest.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <memory>
#include <utility>

#include "autoarchive/manifest/manifest_reader.hpp"
#include "member_name.hpp"

namespace autoarchive::tar_external {
namespace {

/// Goes through the parent's manifest beside the survey: both are in the same order.
class ParentEntries {
 public:
  explicit ParentEntries(std::unique_ptr<ManifestReader> reader) : reader_(std::move(reader)) { advance(); }

  /// The parent's entry of this path; null if it has none. Valid until the next call.
  const ManifestEntry* find(const std::string& path) {
    while (has_entry_ && compare_paths(entry_.entry.path, path) < 0) advance();
    return has_entry_ && entry_.entry.path == path ? &entry_ : nullptr;
  }

 private:
  void advance() { has_entry_ = reader_ != nullptr && reader_->next(entry_); }

  std::unique_ptr<ManifestReader> reader_;
  ManifestEntry entry_;
  bool has_entry_ = false;
};

bool is_lost(EntryState state) {
  return state == EntryState::failed || state == EntryState::vanished;
}

class LevelManifest {
 public:
  LevelManifest(BackupJob& job, const TreeSurvey& survey, MemberTable& members)
      : job_(job), survey_(survey), members_(members), parent_(job.parent_manifest()) {}

  void run() {
    auto entries = survey_.entries();
    for (SurveyedEntry entry; entries.next(entry);) {
      job_.check_stop();
      const bool is_in_backup = entry.verdict != Verdict::excluded && entry.verdict != Verdict::unstorable;
      if (is_in_backup) take(entry);
    }
  }

 private:
  void take(SurveyedEntry& surveyed) {
    const auto* const was = parent_.find(surveyed.entry.path);
    const auto outcome = members_.find(surveyed.entry.path);
    const bool is_wanted = survey_.is_wanted(surveyed);
    ManifestEntry line;
    line.entry = std::move(surveyed.entry);
    if (surveyed.verdict == Verdict::unchanged) line.entry.xattrs = was->entry.xattrs;  // the survey did not read them
    line.state = surveyed.state;
    line.stored_level = -1;
    if (surveyed.verdict == Verdict::unseen || surveyed.verdict == Verdict::failed) {
      keep(line, was);
      return finish(line, surveyed.verdict == Verdict::failed ? EntryStatus::failed : EntryStatus::unchanged);
    }
    // A member that tar could not read to its end is worth less than what the parent has.
    const bool is_half_read = is_lost(outcome.problem) && has_content(was, line.entry.kind);
    // One of another kind is not what the line tells of.
    const bool is_right = outcome.is_stored && !is_half_read && outcome.kind == line.entry.kind;
    if (is_right) return take_stored(line, outcome, surveyed.verdict);
    if (is_wanted) return take_missed(line, was, outcome);
    refer_to(line, *was);
    finish(line, EntryStatus::unchanged);
  }

  static bool has_content(const ManifestEntry* was, EntryKind kind) {
    return was != nullptr && was->stored_level >= 0 && was->entry.kind == kind;
  }

  void take_stored(ManifestEntry& line, const MemberOutcome& outcome, Verdict verdict) {
    line.stored_level = job_.level();
    line.offset = outcome.offset;
    line.digest = outcome.digest;
    // The survey saw it earlier than tar did; what is stored is what counts.
    if (outcome.digest) line.entry.size = outcome.size;
    // It may be a name of another file by now, even of one that has no line: a reader has to know of it.
    if (outcome.has_names) line.entry.link_count = std::max<std::uint64_t>(line.entry.link_count, 2);
    if (outcome.problem != EntryState::ok) line.state = outcome.problem;
    auto status = EntryStatus::modified;
    if (verdict == Verdict::added) status = EntryStatus::added;
    if (verdict == Verdict::unchanged) status = EntryStatus::unchanged;
    if (line.state == EntryState::changed) status = EntryStatus::changed_while_read;
    if (is_lost(line.state)) status = EntryStatus::failed;
    finish(line, status);
  }

  void take_missed(ManifestEntry& line, const ManifestEntry* was, const MemberOutcome& outcome) {
    auto problem = outcome.problem;
    if (problem == EntryState::ok && line.state == EntryState::ok)
      problem = outcome.is_stored ? report_replaced(line.entry.path) : report_missed(line.entry.path);
    if (problem != EntryState::ok) line.state = problem;
    if (has_content(was, line.entry.kind)) keep(line, was);
    finish(line, EntryStatus::failed);
  }

  // Since the survey something of another kind has taken its place.
  EntryState report_replaced(const std::string& path) {
    job_.operation_error(BackupSubOperation::read, BackupOperationError::file_changed, path);
    return EntryState::failed;
  }

  // It is gone since the survey, or in a directory that tar can't reach by name: tar did not find it, and that has to
  // be said.
  EntryState report_missed(const std::string& path) {
    const bool is_too_long = member_name(path, /*with_dot=*/true).size() >= PATH_MAX;
    job_.file_error(BackupSubOperation::stat, path, is_too_long ? ENAMETOOLONG : ENOENT);
    return is_too_long ? EntryState::failed : EntryState::vanished;
  }

  /// Leaves the entry as the parent has it, apart from its state.
  static void keep(ManifestEntry& line, const ManifestEntry* was) {
    if (was == nullptr) return;
    line.entry = was->entry;
    refer_to(line, *was);
  }

  static void refer_to(ManifestEntry& line, const ManifestEntry& was) {
    line.stored_level = was.stored_level;
    line.offset = was.offset;
    line.digest = was.digest;
  }

  void finish(ManifestEntry& line, EntryStatus status) {
    job_.add_to_manifest(line);
    job_.entry_done(line.entry, status);
  }

  BackupJob& job_;
  const TreeSurvey& survey_;
  MemberTable& members_;
  ParentEntries parent_;
};

}  // namespace

void write_level_manifest(BackupJob& job, const TreeSurvey& survey, MemberTable& members) {
  LevelManifest(job, survey, members).run();
}

}  // namespace autoarchive::tar_external
