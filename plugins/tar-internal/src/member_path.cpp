#include "member_path.hpp"

namespace autoarchive::tar_internal {

std::string join(const std::string& directory, const std::string& name) {
  return directory == "." ? name : directory + "/" + name;
}

std::string_view directory_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view(".") : path.substr(0, slash);
}

bool is_below(std::string_view path, std::string_view directory) {
  return directory == "." || path == directory ||
         (path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/');
}

}  // namespace autoarchive::tar_internal
