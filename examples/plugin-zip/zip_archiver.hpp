/// \file
/// Makes zip archives.
#pragma once

#include <autoarchive/archiver/tar_archiver_provider_base.hpp>
#include <memory>

namespace zip_plugin {

[[nodiscard]] std::shared_ptr<const autoarchive::TarArchiverProviderIdentification> zip_identification();

/// Not thread-safe.
class ZipArchiver final : public autoarchive::TarArchiverProviderBase {
 public:
  explicit ZipArchiver(const autoarchive::ProviderArguments& arguments);

 private:
  void write_archive(autoarchive::BackupJob& job) override;
};

}  // namespace zip_plugin
