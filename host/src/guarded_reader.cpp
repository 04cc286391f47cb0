#include "guarded_reader.hpp"

#include <utility>

namespace autoarchive::host {

GuardedReader::GuardedReader(std::string provider_id, std::shared_ptr<IArchiveReader> reader, ProviderHealth& health)
    : provider_id_(std::move(provider_id)), reader_(std::move(reader)), health_(health) {}

template <class Call>
auto GuardedReader::guarded(const Call& call) {
  return health_.guarded(provider_id_, call);
}

void GuardedReader::read_members(const ReadableFile& file, Bytes decoder_memory, IMemberVisitor& visitor) {
  guarded([&] { reader_->read_members(file, decoder_memory, visitor); });
  health_.succeeded(provider_id_);
}

std::optional<ArchiveIdentity> GuardedReader::identity(const ReadableFile& file) {
  return guarded([&] { return reader_->identity(file); });
}

RestoreResult GuardedReader::restore(const RestoreRequest& request) {
  auto result = guarded([&] { return reader_->restore(request); });
  health_.succeeded(provider_id_);
  return result;
}

RestoreResult GuardedReader::prove(const RestoreRequest& request) {
  auto result = guarded([&] { return reader_->prove(request); });
  health_.succeeded(provider_id_);
  return result;
}

void GuardedReader::read_content(const std::vector<ArchiveLevel>& levels, std::string_view path, Sink& out) {
  guarded([&] { reader_->read_content(levels, path, out); });
  health_.succeeded(provider_id_);
}

VerifyResult GuardedReader::verify(const ReadableFile& file, const ReadableFile* manifest, std::stop_token stop) {
  auto result = guarded([&] { return reader_->verify(file, manifest, std::move(stop)); });
  health_.succeeded(provider_id_);
  return result;
}

ManifestClosing GuardedReader::rebuild_manifest(const ReadableFile& file, const ReadableFile* parent,
                                                const ManifestHeader& header, Sink& out, std::stop_token stop) {
  auto closing = guarded([&] { return reader_->rebuild_manifest(file, parent, header, out, std::move(stop)); });
  health_.succeeded(provider_id_);
  return closing;
}

}  // namespace autoarchive::host
