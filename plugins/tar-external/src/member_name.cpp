#include "member_name.hpp"

namespace autoarchive::tar_external {

std::string member_name(std::string_view path, bool with_dot) {
  if (!with_dot || path == ".") return std::string(path);
  return "./" + std::string(path);
}

std::string path_of_member(std::string_view name) {
  while (name.size() > 1 && name.ends_with('/')) name.remove_suffix(1);
  while (name.starts_with("./")) name.remove_prefix(2);
  return name.empty() ? "." : std::string(name);
}

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? "." : path.substr(0, slash);
}

bool is_below(std::string_view path, std::string_view directory) {
  if (directory == ".") return path != ".";
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace autoarchive::tar_external
