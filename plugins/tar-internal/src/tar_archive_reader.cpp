#include "tar_archive_reader.hpp"

#include <vector>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "borrowed_file.hpp"
#include "codec.hpp"
#include "member_reader.hpp"
#include "restore_job.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr Bytes kDecoderMemory{128ULL << 20U};
constexpr std::size_t kReadBytes = 1U << 20U;

class ReaderIdentification final : public IArchiveReaderIdentification {
 public:
  [[nodiscard]] std::string_view provider_id() const noexcept override { return "tar-reader"; }
  [[nodiscard]] std::optional<std::string> recognise(ByteView head) const override {
    const auto format = recognise_format(head);
    return format ? std::optional(std::string(*format)) : std::nullopt;
  }
};

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::runtime_error, "stopped on request", ErrorCause::cancelled);
}

std::string digest_of(const ReadableFile& file, const std::stop_token& stop) {
  Sha256 digest;
  std::vector<std::byte> buffer(kReadBytes);
  for (std::uint64_t offset = 0;;) {
    check_stop(stop);
    const auto size = file.read_at(offset, buffer);
    if (size == 0) return digest.finish();
    digest.update(ByteView(buffer).first(size));
    offset += size;
  }
}

void check_manifest(const ReadableFile& manifest, VerifyResult& result) {
  ManifestReader reader(std::make_unique<BorrowedFile>(manifest));
  for (ManifestEntry entry; reader.next(entry);) {
  }
  const auto& closing = reader.closing();
  if (closing.archive_sha256 != result.sha256) {
    result.faults.push_back("its SHA-256 is " + result.sha256 + ", and the manifest says " + closing.archive_sha256);
  }
}

}  // namespace

std::shared_ptr<const IArchiveReaderIdentification> reader_identification() {
  static const auto identification = std::make_shared<const ReaderIdentification>();
  return identification;
}

TarArchiveReader::TarArchiveReader(const ProviderArguments& /*arguments*/) {}

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
  VerifyResult result;
  result.sha256 = digest_of(file, stop);
  std::string last;
  try {
    MemberReader reader(file, kDecoderMemory);
    for (ArchiveMember member; reader.next(member);) {
      last = member.entry.path;
      for (ContentPiece piece; reader.next_piece(piece);) {
        check_stop(stop);
        result.content_bytes += piece.bytes.size();
      }
      ++result.members;
    }
    reader.drain();
  } catch (const Error& error) {  // what was proven before it still counts
    if (error.cause() == ErrorCause::cancelled) throw;
    result.faults.push_back(error.message() + (last.empty() ? "" : "; the last member before it is '" + last + "'"));
  }
  if (manifest == nullptr) return result;
  try {
    check_manifest(*manifest, result);
  } catch (const Error& error) {
    result.faults.push_back(error.message());
  }
  return result;
}

}  // namespace autoarchive::tar_internal
