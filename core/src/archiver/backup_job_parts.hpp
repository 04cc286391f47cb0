/// \file
/// What stands behind a BackupJob: owned by the base class while one backup is written.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "autoarchive/archiver/backup_job.hpp"
#include "autoarchive/base/durations.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "counting_sink.hpp"

namespace autoarchive {

struct BackupJob::Parts {
  Parts(const BackupRequest& given, IStorage& place, ITransaction& open_transaction, FilterRules rules)
      : request(given), storage(place), transaction(open_transaction), filter(std::move(rules)) {}

  const BackupRequest& request;
  IStorage& storage;
  ITransaction& transaction;
  Filter filter;
  BackupIdentity identity;
  std::string provider;
  SystemTime started{};  // the archive and its manifest tell the same
  int level = 0;
  bool incremental = false;
  std::filesystem::path root;
  std::filesystem::path snapshots_dir;
  std::string manifest_state;  // name of the own copy of this manifest in snapshots_dir; empty: none is kept
  std::string parent_state;    // name of the own copy of the parent's manifest in snapshots_dir; empty: none is kept
  std::unique_ptr<CountingSink> archive;
  std::unique_ptr<Sink> manifest_sink;
  SystemTime earliest_clock = SystemTime::max();  // that was seen in this run
  std::unique_ptr<ManifestWriter> manifest;       // null: none is wanted
  ManifestClosing closing;                        // as far as it is known
  BackupSummary summary;
  BackupProgress progress;
  std::chrono::steady_clock::time_point last_progress{};
  bool some_files_changed = false;
};

}  // namespace autoarchive
