#include "autoarchive/archiver/tar_archiver_provider_base.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/metadata_off.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "backup_job_parts.hpp"
#include "request_check.hpp"
#include "sink_group.hpp"

namespace autoarchive {
namespace {

SystemTime now() {
  return std::chrono::system_clock::now();
}

BackupName name_of(const BackupRequest& request, int level) {
  return {request.definition.backup_id, *request.definition.backup_type, level, {}};
}

/// Fills in the ids that the caller has left open.
BackupIdentity complete_identity(const BackupRequest& request, const IStorage& storage, int level) {
  auto identity = request.identity;
  if (identity.backup_uuid.empty()) identity.backup_uuid = make_uuid();
  if (level == 0) {
    identity.chain_uuid = identity.backup_uuid;
    identity.parent_uuid.clear();
    identity.parent_sha256.clear();
    return identity;
  }
  if (!identity.parent_uuid.empty() && !identity.chain_uuid.empty()) return identity;
  const auto parent = manifest_name(name_of(request, level - 1).file_name());
  if (!storage.stat(parent)) {
    throw Error(ErrorCode::file_not_found,
                "level " + std::to_string(level) + ": the manifest " + quote(parent) +
                    " of the level before it is missing; make a level 0",
                ErrorCause::state_lost);
  }
  ManifestReader reader(storage.open(parent));
  identity.chain_uuid = reader.header().chain_uuid;
  identity.parent_uuid = reader.header().backup_uuid;
  identity.parent_sha256 = reader.closing().archive_sha256;
  return identity;
}

FilterRules filter_rules(const BackupRequest& request) {
  auto rules = request.filter;
  rules.exclude_paths.insert(request.definition.exclude_files.begin(), request.definition.exclude_files.end());
  return rules;
}

/// Runs one backup from the open transaction to its commit.
class BackupRun {
 public:
  BackupRun(BackupJob::Parts& parts, const IArchiverProviderIdentification& provider)
      : parts_(parts), provider_(provider), file_(name_of(parts.request, parts.level)) {}

  void open() {
    announce();
    auto& transaction = parts_.transaction;
    const auto name = file_.file_name();
    if (parts_.request.overwrite_at_start) remove_old(name);
    parts_.archive = std::make_unique<CountingSink>(transaction.put(name), /*with_digest=*/parts_.request.sync);
    if (parts_.request.write_manifest) read_totals(name);
    if (!parts_.request.write_manifest && parts_.manifest_state.empty()) return;
    open_manifest(name);
    parts_.manifest = std::make_unique<ManifestWriter>(*parts_.manifest_sink, header());
  }

  void close() {
    if (parts_.some_files_changed && parts_.request.observer != nullptr) {
      ++parts_.summary.operation_errors;
      parts_.request.observer->backup_operation_error(BackupSubOperation::finish,
                                                      BackupOperationError::some_files_changed, {}, {});
    }
    parts_.archive->finish();
    parts_.summary.archive_bytes = parts_.archive->count();
    parts_.summary.archive_sha256 = parts_.archive->sha256();
    if (parts_.manifest) finish_manifest();
  }

  void commit() {
    auto plan = parts_.request.plan;
    if (parts_.request.write_manifest && !parts_.summary.archive_sha256.empty()) {
      const auto name = file_.file_name();
      plan.texts.push_back({sha256_name(name), parts_.summary.archive_sha256 + "  " + name + "\n"});
    }
    parts_.transaction.commit(plan);
    if (parts_.request.observer != nullptr) parts_.request.observer->finished(parts_.summary);
  }

  [[nodiscard]] BackupResult result() const { return {path(), parts_.level, parts_.identity, parts_.summary}; }

 private:
  [[nodiscard]] std::string path() const { return file_.path(parts_.request.definition.destination); }

  // Beside the archive, and the provider's own copy.
  void open_manifest(const std::string& name) {
    auto sinks = std::make_unique<SinkGroup>();
    if (parts_.request.write_manifest) sinks->add(parts_.transaction.put(manifest_name(name)));
    if (!parts_.manifest_state.empty()) {
      const auto state = parts_.transaction.put_state(parts_.snapshots_dir / parts_.manifest_state);
      sinks->add(create_state_file(state));
    }
    parts_.manifest_sink = std::move(sinks);
  }

  void announce() const {
    if (parts_.request.observer == nullptr) return;
    parts_.request.observer->started({parts_.request.definition.backup_id, std::string(provider_.provider_id()), path(),
                                      parts_.identity.backup_uuid, parts_.level});
  }

  void remove_old(const std::string& name) const {
    if (parts_.request.plan.takes(name)) {
      throw Error(ErrorCode::value_error,
                  "overwrite_at_start would remove " + quote(name) + ", which the plan of the commit keeps");
    }
    std::vector<std::string> old;
    for (const auto& file : {name, manifest_name(name), sha256_name(name)}) {
      if (parts_.storage.stat(file)) old.push_back(file);
    }
    parts_.transaction.remove_now(old);
  }

  // The bar wants to know how much there is; the backup that is about to be replaced is the best guess.
  void read_totals(const std::string& name) const {
    const auto old = manifest_name(name);
    if (parts_.request.observer == nullptr || !parts_.storage.stat(old)) return;
    try {
      ManifestReader reader(parts_.storage.open(old));
      parts_.progress.total_entries = reader.closing().entries;
      parts_.progress.total_content_bytes = reader.closing().content_bytes;
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): an unreadable old manifest costs the bar its percents,
                              // nothing else
    }
  }

  [[nodiscard]] ManifestHeader header() const {
    ManifestHeader header;
    const auto& definition = parts_.request.definition;
    header.backup_uuid = parts_.identity.backup_uuid;
    header.archive = definition.backup_id;
    header.type = definition.backup_type->extension;
    header.level = parts_.level;
    header.chain_uuid = parts_.identity.chain_uuid;
    header.parent_uuid = parts_.identity.parent_uuid;
    header.parent_sha256 = parts_.identity.parent_sha256;
    header.root = definition.root;
    header.provider = provider_.provider_id();
    header.definition_digest =
        with_metadata_off(definition_digest(definition.root, header.type, header.provider), parts_.request.metadata);
    header.started = parts_.started;
    return header;
  }

  void finish_manifest() {
    auto closing = std::move(parts_.closing);
    closing.archive_bytes = parts_.summary.archive_bytes;
    closing.archive_sha256 = parts_.summary.archive_sha256;
    closing.finished = now();
    parts_.manifest->finish(std::move(closing));
    parts_.manifest_sink->finish();
  }

  BackupJob::Parts& parts_;
  const IArchiverProviderIdentification& provider_;
  BackupName file_;
};

}  // namespace

TarArchiverProviderBase::TarArchiverProviderBase(const IArchiverProviderIdentification& identification,
                                                 const ProviderArguments& arguments, LevelState level_state)
    : identification_(identification), work_dir_(arguments.work_dir), level_state_(std::move(level_state)) {
  if (level_state_.suffixes.empty()) return;
  if (::mkdir(snapshots_dir().c_str(), 0700) != 0 && errno != EEXIST) {
    throw Error::from_errno(errno, "work directory " + quote(work_dir_.native()));
  }
}

TarArchiverProviderBase::~TarArchiverProviderBase() = default;

std::set<BackupType> TarArchiverProviderBase::supported_backup_types() const {
  return identification_.supported_backup_types();
}

std::set<ArchiverFeature> TarArchiverProviderBase::supported_features(const std::optional<BackupType>& type) const {
  return identification_.supported_features(type);
}

BackupResult TarArchiverProviderBase::backup_files(const BackupRequest& request) {
  check_request(request, identification_);
  return run(request, 0, /*incremental=*/false);
}

BackupResult TarArchiverProviderBase::backup_files_incrementally(const BackupRequest& request) {
  require_incremental("backup_files_incrementally");
  check_request(request, identification_);
  const int max_level = max_backup_level(request.definition.backup_id);
  const int level = request.level.value_or(max_level);
  if (level < 0 || level > max_level) {
    throw Error(ErrorCode::value_error,
                "level " + std::to_string(level) + ": only 0.." + std::to_string(max_level) + " can be made now",
                ErrorCause::usage);
  }
  return run(request, level, /*incremental=*/true);
}

BackupResult TarArchiverProviderBase::run(const BackupRequest& request, int level, bool incremental) {
  const auto root =
      request.physical_root.empty() ? std::filesystem::path(request.definition.root) : request.physical_root;
  check_root(root, request.allow_empty);
  check_state(request.definition.backup_id, level, incremental);

  LocalStorage local(request.definition.destination);
  IStorage& storage = request.storage != nullptr ? *request.storage : local;
  std::unique_ptr<ITransaction> own_transaction;
  if (request.transaction == nullptr) {
    TransactionOptions options;
    options.archive = request.definition.backup_id;
    options.sync = request.sync;
    options.stop = request.stop;
    own_transaction = storage.begin(options);
  }
  ITransaction& transaction = request.transaction != nullptr ? *request.transaction : *own_transaction;

  BackupJob::Parts parts(request, storage, transaction, filter_rules(request));
  parts.identity = complete_identity(request, storage, level);
  parts.provider = identification_.provider_id();
  parts.started = now();
  parts.level = level;
  parts.incremental = incremental;
  parts.root = root;
  parts.snapshots_dir = snapshots_dir();
  parts.earliest_clock = now();
  const bool keeps_manifest = incremental && !level_state_.manifest_suffix.empty();
  const auto state_of = [&](int of) {
    return state_name(request.definition.backup_id, of, level_state_.manifest_suffix);
  };
  if (keeps_manifest && level > 0) parts.parent_state = state_of(level - 1);
  if (keeps_manifest) parts.manifest_state = state_of(level);
  BackupRun backup(parts, identification_);
  BackupJob job(parts);
  backup.open();
  write_archive(job);
  job.check_stop();
  backup.close();
  // A level makes all higher ones impossible until it has one itself: their state goes with the commit.
  if (incremental) {
    for (const auto& stored : stored_states(request.definition.backup_id)) {
      if (stored.level > level) transaction.remove_state(stored.file);
    }
  }
  backup.commit();
  return backup.result();
}

}  // namespace autoarchive
