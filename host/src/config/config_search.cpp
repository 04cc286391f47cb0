#include "config/config_search.hpp"

#include <algorithm>

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;

std::string environment(const ConfigSources& sources, const std::string& name) {
  const auto found = sources.environment.find(name);
  return found == sources.environment.end() ? std::string() : found->second;
}

// $NAME, or a folder of the user's home; empty if there is neither.
fs::path user_folder(const ConfigSources& sources, const char* name, const char* below_home) {
  fs::path given(environment(sources, name));
  if (given.is_absolute()) return given;
  const fs::path home(environment(sources, "HOME"));
  return home.is_absolute() ? home / below_home : fs::path();
}

fs::path main_file(const ConfigSources& sources) {
  if (!sources.file.empty()) return sources.file;
  if (auto given = environment(sources, "AA_CONFIG"); !given.empty()) return given;
  const auto user = user_folder(sources, "XDG_CONFIG_HOME", ".config");
  for (const auto& folder : {user, fs::path("/etc")}) {
    auto file = folder / "autoarchive" / "config.yaml";
    std::error_code error;
    if (!folder.empty() && fs::exists(file, error)) return file;
  }
  return {};
}

}  // namespace

std::vector<fs::path> find_config_files(const ConfigSources& sources) {
  const auto file = main_file(sources);
  if (file.empty()) return {};
  std::vector<fs::path> more;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(file.parent_path() / "archives.d", error)) {
    if (entry.path().extension() == ".yaml") more.push_back(entry.path());
  }
  std::sort(more.begin(), more.end());
  more.insert(more.begin(), file);
  return more;
}

fs::path default_state_dir(const ConfigSources& sources) {
  if (auto given = environment(sources, "AA_STATE_DIR"); !given.empty()) return given;
  if (sources.as_root && environment(sources, "XDG_STATE_HOME").empty()) return "/var/lib/autoarchive";
  const auto user = user_folder(sources, "XDG_STATE_HOME", ".local/state");
  return user.empty() ? fs::path("/var/lib/autoarchive") : user / "autoarchive";
}

}  // namespace autoarchive::host
