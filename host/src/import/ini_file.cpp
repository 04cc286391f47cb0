#include "import/ini_file.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "autoarchive/base/text.hpp"
#include "config/text_file.hpp"

namespace autoarchive::host {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (auto& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

class IniParser {
 public:
  IniParser(const std::filesystem::path& path, bool any_case) : any_case_(any_case) { file_.path = path; }

  IniFile parse(std::string_view text) {
    for (int line = 1; !text.empty(); ++line) {
      const auto end = text.find('\n');
      take(text.substr(0, end), line);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return std::move(file_);
  }

 private:
  void take(std::string_view line, int number) {
    const auto content = trimmed(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') return;
    const auto indent = line.find_first_not_of(kBlanks);
    const Origin origin{file_.path.native(), number, static_cast<int>(indent) + 1};
    if (option_ != nullptr && indent > indent_) return go_on(content, origin);
    indent_ = indent;
    if (content.front() == '[' && content.find(']') != std::string_view::npos) return open_section(content, origin);
    add_option(content, origin);
  }

  void go_on(std::string_view content, const Origin& origin) const {
    if (!option_->value)
      throw config_error(origin, "this line goes on with option " + quote(option_->name) + ", which has no \"=\"");
    option_->value->append(option_->value->empty() ? "" : "\n").append(content);
  }

  void open_section(std::string_view content, const Origin& origin) {
    const std::string name(content.substr(1, content.find(']') - 1));
    if (!sections_.insert(name).second) throw config_error(origin, "section [" + escaped(name) + "] is there twice");
    file_.sections.push_back({name, origin, {}});
    names_.clear();
    option_ = nullptr;
  }

  void add_option(std::string_view content, const Origin& origin) {
    if (file_.sections.empty()) throw config_error(origin, "a section such as [Content] has to come first");
    const auto sign = content.find_first_of("=:");
    const auto name = trimmed(content.substr(0, sign));
    if (name.empty()) throw config_error(origin, "there is no name before the " + quote(content.substr(sign, 1)));
    IniOption option{any_case_ ? in_lower_case(name) : std::string(name), {}, origin};
    if (!names_.insert(option.name).second)
      throw config_error(origin, "option " + quote(option.name) + " is there twice in its section");
    if (sign != std::string_view::npos) option.value = trimmed(content.substr(sign + 1));
    auto& options = file_.sections.back().options;
    option_ = &options.emplace_back(std::move(option));
  }

  IniFile file_;
  bool any_case_;
  std::set<std::string> sections_;
  std::set<std::string> names_;  // of the section's options
  IniOption* option_ = nullptr;  // that a more indented line goes on with
  std::size_t indent_ = 0;
};

}  // namespace

const IniOption* IniSection::find(std::string_view option) const {
  const auto found =
      std::find_if(options.begin(), options.end(), [&](const auto& each) { return each.name == option; });
  return found == options.end() ? nullptr : &*found;
}

const IniSection* IniFile::find(std::string_view section) const {
  const auto found =
      std::find_if(sections.begin(), sections.end(), [&](const auto& each) { return each.name == section; });
  return found == sections.end() ? nullptr : &*found;
}

IniFile parse_ini(std::string_view text, const std::filesystem::path& path, bool any_case) {
  check_config_text(text, path.native());
  return IniParser(path, any_case).parse(text);
}

IniFile read_ini(const std::filesystem::path& path, bool any_case) {
  return parse_ini(read_config_text(path, /*as_root=*/false), path, any_case);
}

}  // namespace autoarchive::host
