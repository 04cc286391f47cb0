#include "import/file_lists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive::host {
namespace {

using Components = std::vector<std::string>;

bool is_wild(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

/// As the original takes them: leading "/" and ".." dropped, "a/./b/../c" is "a/c". Empty: the root itself, or nothing.
Components components_of(std::string_view path) {
  Components parts;
  while (!path.empty()) {
    const auto end = path.find('/');
    const auto part = path.substr(0, end);
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.emplace_back(part);
    }
  }
  return parts;
}

std::string joined(const Components& parts) {
  std::string path;
  for (const auto& part : parts) path += (path.empty() ? "" : "/") + part;
  return path.empty() ? "." : path;
}

/// One component of a shell pattern as gitignore's, apart from what a leading dot means.
std::string translated(std::string_view component) {
  std::string out;
  for (std::size_t i = 0; i < component.size(); ++i) {
    const char c = component[i];
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '[') {
      // Not closed, it stands for itself; a "]" that is first is one of the set.
      const auto first = i + 1 + (component.substr(i + 1).starts_with('!') ? 1 : 0);
      const auto end = first < component.size() ? component.find(']', first + 1) : std::string_view::npos;
      if (end == std::string_view::npos) {
        out += "\\[";
        continue;
      }
      auto set = std::string(component.substr(i + 1, end - i - 1));
      for (auto at = set.find('\\'); at != std::string::npos; at = set.find('\\', at + 2)) set.insert(at, 1, '\\');
      if (set.front() == '^') set.insert(0, 1, '\\');
      out += "[" + set + "]";
      i = end;
    } else if (c == '*' && out.ends_with('*')) {
      continue;
    } else {
      out += c;
    }
  }
  return out;
}

/// The patterns that together match what the shell's does: its wildcards match no dot at the beginning.
std::vector<std::string> variants(std::string_view component) {
  if (component.starts_with('?')) return {"[!.]" + translated(component.substr(1))};
  if (!component.starts_with('*')) return {translated(component)};
  while (component.starts_with('*')) component.remove_prefix(1);
  std::vector<std::string> all{"[!.]*" + translated(component)};
  if (component.empty() || component.front() == '.') return all;
  for (auto& without : variants(component)) all.push_back(std::move(without));
  return all;
}

/// Anchored at the root.
std::vector<std::string> patterns_of(const Components& parts) {
  std::vector<std::string> patterns{""};
  for (const auto& part : parts) {
    std::vector<std::string> longer;
    for (const auto& pattern : patterns) {
      for (const auto& variant : variants(part)) longer.push_back(fmt::format("{}/{}", pattern, variant));
    }
    patterns = std::move(longer);
  }
  // gitignore drops blanks at the end.
  for (auto& pattern : patterns) {
    if (pattern.ends_with(' ')) pattern.insert(pattern.size() - 1, 1, '\\');
  }
  return patterns;
}

/// Whether gitignore's wildcards match all that the shell's do: they go by bytes.
bool goes_by_bytes(std::string_view component) {
  return component.find('?') == std::string_view::npos && component.find("[!") == std::string_view::npos &&
         component.find("[^") == std::string_view::npos &&
         (component.find('[') == std::string_view::npos ||
          std::all_of(component.begin(), component.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

/// A set at the beginning matches no dot in the shell.
bool may_begin_with_dot(std::string_view component) {
  if (!component.starts_with('[')) return false;
  const auto set = component.substr(1, component.find(']', 2) - 1);
  return set.starts_with('!') || set.starts_with('^') || set.find_first_of(".-") != std::string_view::npos;
}

bool is_below(const Components& path, const Components& directory) {
  return path.size() > directory.size() && std::equal(directory.begin(), directory.end(), path.begin());
}

/// Includes with their wildcards, by the directory whose names they choose from.
class IncludeTranslation {
 public:
  explicit IncludeTranslation(const std::vector<std::string>& include) {
    for (const auto& text : include) {
      auto parts = components_of(text);
      const auto wild = std::find_if(parts.begin(), parts.end(), is_wild);
      if (wild == parts.end()) {
        whole_.insert(std::move(parts));
      } else if (wild + 1 == parts.end()) {
        const auto pattern = parts.back();
        parts.pop_back();
        chosen_[parts].push_back(pattern);
      } else {
        take_all_of({parts.begin(), wild}, text);
      }
    }
  }

  void translate(TranslatedLists& lists) {
    for (const auto& [directory, patterns] : chosen_) {
      if (!lies_in_whole(directory)) choose(directory, patterns, lists);
    }
    for (const auto& path : whole_) {
      const bool is_chosen =
          std::any_of(chosen_.begin(), chosen_.end(), [&](const auto& choice) { return is_below(path, choice.first); });
      if (!is_chosen && !lies_in_whole(path, /*or_is_one=*/false)) lists.include.push_back(joined(path));
    }
    std::sort(lists.include.begin(), lists.include.end());
    lists.doubts.insert(lists.doubts.end(), doubts_.begin(), doubts_.end());
  }

 private:
  void take_all_of(Components directory, const std::string& text) {
    doubts_.push_back(quote(text) + ": include has no wildcards, and no exclude pattern can stand for these; all of " +
                      quote(joined(directory)) + " is included");
    whole_.insert(std::move(directory));
  }

  [[nodiscard]] bool lies_in_whole(const Components& path, bool or_is_one = true) const {
    return std::any_of(whole_.begin(), whole_.end(),
                       [&](const auto& whole) { return is_below(path, whole) || (or_is_one && path == whole); });
  }

  /// Whether something that is included lies deeper in the directory than the names that the patterns choose from.
  [[nodiscard]] bool has_deeper(const Components& directory) const {
    const auto is_deeper = [&](const Components& path, std::size_t levels) {
      return is_below(path, directory) && path.size() > directory.size() + levels;
    };
    return std::any_of(whole_.begin(), whole_.end(), [&](const auto& path) { return is_deeper(path, 1); }) ||
           std::any_of(chosen_.begin(), chosen_.end(), [&](const auto& other) { return is_deeper(other.first, 0); });
  }

  // All of the directory is included, all its names are left out, and those that are wanted taken back.
  void choose(const Components& directory, const std::vector<std::string>& patterns, TranslatedLists& lists) {
    if (has_deeper(directory) || !std::all_of(patterns.begin(), patterns.end(), goes_by_bytes))
      return take_all_of(directory, (directory.empty() ? "" : joined(directory) + "/") + patterns.front());
    auto rules = patterns_of(directory);  // one: it has no wildcards
    const auto above = directory.empty() ? std::string() : rules.front();
    lists.exclude.push_back(above + "/*");
    for (const auto& pattern : patterns) {
      for (const auto& variant : variants(pattern)) lists.exclude.push_back(fmt::format("!{}/{}", above, variant));
    }
    for (const auto& path : whole_) {
      if (is_below(path, directory)) lists.exclude.push_back("!" + patterns_of(path).front());
    }
    lists.include.push_back(joined(directory));
  }

  std::set<Components> whole_;
  std::map<Components, std::vector<std::string>> chosen_;
  std::vector<std::string> doubts_;
};

}  // namespace

std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> names;
  std::string name;
  bool is_quoted = false;
  bool has_name = false;
  for (const char c : text) {
    const bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (c == '"') {
      is_quoted = !is_quoted;
      has_name = true;
    } else if (is_blank && !is_quoted) {
      if (has_name) names.push_back(std::move(name));
      name.clear();
      has_name = false;
    } else {
      name += c;
      has_name = true;
    }
  }
  if (is_quoted) throw Error(ErrorCode::value_error, "a double quote is not closed");
  if (has_name) names.push_back(std::move(name));
  return names;
}

TranslatedLists translate_lists(const std::vector<std::string>& include, const std::vector<std::string>& exclude) {
  TranslatedLists lists;
  IncludeTranslation(include).translate(lists);
  for (const auto& text : exclude) {
    const auto parts = components_of(text);
    if (parts.empty()) {
      lists.doubts.push_back(quote(text) + ": it would leave out everything");
      continue;
    }
    if (std::any_of(parts.begin(), parts.end(), may_begin_with_dot)) {
      lists.doubts.push_back(
          quote(text) +
          ": what begins with this set can't be told from what begins with a dot; nothing of it is left out");
      continue;
    }
    for (auto& pattern : patterns_of(parts)) lists.exclude.push_back(std::move(pattern));
  }
  return lists;
}

}  // namespace autoarchive::host
