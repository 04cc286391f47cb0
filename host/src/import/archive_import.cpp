#include "import/archive_import.hpp"

#include <pwd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <optional>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/base/text.hpp"
#include "config/plain_path.hpp"
#include "config/text_file.hpp"
#include "import/file_lists.hpp"

namespace autoarchive::host {
namespace {

struct OriginalType {
  std::string_view archiver;
  std::string_view type;
  std::string_view provider;  ///< a pin; empty: whichever fits
};
constexpr std::array kTypes{OriginalType{"tar", "tar", ""},
                            OriginalType{"targz", "tar.gz", ""},
                            OriginalType{"tarbz2", "tar.bz2", ""},
                            OriginalType{"tarxz", "tar.xz", ""},
                            OriginalType{"tarzst", "tar.zst", ""},
                            OriginalType{"tar_internal", "tar", "tar-internal"},
                            OriginalType{"targz_internal", "tar.gz", "tar-internal"},
                            OriginalType{"tarbz2_internal", "tar.bz2", "tar-internal"}};

// "${NAME}" would be taken from the environment, where the original has it as it stands.
std::string path_text(const std::filesystem::path& path) {
  auto text = path.native();
  for (auto at = text.find("${"); at != std::string::npos; at = text.find("${", at + 3)) text.insert(at, 1, '$');
  return yaml_text(text);
}

/// Of "~" and "~bob"; empty if there is no such user, or the text begins with something else.
std::filesystem::path home_of(std::string_view text, const ImportSources& sources) {
  const auto name = std::string(text.substr(0, text.find('/')));
  if (name == "~") return sources.home;
  if (!name.starts_with('~')) return {};
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(1U << 16U);
  ::getpwnam_r(name.c_str() + 1, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::filesystem::path() : std::filesystem::path(found->pw_dir);
}

class ArchiveImport {
 public:
  ArchiveImport(const std::filesystem::path& spec, SpecFiles& specs, const OriginalValues& values,
                const ImportSources& sources)
      : spec_(spec), specs_(specs), values_(values), sources_(sources) {}

  ImportedArchive run() {
    check_sections();
    take_name();
    take_root();
    take_lists();
    take_destination();
    take_type();
    take_levels();
    take_keeping();
    take_hooks();
    if (is_on("overwrite-at-start")) add("overwrite_at_start", "true");
    return std::move(archive_);
  }

 private:
  void doubt(const Origin& origin, const std::string& text) { archive_.doubts.push_back(origin.text() + ": " + text); }
  void add(std::string key, std::string value) { archive_.keys.push_back({std::move(key), {std::move(value)}}); }
  void add_list(std::string key, const std::vector<std::string>& texts) {
    YamlKey list{std::move(key), {}, /*is_list=*/true};
    for (const auto& text : texts) list.values.push_back(yaml_text(text));
    archive_.keys.push_back(std::move(list));
  }

  [[nodiscard]] Origin top() const { return {spec_.native(), 1, 1}; }

  void check_sections() {
    for (const auto& section : specs_.read(spec_).sections) {
      if (section.name == "Archive") {
        for (const auto& option : section.options) check_option(option);
      } else if (section.name != "External" && section.name != "Content") {
        throw config_error(section.origin,
                           "unknown section [" + escaped(section.name) + "]; there are External, Archive and Content");
      }
    }
    if (specs_.read(spec_).find("Content") == nullptr) throw config_error(top(), "section [Content] is missing");
  }

  void check_option(const IniOption& option) {
    const auto* const known = find_original_option(option.name);
    if (known == nullptr) return doubt(option.origin, unknown_option_text(option.name) + "; it is left out");
    if (!known->in_spec || option.name.starts_with("force-"))
      doubt(option.origin, "option " + quote(option.name) + " has no meaning in an archive's file; it is left out");
  }

  [[nodiscard]] ImportedValue required(const std::string& option) {
    auto value = specs_.value(spec_, "Content", option);
    if (!value) throw config_error(top(), "[Content] has no " + option);
    return *value;
  }

  void take_name() {
    const auto given = specs_.value(spec_, "Content", "name");
    archive_.name = given ? given->text : spec_.stem().native();
    try {
      check_archive_name(archive_.name);
    } catch (const Error& error) {
      throw config_error(given ? given->origin : top(),
                         error.message() + "; give it another by \"name =\" in [Content]");
    }
  }

  void take_root() {
    const auto path = required("path");
    add("root", path_text(checked_path(path)));
  }

  [[nodiscard]] std::filesystem::path checked_path(const ImportedValue& path) {
    auto absolute = absolute_path(path.text, sources_);
    if (path.text.front() != '/' && home_of(path.text, sources_).empty()) {
      doubt(path.origin,
            quote(path.text) + " is relative to where aa was started; it is taken as " + quote(absolute.native()));
    }
    return absolute;
  }

  void take_lists() {
    const auto include = required("include-files");
    const auto exclude = specs_.value(spec_, "Content", "exclude-files");
    const auto lists = translate_lists(names_in(include), exclude ? names_in(*exclude) : std::vector<std::string>());
    for (const auto& text : lists.doubts) doubt(include.origin, text);
    const bool is_everything = lists.include == std::vector<std::string>{"."};
    if (!is_everything) add_list("include", lists.include);
    if (!lists.exclude.empty()) add_list("exclude", lists.exclude);
  }

  static std::vector<std::string> names_in(const ImportedValue& list) {
    try {
      return split_names(list.text);
    } catch (const Error& error) {
      throw config_error(list.origin, error.message());
    }
  }

  void take_destination() {
    const auto given = values_.find("dest-dir");
    if (given) return add("destination", path_text(checked_path(*given)));
    doubt(top(), "there is no dest-dir, so that backups went to where aa was started; the destination is taken as " +
                     quote(sources_.working_directory.native()));
    add("destination", path_text(sources_.working_directory));
  }

  void take_type() {
    const auto given = values_.find("archiver");
    const std::string name = given ? given->text : "targz";
    const auto* const found =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& type) { return type.archiver == name; });
    if (found == kTypes.end()) throw config_error(given->origin, "unknown archiver " + quote(name));
    add("type", std::string(found->type));
    if (!found->provider.empty()) add("provider", std::string(found->provider));
    const auto strength = number("compression-level", 0, 9);
    if (!strength) return;
    if (found->type == "tar") {
      doubt(values_.find("compression-level")->origin, "a tar has no compression-level; it is left out");
    } else {
      add("strength", std::to_string(*strength));
    }
  }

  // As the original tells them: no, false and 0 are no, and anything else is yes.
  [[nodiscard]] bool is_on(const std::string& option) const {
    auto value = values_.find(option);
    if (!value) return false;
    for (auto& c : value->text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return value->text != "no" && value->text != "false" && value->text != "0";
  }

  /// None if it is not set, or, said, if it is no such number.
  [[nodiscard]] std::optional<int> number(const std::string& option, int min, int max) {
    const auto value = values_.find(option);
    if (!value) return std::nullopt;
    int number = 0;
    const auto* const end = value->text.data() + value->text.size();
    const auto parsed = std::from_chars(value->text.data(), end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end && number >= min && number <= max) return number;
    doubt(value->origin, option + " has to be an integer from " + std::to_string(min) + " to " + std::to_string(max) +
                             ", and is " + quote(value->text) + "; it is left out");
    return std::nullopt;
  }

  void take_levels() {
    if (!is_on("incremental")) return;
    add("incremental", "true");
    if (const auto archiver = values_.find("archiver"); archiver && archiver->text.ends_with("_internal")) {
      doubt(values_.find("incremental")->origin,
            quote(archiver->text) + " made no levels, whatever incremental said; now there will be levels");
    }
    if (is_on("restarting")) take_restarts();
    if (is_on("remove-obsolete-backups") && is_on("keep-old-backups")) add("levels.remove_obsolete", "true");
  }

  // 0 is "never" for all but the highest level, which is 1 at least.
  void take_restarts() {
    constexpr int kMost = 9999;
    constexpr int kMostDays = 36'500;
    const auto highest = values_.find("restart-after-level") ? number("restart-after-level", 0, kMost) : 10;
    if (highest) add("levels.max", std::to_string(std::max(1, *highest)));
    add_days("levels.restart_after", number("restart-after-age", 0, kMostDays));
    add_days("levels.full_after", number("full-restart-after-age", 0, kMostDays));
    if (const auto count = number("full-restart-after-count", 0, kMost); count.value_or(0) > 0)
      add("levels.full_after_restarts", std::to_string(*count));
    if (const auto part = number("max-restart-level-size", 1, 10'000))
      add("levels.max_restart_size", std::to_string(*part) + "%");
  }

  void add_days(const char* key, const std::optional<int>& days) {
    if (days.value_or(0) > 0) add(key, std::to_string(*days) + "d");
  }

  // More than there are ids for is as many as there are.
  void take_keeping() {
    int generations = 0;
    if (is_on("keep-old-backups"))
      generations = number("number-of-old-backups", 0, std::numeric_limits<int>::max()).value_or(1);
    add("keep.generations", std::to_string(std::min(generations, kMaxGenerations)));
  }

  void take_hooks() {
    YamlKey hooks{"hooks", {}, /*is_list=*/true};
    for (const auto& [option, point] :
         {std::pair("command-before-backup", "before"), {"command-after-backup", "after"}}) {
      if (const auto command = values_.find(option))
        hooks.values.push_back(std::string("{at: ") + point + ", run: " + yaml_list(split_command(*command)) + "}");
    }
    if (!hooks.values.empty()) archive_.keys.push_back(std::move(hooks));
  }

  const std::filesystem::path& spec_;
  SpecFiles& specs_;
  const OriginalValues& values_;
  const ImportSources& sources_;
  ImportedArchive archive_;
};

}  // namespace

ImportedArchive import_archive(const std::filesystem::path& spec, SpecFiles& specs, const OriginalValues& values,
                               const ImportSources& sources) {
  return ArchiveImport(spec, specs, values, sources).run();
}

std::vector<std::string> split_command(const ImportedValue& command) {
  std::vector<std::string> words;
  std::string word;
  bool has_word = false;
  char quote_sign = 0;
  const auto& text = command.text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_last = i + 1 == text.size();
    // Between double quotes, a backslash protects nothing but them and itself.
    const bool escapes =
        c == '\\' && quote_sign != '\'' && !is_last && (quote_sign == 0 || text[i + 1] == '"' || text[i + 1] == '\\');
    if (escapes) {
      word += text[++i];
      has_word = true;
    } else if (quote_sign != 0 ? c == quote_sign : c == '"' || c == '\'') {
      quote_sign = quote_sign != 0 ? '\0' : c;
      has_word = true;
    } else if (quote_sign == 0 && std::isspace(static_cast<unsigned char>(c)) != 0) {
      if (has_word) words.push_back(std::move(word));
      word.clear();
      has_word = false;
    } else {
      word += c;
      has_word = true;
    }
  }
  if (quote_sign != 0) throw config_error(command.origin, "a quote in the command is not closed");
  if (has_word) words.push_back(std::move(word));
  if (words.empty()) throw config_error(command.origin, "the command is empty");
  return words;
}

std::filesystem::path absolute_path(std::string_view text, const ImportSources& sources) {
  std::filesystem::path path(text);
  if (const auto home = home_of(text, sources); !home.empty()) {
    path = home.native() + std::string(text.substr(std::min(text.find('/'), text.size())));
  } else if (path.is_relative()) {
    path = sources.working_directory / path;
  }
  return plain_path(path);
}

}  // namespace autoarchive::host
