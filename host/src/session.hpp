/// \file
/// What every command works with: options, configuration, plugins, and the way to the user.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <istream>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "config/config.hpp"
#include "events/event_stream.hpp"
#include "events/progress_display.hpp"
#include "events/service_status.hpp"
#include "output/console.hpp"
#include "providers.hpp"

namespace autoarchive::host {

/// The process around the program; given, so that tests run the whole program in memory.
struct ProcessContext {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::map<std::string, std::string> environment;
  bool as_root = false;
  std::filesystem::path executable;  ///< the program's own file; plugins are found relative to it
  std::stop_token stop;
  bool has_raised_rights = false;  ///< more than those of whoever started it
};

/// One run of the program. Configuration and plugins are read when they are first needed. Not thread-safe.
class Session {
 public:
  Session(const ProcessContext& process, GlobalOptions options);

  [[nodiscard]] const GlobalOptions& options() const noexcept { return options_; }
  [[nodiscard]] const ProcessContext& process() const noexcept { return process_; }
  [[nodiscard]] Console& console() noexcept { return console_; }
  [[nodiscard]] EventStream& events() noexcept { return events_; }

  [[nodiscard]] const ServiceStatus& service() const noexcept { return service_; }

  /// How progress is shown.
  [[nodiscard]] ProgressStyle progress_style() const;
  /// False with AA_BENCHMARK=no-sync in the environment: nothing is synced and no SHA-256 computed, for comparisons
  /// with programs that do neither.
  [[nodiscard]] bool syncs() const;

  /// How long ago a stop was requested; none: it was not.
  [[nodiscard]] std::optional<std::chrono::milliseconds> since_stop() const;

  /// Throws Error(cause configuration).
  [[nodiscard]] const Config& config();
  /// With the settings of the configuration checked. Throws Error(cause configuration or unavailable).
  [[nodiscard]] Providers& providers();
  /// Without that check, to look into what is wrong. Throws Error(cause configuration) for the file alone. A `plugin`
  /// that is given at the first call is looked at before all others.
  [[nodiscard]] Providers& unchecked_providers(const std::filesystem::path& plugin = {});

  /// The same plugins once more, for another configuration, which has to outlive them. Says nothing to the user.
  [[nodiscard]] std::unique_ptr<Providers> fresh_providers(const Config& config) const;

  /// The directory of the plugins that came with the program.
  [[nodiscard]] std::filesystem::path installed_plugins() const;

  /// The configured archive with this name, overridden; or, with a root and a destination given, one that no file
  /// defines. Throws Error(key_error, cause no_such_backup) that names the nearest, or value_error for a bad name.
  [[nodiscard]] ArchiveConfig archive(const std::string& name, const ArchiveOverrides& overrides = {});
  /// The named ones, or all of the configuration, as they stand there, if none is named.
  [[nodiscard]] std::vector<ArchiveConfig> archives(const std::vector<std::string>& names,
                                                    const ArchiveOverrides& overrides = {});
  /// The same, for what makes no sense without any: throws Error(key_error, cause no_such_backup) if there is none.
  [[nodiscard]] std::vector<ArchiveConfig> some_archives(const std::vector<std::string>& names,
                                                         const ArchiveOverrides& overrides = {});

  /// Asks on a terminal; true with --yes. Without a terminal and --yes: throws Error(cause usage).
  [[nodiscard]] bool confirm(const std::string& question);

 private:
  ProcessContext process_;
  GlobalOptions options_;
  Console console_;
  EventStream events_;
  ServiceStatus service_;
  std::optional<Config> config_;
  std::unique_ptr<Providers> providers_;
  bool settings_checked_ = false;
  std::atomic<std::int64_t> stopped_at_ms_{0};  // of the steady clock; written on whatever thread asks for the stop
  std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace autoarchive::host
