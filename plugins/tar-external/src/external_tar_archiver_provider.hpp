/// \file
/// TarExternal: makes tar archives and levels by GNU tar.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "autoarchive/archiver/tar_archiver_provider_base.hpp"

namespace autoarchive::tar_external {

/// What TarExternal can do: every type, strengths for the compressed ones, levels for all.
[[nodiscard]] std::shared_ptr<const TarArchiverProviderIdentification> external_identification();

/// The state of a level is its snapshot in GNU tar's form (NAME[.N].snar), which backup that belongs to
/// (NAME[.N].snar.id: backup id and SHA-256 of the snapshot), and a copy of its manifest (NAME[.N].snar.manifest).
/// Option "tar": the program's absolute path. Not thread-safe.
class ExternalTarArchiverProvider final : public TarArchiverProviderBase {
 public:
  /// Throws Error(os_error, cause unavailable) if there is no usable GNU tar; value_error for an unknown option.
  explicit ExternalTarArchiverProvider(const ProviderArguments& arguments);

  /// A snapshot without a word about its backup was brought here, from a program that has made levels with GNU tar
  /// before: it is taken for that of the backup whose manifest lies beside the archive, if it knows what that holds.
  void recover_state(const BackupDefinition& definition, const IStorage& storage) override;

 private:
  void write_archive(BackupJob& job) override;
  void adopt(const std::filesystem::path& snapshot, const IStorage& storage, const std::string& manifest) const;
  [[nodiscard]] static std::vector<std::string> compressor(const BackupRequest& request);
  void check_parent_snapshot(const BackupJob& job) const;
  [[nodiscard]] static std::filesystem::path put_snapshot(BackupJob& job);
  static void put_owner(BackupJob& job, const std::string& sha256);

  std::string tar_;
};

}  // namespace autoarchive::tar_external
