#include "dumpdir_file.hpp"

namespace autoarchive::tar_external {

void DumpdirFile::add(const WalkItem& directory) {
  const auto begin = file_.size();
  std::string text;
  for (const auto& child : directory.names) {
    text += child.is_directory ? 'D' : 'Y';
    text += child.name;
    text += '\0';
  }
  text += '\0';
  file_.write(text);
  places_[directory.entry.path] = {begin, text.size()};
}

std::optional<std::string> DumpdirFile::find(const std::string& path) {
  const auto place = places_.find(path);
  if (place == places_.end()) return std::nullopt;
  file_.finish();
  return file_.read(place->second.offset, place->second.length);
}

}  // namespace autoarchive::tar_external
