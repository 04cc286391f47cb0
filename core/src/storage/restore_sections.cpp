#include "restore_sections.hpp"

#include <algorithm>
#include <map>

namespace autoarchive {
namespace {

/// The archive that a section's first line names; empty if it is another line.
std::string_view section_name(std::string_view line) {
  constexpr std::string_view kMark = "== ";
  constexpr std::string_view kEnd = " ==";
  if (line.size() <= kMark.size() + kEnd.size() || !line.starts_with(kMark) || !line.ends_with(kEnd)) return {};
  return line.substr(kMark.size(), line.size() - kMark.size() - kEnd.size());
}

struct Sections {
  std::string introduction;
  std::map<std::string, std::string, std::less<>> by_archive;
};

Sections split(std::string_view text) {
  Sections sections;
  auto* current = &sections.introduction;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    const auto whole = text.substr(0, std::min(text.size(), line.size() + 1));
    text.remove_prefix(whole.size());
    if (const auto name = section_name(line); !name.empty()) {
      current = &sections.by_archive[std::string(name)];
      current->clear();
    }
    current->append(whole);
    if (!whole.ends_with('\n')) current->push_back('\n');
  }
  return sections;
}

}  // namespace

std::string merge_sections(std::string_view old, std::string_view archive, std::string_view fresh) {
  auto merged = split(old);
  auto added = split(fresh);
  merged.introduction = std::move(added.introduction);
  if (const auto before = merged.by_archive.find(archive); before != merged.by_archive.end())
    merged.by_archive.erase(before);
  for (auto& [name, section] : added.by_archive) merged.by_archive[name] = std::move(section);
  std::string text = std::move(merged.introduction);
  for (const auto& [name, section] : merged.by_archive) text += section;
  return text;
}

}  // namespace autoarchive
