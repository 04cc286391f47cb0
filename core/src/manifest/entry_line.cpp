#include "entry_line.hpp"

#include <array>
#include <limits>
#include <tuple>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "header_line.hpp"
#include "json_line.hpp"

namespace autoarchive {
namespace {

constexpr std::string_view kKindLetters = "fdlpcbsu";  // in the order of EntryKind
constexpr std::string_view kStateLetters = "ocfvr";    // in the order of EntryState
constexpr std::string_view kFirstOfFrame = "{\"f\":1,";

[[noreturn]] void damaged(const char* what) {
  throw Error(ErrorCode::value_error, std::string("not a manifest's entry: ") + what, ErrorCause::damaged);
}

std::uint32_t to_32(std::uint64_t value) {
  if (value > std::numeric_limits<std::uint32_t>::max()) damaged("a number is too large");
  return static_cast<std::uint32_t>(value);
}

void append_time(JsonLineWriter& line, std::string_view seconds_key, std::string_view nanoseconds_key,
                 const Timestamp& time) {
  line.signed_number(seconds_key, time.seconds);
  if (time.nanoseconds != 0) line.number(nanoseconds_key, time.nanoseconds);
}

void append_xattrs(std::string& out, const std::vector<Xattr>& xattrs) {
  out += '[';
  for (const auto& xattr : xattrs) {
    if (out.back() != '[') out += ',';
    out += '[';
    JsonLineWriter::append_string(out, to_base64(xattr.name));
    out += ',';
    JsonLineWriter::append_string(out, to_base64(xattr.value));
    out += ']';
  }
  out += ']';
}

template <class Enum>
Enum from_letter(JsonLineReader& reader, std::string_view letters) {
  std::string letter;
  reader.text(letter);
  const auto index = letters.find(letter);
  if (letter.size() != 1 || index == std::string_view::npos) damaged("a letter is unknown");
  return static_cast<Enum>(index);
}

std::vector<Xattr> parse_xattrs(JsonLineReader& reader) {
  std::vector<Xattr> xattrs;
  reader.begin_array();
  while (reader.next_element()) {
    Xattr xattr;
    std::array<std::string*, 2> parts{&xattr.name, &xattr.value};
    reader.begin_array();
    for (auto* part : parts) {
      if (!reader.next_element()) damaged("an attribute is incomplete");
      reader.base64(*part);
    }
    if (reader.next_element()) damaged("an attribute has too many parts");
    xattrs.push_back(std::move(xattr));
  }
  return xattrs;
}

std::pair<std::uint32_t, std::uint32_t> parse_device(JsonLineReader& reader) {
  std::array<std::uint32_t, 2> numbers{};
  reader.begin_array();
  for (auto& number : numbers) {
    if (!reader.next_element()) damaged("a device number is incomplete");
    number = to_32(reader.number());
  }
  if (reader.next_element()) damaged("a device number has too many parts");
  return {numbers[0], numbers[1]};
}

int parse_level(JsonLineReader& reader) {
  const auto level = reader.signed_number();
  if (level < -1 || level > kMaxLevel) damaged("it lies in a level that can't be");
  return static_cast<int>(level);
}

/// Reads the members of one line into an entry. Keys that it does not know are skipped.
class EntryParser {
 public:
  EntryParser(LineContext& context, ManifestEntry& target) : context_(context), target_(target), entry_(target.entry) {}

  void parse(std::string_view text) {
    JsonLineReader reader(text);
    reader.begin_object();
    while (reader.next_member()) {
      const auto key = reader.key();
      if (key.size() == 1 ? !parse_short(key.front(), reader) : !parse_long(key, reader)) reader.skip();
    }
    reader.end();
    if (name_.empty()) damaged("it has no name");
    if (depth_ > context_.directories.size()) damaged("its directory is not known");
    context_.directories.resize(static_cast<std::size_t>(depth_));
    context_.depth = depth_;
    const bool in_root = depth_ == 0 || context_.directories.back() == ".";
    if (in_root) {
      entry_.path = name_;
    } else {
      entry_.path = context_.directories.back();
      entry_.path += '/';
      entry_.path += name_;
    }
  }

 private:
  bool parse_short(char key, JsonLineReader& reader) {
    switch (key) {
      case 'p':
        reader.text(name_);
        return true;
      case 'P':
        reader.base64(name_);
        return true;
      case 'd':
        depth_ = reader.number();
        return true;
      case 'k':
        entry_.kind = from_letter<EntryKind>(reader, kKindLetters);
        return true;
      case 'm':
        entry_.mode = to_32(reader.number());
        return true;
      case 'u':
        entry_.uid = to_32(reader.number());
        return true;
      case 'g':
        entry_.gid = to_32(reader.number());
        return true;
      case 's':
        entry_.size = reader.number();
        return true;
      case 't':
        entry_.mtime.seconds = reader.signed_number();
        return true;
      case 'c':
        entry_.ctime.seconds = reader.signed_number();
        return true;
      case 'i':
        entry_.inode = reader.number();
        return true;
      case 'v':
        entry_.device = reader.number();
        return true;
      case 'n':
        entry_.link_count = reader.number();
        return true;
      default:
        return parse_rest(key, reader);
    }
  }

  bool parse_rest(char key, JsonLineReader& reader) {
    switch (key) {
      case 'r':
        std::tie(entry_.rdev_major, entry_.rdev_minor) = parse_device(reader);
        return true;
      case 'l':
        reader.text(entry_.link_target);
        return true;
      case 'L':
        reader.base64(entry_.link_target);
        return true;
      case 'x':
        entry_.xattrs = parse_xattrs(reader);
        return true;
      case 'e':
        target_.state = from_letter<EntryState>(reader, kStateLetters);
        return true;
      case 'b':
        target_.stored_level = parse_level(reader);
        return true;
      case 'o':
        target_.offset = reader.number();
        return true;
      case 'h':
        target_.digest = reader.hex();
        return true;
      default:
        return false;
    }
  }

  bool parse_long(std::string_view key, JsonLineReader& reader) {
    if (key == "tn" || key == "cn") {
      auto& time = key == "tn" ? entry_.mtime : entry_.ctime;
      time.nanoseconds = to_32(reader.number());
      if (time.nanoseconds >= 1'000'000'000) damaged("a time has too many nanoseconds");
      return true;
    }
    if (key == "un" || key == "gn") {
      reader.text(key == "un" ? entry_.user : entry_.group);
      return true;
    }
    if (key == "uN" || key == "gN") {
      reader.base64(key == "uN" ? entry_.user : entry_.group);
      return true;
    }
    return false;
  }

  LineContext& context_;
  ManifestEntry& target_;
  Entry& entry_;
  std::string name_;
  std::uint64_t depth_ = context_.depth;
};

}  // namespace

std::size_t LineContext::find_parent(std::string_view path) {
  while (!directories.empty()) {
    const auto& directory = directories.back();
    const bool is_parent = directory == "." ? path != "."
                                            : path.size() > directory.size() && path.starts_with(directory) &&
                                                  path[directory.size()] == '/';
    if (is_parent) break;
    directories.pop_back();
  }
  return directories.size();
}

void LineContext::remember(const Entry& entry) {
  uid = entry.uid;
  gid = entry.gid;
  device = entry.device;
  user = entry.user;
  group = entry.group;
  if (entry.kind == EntryKind::directory) directories.push_back(entry.path);
}

void append_entry_line(std::string& out, const ManifestEntry& manifest_entry, int level, LineContext& context) {
  const auto& entry = manifest_entry.entry;
  JsonLineWriter line(out);
  if (std::exchange(context.first_of_frame, false)) line.number("f", 1);
  const auto depth = context.find_parent(entry.path);
  const bool whole_path = depth == 0 || context.directories.back() == ".";
  const auto name = whole_path ? std::string_view(entry.path)
                               : std::string_view(entry.path).substr(context.directories.back().size() + 1);
  line.text("p", "P", name);
  if (depth != context.depth) line.number("d", depth);
  context.depth = depth;
  if (entry.kind != EntryKind::file) line.text("k", kKindLetters.substr(static_cast<std::size_t>(entry.kind), 1));
  line.number("m", entry.mode);
  if (entry.uid != context.uid) line.number("u", entry.uid);
  if (entry.gid != context.gid) line.number("g", entry.gid);
  if (entry.user != context.user) line.text("un", "uN", entry.user);
  if (entry.group != context.group) line.text("gn", "gN", entry.group);
  if (entry.size != 0) line.number("s", entry.size);
  append_time(line, "t", "tn", entry.mtime);
  append_time(line, "c", "cn", entry.ctime);
  line.number("i", entry.inode);
  if (entry.device != context.device) line.number("v", entry.device);
  if (entry.link_count != 1) line.number("n", entry.link_count);
  if (entry.rdev_major != 0 || entry.rdev_minor != 0) {
    line.raw("r") += "[" + std::to_string(entry.rdev_major) + "," + std::to_string(entry.rdev_minor) + "]";
  }
  if (!entry.link_target.empty()) line.text("l", "L", entry.link_target);
  if (!entry.xattrs.empty()) append_xattrs(line.raw("x"), entry.xattrs);
  if (manifest_entry.state != EntryState::ok) {
    line.text("e", kStateLetters.substr(static_cast<std::size_t>(manifest_entry.state), 1));
  }
  if (manifest_entry.stored_level != level) line.signed_number("b", manifest_entry.stored_level);
  if (manifest_entry.offset) line.number("o", *manifest_entry.offset);
  if (manifest_entry.digest) line.hex("h", *manifest_entry.digest);
  line.finish();
  context.remember(entry);
}

void parse_entry_line(std::string_view line, int level, LineContext& context, ManifestEntry& entry) {
  if (line.starts_with(kFirstOfFrame)) context = LineContext();
  auto path = std::move(entry.entry.path);  // for its memory
  entry = ManifestEntry{};
  entry.entry.path = std::move(path);
  entry.entry.kind = EntryKind::file;
  entry.entry.uid = context.uid;
  entry.entry.gid = context.gid;
  entry.entry.device = context.device;
  entry.entry.user = context.user;
  entry.entry.group = context.group;
  entry.stored_level = level;
  EntryParser(context, entry).parse(line);
  context.remember(entry.entry);
}

}  // namespace autoarchive
