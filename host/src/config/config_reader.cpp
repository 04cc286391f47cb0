// From YAML trees to a Config: which keys may stand where, templates, defaults, and every fault with its place.
#include <algorithm>
#include <map>
#include <set>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/base/text.hpp"
#include "config/archive_keys.hpp"
#include "config/config_search.hpp"
#include "config/plugin_keys.hpp"
#include "config/rule_lists.hpp"
#include "config/yaml_tree.hpp"

namespace autoarchive::host {
namespace {

constexpr std::size_t kMaxFaults = 100;
constexpr std::size_t kMaxTemplates = 16;
// Archives get copies of the lists in defaults and templates: a megabyte of text could ask for any amount of memory.
constexpr std::size_t kMaxListItems = 1'000'000;
constexpr std::size_t kMaxValueBytes = 64U << 20U;
constexpr std::size_t kOriginBytes = 256;  // of a value: where it comes from, about

/// Of all texts in a value.
std::size_t text_bytes(const YamlNode& node) {
  auto bytes = node.text.size();
  for (const auto& item : node.items) bytes += text_bytes(item);
  for (const auto& [key, value] : node.members) bytes += key.text.size() + kOriginBytes + text_bytes(value);
  return bytes;
}

/// Reads all files into one Config and collects the faults on the way.
class ConfigReader {
 public:
  explicit ConfigReader(const ConfigSources& sources) : sources_(sources) {}

  Config read() {
    config_.files = find_config_files(sources_);
    if (const auto origin = origin_of_files(sources_); !origin.file.empty()) config_.origins["files"] = origin;
    config_.state_dir = default_state_dir(sources_);
    if (const auto variable = state_dir_variable(sources_); !variable.empty())
      config_.origins["state_dir"] = {"environment " + variable, 0, 0};
    for (std::size_t i = 0; i < config_.files.size(); ++i) {
      attempt([&] { read_file(config_.files[i], /*is_main=*/i == 0); });
    }
    for (const auto& node : defaults_) attempt([&, &keys = node] { read_archive_keys(keys, config_.defaults); });
    for (const auto& [name, definition] : archives_)
      attempt([&, &archive = name, &node = definition] { read_archive(archive, node); });
    if (faults_.empty()) return std::move(config_);
    std::string all;
    for (const auto& fault : faults_) all += (all.empty() ? "" : "\n") + fault;
    if (further_faults_ > 0) all += "\nand " + std::to_string(further_faults_) + " more";
    throw Error(ErrorCode::value_error, all, ErrorCause::configuration);
  }

 private:
  // One fault does not hide the next.
  template <class Call>
  void attempt(const Call& call) {
    try {
      call();
    } catch (const Error& error) {
      add_fault(error);
    }
  }

  // What nobody reads is only counted.
  void add_fault(const Error& error) {
    if (is_full()) {
      ++further_faults_;
    } else {
      faults_.push_back(error.message());
    }
  }
  [[nodiscard]] bool is_full() const { return faults_.size() == kMaxFaults; }

  void fault(const Origin& origin, const std::string& text) { add_fault(config_error(origin, text)); }

  void unknown_key(const YamlNode& key, const std::vector<std::string>& known) {
    fault(key.origin, is_full() ? std::string() : unknown_key_text(key.text, known));
  }

  [[nodiscard]] bool is_mapping(const YamlNode& node, const std::string& what) {
    if (node.kind == YamlKind::mapping) return true;
    if (node.kind != YamlKind::null) fault(node.origin, what + " has to be a mapping of keys");
    return false;
  }

  void read_file(const std::filesystem::path& file, bool is_main) {
    const auto root = read_yaml(file, sources_.as_root);
    const Origin top{file.native(), 1, 1};
    if (root.kind != YamlKind::mapping)
      throw config_error(top, "a configuration is a mapping that begins with version: 1");
    bool has_version = false;
    const std::vector<std::string> known =
        is_main ? std::vector<std::string>{"version", "plugins", "state_dir", "jobs",      "nice",
                                           "ionice",  "hooks",   "defaults",  "templates", "archives"}
                : std::vector<std::string>{"version", "templates", "archives"};
    for (const auto& [key, value] : root.members) {
      if (std::find(known.begin(), known.end(), key.text) == known.end()) {
        unknown_key(key, known);
      } else if (key.text == "version") {
        has_version = true;
        if (as_integer(value) != 1) fault(value.origin, "version has to be 1, and is " + quote(value.text));
      } else {
        attempt([&, &name = key, &node = value] { read_section(name.text, node); });
      }
    }
    if (!has_version) fault(top, "version: 1 is missing");
  }

  void read_section(const std::string& name, const YamlNode& value) {
    if (name == "state_dir") {
      auto path = as_path(value);
      if (is_state_dir_given(sources_)) return;
      config_.state_dir = std::move(path);
    } else if (name == "jobs") {
      config_.jobs = number(value, name, 1, 64);
    } else if (name == "nice") {
      config_.nice = number(value, name, 0, 19);
    } else if (name == "ionice") {
      if (value.text != "idle" && value.text != "best-effort")
        throw config_error(value.origin, "ionice has to be idle or best-effort, and is " + quote(value.text));
      config_.ionice = value.text;
    } else if (name == "hooks") {
      config_.hooks = read_hooks(value, /*of_the_run=*/true);
    } else if (name == "plugins") {
      read_plugins(value, config_.plugins, [&](const Error& error) { add_fault(error); });
    } else if (name == "defaults") {
      if (!is_mapping(value, "defaults")) return;
      defaults_bytes_ += text_bytes(value);
      defaults_.push_back(value);
    } else {
      read_definitions(name, value);
    }
    config_.origins[name] = value.origin;
  }

  static int number(const YamlNode& value, const std::string& name, int min, int max) {
    const auto found = as_integer(value);
    if (found && *found >= min && *found <= max) return static_cast<int>(*found);
    throw config_error(value.origin, name + " has to be an integer from " + std::to_string(min) + " to " +
                                         std::to_string(max) + ", and is " + quote(value.text));
  }

  void read_definitions(const std::string& section, const YamlNode& value) {
    if (!is_mapping(value, section)) return;
    auto& definitions = section == "templates" ? templates_ : archives_;
    for (const auto& [key, definition] : value.members) {
      const auto [place, is_new] = definitions.emplace(key.text, definition);
      if (!is_new) fault(key.origin, quote(key.text) + " is defined already, in " + place->second.origin.text());
      if (section == "archives" && is_new) config_.order.push_back(key.text);
      if (section == "archives") attempt([&name = key] { check_name(name); });
    }
  }

  static void check_name(const YamlNode& key) {
    try {
      check_archive_name(key.text);
    } catch (const Error& error) {
      throw config_error(key.origin, error.message());
    }
  }

  void read_archive(const std::string& name, const YamlNode& node) {
    if (node.kind == YamlKind::null)
      throw config_error(node.origin,
                         "archive " + quote(name) + " has no keys; it needs at least root and destination");
    if (!is_mapping(node, "archive " + quote(name))) return;
    const auto& defaults = config_.defaults;
    count(node,
          defaults.filter.exclude.size() + defaults.include.size() + defaults.hooks.size() + defaults.problems.size(),
          defaults_bytes_);
    ArchiveConfig archive = defaults;
    archive.name = name;
    archive.defined_in = node.origin.file;
    std::set<std::string> seen;
    apply_template(node, archive, seen);
    read_archive_keys(node, archive);
    for (const char* required : {"root", "destination"}) {
      if (!archive.origins.contains(required)) fault(node.origin, "archive " + quote(name) + " has no " + required);
    }
    config_.archives[name] = std::move(archive);
  }

  void count(const YamlNode& node, std::size_t items, std::size_t bytes) {
    list_items_ += items;
    if (list_items_ > kMaxListItems)
      throw config_error(node.origin, "the lists of all archives together have more than 1000000 items");
    value_bytes_ += bytes;
    if (value_bytes_ > kMaxValueBytes) {
      throw config_error(node.origin,
                         "the values of all archives together, with those from defaults and templates, have more than "
                         "64 MiB");
    }
  }

  [[nodiscard]] std::string no_template(const std::string& name) const {
    std::vector<std::string> names;
    for (const auto& [known, definition] : templates_) names.push_back(known);
    const auto suggestion = nearest(name, names);
    return "there is no template " + quote(name) + (suggestion.empty() ? "" : "; did you mean " + suggestion + "?");
  }

  // Bases first, so that what extends them wins.
  void apply_template(const YamlNode& node, ArchiveConfig& archive, std::set<std::string>& seen) {
    for (const auto& [key, value] : node.members) {
      if (key.text != "extends") continue;
      const auto found = templates_.find(value.text);
      if (found == templates_.end()) return fault(value.origin, is_full() ? std::string() : no_template(value.text));
      if (!seen.insert(value.text).second)
        return fault(value.origin, "template " + quote(value.text) + " extends itself");
      if (seen.size() > kMaxTemplates)
        return fault(value.origin, "more than " + std::to_string(kMaxTemplates) + " templates extend each other");
      if (!is_mapping(found->second, "template " + quote(value.text))) return;
      apply_template(found->second, archive, seen);
      read_archive_keys(found->second, archive);
    }
  }

  void read_archive_keys(const YamlNode& node, ArchiveConfig& archive, const std::string& prefix = {}) {
    for (const auto& [key, value] : node.members) {
      const auto name = prefix + key.text;
      count(value, value.items.size(), prefix.empty() ? text_bytes(value) : 0);
      if (const auto* known = find_archive_key(name)) {
        attempt([&, &setting = value] { apply_archive_key(*known, setting, archive); });
      } else if (is_group(name)) {
        if (is_mapping(value, name)) read_archive_keys(value, archive, name + ".");
      } else {
        unknown_key(key, names_below(prefix));
      }
    }
  }

  static bool is_group(const std::string& name) {
    const auto keys = archive_keys();
    return prefix_is_new(name) &&
           std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return key.name.starts_with(name + "."); });
  }
  static bool prefix_is_new(const std::string& name) { return name.find('.') == std::string::npos; }

  static std::vector<std::string> names_below(const std::string& prefix) {
    std::set<std::string> names;
    for (const auto& key : archive_keys()) {
      if (!key.name.starts_with(prefix)) continue;
      const auto rest = key.name.substr(prefix.size());
      names.emplace(rest.substr(0, rest.find('.')));
    }
    return {names.begin(), names.end()};
  }

  const ConfigSources& sources_;
  Config config_;
  std::vector<YamlNode> defaults_;
  std::map<std::string, YamlNode> templates_;
  std::map<std::string, YamlNode> archives_;
  std::vector<std::string> faults_;
  std::size_t further_faults_ = 0;
  std::size_t defaults_bytes_ = 0;
  std::size_t list_items_ = 0;   // of all lists, in each archive that has them
  std::size_t value_bytes_ = 0;  // of all texts likewise
};

}  // namespace

std::string Origin::text() const {
  return line == 0 ? escaped(file) : escaped(file) + ":" + std::to_string(line) + ":" + std::to_string(column);
}

Config read_config(const ConfigSources& sources) {
  return ConfigReader(sources).read();
}

}  // namespace autoarchive::host
