/// \file
/// TarInternal: makes tar archives of all five types in this process.
#pragma once

#include <memory>

#include "autoarchive/archiver/tar_archiver_provider_base.hpp"

namespace autoarchive::tar_internal {

/// What TarInternal can do: every type, levels and single files for all, strengths for the compressed ones.
[[nodiscard]] std::shared_ptr<const TarArchiverProviderIdentification> internal_identification();

/// Walk, compared with the level before -> segments -> pax writer -> block codec -> storage. Not thread-safe.
class InternalTarArchiverProvider final : public TarArchiverProviderBase {
 public:
  explicit InternalTarArchiverProvider(const ProviderArguments& arguments);

 private:
  void write_archive(BackupJob& job) override;
};

}  // namespace autoarchive::tar_internal
