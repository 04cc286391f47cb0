#include "autoarchive/manifest/manifest_reader.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include "autoarchive/base/digest.hpp"
#include "entry_line.hpp"
#include "frame_reader.hpp"
#include "header_line.hpp"

namespace autoarchive {

struct ManifestReader::State {
  explicit State(std::shared_ptr<const ReadableFile> given) : file(given), frames(std::move(given)) {}

  std::shared_ptr<const ReadableFile> file;
  FrameReader frames;
  ManifestHeader header;
  std::optional<ClosingLine> closing;
  LineContext context;
  ContentDigest digest;
  std::uint64_t entries = 0;
  std::string last_path;
  std::string wanted;                // skip entries before this one, after a seek
  std::optional<ManifestPart> part;  // that is read; none: all up to the end
  bool whole = true;                 // read from the beginning: totals and digest can be checked
  bool at_end = false;

  static std::string_view require_line(FrameReader& reader) {
    std::string_view line;
    if (!reader.next_line(line)) throw reader.damaged("its last line is missing");
    return line;
  }

  // What a parser throws gets the file's name.
  template <class Call>
  auto named(const Call& call) const {
    try {
      return call();
    } catch (const Error& error) {
      if (error.cause() == ErrorCause::damaged) throw frames.damaged(error.message());
      throw Error(error.code(), "manifest " + frames.description() + ": " + error.message(), error.cause());
    }
  }

  void begin_anew() {
    context = LineContext();
    entries = 0;
    whole = false;
    at_end = false;
    wanted.clear();
    part.reset();
  }

  void note(std::string_view line) {
    if (!whole) return;
    digest.update(std::as_bytes(std::span(line)));
    digest.update(std::as_bytes(std::span("\n", 1)));
  }

  void check_end_of_part() {
    if (!part) throw frames.damaged("its last line is missing");
    if (entries == 0 || (!part->next_path.empty() && compare_paths(last_path, part->next_path) >= 0))
      throw frames.damaged("a part does not end before the path with which the next one begins");
    at_end = true;
  }

  void check_end(std::string_view line) {
    const auto read = named([&] { return parse_closing_line(line); });
    std::string_view more;
    if (frames.next_line(more)) throw frames.damaged("something follows its last line");
    at_end = true;
    if (whole) frames.check_whole();
    if (whole && (read.closing.entries != entries || read.text_digest != digest.value())) {
      throw frames.damaged("its entries are not those that were written");
    }
    closing = read;
  }

  // By a reader of its own, so that the place among the entries is kept.
  const ClosingLine& load_closing() {
    if (!closing) {
      FrameReader reader(file);
      reader.seek(reader.last_frame());
      closing = named([&] { return parse_closing_line(require_line(reader)); });
    }
    return *closing;
  }
};

ManifestReader::ManifestReader(std::unique_ptr<ReadableFile> file) : state_(std::make_unique<State>(std::move(file))) {
  const auto line = State::require_line(state_->frames);
  state_->header = state_->named([&] { return parse_header_line(line); });
  state_->note(line);
}

ManifestReader::~ManifestReader() = default;

void ManifestReader::check(const ReadableFile& file) {
  check_frames(file);
}

const ManifestHeader& ManifestReader::header() const noexcept {
  return state_->header;
}

bool ManifestReader::next(ManifestEntry& entry) {
  auto& state = *state_;
  while (!state.at_end) {
    std::string_view line;
    if (!state.frames.next_line(line)) {
      state.check_end_of_part();
      return false;
    }
    if (is_closing_line(line)) {
      if (state.part) throw state.frames.damaged("its last line stands in one of its parts");
      state.check_end(line);
      return false;
    }
    state.note(line);
    state.named([&] { parse_entry_line(line, state.header.level, state.context, entry); });
    if (state.entries == 0 && state.part && entry.entry.path != state.part->first_path)
      throw state.frames.damaged("a part does not begin with the path that its last line tells");
    if (state.entries > 0 && compare_paths(state.last_path, entry.entry.path) >= 0) {
      throw state.frames.damaged("its entries are not in order");
    }
    ++state.entries;
    state.last_path = entry.entry.path;
    if (state.wanted.empty() || compare_paths(entry.entry.path, state.wanted) >= 0) {
      state.wanted.clear();
      return true;
    }
  }
  return false;
}

const ManifestClosing& ManifestReader::closing() {
  return state_->load_closing().closing;
}

void ManifestReader::seek(std::string_view path) {
  auto& state = *state_;
  const auto& frames = state.load_closing().frames;
  const auto after = std::upper_bound(
      frames.begin(), frames.end(), path,
      [](std::string_view wanted, const FrameStart& frame) { return compare_paths(wanted, frame.path) < 0; });
  state.begin_anew();
  state.at_end = frames.empty();
  state.wanted = path;
  if (!frames.empty()) state.frames.seek(after == frames.begin() ? frames.front().offset : std::prev(after)->offset);
}

std::vector<ManifestPart> ManifestReader::parts() {
  const auto& frames = state_->load_closing().frames;
  std::vector<ManifestPart> parts;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const bool is_last = i + 1 == frames.size();
    ManifestPart part{frames[i].offset, is_last ? state_->frames.last_frame() : frames[i + 1].offset, frames[i].path,
                      is_last ? "" : frames[i + 1].path};
    const bool is_in_order = part.begin < part.end && !part.first_path.empty() &&
                             (is_last || compare_paths(part.first_path, part.next_path) < 0);
    if (!is_in_order) throw state_->frames.damaged("the parts that its last line tells are not in order");
    parts.push_back(std::move(part));
  }
  return parts;
}

void ManifestReader::read_part(const ManifestPart& part) {
  state_->begin_anew();
  state_->part = part;
  state_->frames.seek(part.begin, part.end);
}

}  // namespace autoarchive
