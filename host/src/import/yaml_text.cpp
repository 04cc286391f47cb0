#include "import/yaml_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace autoarchive::host {
namespace {

constexpr std::size_t kLineLength = 110;

// Whatever YAML could take for something else is quoted, and more.
bool is_plain(std::string_view text) {
  constexpr std::array<std::string_view, 8> kWords{"true", "false", "null", "yes", "no", "on", "off", "y"};
  if (text.empty() || std::find(kWords.begin(), kWords.end(), text) != kWords.end()) return false;
  const auto first = static_cast<unsigned char>(text.front());
  const bool begins_well = first < 0x80 && (std::isalpha(first) != 0 || first == '/');
  return begins_well && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return c < 0x80 && (std::isalnum(c) != 0 ||
                               std::string_view("/._-+@%").find(static_cast<char>(c)) != std::string_view::npos);
         });
}

std::string in_one_line(const YamlKey& key) {
  return key.is_list ? fmt::format("[{}]", fmt::join(key.values, ", ")) : key.values.front();
}

}  // namespace

std::string yaml_text(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string yaml_list(const std::vector<std::string>& texts) {
  std::vector<std::string> values;
  values.reserve(texts.size());
  for (const auto& text : texts) values.push_back(yaml_text(text));
  return fmt::format("[{}]", fmt::join(values, ", "));
}

std::string yaml_mapping(const std::vector<YamlKey>& keys, std::string_view indent) {
  std::string out;
  std::string group;
  for (const auto& key : keys) {
    const auto dot = key.name.find('.');
    const bool is_nested = dot != std::string::npos;
    if (is_nested && key.name.substr(0, dot) != group) out += fmt::format("{}{}:\n", indent, key.name.substr(0, dot));
    group = is_nested ? key.name.substr(0, dot) : std::string();
    const auto line = fmt::format("{}{}{}:", indent, is_nested ? "  " : "", key.name.substr(is_nested ? dot + 1 : 0));
    const auto value = in_one_line(key);
    if (!key.is_list || line.size() + value.size() < kLineLength) {
      out += fmt::format("{} {}\n", line, value);
      continue;
    }
    out += line + "\n";
    for (const auto& item : key.values) out += fmt::format("{}{}  - {}\n", indent, is_nested ? "  " : "", item);
  }
  return out;
}

}  // namespace autoarchive::host
