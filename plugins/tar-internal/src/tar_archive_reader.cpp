#include "tar_archive_reader.hpp"

#include <utility>

#include "archive_check.hpp"
#include "autoarchive/base/error.hpp"
#include "codec.hpp"
#include "content_reader.hpp"
#include "manifest_rebuild.hpp"
#include "member_reader.hpp"
#include "restore_job.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr Bytes kDecoderMemory{128ULL << 20U};

class ReaderIdentification final : public IArchiveReaderIdentification {
 public:
  [[nodiscard]] std::string_view provider_id() const noexcept override { return "tar-reader"; }
  [[nodiscard]] std::optional<std::string> recognise(ByteView head) const override {
    const auto format = recognise_format(head);
    return format ? std::optional(std::string(*format)) : std::nullopt;
  }
};

}  // namespace

std::shared_ptr<const IArchiveReaderIdentification> reader_identification() {
  static const auto identification = std::make_shared<const ReaderIdentification>();
  return identification;
}

TarArchiveReader::TarArchiveReader(const ProviderArguments& arguments) : work_dir_(arguments.work_dir) {}

void TarArchiveReader::read_members(const ReadableFile& file, Bytes decoder_memory, IMemberVisitor& visitor) {
  MemberReader reader(file, decoder_memory);
  for (ArchiveMember member; reader.next(member);) visitor.member(member);
  reader.drain();
}

std::optional<ArchiveIdentity> TarArchiveReader::identity(const ReadableFile& file) {
  MemberReader reader(file, kDecoderMemory);
  ArchiveMember first;
  static_cast<void>(reader.next(first));
  return parse_comment(reader.comment());
}

RestoreResult TarArchiveReader::restore(const RestoreRequest& request) {
  return RestoreJob(request).run();
}

VerifyResult TarArchiveReader::verify(const ReadableFile& file, const ReadableFile* manifest, std::stop_token stop) {
  return ArchiveCheck(file, manifest, std::move(stop)).run();
}

RestoreResult TarArchiveReader::prove(const RestoreRequest& request) {
  return RestoreJob(request, {RestoreAim::Kind::prove, -1}).run();
}

void TarArchiveReader::read_content(const std::vector<ArchiveLevel>& levels, std::string_view path, Sink& out) {
  write_content(levels, path, out);
}

ManifestClosing TarArchiveReader::rebuild_manifest(const ReadableFile& file, const ReadableFile* parent,
                                                   const ManifestHeader& header, Sink& out, std::stop_token stop) {
  return ManifestRebuild(file, parent, work_dir_, std::move(stop)).run(header, out);
}

}  // namespace autoarchive::tar_internal
