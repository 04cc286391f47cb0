/// \file
/// TarExternal: makes tar archives and levels by GNU tar.
#pragma once

#include <memory>
#include <string>

#include "autoarchive/archiver/tar_archiver_provider_base.hpp"

namespace autoarchive::tar_external {

/// What TarExternal can do: every type, strengths for the compressed ones, levels for all.
[[nodiscard]] std::shared_ptr<const TarArchiverProviderIdentification> external_identification();

/// The state of a level is tar's snapshot (NAME[.N].snar) and which backup it belongs to (NAME[.N].snar.id: backup id
/// and SHA-256 of the snapshot). Option "tar": the program's absolute path. Not thread-safe.
class ExternalTarArchiverProvider final : public TarArchiverProviderBase {
 public:
  /// Throws Error(os_error, cause unavailable) if there is no usable GNU tar; value_error for an unknown option.
  explicit ExternalTarArchiverProvider(const ProviderArguments& arguments);

 private:
  void write_archive(BackupJob& job) override;
  [[nodiscard]] std::string compressor(const BackupRequest& request) const;
  [[nodiscard]] std::string read_parent_snapshot(const BackupJob& job) const;
  [[nodiscard]] std::filesystem::path prepare_snapshot(BackupJob& job, const class TreeSurvey& survey) const;
  void finish_snapshot(BackupJob& job, const std::filesystem::path& snapshot) const;

  std::string tar_;
};

}  // namespace autoarchive::tar_external
