/// \file
/// TarInternal: makes tar archives of all five types in this process.
#pragma once

#include <memory>

#include "autoarchive/archiver/tar_archiver_provider_base.hpp"

namespace autoarchive::tar_internal {

/// What TarInternal can do: every type, strengths for the compressed ones; no levels.
[[nodiscard]] std::shared_ptr<const TarArchiverProviderIdentification> internal_identification();

/// The pipeline: walk -> pax writer -> block codec -> storage. Not thread-safe.
class InternalTarArchiverProvider final : public TarArchiverProviderBase {
 public:
  explicit InternalTarArchiverProvider(const ProviderArguments& arguments);

 private:
  void write_archive(BackupJob& job) override;
};

}  // namespace autoarchive::tar_internal
