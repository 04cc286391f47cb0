#include "segment_reporter.hpp"

#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive::tar_internal {

void SegmentReporter::report(Segment& segment) {
  for (auto& step : segment.steps) report(step);
}

void SegmentReporter::report(Step& step) {
  if (step.action == StepAction::comment) return;
  auto& outcome = step.outcome;
  const auto& path = step.item.entry.path;
  if (outcome.is_member) job_.file_added(path);
  if (outcome.content_bytes != 0) job_.content_stored(outcome.content_bytes);
  for (const auto& problem : outcome.problems)
    job_.operation_error(problem.operation, problem.error, path, problem.text);
  if (!outcome.in_manifest) {
    if (outcome.is_done) job_.entry_done(step.item.entry, outcome.status, step.item.rule);
    return;
  }
  ManifestEntry line;
  line.entry = std::move(step.item.entry);
  line.state = outcome.state;
  line.stored_level = outcome.stored_level;
  line.offset = outcome.offset;
  line.digest = outcome.digest;
  if (line.entry.link_count > 1 && line.entry.kind != EntryKind::directory) follow_link(step, line);
  job_.add_to_manifest(line);
  if (outcome.is_done) job_.entry_done(line.entry, outcome.status);
}

// A further name is what was stored under the first, stat included, which may be another than that of its own moment:
// so that the next level sees what has changed between the two. Lines that are only carried over are no places.
void SegmentReporter::follow_link(const Step& step, ManifestEntry& line) {
  if (step.link_to.empty()) {
    if (step.action != StepAction::record) stored_[line.entry.path] = line;
    return;
  }
  const auto stored = stored_.find(step.link_to);
  if (stored == stored_.end()) {
    throw Error(ErrorCode::runtime_error, quote(line.entry.path) + " is a name of a file that has not been stored",
                ErrorCause::internal);
  }
  auto path = std::move(line.entry.path);
  line = stored->second;
  line.entry.path = std::move(path);
  if (step.is_last_name) stored_.erase(stored);
}

}  // namespace autoarchive::tar_internal
