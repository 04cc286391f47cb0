/// \file
/// The reader service for tar archives of all five types, ours and foreign.
#pragma once

#include <filesystem>
#include <memory>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/service/service_accessor.hpp"

namespace autoarchive::tar_internal {

[[nodiscard]] std::shared_ptr<const IArchiveReaderIdentification> reader_identification();

/// Its work_dir is for temporary files without a name. Not thread-safe.
class TarArchiveReader final : public IArchiveReader {
 public:
  explicit TarArchiveReader(const ProviderArguments& arguments);

  void read_members(const ReadableFile& file, Bytes decoder_memory, IMemberVisitor& visitor) override;
  [[nodiscard]] std::optional<ArchiveIdentity> identity(const ReadableFile& file) override;
  RestoreResult restore(const RestoreRequest& request) override;
  RestoreResult prove(const RestoreRequest& request) override;
  void read_content(const std::vector<ArchiveLevel>& levels, std::string_view path, Sink& out) override;
  VerifyResult verify(const ReadableFile& file, const ReadableFile* manifest, std::stop_token stop) override;
  ManifestClosing rebuild_manifest(const ReadableFile& file, const ReadableFile* parent, const ManifestHeader& header,
                                   Sink& out, std::stop_token stop) override;

 private:
  std::filesystem::path work_dir_;
};

}  // namespace autoarchive::tar_internal
