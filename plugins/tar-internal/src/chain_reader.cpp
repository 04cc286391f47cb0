#include "chain_reader.hpp"

#include <algorithm>
#include <optional>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "borrowed_file.hpp"

namespace autoarchive::tar_internal {
namespace {

// Reading on is cheaper than to begin with another block, unless that one begins that much later.
constexpr std::uint64_t kReadOnBytes = 1U << 20U;

}  // namespace

struct ChainReader::OpenLevel {
  const ReadableFile* file = nullptr;
  std::vector<ArchiveBlock> blocks;  // in the order of the stream; empty: the stream is the file
  std::unique_ptr<MemberReader> reader;
  std::uint64_t position = 0;  // in the stream, of the last member that was read

  /// The last block that begins at or before `offset`.
  [[nodiscard]] ArchiveBlock block_of(std::uint64_t offset) const {
    if (blocks.empty()) return {offset, offset};
    const auto after =
        std::upper_bound(blocks.begin(), blocks.end(), offset,
                         [](std::uint64_t wanted, const auto& block) { return wanted < block.stream_offset; });
    return after == blocks.begin() ? ArchiveBlock{} : *std::prev(after);
  }
};

ChainReader::ChainReader(const std::vector<ArchiveLevel>& levels, Bytes decoder_memory)
    : levels_(levels), decoder_memory_(decoder_memory), open_levels_(levels.size()) {}

ChainReader::~ChainReader() = default;

ChainReader::OpenLevel& ChainReader::open(int level) {
  if (level < 0 || static_cast<std::size_t>(level) >= levels_.size()) {
    throw Error(ErrorCode::value_error, "the manifest names level " + std::to_string(level) + ", which is not given",
                ErrorCause::damaged);
  }
  const auto index = static_cast<std::size_t>(level);
  auto& open = open_levels_[index];
  if (open) return *open;
  open = std::make_unique<OpenLevel>();
  open->file = levels_[index].file.get();
  // Without its manifest all that lies before a member has to be decoded.
  open->blocks.push_back({});
  if (const auto* manifest = levels_[index].manifest.get())
    open->blocks = ManifestReader(std::make_unique<BorrowedFile>(*manifest)).closing().blocks;
  return *open;
}

MemberReader& ChainReader::seek(int level, std::uint64_t offset, ArchiveMember& member) {
  auto& open = this->open(level);
  const auto block = open.block_of(offset);
  const bool read_on =
      open.reader && offset > open.position && block.stream_offset <= open.reader->decoded_end() + kReadOnBytes;
  if (!read_on) {
    open.reader = std::make_unique<MemberReader>(*open.file, decoder_memory_, block, offset);
  }
  while (open.reader->next(member)) {
    open.position = open.reader->member_offset();
    if (open.position == offset) return *open.reader;
    if (open.position > offset) break;
  }
  open.reader.reset();
  throw Error(ErrorCode::value_error,
              quote(open.file->description()) + ": no member begins at byte " + std::to_string(offset) +
                  " of its tar stream, where the manifest says one does",
              ErrorCause::damaged);
}

void ChainReader::forget(int level) noexcept {
  if (level < 0 || static_cast<std::size_t>(level) >= open_levels_.size()) return;
  if (const auto& open = open_levels_[static_cast<std::size_t>(level)]) open->reader.reset();
}

}  // namespace autoarchive::tar_internal
