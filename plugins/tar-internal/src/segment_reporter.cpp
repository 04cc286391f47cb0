#include "segment_reporter.hpp"

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

// A further name refers to the content of the one that was stored, and has its attributes.
void SegmentReporter::follow_link(const Step& step, ManifestEntry& line) {
  auto& place = places_[{line.entry.device, line.entry.inode}];
  if (step.link_to.empty()) {
    place = {line.stored_level, line.offset, line.digest, line.state, line.entry.xattrs};
  } else {
    line.stored_level = place.level;
    line.offset = place.offset;
    line.digest = place.digest;
    line.state = place.state;
    line.entry.xattrs = place.xattrs;
  }
  if (step.is_last_name) places_.erase({line.entry.device, line.entry.inode});
}

}  // namespace autoarchive::tar_internal
