#include "config/config_search.hpp"

#include <algorithm>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "config/plain_path.hpp"

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
    if (folder.empty()) continue;
    // One that can't be looked at is the one that is meant: reading it says why.
    std::error_code error;
    const auto kind = fs::status(file, error).type();
    if (kind != fs::file_type::not_found) return file;
  }
  return {};
}

// Sorted. A folder that is not there is an empty one; what can't be read could hide an archive and is an error.
std::vector<fs::path> yaml_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) return files;
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".yaml") files.push_back(entry->path());
  }
  if (error)
    throw Error::from_errno(error.value(), "configuration folder " + quote(folder.native()), ErrorCause::configuration);
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::vector<fs::path> find_config_files(const ConfigSources& sources) {
  const auto file = main_file(sources);
  if (file.empty()) return {};
  auto files = yaml_files(file.parent_path() / "archives.d");
  files.insert(files.begin(), file);
  return files;
}

Origin origin_of_files(const ConfigSources& sources) {
  if (!sources.file.empty()) return {"command line", 0, 0};
  return {environment(sources, "AA_CONFIG").empty() ? "" : "environment AA_CONFIG", 0, 0};
}

bool is_state_dir_given(const ConfigSources& sources) {
  return !environment(sources, "AA_STATE_DIR").empty();
}

std::string state_dir_variable(const ConfigSources& sources) {
  if (is_state_dir_given(sources)) return "AA_STATE_DIR";
  return fs::path(environment(sources, "XDG_STATE_HOME")).is_absolute() ? "XDG_STATE_HOME" : "";
}

fs::path default_state_dir(const ConfigSources& sources) {
  if (const auto given = environment(sources, "AA_STATE_DIR"); !given.empty()) return plain_path(fs::absolute(given));
  if (sources.as_root && environment(sources, "XDG_STATE_HOME").empty()) return "/var/lib/autoarchive";
  const auto user = user_folder(sources, "XDG_STATE_HOME", ".local/state");
  return user.empty() ? fs::path("/var/lib/autoarchive") : plain_path(fs::absolute(user / "autoarchive"));
}

}  // namespace autoarchive::host
