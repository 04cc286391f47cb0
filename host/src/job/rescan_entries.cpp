#include "job/rescan_entries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autoarchive/base/text.hpp"

namespace autoarchive::host {
namespace {

std::string level_below(const ArchiveIdentity& identity, const std::string& uuid) {
  return fmt::format("level {} (backup {}), which it is based on,", identity.level - 1,
                     uuid.empty() ? "unknown" : escaped(uuid));
}

}  // namespace

void RescanEntry::fail(const std::string& trouble, const char* problem) {
  result.trouble += (result.trouble.empty() ? "" : "; ") + trouble;
  if (result.problem.empty()) result.problem = problem;
}

void RescanEntries::add(FoundBackup found) {
  auto& entry = entries_.emplace_back();
  entry.result.file = entry.result.was = found.file;
  entry.result.identity = found.identity;
  entry.result.manifest = "none";
  entry.found = std::move(found);
}

void RescanEntries::assign_names(const std::set<std::string>& names, const std::set<std::string>& archives) {
  std::vector<FoundBackup> found;
  for (const auto& entry : entries_) found.push_back(entry.found);
  const auto assigned = name_backups(found, names, archives);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    auto& entry = entries_[i];
    switch (assigned[i].fate) {
      case FoundName::Fate::stays:
      case FoundName::Fate::moves:
        entry.name = assigned[i].name;
        entry.result.file = entry.name.file_name();
        break;
      case FoundName::Fate::copy:
        entry.fail(fmt::format("a copy of {}, left alone", quote(assigned[i].copy_of)), "");
        break;
      case FoundName::Fate::renamed:
        // Renamed by somebody who wanted that, unless its own archive is there as well, which can't restore it so.
        entry.fail(fmt::format("is called as a backup of the archive {}, and left alone", assigned[i].name.archive),
                   archives.contains(entry.found.identity.archive) ? "archive.unproven" : "");
        break;
      case FoundName::Fate::nameless:
        entry.fail("every name that it could have is taken; left alone", "archive.unproven");
        break;
    }
  }
}

std::vector<RescanEntry*> RescanEntries::in_chain_order() {
  std::vector<RescanEntry*> order;
  for (auto& entry : entries_) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return a->found.identity.level < b->found.identity.level; });
  return order;
}

const RescanEntry* RescanEntries::of(const std::string& backup_uuid) const {
  const RescanEntry* found = nullptr;
  for (const auto& entry : entries_) {
    if (entry.found.identity.backup_uuid != backup_uuid) continue;
    if (entry.is_used()) return &entry;
    found = &entry;
  }
  return found;
}

const RescanEntry* RescanEntries::copy_of(const RescanEntry& entry) const {
  const auto copy = std::find_if(entries_.begin(), entries_.end(), [&](const auto& other) {
    return !other.is_used() && other.found.identity.backup_uuid == entry.found.identity.backup_uuid;
  });
  return copy == entries_.end() ? nullptr : &*copy;
}

const RescanEntry* RescanEntries::parent_of(RescanEntry& entry) const {
  const auto& identity = entry.found.identity;
  if (identity.level == 0) return nullptr;
  if (!entry.found.chain_fault.empty()) {
    entry.fail(entry.found.chain_fault, "archive.unproven");
    return nullptr;
  }
  const auto* parent = of(identity.parent_uuid);
  const auto level = level_below(identity, identity.parent_uuid);
  if (parent == nullptr) {
    tell_of_missing_parent(entry, identity.parent_uuid);
  } else if (parent->is_left) {
    entry.fail(level + " can't be read now: run again when it can", "archive.unproven");
  } else if (!parent->is_used()) {
    entry.fail(fmt::format("{} is called {}, and left alone", level, quote(parent->found.file)), "chain.broken");
  } else if (parent->found.identity.level + 1 != identity.level) {
    entry.fail(
        fmt::format("{} is level {}: one of the two files is not what it says", level, parent->found.identity.level),
        "chain.broken");
  } else if (!parent->header) {
    entry.fail(level + " has no manifest", "chain.broken");
  } else {
    return parent;
  }
  return nullptr;
}

void RescanEntries::tell_of_missing_parent(RescanEntry& entry, const std::string& parent_uuid) {
  entry.fail(level_below(entry.found.identity, parent_uuid) + " is not here: put it here, and run again",
             "chain.broken");
}

void RescanEntries::check_parent(RescanEntry& entry) const {
  const auto& header = *entry.header;
  if (header.level == 0) return;
  const auto* parent = of(header.parent_uuid);
  if (parent == nullptr) return tell_of_missing_parent(entry, header.parent_uuid);
  const auto& sha256 = parent->closing.archive_sha256;
  if (header.parent_sha256.empty() || sha256.empty() || header.parent_sha256 == sha256) return;
  entry.fail(fmt::format("{} is {}, whose SHA-256 is {}, and was {} when this level was made: put that file in its "
                         "place, with its manifest, and run again",
                         level_below(entry.found.identity, header.parent_uuid), quote(parent->result.file), sha256,
                         escaped(header.parent_sha256)),
             "chain.broken");
}

ManifestHeader header_for(const RescanEntry& entry, const RescanEntry* parent) {
  const auto& identity = entry.found.identity;
  ManifestHeader header;
  header.backup_uuid = identity.backup_uuid;
  header.archive = identity.archive;
  header.type = entry.found.type.extension;
  header.level = identity.level;
  header.chain_uuid = identity.chain_uuid;
  header.parent_uuid = identity.parent_uuid;
  if (parent != nullptr) header.parent_sha256 = parent->closing.archive_sha256;
  header.root = identity.root;
  header.provider = identity.provider;
  header.definition_digest = definition_digest(header.root, header.type, header.provider);
  header.started = entry.found.time;
  return header;
}

}  // namespace autoarchive::host
