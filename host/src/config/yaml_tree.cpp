#include "config/yaml_tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <sstream>
#include <utility>

#include "autoarchive/base/text.hpp"
#include "autoarchive/base/unique_fd.hpp"

namespace autoarchive::host {
namespace {

constexpr std::size_t kMaxBytes = 1U << 20U;
constexpr std::size_t kMaxDepth = 64;

/// Builds the tree from the parser's events.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string file) : file_(std::move(file)) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw refuse(mark, "a second document begins here; a configuration is one document");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(node(YamlKind::null, mark, anchor, ""), mark);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    throw refuse(mark, "aliases are not allowed; use templates and extends");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto scalar = node(YamlKind::scalar, mark, anchor, tag);
    scalar.text = value;
    scalar.quoted = tag == "!";
    const bool is_plain_null = !scalar.quoted && (value == "~" || value == "null");
    if (is_plain_null) scalar.kind = YamlKind::null;
    add(std::move(scalar), mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(node(YamlKind::sequence, mark, anchor, tag), mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(node(YamlKind::mapping, mark, anchor, tag), mark);
  }
  void OnMapEnd() override { close(); }

  [[nodiscard]] YamlNode take() { return std::move(root_); }

 private:
  struct Open {
    YamlNode node;
    YamlNode key;
    bool has_key = false;
  };

  [[nodiscard]] Error refuse(const YAML::Mark& mark, const std::string& text) const {
    return config_error({file_, mark.line + 1, mark.column + 1}, text);
  }

  [[nodiscard]] YamlNode node(YamlKind kind, const YAML::Mark& mark, YAML::anchor_t anchor,
                              const std::string& tag) const {
    if (anchor != 0) throw refuse(mark, "anchors are not allowed; use templates and extends");
    if (!tag.empty() && tag != "?" && tag != "!") throw refuse(mark, "tag " + quote(tag) + " is not allowed");
    YamlNode made;
    made.kind = kind;
    made.origin = {file_, mark.line + 1, mark.column + 1};
    return made;
  }

  void open(YamlNode made, const YAML::Mark& mark) {
    if (open_.size() == kMaxDepth) throw refuse(mark, "more than 64 levels");
    open_.push_back({std::move(made), {}, false});
  }

  void close() {
    auto finished = std::move(open_.back().node);
    open_.pop_back();
    const YAML::Mark mark = YAML::Mark::null_mark();
    add(std::move(finished), mark);
  }

  void add(YamlNode made, const YAML::Mark& /*mark*/) {
    if (open_.empty()) {
      root_ = std::move(made);
      return;
    }
    auto& parent = open_.back();
    if (parent.node.kind == YamlKind::sequence) {
      parent.node.items.push_back(std::move(made));
    } else if (parent.has_key) {
      parent.node.members.push_back({std::move(parent.key), std::move(made)});
      parent.has_key = false;
    } else {
      check_key(parent.node, made);
      parent.key = std::move(made);
      parent.has_key = true;
    }
  }

  static void check_key(const YamlNode& mapping, const YamlNode& key) {
    if (key.kind != YamlKind::scalar) throw config_error(key.origin, "a key has to be a word");
    const auto same = std::find_if(mapping.members.begin(), mapping.members.end(),
                                   [&](const auto& member) { return member.key.text == key.text; });
    if (same == mapping.members.end()) return;
    throw config_error(key.origin, "key " + quote(key.text) + " is there twice, first in line " +
                                       std::to_string(same->key.origin.line));
  }

  std::string file_;
  int documents_ = 0;
  std::vector<Open> open_;
  YamlNode root_;
};

// Line and column of a byte.
Origin place_of(std::string_view text, std::size_t at, const std::string& file) {
  const auto before = text.substr(0, at);
  const auto line = std::count(before.begin(), before.end(), '\n');
  return {file, static_cast<int>(line) + 1, static_cast<int>(at - (before.rfind('\n') + 1)) + 1};
}

void check_text(std::string_view text, const std::string& file) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r') || byte == 0x7F) {
      throw config_error(place_of(text, i, file),
                         "a control character (byte " + std::to_string(byte) + ") is not allowed");
    }
  }
  if (is_utf8(text)) return;
  std::size_t line_start = 0;
  for (auto end = text.find('\n'); end != std::string_view::npos && is_utf8(text.substr(line_start, end - line_start));
       end = text.find('\n', line_start)) {
    line_start = end + 1;
  }
  throw config_error(place_of(text, line_start, file), "this line is not UTF-8");
}

void check_owner(const struct stat& status, const std::string& file) {
  const bool group_writes = (status.st_mode & S_IWGRP) != 0 && status.st_gid != 0;
  const bool foreign = status.st_uid != 0 || group_writes || (status.st_mode & S_IWOTH) != 0;
  if (!foreign) return;
  throw Error(ErrorCode::value_error,
              quote(file) +
                  " could have been written by others than root; it could make root run their programs: chown root and "
                  "chmod go-w it",
              ErrorCause::configuration);
}

std::string read_text(int fd, const std::string& file) {
  std::string text(kMaxBytes + 1, '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const auto got = ::read(fd, text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error::from_errno(errno, "configuration " + quote(file), ErrorCause::configuration);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

}  // namespace

Error config_error(const Origin& origin, const std::string& text) {
  return {ErrorCode::value_error, origin.text() + ": " + text, ErrorCause::configuration};
}

YamlNode parse_yaml(std::string_view text, const std::string& file) {
  if (text.size() > kMaxBytes) throw config_error({file, 1, 1}, "the file has more than 1 MiB");
  check_text(text, file);
  std::istringstream in{std::string(text)};
  TreeBuilder builder(file);
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    throw config_error({file, error.mark.line + 1, error.mark.column + 1}, "not YAML: " + escaped(error.msg));
  }
  return builder.take();
}

YamlNode read_yaml(const std::filesystem::path& file, bool as_root) {
  const auto& name = file.native();
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0)
    throw Error::from_errno(errno, "configuration " + quote(name), ErrorCause::configuration);
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::value_error, "configuration " + quote(name) + " is not a regular file",
                ErrorCause::configuration);
  }
  if (as_root) check_owner(status, name);
  return parse_yaml(read_text(fd.get(), name), name);
}

}  // namespace autoarchive::host
