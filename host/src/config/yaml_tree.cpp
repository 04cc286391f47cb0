#include "config/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>
#include <utility>

#include "autoarchive/base/text.hpp"

namespace autoarchive::host {
namespace {

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
    // An escape can make what check_config_text() has refused; behind a NUL, system calls see no more of a path.
    if (value.find('\0') != std::string::npos) throw refuse(mark, "a NUL is not allowed");
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
    std::map<std::string, int, std::less<>> lines;  // of the keys
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
    open_.push_back({std::move(made), {}, false, {}});
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
      check_key(parent, made);
      parent.key = std::move(made);
      parent.has_key = true;
    }
  }

  static void check_key(Open& mapping, const YamlNode& key) {
    if (key.kind != YamlKind::scalar) throw config_error(key.origin, "a key has to be a word");
    const auto [first, is_new] = mapping.lines.try_emplace(key.text, key.origin.line);
    if (is_new) return;
    throw config_error(key.origin,
                       "key " + quote(key.text) + " is there twice, first in line " + std::to_string(first->second));
  }

  std::string file_;
  int documents_ = 0;
  std::vector<Open> open_;
  YamlNode root_;
};

}  // namespace

YamlNode parse_yaml(std::string_view text, const std::string& file) {
  check_config_text(text, file);
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
  return parse_yaml(read_config_text(file, as_root), file.native());
}

}  // namespace autoarchive::host
