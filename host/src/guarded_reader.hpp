/// \file
/// A reader behind the boundary of ProviderHealth.
#pragma once

#include <memory>
#include <string>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "provider_health.hpp"

namespace autoarchive::host {

/// Passes every call on.
class GuardedReader final : public IArchiveReader {
 public:
  /// `health` must outlive it.
  GuardedReader(std::string provider_id, std::shared_ptr<IArchiveReader> reader, ProviderHealth& health);

  void read_members(const ReadableFile& file, Bytes decoder_memory, IMemberVisitor& visitor) override;
  [[nodiscard]] std::optional<ArchiveIdentity> identity(const ReadableFile& file) override;
  RestoreResult restore(const RestoreRequest& request) override;
  RestoreResult prove(const RestoreRequest& request) override;
  void read_content(const std::vector<ArchiveLevel>& levels, std::string_view path, Sink& out) override;
  VerifyResult verify(const ReadableFile& file, const ReadableFile* manifest, std::stop_token stop) override;
  ManifestClosing rebuild_manifest(const ReadableFile& file, const ReadableFile* parent, const ManifestHeader& header,
                                   Sink& out, std::stop_token stop) override;

 private:
  template <class Call>
  auto guarded(const Call& call);

  std::string provider_id_;
  std::shared_ptr<IArchiveReader> reader_;
  ProviderHealth& health_;
};

}  // namespace autoarchive::host
