#include "autoarchive/plugin/descriptor.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <system_error>

#include "autoarchive/base/text.hpp"

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
      const auto id = key.size() < kPrefix.size() + kSuffix.size()
                          ? std::string()
                          : key.substr(kPrefix.size(), key.size() - kPrefix.size() - kSuffix.size());
      if (!is_dotted(id, /*at_least=*/1) || !is_dotted(value, /*at_least=*/1))
        malformed("provider " + quote(id) + " of service " + quote(value) + " has no proper name");
      result_.descriptor.providers.push_back({id, value});
    }
    if (result_.descriptor.providers.empty()) malformed("it declares no provider");
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

ParsedDescriptor parse_descriptor(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace autoarchive
