// The whole reader on a tar stream: nothing but a refusal leaves it, what it lists is safe to restore, and what it
// lists without a fault it also verifies.
#include <algorithm>
#include <vector>

#include "member_reader.hpp"
#include "repaired_tar.hpp"
#include "support/memory_file.hpp"
#include "tar_archive_reader.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {
namespace {

constexpr Bytes kDecoderMemory{128U << 20U};  // as verify has it
constexpr std::size_t kMaxPieces = 10'000;

class Listing final : public IMemberVisitor {
 public:
  void member(const ArchiveMember& member) override {
    paths.push_back(member.entry.path);
    const auto& names = member.dumpdir;
    expect(!names || std::is_sorted(names->begin(), names->end()), "names of a directory are in order");
    const auto& xattrs = member.entry.xattrs;
    expect(std::is_sorted(xattrs.begin(), xattrs.end()), "attributes are in order");
    expect(member.entry.mtime.nanoseconds < 1'000'000'000, "nanoseconds are less than a second");
  }
  std::vector<std::string> paths;
};

/// Whether every member and every byte could be read. A file can be of any size where it is a hole.
bool read_contents(const ReadableFile& file) {
  std::size_t pieces = 0;
  return accepts([&] {
    tar_internal::MemberReader reader(file, kDecoderMemory);
    for (ArchiveMember member; reader.next(member);) {
      std::uint64_t last = 0;
      for (tar_internal::ContentPiece piece; reader.next_piece(piece) && ++pieces < kMaxPieces;) {
        expect(piece.offset >= last, "content comes in order");
        last = piece.offset + piece.bytes.size();
      }
    }
    reader.drain();
  });
}

void read(ByteView stream) {
  const test::MemoryFile file(stream);
  tar_internal::TarArchiveReader reader({});
  Listing listing;
  const bool is_listed = accepts([&] { reader.read_members(file, kDecoderMemory, listing); });
  const auto verified = reader.verify(file, nullptr, {});
  const bool is_whole = read_contents(file);
  expect(verified.faults.empty() == is_whole, "verify says whether all can be read");
  expect(!is_whole || is_listed, "what can be read can be listed");
  expect(!is_whole || verified.members == listing.paths.size(), "every member is verified");
  for (const auto& path : listing.paths) {
    const auto safe = tar_internal::safe_member_path(path);
    expect(safe.empty() || safe == path, "a path that can be restored is normal");
  }
}

}  // namespace

void take_input(ByteView input) {
  read(input);
  read(bytes_of(with_checksums(text_of(input))));
}

}  // namespace autoarchive::fuzz
