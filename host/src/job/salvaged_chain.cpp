#include "job/salvaged_chain.hpp"

#include <string>

namespace autoarchive::host {
namespace {

std::string chain_uuid_of(const CatalogEntry& entry) {
  return entry.header ? entry.header->chain_uuid : entry.identity ? entry.identity->chain_uuid : std::string();
}

/// Finds levels of what `target` is of.
class LevelSearch {
 public:
  LevelSearch(const std::vector<CatalogEntry>& entries, const CatalogEntry& target)
      : entries_(entries), target_(target), chain_uuid_(chain_uuid_of(target)) {}

  /// `parent_uuid`: that of the backup of this level; empty: not known.
  [[nodiscard]] std::optional<std::size_t> find(int level, const std::string& parent_uuid) const {
    const auto found = parent_uuid.empty() ? only_one(level) : one_with_id(level, parent_uuid);
    return found ? found : silent_one(level);
  }

 private:
  [[nodiscard]] std::optional<std::size_t> one_with_id(int level, const std::string& uuid) const {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].level() == level && entries_[i].backup_uuid() == uuid) return i;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::size_t> only_one(int level) const {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const auto& entry = entries_[i];
      if (entry.level() != level || entry.backup_uuid().empty() || !is_of_chain(entry)) continue;
      if (found && entries_[*found].backup_uuid() != entry.backup_uuid()) return std::nullopt;
      found = i;
    }
    return found;
  }

  // Where nothing says which chain it is: as far as names say it.
  [[nodiscard]] bool is_of_chain(const CatalogEntry& entry) const {
    return chain_uuid_.empty() ? entry.name.keeping_id == target_.name.keeping_id : chain_uuid_of(entry) == chain_uuid_;
  }

  [[nodiscard]] std::optional<std::size_t> silent_one(int level) const {
    const auto& name = target_.name;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const auto& entry = entries_[i];
      const bool is_called_so = entry.name.level.value_or(0) == level && entry.name.type == name.type &&
                                entry.name.keeping_id == name.keeping_id;
      if (is_called_so && entry.backup_uuid().empty()) return i;
    }
    return std::nullopt;
  }

  const std::vector<CatalogEntry>& entries_;
  const CatalogEntry& target_;
  std::string chain_uuid_;
};

}  // namespace

std::vector<std::optional<std::size_t>> salvaged_chain(const BackupCatalog& catalog, std::size_t target) {
  const auto& entries = catalog.entries();
  const LevelSearch search(entries, entries[target]);
  std::vector<std::optional<std::size_t>> chain(static_cast<std::size_t>(entries[target].level()) + 1);
  chain.back() = target;
  for (auto level = chain.size() - 1; level-- > 0;) {
    const auto& above = chain[level + 1];
    chain[level] = search.find(static_cast<int>(level), above ? entries[*above].parent_uuid() : std::string());
  }
  return chain;
}

}  // namespace autoarchive::host
