#include "job/keeping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive::host {
namespace {

using Action = CommitStep::Action;
using Fate = KeepVerdict::Fate;
using Generation = std::vector<const KeptFile*>;

constexpr int kCurrent = -1;

int level_of(const KeptFile& file) {
  return file.name.level.value_or(0);
}

std::string name_as(const KeptFile& file, int generation) {
  auto name = file.name;
  name.keeping_id = keeping_id_of(generation);
  return name.file_name();
}

/// The steps that take backups, each with what lies beside it, from name to name.
class PlanBuilder {
 public:
  void retire(const KeptFile& file) {
    const auto name = file.name.file_name();
    step(Action::retire, name, "");
    if (file.has_manifest) step(Action::retire, manifest_name(name), "");
    if (file.has_sha256) step(Action::retire, sha256_name(name), "");
  }

  /// `replaced`: a new file takes the old name in the same commit, so the old one is linked and never missing.
  void move(const KeptFile& file, const std::string& to, bool replaced) {
    const auto from = file.name.file_name();
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

class Planner {
 public:
  explicit Planner(const KeepQuestion& question) : question_(question) {
    for (const auto& file : question.files) {
      const auto generation = file.name.keeping_id.empty() ? kCurrent : generation_of(file.name.keeping_id);
      if (generation) generations_[*generation].push_back(&file);
    }
  }

  Keeping plan() {
    shift();
    if (question_.remove_surplus) remove_surplus();
    remove_dependants();
    return {steps(), verdicts()};
  }

 private:
  // The current generation makes room: each one takes the next one's place until there is a free one.
  void shift() {
    Generation carried = superseded();
    if (carried.empty()) return;
    if (!is_held(carried) && question_.generations == 0)
      return remove(carried, fmt::format("replaced, and keep.generations is 0"));
    int counted = is_pinned(carried) ? 0 : 1;
    for (int place = 0; place < kMaxGenerations; ++place) {
      if (is_blocked(carried, place)) continue;
      const auto occupant = at(place);
      moves_.emplace_back(carried, place);
      if (occupant.empty()) return;
      counted += is_pinned(occupant) ? 0 : 1;
      if (!is_held(occupant) && counted > question_.generations) return remove(occupant, beyond());
      carried = occupant;
    }
    throw Error(ErrorCode::runtime_error,
                "no keeping id is free: all of aa..zz are pinned or in the way; unpin a generation with aa keep");
  }

  [[nodiscard]] Generation superseded() const {
    Generation files;
    if (!question_.made) return files;
    for (const auto* file : at(kCurrent)) {
      if (level_of(*file) >= question_.made->level.value_or(0)) files.push_back(file);
    }
    return files;
  }

  [[nodiscard]] Generation at(int generation) const {
    const auto found = generations_.find(generation);
    return found == generations_.end() ? Generation() : found->second;
  }

  [[nodiscard]] static bool is_held(const Generation& files) {
    return std::any_of(files.begin(), files.end(), [](const auto* file) { return !file->held.empty(); });
  }

  [[nodiscard]] static bool is_pinned(const Generation& files) {
    return std::any_of(files.begin(), files.end(), [](const auto* file) { return file->is_pinned; });
  }

  [[nodiscard]] bool is_blocked(const Generation& files, int place) const {
    return std::any_of(files.begin(), files.end(), [&](const auto* file) {
      const auto name = name_as(*file, place);
      const auto is_foreign = [&](const std::string& taken) { return question_.foreign.contains(taken); };
      return is_foreign(name) || is_foreign(manifest_name(name)) || is_foreign(sha256_name(name));
    });
  }

  [[nodiscard]] std::string beyond() const { return fmt::format("beyond keep.generations {}", question_.generations); }

  void remove(const Generation& files, const std::string& reason) {
    for (const auto* file : files) removed_.emplace(file, reason);
  }

  /// Where a generation is when all has moved, oldest last.
  [[nodiscard]] std::map<int, Generation> after_the_moves() const {
    auto places = generations_;
    for (const auto& [files, place] : moves_) places[place] = files;
    const auto moved = superseded();
    std::erase_if(places[kCurrent], [&](const auto* file) {
      return std::find(moved.begin(), moved.end(), file) != moved.end() || removed_.contains(file);
    });
    return places;
  }

  void remove_surplus() {
    int counted = 0;
    for (const auto& [place, files] : after_the_moves()) {
      if (place == kCurrent || is_pinned(files)) continue;
      if (++counted > question_.generations && !is_held(files)) remove(files, beyond());
    }
  }

  // A level without its base restores nothing. Held files need no look: their chains are held with them.
  void remove_dependants() {
    for (bool found = true; found;) {
      found = false;
      for (const auto& file : question_.files) {
        if (!file.held.empty() || file.parent.empty() || removed_.contains(&file)) continue;
        const auto* base = removed_base_of(file);
        if (base == nullptr) continue;
        remove({&file}, "can't be restored without " + quote(base->name.file_name()));
        found = true;
      }
    }
  }

  /// Null if it stays, or a copy of it.
  [[nodiscard]] const KeptFile* removed_base_of(const KeptFile& file) const {
    const KeptFile* gone = nullptr;
    for (const auto& base : question_.files) {
      if (base.backup != file.parent) continue;
      if (!removed_.contains(&base)) return nullptr;
      gone = &base;
    }
    return gone;
  }

  [[nodiscard]] bool is_replaced(const KeptFile& file) const {
    return question_.made && file.name.file_name() == question_.made->file_name();
  }

  // What goes first, so that its name is free; then the oldest moves first. Of what goes, levels go before what they
  // are based on: should the run die in between, everything that is still there restores.
  [[nodiscard]] CommitPlan steps() const {
    PlanBuilder plan;
    for (auto file = question_.files.rbegin(); file != question_.files.rend(); ++file) {
      if (removed_.contains(&*file) && !is_replaced(*file)) plan.retire(*file);
    }
    for (auto move = moves_.rbegin(); move != moves_.rend(); ++move) {
      for (const auto* file : move->first) {
        if (!removed_.contains(file)) plan.move(*file, name_as(*file, move->second), is_replaced(*file));
      }
    }
    return plan.take();
  }

  [[nodiscard]] std::vector<KeepVerdict> verdicts() const {
    std::vector<KeepVerdict> verdicts;
    int counted = 0;
    for (const auto& [place, files] : after_the_moves()) {
      if (place != kCurrent && !is_pinned(files)) ++counted;
      for (const auto* file : files) verdicts.push_back(verdict(*file, place, counted, is_held(files)));
    }
    if (moves_.empty()) {
      for (const auto* file : superseded()) verdicts.push_back(verdict(*file, kCurrent, 0, false));
    }
    for (const auto& [file, reason] : removed_) {
      const auto is_told = [gone = file->name.file_name()](const auto& told) { return told.file == gone; };
      if (std::none_of(verdicts.begin(), verdicts.end(), is_told))
        verdicts.push_back({file->name.file_name(), Fate::goes, "", reason});
    }
    return verdicts;
  }

  [[nodiscard]] KeepVerdict verdict(const KeptFile& file, int place, int counted, bool held) const {
    const auto from = file.name.file_name();
    if (const auto gone = removed_.find(&file); gone != removed_.end()) return {from, Fate::goes, "", gone->second};
    const auto reason = !file.held.empty()  ? file.held
                        : place == kCurrent ? std::string("current")
                        : held              ? std::string("of a generation that is held")
                                            : fmt::format("generation {} of {}", counted, question_.generations);
    const auto to = place == kCurrent ? from : name_as(file, place);
    return {from, to == from ? Fate::stays : Fate::moves, to == from ? "" : to, reason};
  }

  const KeepQuestion& question_;
  std::map<int, Generation> generations_;           // kCurrent: the current one
  std::vector<std::pair<Generation, int>> moves_;   // youngest first
  std::map<const KeptFile*, std::string> removed_;  // with the reason
};

}  // namespace

Keeping plan_keeping(const KeepQuestion& question) {
  return Planner(question).plan();
}

}  // namespace autoarchive::host
