/// \file
/// Finds plugins, refuses what must not be loaded, and lets the rest register their services.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "autoarchive/base/export.hpp"
#include "autoarchive/service/application_context.hpp"
#include "autoarchive/service/service_accessor.hpp"

namespace autoarchive {

/// Why a plugin was not loaded. `code` is stable and documented, e.g. "AA-P103".
struct Refusal {
  std::string code;
  std::string text;    ///< field, found value, allowed value
  std::string remedy;  ///< what to do, e.g. "chmod g-w /opt/plugins"
};

enum class PluginState : std::uint8_t {
  loaded,
  refused,
  shadowed,
  unsearched,  ///< a directory that could not be read, or not to its end
};

/// What is known about one file that was looked at, or about a directory that could not be.
struct PluginReport {
  std::filesystem::path file;
  PluginState state = PluginState::refused;
  std::string id;  ///< empty if it could not be read
  std::string version;
  std::vector<std::string> providers;  ///< as declared
  std::vector<Refusal> refusals;       ///< all faults of the stage at which it was refused
  std::string shadowed_by;             ///< the file that has the same id and came first
};

/// A directory with plugins.
struct PluginDirectory {
  std::filesystem::path path;
  /// For messages, e.g. "--plugin-dir", "config.yaml:9:17". Empty: a default place, which may be missing.
  std::string named_by;
};

/// Where to look and what to allow. A plain value.
struct PluginPolicy {
  /// In order of precedence; names within one are sorted by bytes; not recursive, "*.so" only.
  std::vector<PluginDirectory> directories;
  std::set<std::string> denied;  ///< plugin ids
  bool safe_mode = false;        ///< only `installed_directory`
  std::filesystem::path installed_directory;
};

/// Loads with all symbols bound at once, never unloads while the process lives. Not thread-safe.
class AA_EXPORT PluginLoader {
 public:
  /// Both must outlive the loader.
  PluginLoader(ApplicationContext& context, ServiceAccessor& accessor);
  PluginLoader(const PluginLoader&) = delete;
  PluginLoader& operator=(const PluginLoader&) = delete;
  /// Calls destroy_services() of every component in reverse order.
  ~PluginLoader();

  /// Looks into every directory. Neither a bad plugin nor a directory that can't be read stops the others or throws.
  /// May be called once.
  void load(const PluginPolicy& policy);
  /// Everything that was looked at, in that order.
  [[nodiscard]] const std::vector<PluginReport>& reports() const noexcept;
  /// The logical unload. What a component throws is kept in its report; the others follow all the same.
  void destroy_services();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace autoarchive
