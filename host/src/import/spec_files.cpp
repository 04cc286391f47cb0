#include "import/spec_files.hpp"

#include <utility>

#include "autoarchive/base/text.hpp"
#include "config/text_file.hpp"

namespace autoarchive::host {
namespace {

constexpr int kMaxDepth = 40;
// References that hold references grow exponentially: what no list of files can be is refused before it takes all time
// and memory.
constexpr int kMaxReplacements = 10'000;
constexpr std::size_t kMaxValueBytes = 1U << 20U;

void check_length(std::size_t bytes, const Origin& origin) {
  if (bytes > kMaxValueBytes) throw config_error(origin, "with its references replaced, the value has more than 1 MiB");
}

const IniOption& option_of(const IniFile& file, const std::string& section, const std::string& option,
                           const Origin& wanted_at) {
  const auto* const found_section = file.find(section);
  const auto* const found = found_section == nullptr ? nullptr : found_section->find(option);
  if (found == nullptr) {
    throw config_error(wanted_at,
                       "there is no option " + quote(option) + " in [" + section + "] of " + quote(file.path.native()));
  }
  if (!found->value) throw config_error(found->origin, "option " + quote(option) + " has no \"=\" and no value");
  return *found;
}

}  // namespace

const IniFile& SpecFiles::read(const std::filesystem::path& file) {
  const auto found = files_.find(file);
  if (found != files_.end()) return found->second;
  return files_.emplace(file, read_ini(file, /*any_case=*/false)).first->second;
}

std::optional<ImportedValue> SpecFiles::value(const std::filesystem::path& file, const std::string& section,
                                              const std::string& option) {
  const auto& spec = read(file);
  const auto* const found_section = spec.find(section);
  if (found_section == nullptr || found_section->find(option) == nullptr) return std::nullopt;
  const auto& found = option_of(spec, section, option, found_section->origin);
  replacements_ = 0;
  auto text = expand({spec, section, 0}, found);
  if (text.empty()) return std::nullopt;
  return ImportedValue{std::move(text), found.origin};
}

void SpecFiles::check_nesting(int depth, const Origin& origin) {
  if (depth > kMaxDepth)
    throw config_error(origin, "references are nested more than 40 deep; does the value refer to itself?");
  if (++replacements_ > kMaxReplacements) throw config_error(origin, "the value has more than 10000 references");
}

std::string SpecFiles::expand(const Place& place, const IniOption& option) {
  check_nesting(place.depth, option.origin);
  return with_references(place, option.origin, with_options(place, option.origin, *option.value, place.depth));
}

std::string SpecFiles::with_options(const Place& place, const Origin& origin, std::string_view text, int depth) {
  check_nesting(depth, origin);
  std::string out;
  for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%')) {
    out += text.substr(0, at);
    text.remove_prefix(at + 1);
    if (text.starts_with('%')) {
      out += '%';
      text.remove_prefix(1);
      continue;
    }
    const auto end = text.find(")s");
    if (!text.starts_with('(') || end == std::string_view::npos)
      throw config_error(origin, "a \"%\" has to be \"%%\", or begin a \"%(option)s\"");
    const auto& other = option_of(place.file, place.section, std::string(text.substr(1, end - 1)), origin);
    out += with_options(place, other.origin, *other.value, depth + 1);
    check_length(out.size(), origin);
    text.remove_prefix(end + 2);
  }
  return out.append(text);
}

std::string SpecFiles::with_references(const Place& place, const Origin& origin, std::string_view text) {
  std::string out;
  for (auto at = text.find("@("); at != std::string_view::npos; at = text.find("@(")) {
    const auto end = text.find(')', at);
    const auto inner = end == std::string_view::npos ? std::string_view() : text.substr(at + 2, end - at - 2);
    const auto dot = inner.find('.');
    if (dot == std::string_view::npos) {  // no reference
      out += text.substr(0, at + 2);
      text.remove_prefix(at + 2);
      continue;
    }
    const bool is_quoted = at > 0 && text[at - 1] == '"' && end + 1 < text.size() && text[end + 1] == '"';
    out += text.substr(0, at - (is_quoted ? 1 : 0));
    out += reference(place, origin, std::string(inner.substr(0, dot)), std::string(inner.substr(dot + 1)));
    check_length(out.size(), origin);
    text.remove_prefix(end + (is_quoted ? 2 : 1));
  }
  return out.append(text);
}

std::string SpecFiles::reference(const Place& place, const Origin& origin, const std::string& name,
                                 const std::string& option) {
  const auto path = external(place.file, origin, name);
  const IniFile* other = nullptr;
  try {
    other = &read(path);
  } catch (const Error& error) {
    throw config_error(origin, "reference to " + quote(name) + ": " + error.message());
  }
  return expand({*other, place.section, place.depth + 1}, option_of(*other, place.section, option, origin));
}

std::filesystem::path SpecFiles::external(const IniFile& file, const Origin& origin, const std::string& name) const {
  const auto* const section = file.find("External");
  const auto* const found = section == nullptr ? nullptr : section->find(name);
  if (found == nullptr)
    throw config_error(origin, "reference to " + quote(name) + ", which section [External] does not name");
  if (!found->value || found->value->empty()) return folder_ / (name + ".aa");
  return (file.path.parent_path() / *found->value).lexically_normal();
}

}  // namespace autoarchive::host
