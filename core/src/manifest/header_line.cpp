#include "header_line.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "json_line.hpp"

namespace autoarchive {
namespace {

constexpr std::string_view kFormat = "autoarchive-manifest";
constexpr std::string_view kClosingStart = "{\"end\":true,";

SystemTime parse_point(JsonLineReader& reader) {
  std::string text;
  reader.text(text);
  const auto time = parse_time(text);
  if (!time) throw Error(ErrorCode::value_error, "a manifest's time is wrong: " + quote(text), ErrorCause::damaged);
  return *time;
}

int parse_level(JsonLineReader& reader) {
  const auto level = reader.signed_number();
  if (level < 0 || level > kMaxLevel) {
    throw Error(ErrorCode::value_error,
                "its level is " + std::to_string(level) + "; allowed is 0 to " + std::to_string(kMaxLevel),
                ErrorCause::damaged);
  }
  return static_cast<int>(level);
}

/// The header's texts by key: one table for writing and reading.
using Text = std::string ManifestHeader::*;
constexpr std::pair<std::string_view, Text> kTexts[] = {
    {"backup", &ManifestHeader::backup_uuid}, {"archive", &ManifestHeader::archive},
    {"type", &ManifestHeader::type},          {"chain", &ManifestHeader::chain_uuid},
    {"parent", &ManifestHeader::parent_uuid}, {"parent_sha256", &ManifestHeader::parent_sha256},
    {"provider", &ManifestHeader::provider},  {"definition", &ManifestHeader::definition_digest}};

bool parse_text(std::string_view key, JsonLineReader& reader, ManifestHeader& header) {
  for (const auto& [name, member] : kTexts) {
    if (name != key) continue;
    reader.text(header.*member);
    return true;
  }
  return false;
}

std::vector<ArchiveBlock> parse_blocks(JsonLineReader& reader) {
  std::vector<ArchiveBlock> blocks;
  reader.begin_array();
  while (reader.next_element()) {
    ArchiveBlock block;
    reader.begin_array();
    if (reader.next_element()) block.offset = reader.number();
    if (reader.next_element()) block.stream_offset = reader.number();
    while (reader.next_element()) reader.skip();
    blocks.push_back(block);
  }
  return blocks;
}

std::vector<FrameStart> parse_frames(JsonLineReader& reader) {
  std::vector<FrameStart> frames;
  reader.begin_array();
  while (reader.next_element()) {
    FrameStart frame;
    reader.begin_array();
    if (reader.next_element()) frame.offset = reader.number();
    if (reader.next_element()) reader.base64(frame.path);
    while (reader.next_element()) reader.skip();
    frames.push_back(std::move(frame));
  }
  return frames;
}

}  // namespace

std::string definition_digest(std::string_view root, std::string_view type, std::string_view provider) {
  const auto text = std::string(root) + '\0' + std::string(type) + '\0' + std::string(provider);
  return sha256_of(std::as_bytes(std::span(text)));
}

void add_removed(ManifestClosing& closing, std::string_view path) {
  if (closing.more_removed) return;
  if (!closing.removed.empty()) {
    const std::string_view last = closing.removed.back();
    if (path.size() > last.size() && path.starts_with(last) && path[last.size()] == '/') return;
  }
  closing.more_removed = closing.removed.size() == kMaxRemoved;
  if (!closing.more_removed) closing.removed.emplace_back(path);
}

std::string header_line(const ManifestHeader& header) {
  std::string out;
  JsonLineWriter line(out);
  line.text("format", kFormat);
  line.signed_number("version", header.version);
  for (const auto& [name, member] : kTexts) {
    if (!(header.*member).empty()) line.text(name, header.*member);
  }
  line.signed_number("level", header.level);
  line.text("root", "root_b64", header.root);
  line.text("started", format_rfc3339(header.started));
  line.finish();
  return out;
}

ManifestHeader parse_header_line(std::string_view text) {
  ManifestHeader header;
  header.version = 0;
  std::string format;
  JsonLineReader reader(text);
  reader.begin_object();
  while (reader.next_member()) {
    const auto key = std::string(reader.key());
    if (key == "format") {
      reader.text(format);
    } else if (key == "version") {
      const auto version = reader.signed_number();
      if (version > kManifestVersion) {
        throw Error(ErrorCode::value_error,
                    "it has version " + std::to_string(version) + " and this program reads up to " +
                        std::to_string(kManifestVersion) + "; use a newer aa",
                    ErrorCause::unsupported);
      }
      header.version = static_cast<int>(std::max<std::int64_t>(version, 0));
    } else if (key == "level") {
      header.level = parse_level(reader);
    } else if (key == "root") {
      reader.text(header.root);
    } else if (key == "root_b64") {
      reader.base64(header.root);
    } else if (key == "started") {
      header.started = parse_point(reader);
    } else if (!parse_text(key, reader, header)) {
      reader.skip();
    }
  }
  reader.end();
  const auto is_id_or_none = [](const std::string& id) { return id.empty() || is_id(id); };
  const bool has_ids =
      is_id(header.backup_uuid) && is_id_or_none(header.chain_uuid) && is_id_or_none(header.parent_uuid);
  if (format != kFormat || header.version < 1 || !has_ids) {
    throw Error(ErrorCode::value_error, "its first line is not that of a manifest", ErrorCause::damaged);
  }
  return header;
}

bool is_closing_line(std::string_view line) noexcept {
  return line.starts_with(kClosingStart);
}

std::string closing_line(const ClosingLine& whole) {
  const auto& closing = whole.closing;
  std::string out;
  JsonLineWriter line(out);
  line.raw("end") += "true";
  line.number("entries", closing.entries);
  line.number("files", closing.files);
  line.number("content_bytes", closing.content_bytes);
  line.number("problems", closing.problems);
  line.number("archive_bytes", closing.archive_bytes);
  line.text("archive_sha256", closing.archive_sha256);
  line.text("finished", format_rfc3339(closing.finished));
  line.hex("text_xxh3", whole.text_digest);
  std::string& blocks = line.raw("blocks");
  blocks += '[';
  for (const auto& block : closing.blocks) {
    if (blocks.back() != '[') blocks += ',';
    blocks += "[" + std::to_string(block.offset) + "," + std::to_string(block.stream_offset) + "]";
  }
  blocks += ']';
  std::string& removed = line.raw("removed");
  removed += '[';
  for (const auto& path : closing.removed) removed += (removed.back() == '[' ? "\"" : ",\"") + to_base64(path) + "\"";
  removed += ']';
  if (closing.more_removed) line.raw("more_removed") += "true";
  std::string& frames = line.raw("frames");
  frames += '[';
  for (const auto& frame : whole.frames) {
    if (frames.back() != '[') frames += ',';
    frames += "[" + std::to_string(frame.offset) + ",\"" + to_base64(frame.path) + "\"]";
  }
  frames += ']';
  line.finish();
  return out;
}

ClosingLine parse_closing_line(std::string_view text) {
  if (!is_closing_line(text)) throw Error(ErrorCode::value_error, "its last line is missing", ErrorCause::damaged);
  ClosingLine whole;
  auto& closing = whole.closing;
  const std::map<std::string_view, std::uint64_t*> numbers{{"entries", &closing.entries},
                                                           {"files", &closing.files},
                                                           {"content_bytes", &closing.content_bytes},
                                                           {"problems", &closing.problems},
                                                           {"archive_bytes", &closing.archive_bytes}};
  bool tells_removed = false;  // of an older program it does not
  JsonLineReader reader(text);
  reader.begin_object();
  while (reader.next_member()) {
    const auto key = std::string(reader.key());
    if (const auto number = numbers.find(key); number != numbers.end()) {
      *number->second = reader.number();
    } else if (key == "archive_sha256") {
      reader.text(closing.archive_sha256);
    } else if (key == "finished") {
      closing.finished = parse_point(reader);
    } else if (key == "text_xxh3") {
      whole.text_digest = reader.hex();
    } else if (key == "blocks") {
      closing.blocks = parse_blocks(reader);
    } else if (key == "removed") {
      tells_removed = true;
      reader.begin_array();
      while (reader.next_element()) reader.base64(closing.removed.emplace_back());
    } else if (key == "more_removed") {
      closing.more_removed = true;
      reader.skip();
    } else if (key == "frames") {
      whole.frames = parse_frames(reader);
    } else {
      reader.skip();
    }
  }
  reader.end();
  closing.more_removed = closing.more_removed || !tells_removed;
  return whole;
}

}  // namespace autoarchive
