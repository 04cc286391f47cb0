#include "job/next_backup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/metadata_off.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "job/archive_files.hpp"
#include "job/foreseen_state.hpp"
#include "job/lost_manifests.hpp"
#include "state/verify_record.hpp"

namespace autoarchive::host {
namespace {

constexpr std::string_view kRequiredKey = "features.required";

/// Why nothing can build on this backup of a level; empty: it can. `below` is the level under it, null for level 0.
std::string fault_of(const CatalogEntry& entry, const CatalogEntry* below, const ArchiveConfig& archive,
                     const std::string& provider, const std::vector<VerifyRecord>& records) {
  if (!entry.header) {
    return fmt::format("{} has no readable manifest{}; aa rescan makes it again where it can",
                       quote(entry.name.file_name()), entry.fault.empty() ? "" : ": " + entry.fault);
  }
  if (!entry.fault.empty()) return fmt::format("the manifest of {}: {}", quote(entry.name.file_name()), entry.fault);
  const auto& header = *entry.header;
  if (const auto damage = found_damaged(records, header.backup_uuid))
    return fmt::format("{} was found damaged on {}", quote(entry.name.file_name()), format_rfc3339(*damage));
  if (header.root != archive.root.native())
    return fmt::format("the root has changed from {} to {}", quote(header.root), quote(archive.root.native()));
  if (header.type != archive.type) return fmt::format("the type has changed from {} to {}", header.type, archive.type);
  if (header.provider != provider)
    return fmt::format("the chain belongs to {}, and this backup is made by {}", header.provider, provider);
  if (const auto name = added_metadata(header.definition_digest, archive.metadata); !name.empty())
    return fmt::format("metadata.{} was off when {} was made", name, quote(entry.name.file_name()));
  if (below != nullptr && below->header && header.parent_uuid != below->header->backup_uuid) {
    return fmt::format("{} is not based on {}", quote(entry.name.file_name()), quote(below->name.file_name()));
  }
  return {};
}

std::map<int, ChainLevel> current_chain(const BackupCatalog& backups, const ArchiveConfig& archive,
                                        const std::string& provider, const std::vector<VerifyRecord>& records) {
  std::map<int, ChainLevel> chain;
  for (const auto& entry : backups.entries()) {
    const int level = entry.name.level.value_or(0);
    if (!entry.name.keeping_id.empty() || entry.is_foreign || chain.contains(level)) continue;
    const auto* below = level > 0 ? current_level(backups, level - 1) : nullptr;
    chain[level] = {entry.time(), entry.file.size, fault_of(entry, below, archive, provider, records)};
  }
  return chain;
}

/// Why the chain can't be continued although the provider has no state of it, or its level 0 can't be read.
std::string chain_break(const CatalogEntry* base, const LevelQuestion& question, const std::string& provider) {
  if (base == nullptr) return {};
  if (!question.chain.at(0).fault.empty()) return question.chain.at(0).fault;
  if (question.max_level > 0) return {};
  return fmt::format("{} has no state of the level 0 that is there: it is lost, or was made without levels", provider);
}

void add_record(const CatalogEntry& base, const BackupCatalog& backups, const ArchiveRecord& record,
                LevelQuestion& question) {
  const auto& chain = base.header->backup_uuid;
  if (record.chain == chain) {
    question.restarts = record.restarts;
    question.last_restart = record.last_restart;
  } else {
    question.restarts = visible_restarts(backups, chain);
  }
}

std::set<ArchiverFeature> features_of(const std::vector<std::string>& names) {
  std::set<ArchiverFeature> features;
  for (const auto& name : names) features.insert(ArchiverFeature{name});
  return features;
}

/// What is wrong with the names that stand at `key`, in one line; empty: nothing.
std::string fault_of_features(const Providers& providers, std::string_view key, const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) {
    if (const auto fault = providers.fault_of_feature(name); !fault.empty())
      text += (text.empty() ? std::string(key) + ": " : "; ") + fault;
  }
  return text;
}

/// The highest level that the state allows, once a run has brought back what it lacks of the levels that are there.
int foreseen_level(Session& session, const ArchiveConfig& archive, const std::string& provider,
                   const LevelQuestion& question) {
  const bool is_complete = question.chain.empty() || question.max_level > question.chain.rbegin()->first;
  if (is_complete) return question.max_level;
  const auto definition = definition_of(archive, session.providers().type(archive.type));
  return std::max(question.max_level,
                  recoverable_level(session, provider, definition, LocalStorage(archive.destination)));
}

NextBackup choose_next(Session& session, const ArchiveConfig& archive, const BackupCatalog& backups,
                       const ArchiveRecord& record, const NextBackupWish& wish, const IStorage* locked_storage) {
  NextBackup next;
  const auto* base = current_level(backups, 0);
  const bool continues = archive.incremental && !wish.full && base != nullptr && base->header &&
                         base->header->level == 0 && base->header->type == archive.type;
  const auto wanted = route_request(session.providers(), archive, continues ? base->header->provider : "");
  next.provider =
      route(wanted, session.providers().policy(), session.providers().candidates(archive.type)).chosen_or_throw(wanted);

  LevelQuestion question;
  question.incremental = archive.incremental;
  question.full = wish.full;
  question.wanted = wish.level;
  question.next = wish.next;
  question.rules = archive.levels;
  question.now = wish.now;
  question.chain_break = wish.lost_state;
  std::string ignored;  // without a record nothing is known to be damaged; status tells of it
  question.chain =
      current_chain(backups, archive, next.provider,
                    read_verify_records(session.config().state_dir, archive.name, archive.destination, ignored));
  if (archive.incremental) {
    const auto provider = session.providers().archiver(next.provider);
    if (locked_storage != nullptr)
      provider->recover_state(definition_of(archive, session.providers().type(archive.type)), *locked_storage);
    question.max_level = provider->max_backup_level(archive.name);
    if (locked_storage == nullptr) question.max_level = foreseen_level(session, archive, next.provider, question);
    if (question.chain_break.empty()) question.chain_break = chain_break(base, question, next.provider);
    if (base != nullptr && base->header) add_record(*base, backups, record, question);
  }
  next.choice = choose_level(question);
  next.restarts = question.restarts;
  if (next.choice.level == 0) return next;
  const auto& parent = *current_level(backups, next.choice.level - 1);
  next.identity.chain_uuid = parent.header->chain_uuid;
  next.identity.parent_uuid = parent.header->backup_uuid;
  next.identity.parent_sha256 = parent.closing ? parent.closing->archive_sha256 : "";
  next.parent_manifest = manifest_name(parent.name.file_name());
  return next;
}

}  // namespace

int visible_restarts(const BackupCatalog& backups, const std::string& chain) {
  std::map<std::string, int> children;
  for (const auto& entry : backups.entries()) {
    if (entry.header && entry.header->chain_uuid == chain && entry.header->level > 0)
      ++children[entry.header->parent_uuid];
  }
  int restarts = 0;
  for (const auto& [parent, count] : children) restarts += count - 1;
  return restarts;
}

void add_level(ArchiveRecord& record, const NextBackup& made, const std::string& chain, SystemTime began) {
  const auto& choice = made.choice;
  const bool is_low = choice.level < 2 || choice.restarted();
  if (is_low || record.chain != chain) record.last_restart = is_low ? std::optional(began) : std::nullopt;
  record.chain = chain;
  record.restarts = choice.level == 0 ? 0 : made.restarts + (choice.restarted() ? 1 : 0);
}

NextBackup next_backup(Session& session, const ArchiveConfig& archive, const BackupCatalog& backups,
                       const ArchiveRecord& record, const NextBackupWish& wish, const IStorage* locked_storage) {
  if (locked_storage != nullptr) return choose_next(session, archive, backups, record, wish, locked_storage);
  const auto foreseen =
      foresee_manifests(session.config().state_dir, archive.destination, backups, LocalStorage(archive.destination));
  auto next = choose_next(session, archive, foreseen.backups, record, wish, nullptr);
  const auto in_state = foreseen.in_state.find(next.parent_manifest);
  if (in_state != foreseen.in_state.end()) next.parent_in_state = in_state->second;
  return next;
}

RouteRequest route_request(Providers& providers, const ArchiveConfig& archive, const std::string& chain_owner) {
  RouteRequest request;
  request.type = providers.type(archive.type);
  using namespace archiver_feature;
  if (const auto fault = fault_of_features(providers, kRequiredKey, archive.features.required); !fault.empty()) {
    const auto place = archive.origins.at(std::string(kRequiredKey)).text();
    throw Error(ErrorCode::value_error, place + ": " + fault, ErrorCause::unsupported);
  }
  request.required = features_of(archive.features.required);
  request.preferred = features_of(archive.features.preferred);
  if (archive.incremental) request.required.insert(kIncremental);
  if (archive.strength) request.required.insert(kCompressionStrength);
  // Better no backup than one that fails its checks when it is made.
  if (archive.verify.after_create) request.required.insert(kVerify);
  if (archive.verify.restore_every) request.required.insert(kRestore);
  if (archive.provider != "auto") request.pinned = archive.provider;
  request.chain_owner = chain_owner;
  return request;
}

std::string fault_of_preferences(const Providers& providers, const ArchiveConfig& archive) {
  return fault_of_features(providers, kPreferredKey, archive.features.preferred);
}

void warn_of_preferences(Session& session, const ArchiveConfig& archive) {
  const auto fault = fault_of_preferences(session.providers(), archive);
  if (fault.empty()) return;
  const auto place = archive.origins.at(std::string(kPreferredKey)).text();
  session.console().problem({Severity::warning, "config.reality", archive.name, place + ": " + fault});
}

BackupDefinition definition_of(const ArchiveConfig& archive, const BackupType& type) {
  BackupDefinition definition;
  definition.backup_id = archive.name;
  definition.backup_type = type;
  definition.destination = archive.destination.native();
  definition.root = archive.root.native();
  definition.include_files = archive.include;
  return definition;
}

}  // namespace autoarchive::host
