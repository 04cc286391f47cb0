// An archive and the lines of its manifest behind it, either of which may lie about the other: verify, a proof and the
// reading of one file end with an answer, in bounded memory, and what is found to be sound can be read.
#include <memory>
#include <optional>
#include <vector>

#include "framed_manifest.hpp"
#include "support/memory_file.hpp"
#include "tar_archive_reader.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {
namespace {

constexpr Bytes kDecoderMemory{16U << 20U};
constexpr std::size_t kMaxContentBytes = 1U << 20U;

/// Ends the reading of a file that is one large hole.
class BoundedSink final : public Sink {
 public:
  void write(ByteView bytes) override {
    bytes_ += bytes.size();
    if (bytes_ > kMaxContentBytes) throw Error(ErrorCode::value_error, "enough has been read", ErrorCause::damaged);
  }
  void finish() override {}

 private:
  std::size_t bytes_ = 0;
};

class Counter final : public IMemberVisitor {
 public:
  void member(const ArchiveMember& member) override {
    ++members;
    path = member.entry.path;
  }
  std::uint64_t members = 0;
  std::string path;  // of the last one
};

std::vector<ArchiveLevel> levels_of(ByteView archive, std::string_view manifest) {
  std::vector<ArchiveLevel> levels(1);
  levels.front().file = std::make_unique<test::MemoryFile>(archive);
  levels.front().manifest = std::make_unique<test::MemoryFile>(bytes_of(manifest));
  return levels;
}

void read_one(tar_internal::TarArchiveReader& reader, ByteView archive, std::string_view manifest,
              const std::string& path) {
  BoundedSink sink;
  try {
    reader.read_content(levels_of(archive, manifest), path, sink);
  } catch (const Error& error) {
    const bool is_expected = error.cause() == ErrorCause::damaged || error.cause() == ErrorCause::unsupported ||
                             error.cause() == ErrorCause::no_such_backup || error.cause() == ErrorCause::usage;
    expect(is_expected, error.message());
  }
}

/// None if the manifest is a newer program's: nothing else is a reason to give no answer.
std::optional<VerifyResult> verify(tar_internal::TarArchiveReader& reader, const ReadableFile& file,
                                   const ReadableFile& manifest) {
  try {
    return reader.verify(file, &manifest, {});
  } catch (const Error& error) {
    expect(error.cause() == ErrorCause::unsupported, error.message());
    return std::nullopt;
  }
}

void look_at(ByteView archive, std::string_view manifest) {
  const test::MemoryFile file(archive);
  const test::MemoryFile manifest_file(bytes_of(manifest));
  tar_internal::TarArchiveReader reader({});
  const auto verified = verify(reader, file, manifest_file);
  Counter counter;
  const bool is_listed = accepts([&] { reader.read_members(file, kDecoderMemory, counter); });
  if (verified && verified->faults.empty())
    expect(is_listed && counter.members == verified->members, "what is sound can be listed");
  static_cast<void>(accepts([&] {
    RestoreRequest request;
    request.levels = levels_of(archive, manifest);
    request.decoder_memory = kDecoderMemory;
    static_cast<void>(reader.prove(request));
  }));
  read_one(reader, archive, manifest, counter.path);
}

}  // namespace

void take_input(ByteView input) {
  const auto text = text_of(input);
  const auto split = std::min(text.find("{\"format\":"), text.size());
  const auto archive = input.first(split);
  look_at(archive, framed_manifest(text.substr(split), 3, &archive));
}

}  // namespace autoarchive::fuzz
