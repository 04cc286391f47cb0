#include "autoarchive/plugin/plugin_descriptor.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <system_error>

#include "autoarchive/base/text.hpp"
#include "autoarchive/plugin/descriptor.hpp"

namespace autoarchive {
namespace {

bool is_plain(char c) {
  return c >= 0x20 && c < 0x7F;
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  });
}

bool is_label(std::string_view text) {
  return is_word(text) && text.front() != '-' && text.back() != '-';
}

// Labels with one dot between them, e.g. org.example.zip.
bool is_dotted(std::string_view text, std::size_t at_least) {
  std::size_t labels = 0;
  for (;; ++labels) {
    const auto dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return labels + 1 >= at_least;
    text.remove_prefix(dot + 1);
  }
}

/// "tar,tar.gz" -> {"tar", "tar.gz"}
std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const auto comma = std::min(list.size(), list.find(','));
    words.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(list.size(), comma + 1));
  }
  return words;
}

std::optional<std::int64_t> as_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

constexpr std::array<std::string_view, 4> kOptionTypes{"text", "path", "boolean", "integer"};

bool read_type(std::string_view word, OptionDeclaration& option) {
  const auto* const found = std::find(kOptionTypes.begin(), kOptionTypes.end(), word);
  if (found == kOptionTypes.end()) return false;
  option.type = static_cast<OptionType>(found - kOptionTypes.begin());
  return true;
}

// "1..64"
bool read_range(std::string_view text, OptionDeclaration& option) {
  const auto dots = text.find("..");
  if (dots == std::string_view::npos) return false;
  const auto min = as_integer(text.substr(0, dots));
  const auto max = as_integer(text.substr(dots + 2));
  if (!min || !max || *min > *max) return false;
  option.min = *min;
  option.max = *max;
  return true;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  ParsedDescriptor parse() {
    if (rest_.size() > kMaxDescriptorBytes) {
      malformed("it has " + std::to_string(rest_.size()) + " bytes, and at most " +
                std::to_string(kMaxDescriptorBytes) + " are allowed");
      return std::move(result_);
    }
    while (!rest_.empty()) parse_line();
    if (!check_format()) return std::move(result_);
    check_identity();
    collect_providers();
    return std::move(result_);
  }

 private:
  void fault(const char* code, std::string text, std::string remedy) {
    result_.faults.push_back({code, std::move(text), std::move(remedy)});
  }
  void malformed(const std::string& text) {
    fault("AA-P302", "descriptor: " + text, "build the plugin with aa_add_plugin()");
  }

  void parse_line() {
    const auto line = rest_.substr(0, rest_.find('\n'));
    if (line.size() == rest_.size()) malformed("its last line does not end");
    rest_.remove_prefix(std::min(rest_.size(), line.size() + 1));
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || !std::all_of(line.begin(), line.end(), is_plain)) {
      return malformed("line " + quote(line) + " is not key=value in plain characters");
    }
    const std::string key(line.substr(0, equals));
    if (!is_word(key))
      return malformed("key " + quote(key) + " has other characters than letters, digits, '.', '-' and '_'");
    if (key <= last_key_) malformed("key " + quote(key) + " is not in order, or there twice");
    last_key_ = key;
    result_.descriptor.lines[key] = line.substr(equals + 1);
  }

  // False if it is of a newer format: what else there is to say of it is not ours to know.
  bool check_format() {
    const auto format = result_.descriptor.value("format");
    int number = 0;
    const auto [end, error] = std::from_chars(format.data(), format.data() + format.size(), number);
    if (error != std::errc() || end != format.data() + format.size() || number < kDescriptorFormat) {
      malformed("format " + quote(format) + " is not " + std::to_string(kDescriptorFormat));
      return true;
    }
    if (number == kDescriptorFormat) return true;
    result_.faults.clear();
    fault("AA-P303", "format: plugin " + quote(format) + ", host " + std::to_string(kDescriptorFormat),
          "use a newer host, or rebuild the plugin");
    return false;
  }

  void check_identity() {
    auto& descriptor = result_.descriptor;
    descriptor.id = descriptor.value("id");
    descriptor.version = descriptor.value("version");
    descriptor.name = descriptor.value("name");
    const auto bad = [&](const char* what, const std::string& value, const char* allowed) {
      fault("AA-P304", std::string(what) + " " + quote(value) + " is not " + allowed, "correct it in aa_add_plugin()");
    };
    if (!is_dotted(descriptor.id, /*at_least=*/2)) bad("id", descriptor.id, "reverse DNS, e.g. 'org.example.zip'");
    if (!is_dotted(descriptor.version, /*at_least=*/1) ||
        std::isdigit(static_cast<unsigned char>(descriptor.version.front())) == 0)
      bad("version", descriptor.version, "a version, e.g. '1.0.0'");
    if (!is_dotted(descriptor.name, /*at_least=*/1)) bad("name", descriptor.name, "a word, e.g. 'zip'");
  }

  void collect_providers() {
    constexpr std::string_view kPrefix = "provider.";
    constexpr std::string_view kSuffix = ".service";
    for (const auto& [key, value] : result_.descriptor.lines) {
      if (!key.starts_with(kPrefix) || !key.ends_with(kSuffix)) continue;
      ProviderDeclaration provider;
      provider.service = value;
      if (key.size() >= kPrefix.size() + kSuffix.size())
        provider.id = key.substr(kPrefix.size(), key.size() - kPrefix.size() - kSuffix.size());
      if (!is_dotted(provider.id, /*at_least=*/1) || !is_dotted(value, /*at_least=*/1))
        malformed("provider " + quote(provider.id) + " of service " + quote(value) + " has no proper name");
      collect_abilities(provider);
      result_.descriptor.providers.push_back(std::move(provider));
    }
    if (result_.descriptor.providers.empty()) malformed("it declares no provider");
  }

  void collect_abilities(ProviderDeclaration& provider) {
    const auto prefix = "provider." + provider.id + ".";
    for (auto& type : words_of(result_.descriptor.value(prefix + "types"))) provider.features[std::move(type)];
    provider.needs = words_of(result_.descriptor.value(prefix + "needs"));
    const auto& lines = result_.descriptor.lines;
    for (auto line = lines.lower_bound(prefix); line != lines.end() && line->first.starts_with(prefix); ++line) {
      constexpr std::string_view kFeatures = "features.";
      constexpr std::string_view kOption = "option.";
      const auto key = std::string_view(line->first).substr(prefix.size());
      if (key.starts_with(kFeatures)) {
        const auto type = provider.features.find(std::string(key.substr(kFeatures.size())));
        if (type == provider.features.end()) {
          malformed(quote(line->first) + " speaks of a type that is not in " + quote(prefix + "types"));
        } else {
          type->second = words_of(line->second);
        }
      } else if (key.starts_with(kOption)) {
        collect_option(key.substr(kOption.size()), line->second, provider);
      }
    }
  }

  void collect_option(std::string_view key, const std::string& value, ProviderDeclaration& provider) {
    const auto dot = key.rfind('.');
    if (dot == std::string_view::npos || dot == 0)
      return malformed("option " + quote(key) + " of provider " + quote(provider.id) + " has no attribute");
    auto& option = provider.options[std::string(key.substr(0, dot))];
    const auto attribute = key.substr(dot + 1);
    if (attribute == "default") option.default_value = value;
    if (attribute == "doc") option.doc = value;
    if (attribute == "secret") option.secret = value == "true";
    const bool good =
        attribute == "type" ? read_type(value, option) : attribute != "range" || read_range(value, option);
    if (!good) malformed("option " + quote(key) + " of provider " + quote(provider.id) + " can't be " + quote(value));
  }

  std::string_view rest_;
  std::string last_key_;
  ParsedDescriptor result_;
};

}  // namespace

std::string PluginDescriptor::value(const std::string& key) const {
  const auto found = lines.find(key);
  return found == lines.end() ? std::string() : found->second;
}

std::string fault_of_option(const OptionDeclaration& option, std::string_view value) {
  const auto shown = option.secret ? std::string("something else") : quote(value);
  switch (option.type) {
    case OptionType::text:
      return {};
    case OptionType::path:
      return value.starts_with('/') ? std::string() : "has to be an absolute path, and is " + shown;
    case OptionType::boolean:
      return value == "true" || value == "false" ? std::string() : "has to be true or false, and is " + shown;
    case OptionType::integer:
      break;
  }
  const auto number = as_integer(value);
  if (number && *number >= option.min && *number <= option.max) return {};
  const bool bounded = option.min != INT64_MIN || option.max != INT64_MAX;
  return "has to be an integer" +
         (bounded ? " from " + std::to_string(option.min) + " to " + std::to_string(option.max) : std::string()) +
         ", and is " + shown;
}

ParsedDescriptor parse_descriptor(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace autoarchive
