#include "job/keeping.hpp"

#include <algorithm>

namespace autoarchive::host {
namespace {

using Action = CommitStep::Action;

/// Adds the steps that take one backup, with what lies beside it, from name to name.
class PlanBuilder {
 public:
  void retire(const KeptFile& file) {
    const auto name = file.name.file_name();
    step(Action::retire, name, "");
    if (file.has_manifest) step(Action::retire, manifest_name(name), "");
    if (file.has_sha256) step(Action::retire, sha256_name(name), "");
  }

  /// `replaced`: a new file takes the old name in the same commit, so the old one is linked and never missing.
  void move(const KeptFile& file, const std::string& keeping_id, bool replaced = false) {
    auto target = file.name;
    target.keeping_id = keeping_id;
    const auto from = file.name.file_name();
    const auto to = target.file_name();
    const auto action = replaced ? Action::keep : Action::move;
    step(action, from, to);
    if (file.has_manifest) step(action, manifest_name(from), manifest_name(to));
    if (file.has_sha256) move_sha256(file, sha256_name(from), to, replaced);
  }

  [[nodiscard]] CommitPlan take() { return std::move(plan_); }

 private:
  void step(Action action, std::string from, std::string to) {
    plan_.steps.push_back({action, std::move(from), std::move(to)});
  }

  // sha256sum's format holds the file's name, so that a kept file's has to be written anew.
  void move_sha256(const KeptFile& file, const std::string& from, const std::string& to, bool replaced) {
    if (file.sha256.empty()) return step(replaced ? Action::keep : Action::move, from, sha256_name(to));
    plan_.texts.push_back({sha256_name(to), file.sha256 + "  " + to + "\n"});
    if (!replaced) step(Action::retire, from, "");
  }

  CommitPlan plan_;
};

int level_of(const KeptFile& file) {
  return file.name.level.value_or(0);
}

using Generations = std::map<int, std::vector<const KeptFile*>>;  // -1: the current one

Generations by_generation(const std::vector<KeptFile>& files) {
  Generations generations;
  for (const auto& file : files) {
    if (file.name.keeping_id.empty()) {
      generations[-1].push_back(&file);
    } else if (const auto number = generation_of(file.name.keeping_id)) {
      generations[*number].push_back(&file);
    }
  }
  return generations;
}

}  // namespace

CommitPlan plan_generations(const std::vector<KeptFile>& files, const BackupName& made, int generations) {
  auto all = by_generation(files);
  std::vector<const KeptFile*> superseded;
  for (const auto* file : all[-1]) {
    if (level_of(*file) >= made.level.value_or(0)) superseded.push_back(file);
  }
  PlanBuilder plan;
  if (superseded.empty()) return plan.take();

  const auto new_name = made.file_name();
  if (generations == 0) {
    for (const auto* file : superseded) {
      if (file->name.file_name() != new_name) plan.retire(*file);
    }
    return plan.take();
  }

  // The shift reaches up to the first hole; what lies behind it stays where it is.
  int first_free = 0;
  while (first_free < generations && all.contains(first_free)) ++first_free;
  if (first_free == generations) {
    for (const auto* file : all[--first_free]) plan.retire(*file);
  }
  for (int generation = first_free - 1; generation >= 0; --generation) {
    for (const auto* file : all[generation]) plan.move(*file, keeping_id_of(generation + 1));
  }
  for (const auto* file : superseded) plan.move(*file, keeping_id_of(0), file->name.file_name() == new_name);
  return plan.take();
}

}  // namespace autoarchive::host
