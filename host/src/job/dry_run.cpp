#include "job/dry_run.hpp"

#include <fmt/format.h>

#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/tree_comparison.hpp"

namespace autoarchive::host {
namespace {

std::unique_ptr<ManifestReader> open_parent(const NextBackup& next, const IStorage& storage) {
  if (next.parent_manifest.empty()) return nullptr;
  auto file = next.parent_in_state.empty() ? storage.open(next.parent_manifest)
                                           : open_local_file(next.parent_in_state.native());
  ManifestReader::check(*file);
  return std::make_unique<ManifestReader>(std::move(file));
}

class Forecaster {
 public:
  explicit Forecaster(Console& console) : console_(console) {}

  void take(const ComparedItem& step) {
    const auto& entry = step.item.entry;
    if (step.item.event == WalkEvent::excluded) return line('-', entry, step.item.rule);
    if (step.item.event != WalkEvent::entry) return;
    const auto bytes = entry.kind == EntryKind::file ? entry.size : 0;
    switch (step.change) {
      case TreeChange::added:
      case TreeChange::modified:
        ++counts_.entries;
        ++counts_.stored_entries;
        counts_.content_bytes += bytes;
        return line(step.change == TreeChange::added ? 'A' : 'M', entry, "");
      case TreeChange::touched:
        ++counts_.entries;
        ++counts_.read_entries;
        counts_.read_bytes += bytes;
        return line('?', entry, "");
      case TreeChange::gone:
        ++counts_.gone_entries;
        return line('D', entry, "");
      case TreeChange::unchanged:
      case TreeChange::unseen:
        ++counts_.entries;
        return line('U', entry, "");
    }
  }
  [[nodiscard]] const Forecast& counts() const noexcept { return counts_; }

 private:
  void line(char letter, const Entry& entry, const std::string& rule) {
    const auto level = letter == 'U' ? Verbosity::very_verbose : Verbosity::verbose;
    if (console_.options().verbosity < level) return;
    console_.detail(level,
                    fmt::format("{} {}{}", letter, quote(entry.path), rule.empty() ? "" : "  (" + escaped(rule) + ")"));
  }

  Console& console_;
  Forecast counts_;
};

}  // namespace

Forecast forecast(Console& console, const ArchiveConfig& archive, const NextBackup& next, const IStorage& storage) {
  FilterRules rules = archive.filter;
  const Filter filter(std::move(rules));
  auto walker = std::make_unique<Walker>(WalkOptions{archive.root, archive.include, {}, archive.incremental}, filter);
  TreeComparison comparison(std::move(walker), open_parent(next, storage));
  Forecaster forecaster(console);
  for (ComparedItem step; comparison.next(step);) forecaster.take(step);
  return forecaster.counts();
}

}  // namespace autoarchive::host
