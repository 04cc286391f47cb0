/// \file
/// Finds plugins, refuses what must not be loaded, and lets the rest register their services.
///
/// What becomes of a file:
///
///     discover()  file, ELF, note, policy, ABI: all without running any of its code
///       ├─ refused     by one of these stages, each fault with its code
///       ├─ shadowed    another file with the same id came first
///       └─ accepted    what it declares is known
///     load()      in a child process first, unless it is an installed one; then here
///       ├─ refused     it could not be loaded, its component failed, or it is not what it declares
///       └─ loaded      its providers are registered
///     destroy_services()
///       └─ taken_back  its code stays, and so does every provider that somebody still holds
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/export.hpp"
#include "autoarchive/plugin/plugin_descriptor.hpp"
#include "autoarchive/service/application_context.hpp"
#include "autoarchive/service/service_accessor.hpp"

namespace autoarchive {

/// Why a plugin was not loaded. `code` is stable and documented, e.g. "AA-P103".
struct Refusal {
  std::string code;
  std::string text;    ///< field, found value, allowed value
  std::string remedy;  ///< what to do, e.g. "chmod g-w /opt/plugins"
  /// Where two values were compared: which, e.g. "abi.epoch"; else all three are empty.
  std::string field = {};
  std::string found = {};
  std::string allowed = {};
};

enum class PluginState : std::uint8_t {
  accepted,
  loaded,
  refused,
  shadowed,
  taken_back,
  unsearched,  ///< a directory that could not be read, or not to its end
};
/// As printed, e.g. "taken back".
[[nodiscard]] AA_EXPORT std::string_view to_string(PluginState state) noexcept;

/// What is known about one file that was looked at, or about a directory that could not be.
struct PluginReport {
  std::filesystem::path file;
  std::string named_by;  ///< why it was looked at, as PluginDirectory::named_by
  PluginState state = PluginState::refused;
  PluginDescriptor descriptor;    ///< as far as it could be read
  std::vector<Refusal> refusals;  ///< all faults of the stage at which it was refused
  std::string shadowed_by;        ///< the file that has the same id and came first
  bool is_dev_override = false;

  [[nodiscard]] const std::string& id() const noexcept { return descriptor.id; }
  /// Whether it may be used: accepted, or loaded already.
  [[nodiscard]] bool is_usable() const noexcept {
    return state == PluginState::accepted || state == PluginState::loaded;
  }
};

/// A directory with plugins; or one plugin, "*.so".
struct PluginDirectory {
  std::filesystem::path path;
  /// For messages, e.g. "--plugin-dir", "config.yaml:9:17". Empty: a default place, which may be missing.
  std::string named_by;
};

/// What the user has tied a plugin id to.
struct PluginPin {
  std::filesystem::path file;  ///< empty: wherever it is found
  std::string sha256;          ///< 64 hexadecimal digits in lower case; empty: any
  std::string named_by;        ///< as PluginDirectory::named_by
};

/// Where to look and what to allow. A plain value.
struct PluginPolicy {
  /// In order of precedence; names within one are sorted by bytes; not recursive, "*.so" only.
  std::vector<PluginDirectory> directories;
  std::set<std::string> denied;  ///< plugin ids
  bool safe_mode = false;        ///< only `installed_directory`
  /// Its plugins came with the program: they may have reserved ids, and are not tried in a child process. May be empty.
  std::filesystem::path installed_directory;
  std::set<std::string> allowed;  ///< plugin ids; empty: all
  /// By plugin id. Pinned files come before all directories, in the order of their ids.
  std::map<std::string, PluginPin> pins;
  /// By plugin id: this file and no other, before all else. Not in safe mode.
  std::map<std::string, PluginPin> dev_overrides;
};

/// Which providers are meant; what is empty is not asked for. A plain value.
struct ProviderQuery {
  std::string service;  ///< e.g. "archiver"
  std::string type;     ///< e.g. "tar.gz"; a provider that declares no types has all
  std::string id;       ///< e.g. "tar-internal"

  [[nodiscard]] AA_EXPORT bool matches(const ProviderDeclaration& provider) const;
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

  /// Looks into every directory, and runs no plugin's code. Neither a bad plugin nor a directory that can't be read
  /// stops the others or throws. May be called once.
  void discover(const PluginPolicy& policy);
  /// Loads the accepted plugins that declare such a provider. Bad ones are refused and stop nothing.
  void load_providers(const ProviderQuery& wanted);
  /// discover(), and loads all accepted ones.
  void load(const PluginPolicy& policy);
  /// Everything that was looked at, in that order.
  [[nodiscard]] const std::vector<PluginReport>& reports() const noexcept;
  /// The logical unload, the last loaded first. What a component throws is kept in its report; the others follow all
  /// the same.
  void destroy_services();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace autoarchive
