#include "autoarchive/manifest/manifest_writer.hpp"

#include <cassert>
#include <span>

#include "autoarchive/base/digest.hpp"
#include "entry_line.hpp"
#include "frame_writer.hpp"
#include "header_line.hpp"

namespace autoarchive {
namespace {

constexpr std::size_t kFrameTextBytes = 1U << 20U;

}  // namespace

struct ManifestWriter::State {
  State(Sink& sink, int given_level) : frames(sink), level(given_level) {}

  FrameWriter frames;
  int level;
  LineContext context;
  std::string text;  // of the frame that is being filled
  ContentDigest digest;
  std::string last_path;
  ClosingLine closing;

  void end_frame() {
    if (text.empty()) return;
    digest.update(std::as_bytes(std::span(text)));
    frames.write_frame(text);
    text.clear();
    context = LineContext();
  }
};

ManifestWriter::ManifestWriter(Sink& sink, const ManifestHeader& header)
    : state_(std::make_unique<State>(sink, header.level)) {
  state_->text = header_line(header);
  state_->end_frame();
}

ManifestWriter::~ManifestWriter() = default;

void ManifestWriter::add(const ManifestEntry& entry) {
  auto& state = *state_;
  assert(state.closing.closing.entries == 0 || compare_paths(state.last_path, entry.entry.path) < 0);
  state.last_path = entry.entry.path;
  if (state.text.empty()) state.closing.frames.push_back({state.frames.offset(), entry.entry.path});
  append_entry_line(state.text, entry, state.level, state.context);
  auto& totals = state.closing.closing;
  ++totals.entries;
  if (entry.entry.kind == EntryKind::file) ++totals.files;
  totals.content_bytes += entry.entry.size;
  if (is_problem(entry.state)) ++totals.problems;
  if (state.text.size() >= kFrameTextBytes) state.end_frame();
}

ManifestClosing ManifestWriter::finish(ManifestClosing closing) {
  auto& state = *state_;
  state.end_frame();
  const auto& totals = state.closing.closing;
  closing.entries = totals.entries;
  closing.files = totals.files;
  closing.content_bytes = totals.content_bytes;
  closing.problems = totals.problems;
  state.closing.closing = closing;
  state.closing.text_digest = state.digest.value();
  const auto last_frame = state.frames.offset();
  state.frames.write_frame(closing_line(state.closing));
  state.frames.write_footer(last_frame);
  return closing;
}

}  // namespace autoarchive
