// What is generated from the table of keys: schema, example and reference.
#include <fmt/format.h>

#include "config/archive_keys.hpp"
#include "config/plugin_keys.hpp"
#include "config/rule_lists.hpp"
#include "output/json.hpp"

namespace autoarchive::host {
namespace {

Json::Object value_schema(const ArchiveKey& key) {
  Json::Object schema{{"description", key.documentation}};
  switch (key.kind) {
    case ValueKind::boolean:
      schema.emplace_back("type", "boolean");
      break;
    case ValueKind::integer:
      schema.emplace_back("type", "integer");
      schema.emplace_back("minimum", key.min);
      schema.emplace_back("maximum", key.max);
      break;
    case ValueKind::percent:
      schema.emplace_back("type", "string");
      schema.emplace_back("pattern", "^[0-9]+%$");
      break;
    case ValueKind::duration:
      schema.emplace_back("type", Json::Array{"string", "integer"});
      schema.emplace_back("pattern", "^(0|[0-9]+[smhdw])$");
      break;
    case ValueKind::text_list:
      schema.emplace_back("type", "array");
      schema.emplace_back("items", Json::Object{{"type", "string"}});
      break;
    case ValueKind::rule_list:
      schema.emplace_back("type", "array");
      schema.emplace_back("items", rule_schema(key.name));
      break;
    case ValueKind::size:
      schema.emplace_back("type", Json::Array{"string", "integer"});
      break;
    case ValueKind::text:
    case ValueKind::path:
      schema.emplace_back("type", "string");
      schema.emplace_back("minLength", 1);
      break;
  }
  return schema;
}

Json::Object closed_object(Json::Object properties) {
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
}

Json::Object archive_schema() {
  Json::Object properties;
  std::string group;
  Json::Object group_properties;
  const auto end_group = [&] {
    if (!group.empty()) properties.emplace_back(group, closed_object(std::move(group_properties)));
    group.clear();
    group_properties.clear();
  };
  for (const auto& key : archive_keys()) {  // the keys of a group stand together in the table
    const auto dot = key.name.find('.');
    const auto name = std::string(key.name.substr(0, dot));
    if (name != group) end_group();
    if (dot == std::string_view::npos) {
      properties.emplace_back(name, value_schema(key));
    } else {
      group = name;
      group_properties.emplace_back(std::string(key.name.substr(dot + 1)), value_schema(key));
    }
  }
  end_group();
  return closed_object(std::move(properties));
}

Json::Object named_archives() {
  return {{"type", "object"}, {"additionalProperties", Json::Object{{"$ref", "#/$defs/archive"}}}};
}

Json::Object integer_schema(int min, int max) {
  return {{"type", "integer"}, {"minimum", min}, {"maximum", max}};
}

/// The keys as a YAML mapping, each with its meaning above it.
void append_keys(std::string& out, std::string_view indent) {
  std::string group;
  for (const auto& key : archive_keys()) {
    const auto dot = key.name.find('.');
    const bool nested = dot != std::string_view::npos;
    const auto name = key.name.substr(0, dot);
    if (nested && name != group) out += fmt::format("{}{}:\n", indent, name);
    group = nested ? name : std::string_view();
    const std::string_view more = nested ? "  " : "";
    out += fmt::format("{0}{1}# {2} ({3})\n", indent, more, key.documentation, describe(key));
    out += fmt::format("{0}{1}{2}: {3}\n", indent, more, nested ? key.name.substr(dot + 1) : key.name, key.example);
  }
}

}  // namespace

std::string config_schema() {
  const Json::Object schema{
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", "AutoArchive configuration"},
      {"type", "object"},
      {"required", Json::Array{"version"}},
      {"additionalProperties", false},
      {"properties", Json::Object{{"version", Json::Object{{"const", 1}}},
                                  {"plugins", plugins_schema()},
                                  {"state_dir", Json::Object{{"type", "string"}}},
                                  {"jobs", integer_schema(1, 64)},
                                  {"nice", integer_schema(0, 19)},
                                  {"ionice", Json::Object{{"enum", Json::Array{"idle", "best-effort"}}}},
                                  {"hooks", Json::Object{{"type", "array"}, {"items", rule_schema("hooks")}}},
                                  {"defaults", Json::Object{{"$ref", "#/$defs/archive"}}},
                                  {"templates", named_archives()},
                                  {"archives", named_archives()}}},
      {"$defs", Json::Object{{"archive", archive_schema()}}}};
  return Json(schema).pretty() + "\n";
}

std::string config_example() {
  std::string out =
      "# Configuration of aa, with every key. Only version, and root and destination of each archive, are required.\n"
      "version: 1\n\n"
      "# Where the providers and aa itself keep what they need between two runs.\n"
      "state_dir: /var/lib/autoarchive\n\n";
  out += plugins_example();
  out +=
      "\n"
      "# How many archives are backed up at the same time, and how much of the machine that may take from others.\n"
      "jobs: 1\n"
      "nice: 10\n"
      "ionice: idle\n\n"
      "# Once a run, before the first archive and after the last.\n"
      "hooks:\n"
      "  - {at: before_all, run: [/bin/true]}\n\n"
      "# What every archive starts from. All keys of an archive are allowed.\n"
      "defaults:\n"
      "  destination: /mnt/backup\n\n"
      "# Named sets of values; an archive takes one by extends, and its own values win.\n"
      "templates:\n"
      "  chain:\n"
      "    incremental: true\n\n"
      "archives:\n"
      "  home:\n";
  append_keys(out, "    ");
  return out;
}

std::string config_reference() {
  std::string out =
      "# Configuration reference\n\n"
      "<!-- Made from the table of keys by `aa config`; a test compares the two. -->\n\n"
      "The file is found at `--config`, `$AA_CONFIG`, `$XDG_CONFIG_HOME/autoarchive/config.yaml` or "
      "`/etc/autoarchive/config.yaml`; `archives.d/*.yaml` beside\n"
      "it may add templates and archives. Unknown keys, wrong types and everything ambiguous in YAML are errors with "
      "file, line and column.\n"
      "In paths, `~/` is the user's home and `${NAME}` comes from the environment (`$${NAME}` stands for itself); one "
      "that is not set or empty is an error. A "
      "list in an archive "
      "takes the place of its template's; groups of\nkeys are merged key by key.\n\n"
      "Top level: `version` (1, required), `state_dir`, `jobs` (1 to 64), `nice` (0 to 19), `ionice` (idle, "
      "best-effort), "
      "`hooks` (before_all,\n"
      "after_all), `plugins`, `defaults`, `templates`, `archives`.\n\n"
      "## Keys of `plugins`\n\n";
  out += plugins_reference();
  out +=
      "\n"
      "## Keys of an archive, of `defaults` and of templates\n\n"
      "| key | value | default | meaning |\n| --- | --- | --- | --- |\n";
  const ArchiveConfig built_in;
  for (const auto& key : archive_keys()) {
    const auto value = key.show(built_in);
    out += fmt::format("| `{}` | {} | {} | {} |\n", key.name, describe(key), value.empty() ? "" : "`" + value + "`",
                       key.documentation);
  }
  return out;
}

}  // namespace autoarchive::host
