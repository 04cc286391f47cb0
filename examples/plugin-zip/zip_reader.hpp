/// \file
/// Lists, restores and verifies zip archives.
#pragma once

#include <autoarchive/archiver/iarchive_reader.hpp>
#include <autoarchive/service/service_accessor.hpp>
#include <memory>

namespace zip_plugin {

[[nodiscard]] std::shared_ptr<const autoarchive::IArchiveReaderIdentification> zip_reader_identification();

/// A zip stands alone: of several levels only the last is restored. Not thread-safe.
class ZipReader final : public autoarchive::IArchiveReader {
 public:
  explicit ZipReader(const autoarchive::ProviderArguments& arguments);

  void read_members(const autoarchive::ReadableFile& file, autoarchive::Bytes decoder_memory,
                    autoarchive::IMemberVisitor& visitor) override;
  /// None: a zip of ours says nothing of its chain, as it has none.
  [[nodiscard]] std::optional<autoarchive::ArchiveIdentity> identity(const autoarchive::ReadableFile& file) override;
  autoarchive::RestoreResult restore(const autoarchive::RestoreRequest& request) override;
  autoarchive::RestoreResult prove(const autoarchive::RestoreRequest& request) override;
  void read_content(const std::vector<autoarchive::ArchiveLevel>& levels, std::string_view path,
                    autoarchive::Sink& out) override;
  autoarchive::VerifyResult verify(const autoarchive::ReadableFile& file, const autoarchive::ReadableFile* manifest,
                                   std::stop_token stop) override;
  /// Throws: without an identity, there is no place in a chain to find again.
  autoarchive::ManifestClosing rebuild_manifest(const autoarchive::ReadableFile& file,
                                                const autoarchive::ReadableFile* parent,
                                                const autoarchive::ManifestHeader& header, autoarchive::Sink& out,
                                                std::stop_token stop) override;
};

}  // namespace zip_plugin
