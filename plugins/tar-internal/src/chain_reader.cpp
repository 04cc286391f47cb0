#include "chain_reader.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "borrowed_file.hpp"
#include "codec.hpp"
#include "parallel_decoder.hpp"

namespace autoarchive::tar_internal {
namespace {

// Reading on is cheaper than to begin with another block, unless that one begins that much later.
constexpr std::uint64_t kReadOnBytes = 1U << 20U;

}  // namespace

bool has_file(const ArchiveLevel& level) {
  return level.file && level.file->size() > 0;
}

struct ChainReader::OpenLevel {
  const ReadableFile* file = nullptr;
  std::string format;                // as its manifest says, so that damage in its first bytes costs no more than those
  std::vector<ArchiveBlock> blocks;  // in the order of the stream; empty: the stream is the file
  std::unique_ptr<MemberReader> reader;
  std::uint64_t begin = 0;     // in the stream, of the block that the reader has begun with
  bool is_ahead = false;       // the reader's decoder works ahead of it
  std::uint64_t position = 0;  // in the stream, of the last member that was read
  // Of blocks that can't be decoded to their end: where they begin, and how far they can. So that not every member of
  // one has to find out.
  std::map<std::uint64_t, std::uint64_t> broken;

  /// The last block that begins at or before `offset`.
  [[nodiscard]] ArchiveBlock block_of(std::uint64_t offset) const {
    if (blocks.empty()) return {offset, offset};
    const auto after =
        std::upper_bound(blocks.begin(), blocks.end(), offset,
                         [](std::uint64_t wanted, const auto& block) { return wanted < block.stream_offset; });
    return after == blocks.begin() ? ArchiveBlock{} : *std::prev(after);
  }

  /// The one in which the reader has failed. One that was decoded to its end may be found wrong only there, and one
  /// whose end is not found may have given more than it has.
  [[nodiscard]] ArchiveBlock broken_block() const {
    const auto part = reader->damaged_part();
    const auto end = reader->decoded_end();
    if (!part) return block_of(end - std::min<std::uint64_t>(end, 1));
    const auto after = std::upper_bound(blocks.begin(), blocks.end(), part->begin,
                                        [](std::uint64_t wanted, const auto& block) { return wanted < block.offset; });
    return after == blocks.begin() ? ArchiveBlock{} : *std::prev(after);
  }
};

ChainReader::ChainReader(const std::vector<ArchiveLevel>& levels, Bytes decoder_memory, bool ahead)
    : levels_(levels), decoder_memory_(decoder_memory), ahead_(ahead), open_levels_(levels.size()) {}

ChainReader::~ChainReader() = default;

ChainReader::OpenLevel& ChainReader::open(int level) {
  if (level < 0 || static_cast<std::size_t>(level) >= levels_.size()) {
    throw Error(ErrorCode::value_error, "the manifest names level " + std::to_string(level) + ", which is not given",
                ErrorCause::damaged);
  }
  const auto index = static_cast<std::size_t>(level);
  auto& open = open_levels_[index];
  if (open) return *open;
  if (!has_file(levels_[index])) {
    throw Error(ErrorCode::value_error, "it is in level " + std::to_string(level) + ", whose file is missing or empty",
                ErrorCause::damaged);
  }
  open = std::make_unique<OpenLevel>();
  open->file = levels_[index].file.get();
  if (const auto* manifest = levels_[index].manifest.get()) {
    ManifestReader reader(std::make_unique<BorrowedFile>(*manifest));
    open->blocks = reader.closing().blocks;
    open->format = reader.header().type;
  }
  if (!is_format(open->format)) open->format = format_of(*open->file);
  // Compressed in one piece: all that lies before a member has to be decoded.
  if (open->blocks.empty() && open->format != "tar") open->blocks.push_back({});
  return *open;
}

void ChainReader::start_reader(OpenLevel& open, ArchiveBlock block, std::uint64_t offset) {
  open.reader.reset();
  open.begin = block.stream_offset;
  open.is_ahead = false;
  if (ahead_ && &open == open_levels_.front().get()) {
    const auto first = std::find(open.blocks.begin(), open.blocks.end(), block);
    auto decoder = ParallelDecoder::make(*open.file, open.format, {first, open.blocks.end()}, decoder_memory_,
                                         std::thread::hardware_concurrency());
    open.is_ahead = decoder != nullptr;
    if (decoder)
      open.reader = std::make_unique<MemberReader>(*open.file, std::move(decoder), block.stream_offset, offset);
  }
  if (!open.reader)
    open.reader = std::make_unique<MemberReader>(*open.file, open.format, decoder_memory_, block, offset);
}

MemberReader& ChainReader::seek(int level, std::uint64_t offset, ArchiveMember& member) {
  auto& open = this->open(level);
  const auto block = open.block_of(offset);
  const bool read_on =
      open.reader && offset > open.position && block.stream_offset <= open.reader->decoded_end() + kReadOnBytes;
  const auto broken = open.broken.find(block.stream_offset);
  if (broken != open.broken.end() && offset >= broken->second) {
    throw Error(ErrorCode::value_error,
                quote(open.file->description()) + ": the part in which it lies can't be decoded", ErrorCause::damaged);
  }
  if (!read_on) {
    try {
      start_reader(open, block, offset);
    } catch (const Error& error) {
      const bool is_unreachable = error.cause() == ErrorCause::damaged && !open.is_ahead && !open.blocks.empty();
      if (is_unreachable) open.broken.try_emplace(block.stream_offset, offset);
      throw;
    }
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

bool ChainReader::forget(int level, std::uint64_t offset) {
  if (level < 0 || static_cast<std::size_t>(level) >= open_levels_.size()) return false;
  const auto& open = open_levels_[static_cast<std::size_t>(level)];
  if (!open) return false;
  // Of a block that can't be decoded to its end, a decoder that works ahead has nothing to give.
  bool again = std::exchange(open->is_ahead, false);
  if (again) ahead_ = false;
  if (open->reader && !again) {
    const auto broken = open->broken_block().stream_offset;
    if (!open->blocks.empty()) open->broken[broken] = open->reader->decoded_end();
    const auto block = open->block_of(offset).stream_offset;
    again = !open->blocks.empty() && block > broken && block > open->begin;
  }
  open->reader.reset();
  return again;
}

}  // namespace autoarchive::tar_internal
