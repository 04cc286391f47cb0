#include "job/archive_files.hpp"

#include <algorithm>

#include "autoarchive/base/text.hpp"
#include "job/sha256_file.hpp"

namespace autoarchive::host {
namespace {

KeptFile kept_file(const IStorage& storage, const CatalogEntry& entry) {
  KeptFile file{entry.name};
  const auto name = entry.name.file_name();
  file.has_manifest = storage.stat(manifest_name(name)).has_value();
  file.has_sha256 = storage.stat(sha256_name(name)).has_value();
  if (entry.closing) {
    file.sha256 = entry.closing->archive_sha256;
  } else if (file.has_sha256) {
    file.sha256 = read_sha256_file(storage, name).sha256;
  }
  file.backup = entry.backup_uuid();
  file.parent = entry.parent_uuid();
  return file;
}

const CatalogEntry* foreign_entry(const BackupCatalog& catalog, const std::string& name) {
  for (const auto& entry : catalog.entries()) {
    if (entry.is_foreign && entry.name.file_name() == name) return &entry;
  }
  return nullptr;
}

/// Of the same row of levels, or the same one.
bool is_above(const BackupName& name, const BackupName& lowest) {
  return name.keeping_id == lowest.keeping_id && name.type == lowest.type &&
         name.level.value_or(0) >= lowest.level.value_or(0);
}

// A chain with a gap holds what is left of it: the gap may be filled again from elsewhere.
std::vector<std::size_t> chain_of(const std::vector<KeptFile>& files, std::size_t target) {
  std::vector<std::size_t> chain{target};
  while (chain.size() <= files.size() && !files[chain.back()].parent.empty()) {
    const auto base = std::find_if(files.begin(), files.end(),
                                   [&](const auto& file) { return file.backup == files[chain.back()].parent; });
    if (base == files.end()) break;
    chain.push_back(static_cast<std::size_t>(base - files.begin()));
  }
  return chain;
}

void apply_hold(std::vector<KeptFile>& files, std::size_t target, const Hold& hold) {
  const auto name = files[target].name.file_name();
  for (const auto index : chain_of(files, target)) {
    auto& file = files[index];
    file.is_pinned = file.is_pinned || hold.is_pin;
    if (index == target) {
      file.held = hold.reason;
    } else if (file.held.empty()) {
      file.held = quote(name) + ", which is " + hold.reason + ", is based on it";
    }
  }
}

}  // namespace

std::string foreign_text(const CatalogEntry& entry) {
  const auto archive = entry.archive();
  return archive.empty() ? "it does not say that it is a backup" : "it says that it is a backup of " + quote(archive);
}

std::vector<KeptFile> kept_files(const IStorage& storage, const BackupCatalog& catalog,
                                 const std::map<std::string, Hold>& holds, const std::string& made) {
  std::vector<KeptFile> files;
  const auto* in_the_way = foreign_entry(catalog, made);
  for (const auto& entry : catalog.entries()) {
    if (entry.is_foreign && (in_the_way == nullptr || !is_above(entry.name, in_the_way->name))) continue;
    files.push_back(kept_file(storage, entry));
    if (entry.is_foreign) files.back().held = foreign_text(entry);
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto found = holds.find(files[i].backup);
    if (found != holds.end()) apply_hold(files, i, found->second);
  }
  return files;
}

std::set<std::string> foreign_names(const IStorage& storage, const std::string& archive,
                                    const std::vector<KeptFile>& files) {
  std::set<std::string> names;
  for (const auto& file : storage.list(archive + ".")) names.insert(file.name);
  for (const auto& file : files) {
    const auto name = file.name.file_name();
    names.erase(name);
    names.erase(manifest_name(name));
    names.erase(sha256_name(name));
  }
  return names;
}

const CatalogEntry* current_level(const BackupCatalog& catalog, int level) {
  for (const auto& entry : catalog.entries()) {
    if (entry.name.keeping_id.empty() && !entry.is_foreign && entry.name.level.value_or(0) == level) return &entry;
  }
  return nullptr;
}

}  // namespace autoarchive::host
