/// \file
/// One request for a backup is one value. It is complete from the start: adding to it would break every plugin.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "autoarchive/archiver/backup_definition.hpp"
#include "autoarchive/archiver/backup_observer.hpp"
#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/export.hpp"
#include "autoarchive/storage/transaction.hpp"
#include "autoarchive/tree/attributes.hpp"
#include "autoarchive/tree/filter.hpp"

namespace autoarchive {

class IStorage;

/// Who a backup is. Empty strings are filled in by the provider's base class.
struct BackupIdentity {
  std::string backup_uuid;
  std::string chain_uuid;     ///< of the chain's level 0; the backup's own for a level 0
  std::string parent_uuid;    ///< level >= 1: what it is based on
  std::string parent_sha256;  ///< level >= 1: digest of the parent's archive file
};

/// Pointers are borrowed and must outlive the call; null has the meaning that stands beside it.
struct BackupRequest {
  BackupDefinition definition;
  std::optional<int> compression_strength;  ///< 0..9; none: the codec's default
  std::optional<int> level;                 ///< incremental only; none: the next in a row
  /// Remove the old backup first, to free its space. REQUIRES: no step of the plan takes it.
  bool overwrite_at_start = false;

  BackupIdentity identity;
  FilterRules filter;  ///< beside definition.exclude_files, which are literal
  MetadataOptions metadata;
  unsigned threads = 0;  ///< 0: as many as there are cores
  /// Where the files are read, e.g. a snapshot of the root; empty: definition.root. The archive does not show it.
  std::filesystem::path physical_root;
  bool allow_empty = false;  ///< a root without entries is no error

  IStorage* storage = nullptr;          ///< null: the directory definition.destination
  ITransaction* transaction = nullptr;  ///< null: the provider opens one for itself
  CommitPlan plan;
  /// The parent's manifest in `storage`, e.g. "home.1.tar.gz.manifest.zst"; empty: the provider's own copy, if it has
  /// one.
  std::string parent_manifest;
  bool write_manifest = true;  ///< and the ".sha256" beside the archive
  bool sync = true;            ///< off for benchmarks only: nothing is synced, and the archive gets no SHA-256

  std::stop_token stop;
  IBackupObserver* observer = nullptr;  ///< null: nobody listens
};

/// What came of it.
struct BackupResult {
  std::string path;  ///< of the new backup, e.g. "/mnt/backup/home.2.tar.gz"
  int level = 0;
  BackupIdentity identity;
  BackupSummary summary;
};

}  // namespace autoarchive
