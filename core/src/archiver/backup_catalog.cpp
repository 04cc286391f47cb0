#include "autoarchive/archiver/backup_catalog.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/local_storage.hpp"

namespace autoarchive {
namespace {

int generation_number(const CatalogEntry& entry) {
  return entry.name.keeping_id.empty() ? -1 : generation_of(entry.name.keeping_id).value_or(kMaxGenerations);
}

auto order_key(const CatalogEntry& entry) {
  return std::tuple(generation_number(entry), entry.name.level.value_or(0), entry.name.type.extension);
}

void read_manifest(const IStorage& storage, const std::string& manifest, CatalogEntry& entry) {
  if (!storage.stat(manifest)) return;
  try {
    ManifestReader reader(storage.open(manifest));
    auto closing = reader.closing();
    if (closing.archive_bytes != entry.file.size) {
      entry.fault = "it is for a file of " + std::to_string(closing.archive_bytes) + " bytes, and this one has " +
                    std::to_string(entry.file.size);
      return;
    }
    entry.manifest = manifest;
    entry.header = reader.header();
    entry.closing = std::move(closing);
  } catch (const Error& error) {  // a bad manifest is a fault of one entry, not of the listing
    entry.fault = error.message();
  }
}

/// The name a file has for readers: one that is set aside by a commit in progress counts under its old name.
std::string visible_name(const std::string& name, bool& set_aside) {
  set_aside = name.ends_with(kOldSuffix);
  return set_aside ? name.substr(0, name.size() - kOldSuffix.size()) : name;
}

/// A commit moves an archive, and then its manifest. If it was cut off between the two, the manifest of a new one is
/// still there under its temporary name, whatever has the right one, and that of an older one under the archive's old
/// name, alone: it belongs to the backup of that level and size that has none, if there is one only.
void find_left_behind(const IStorage& storage, const std::set<std::string>& names, std::string_view archive,
                      std::span<const BackupType> types, std::vector<CatalogEntry>& entries) {
  const auto suffix = manifest_name("");
  const std::string partial(kPartialSuffix);
  for (auto& entry : entries) {
    const auto temporary = manifest_name(entry.file.name) + partial;
    const bool is_cut_off = names.contains(temporary) && !names.contains(entry.file.name + partial);
    if (!is_cut_off) continue;
    // The one that has the name may be that of the backup that was replaced.
    CatalogEntry with_manifest;
    with_manifest.name = entry.name;
    with_manifest.file = entry.file;
    read_manifest(storage, temporary, with_manifest);
    if (with_manifest.header) entry = std::move(with_manifest);
  }
  for (const auto& name : names) {
    const auto old = parse_backup_name(name.substr(0, name.rfind(suffix)), archive, types);
    if (!name.ends_with(suffix) || !old || names.contains(old->file_name())) continue;
    std::vector<CatalogEntry*> fitting;
    for (auto& entry : entries) {
      if (entry.header || !entry.fault.empty() || entry.name.level != old->level || entry.name.type != old->type)
        continue;
      auto with_manifest = entry;
      read_manifest(storage, name, with_manifest);
      if (with_manifest.header) fitting.push_back(&entry);
    }
    if (fitting.size() == 1) read_manifest(storage, name, *fitting.front());
  }
}

/// As far as it says which backup it is.
std::optional<ManifestHeader> header_of(const CatalogEntry& entry) {
  if (entry.header || !entry.identity) return entry.header;
  ManifestHeader header;
  header.archive = entry.identity->archive;
  header.level = entry.identity->level;
  header.backup_uuid = entry.identity->backup_uuid;
  header.chain_uuid = entry.identity->chain_uuid;
  header.parent_uuid = entry.identity->parent_uuid;
  return header;
}

Error broken(const CatalogEntry& target, const std::string& why) {
  return {ErrorCode::runtime_error, "the chain of " + quote(target.file.name) + " is broken: " + why,
          ErrorCause::damaged};
}

/// Why the level is not that of its name, or not based on the one below; empty: as far as they say it, it is.
std::string misfit(const CatalogEntry* below, const CatalogEntry& entry) {
  const auto header = header_of(entry);
  const auto parent = below == nullptr ? std::nullopt : header_of(*below);
  const auto level = entry.name.level.value_or(0);
  if (header && header->level != level)
    return quote(entry.file.name) + " is level " + std::to_string(header->level) + ", and not " + std::to_string(level);
  if (header && parent && header->parent_uuid != parent->backup_uuid)
    return quote(entry.file.name) + " is not based on " + quote(below->file.name);
  if (below != nullptr && below->is_foreign != entry.is_foreign)
    return quote((entry.is_foreign ? entry : *below).file.name) + " does not say which backup it is";
  return {};
}

/// What has the name of the level that is missing below `entry`, for a message; empty: nothing.
std::string impostor(const std::vector<CatalogEntry>& entries, const CatalogEntry& entry) {
  const BackupName wanted{entry.name.archive, entry.name.type, entry.level() - 1, entry.name.keeping_id};
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& candidate) {
    return candidate.name.file_name() == wanted.file_name();
  });
  if (found == entries.end()) return {};
  if (const auto header = header_of(*found)) {
    return ": " + quote(found->file.name) + " is the backup " + header->backup_uuid + ", level " +
           std::to_string(header->level);
  }
  return ": " + quote(found->file.name) + " does not say which backup it is" +
         (found->fault.empty() ? "" : ", and its manifest can't be used: " + found->fault);
}

std::vector<ChainLink> as_links(const std::vector<CatalogEntry>& entries, std::vector<std::size_t>& indices) {
  std::vector<ChainLink> links;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto header = header_of(entries[i]);
    if (!header) continue;
    links.push_back({*header, entries[i].closing.value_or(ManifestClosing{}), entries[i].file.name});
    indices.push_back(i);
  }
  return links;
}

std::size_t position_of(const std::vector<std::size_t>& indices, std::size_t entry) {
  return static_cast<std::size_t>(std::find(indices.begin(), indices.end(), entry) - indices.begin());
}

/// The times of entries, made later where a clock that was set back has them in the wrong order: a level is later than
/// what it is based on, and what has replaced a backup from the future is later than that.
class TimesInOrder {
 public:
  explicit TimesInOrder(const std::vector<CatalogEntry>& entries) : entries_(entries) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      times_.push_back(entries[i].time());
      places_.emplace(entries[i].backup_uuid(), i);
    }
    note_replaced();
  }

  std::vector<SystemTime> take() {
    // Ids that lead in a circle come to an end, too.
    for (std::size_t round = 0; round < entries_.size() && raise_all(); ++round) {
    }
    return std::move(times_);
  }

 private:
  // A commit moves whole generations on, from a level on: their lowest level tells what was made then.
  void note_replaced() {
    const auto now = std::chrono::system_clock::now();
    std::map<int, int> lowest;
    for (const auto& entry : entries_) {
      const auto level = entry.name.level.value_or(0);
      auto& least = lowest.try_emplace(generation_number(entry), level).first->second;
      least = std::min(least, level);
    }
    for (std::size_t old = 0; old < entries_.size(); ++old) {
      const auto generation = generation_number(entries_[old]);
      if (entries_[old].time() <= now) continue;
      for (std::size_t i = 0; i < entries_.size(); ++i) {
        const bool is_later =
            generation_number(entries_[i]) < generation && entries_[i].name.level.value_or(0) >= lowest.at(generation);
        if (is_later) replaced_.emplace_back(i, old);
      }
    }
  }

  bool raise_all() {
    bool is_raised = false;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const auto base = places_.find(entries_[i].parent_uuid());
      if (base != places_.end() && !base->first.empty()) is_raised = raise(i, base->second) || is_raised;
    }
    for (const auto& [later, old] : replaced_) is_raised = raise(later, old) || is_raised;
    return is_raised;
  }

  bool raise(std::size_t later, std::size_t earlier) {
    if (times_[later] > times_[earlier]) return false;
    times_[later] = times_[earlier] + SystemTime::duration(1);
    return true;
  }

  const std::vector<CatalogEntry>& entries_;
  std::vector<SystemTime> times_;
  std::map<std::string, std::size_t> places_;                  // by id
  std::vector<std::pair<std::size_t, std::size_t>> replaced_;  // by what, and what
};

}  // namespace

SystemTime CatalogEntry::time() const noexcept {
  if (header) return header->started;
  return identity && identity->started != SystemTime() ? identity->started : file.modified;
}

int CatalogEntry::level() const noexcept {
  return header ? header->level : identity ? identity->level : name.level.value_or(0);
}

std::string CatalogEntry::archive() const {
  return header ? header->archive : identity ? identity->archive : std::string();
}

std::string CatalogEntry::backup_uuid() const {
  return header ? header->backup_uuid : identity ? identity->backup_uuid : std::string();
}

std::string CatalogEntry::parent_uuid() const {
  return header ? header->parent_uuid : identity ? identity->parent_uuid : std::string();
}

BackupCatalog::BackupCatalog(std::vector<CatalogEntry> entries) : entries_(std::move(entries)) {
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const auto& a, const auto& b) { return order_key(a) < order_key(b); });
}

BackupCatalog BackupCatalog::read(const IStorage& storage, std::string_view archive,
                                  std::span<const BackupType> types) {
  std::vector<CatalogEntry> entries;
  std::vector<CatalogEntry> aside;
  std::set<std::string> names;
  for (auto& file : storage.list(std::string(archive) + ".")) {
    names.insert(file.name);
    bool set_aside = false;
    const auto visible = visible_name(file.name, set_aside);
    const auto name = parse_backup_name(visible, archive, types);
    if (!name) continue;
    CatalogEntry entry;
    entry.name = *name;
    entry.file = std::move(file);
    const auto manifest = manifest_name(visible);
    read_manifest(storage, set_aside ? manifest + std::string(kOldSuffix) : manifest, entry);
    // In a commit, the manifest may still stand under its old name.
    if (set_aside && !entry.header && entry.fault.empty()) read_manifest(storage, manifest, entry);
    (set_aside ? aside : entries).push_back(std::move(entry));
  }
  for (auto& entry : aside) {
    // A file that has its old name already may be another backup: what is set aside is still there for what is based on
    // it.
    const bool elsewhere = std::any_of(entries.begin(), entries.end(), [&](const auto& other) {
      if (entry.header && other.header) return other.header->backup_uuid == entry.header->backup_uuid;
      return other.name == entry.name;
    });
    if (!elsewhere) entries.push_back(std::move(entry));
  }
  find_left_behind(storage, names, archive, types, entries);
  return BackupCatalog(std::move(entries));
}

std::vector<std::size_t> BackupCatalog::newest_first() const {
  std::vector<std::size_t> indices(entries_.size());
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = i;
  const auto times = TimesInOrder(entries_).take();
  // Equal times: the higher level of the younger generation is the newer one.
  const auto key = [&](std::size_t i) {
    return std::tuple(!entries_[i].is_foreign, times[i], -generation_number(entries_[i]),
                      entries_[i].name.level.value_or(0));
  };
  std::stable_sort(indices.begin(), indices.end(), [&](std::size_t a, std::size_t b) { return key(a) > key(b); });
  return indices;
}

std::vector<std::size_t> BackupCatalog::chain_to(std::size_t target) const {
  if (header_of(entries_[target])) {
    std::vector<std::size_t> indices;
    const auto links = as_links(entries_, indices);
    auto chain = resolve_chain(links, position_of(indices, target));
    if (!chain.gap.empty())
      throw broken(entries_[target], chain.gap + impostor(entries_, entries_[indices[chain.links.front()]]));
    for (auto& link : chain.links) link = indices[link];
    return chain.links;
  }
  // Nothing says what it is based on: the levels of the same generation and type, in a row.
  const auto& wanted = entries_[target].name;
  std::vector<std::size_t> chain;
  for (int level = 0; level <= wanted.level.value_or(0); ++level) {
    const BackupName name{wanted.archive, wanted.type, level, wanted.keeping_id};
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) { return entry.name == name; });
    if (found == entries_.end()) throw broken(entries_[target], quote(name.file_name()) + " is missing");
    const auto fault = misfit(chain.empty() ? nullptr : &entries_[chain.back()], *found);
    if (!fault.empty()) throw broken(entries_[target], fault);
    chain.push_back(static_cast<std::size_t>(found - entries_.begin()));
  }
  return chain;
}

std::vector<std::size_t> BackupCatalog::dependants_of(std::size_t target) const {
  std::vector<std::size_t> dependants;
  if (header_of(entries_[target])) {
    std::vector<std::size_t> indices;
    const auto links = as_links(entries_, indices);
    for (const auto link : autoarchive::dependants_of(links, position_of(indices, target)))
      dependants.push_back(indices[link]);
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto& other = entries_[i];
    const bool higher = other.name.keeping_id == entries_[target].name.keeping_id &&
                        other.name.type == entries_[target].name.type &&
                        other.name.level.value_or(0) > entries_[target].name.level.value_or(0);
    if (!header_of(other) && !other.is_foreign && higher) dependants.push_back(i);
  }
  std::sort(dependants.begin(), dependants.end());
  return dependants;
}

}  // namespace autoarchive
