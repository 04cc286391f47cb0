#include "job/found_backups.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>

#include "autoarchive/base/error.hpp"

namespace autoarchive::host {
namespace {

std::optional<BackupName> right_name(const FoundBackup& found) {
  const std::array types{found.type};
  auto name = parse_backup_name(found.file, found.identity.archive, types);
  if (!name || name->level.value_or(0) != found.identity.level) return std::nullopt;
  return name;
}

/// What it is called, if that is the name of a backup of another archive.
std::optional<BackupName> others_name(const FoundBackup& found, const std::set<std::string>& others) {
  const std::array types{found.type};
  for (const auto& archive : others) {
    if (archive == found.identity.archive) continue;
    if (auto name = parse_backup_name(found.file, archive, types)) return name;
  }
  return std::nullopt;
}

/// Gives names to the files of one archive.
class Naming {
 public:
  Naming(const std::vector<FoundBackup>& found, const std::set<std::string>& taken, const std::set<std::string>& others)
      : found_(found), taken_(taken), others_(others), names_(found.size()) {}

  std::vector<FoundName> run() {
    auto rest = set_copies_aside(set_renamed_aside());
    std::erase_if(rest, [this](std::size_t index) { return keeps_its_name(index); });
    sort_for_naming(rest);
    for (const auto index : rest) give_name(index);
    return std::move(names_);
  }

 private:
  std::vector<std::size_t> set_renamed_aside() {
    std::vector<std::size_t> rest;
    for (std::size_t i = 0; i < found_.size(); ++i) {
      if (auto name = others_name(found_[i], others_)) {
        names_[i] = {FoundName::Fate::renamed, std::move(*name), {}};
      } else {
        rest.push_back(i);
      }
    }
    return rest;
  }

  // Those that count, one a backup.
  std::vector<std::size_t> set_copies_aside(const std::vector<std::size_t>& indices) {
    std::map<std::string, std::size_t> best;
    for (const auto i : indices) {
      const auto [place, is_first] = best.try_emplace(found_[i].identity.backup_uuid, i);
      if (!is_first && is_better(i, place->second)) place->second = i;
    }
    std::vector<std::size_t> chosen;
    for (const auto i : indices) {
      const auto used = best.at(found_[i].identity.backup_uuid);
      if (used == i) {
        chosen.push_back(i);
      } else {
        names_[i] = {FoundName::Fate::copy, {}, found_[used].file};
      }
    }
    return chosen;
  }

  [[nodiscard]] bool is_better(std::size_t one, std::size_t other) const {
    const auto rank = [this](std::size_t index) {
      const auto name = right_name(found_[index]);
      return std::tuple(name.has_value(), name && name->keeping_id.empty(), found_[index].bytes);
    };
    return rank(one) > rank(other);
  }

  bool keeps_its_name(std::size_t index) {
    auto name = right_name(found_[index]);
    if (!name) return false;
    chains_[name->keeping_id].insert(found_[index].identity.chain_uuid);
    names_[index] = {FoundName::Fate::stays, std::move(*name), {}};
    return true;
  }

  void sort_for_naming(std::vector<std::size_t>& indices) const {
    std::map<std::string, SystemTime> newest;
    for (const auto& backup : found_) {
      auto& time = newest.try_emplace(backup.identity.chain_uuid, backup.time).first->second;
      time = std::max(time, backup.time);
    }
    // Of two backups of one level, the chain goes on with the newer one.
    std::stable_sort(indices.begin(), indices.end(), [&](std::size_t a, std::size_t b) {
      const auto key = [&](std::size_t index) {
        const auto& identity = found_[index].identity;
        return std::tuple(-newest.at(identity.chain_uuid).time_since_epoch().count(), identity.chain_uuid,
                          identity.level, -found_[index].time.time_since_epoch().count());
      };
      return key(a) < key(b);
    });
  }

  void give_name(std::size_t index) {
    const auto& backup = found_[index];
    for (int generation = -1; generation < kMaxGenerations; ++generation) {
      const BackupName name{backup.identity.archive, backup.type, backup.identity.level,
                            generation < 0 ? "" : keeping_id_of(generation)};
      auto& chains = chains_[name.keeping_id];
      const bool is_others = chains.size() > 1 || (chains.size() == 1 && !chains.contains(backup.identity.chain_uuid));
      if (is_others || taken_.contains(name.file_name()) || !given_.insert(name.file_name()).second) continue;
      chains.insert(backup.identity.chain_uuid);
      names_[index] = {FoundName::Fate::moves, name, {}};
      return;
    }
    names_[index].fate = FoundName::Fate::nameless;
  }

  const std::vector<FoundBackup>& found_;
  const std::set<std::string>& taken_;
  const std::set<std::string>& others_;
  std::vector<FoundName> names_;
  std::map<std::string, std::set<std::string>> chains_;  // by generation
  std::set<std::string> given_;
};

}  // namespace

std::vector<FoundName> name_backups(const std::vector<FoundBackup>& found, const std::set<std::string>& taken,
                                    const std::set<std::string>& others) {
  return Naming(found, taken, others).run();
}

bool is_archive_name(const std::string& name) {
  constexpr std::string_view kHeld = ".held";
  try {
    check_archive_name(name.ends_with(kHeld) ? name.substr(0, name.size() - kHeld.size()) : name);
    return true;
  } catch (const Error&) {  // said by whoever asks
    return false;
  }
}

}  // namespace autoarchive::host
