#include "session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "config/plain_path.hpp"

namespace autoarchive::host {
namespace {

std::string from_environment(const ProcessContext& process, const std::string& name) {
  const auto found = process.environment.find(name);
  return found == process.environment.end() ? std::string() : found->second;
}

ConsoleOptions console_options(const ProcessContext& process, const GlobalOptions& options) {
  const bool wanted = options.color == When::always || (options.color == When::automatic && process.err_is_terminal &&
                                                        from_environment(process, "NO_COLOR").empty());
  return {options.verbosity, options.json, wanted};
}

std::int64_t steady_milliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Problem plugin_problem(const PluginReport& report) {
  if (report.state == PluginState::unsearched) {
    const auto& refusal = report.refusals.front();
    return {Severity::warning, "plugin.refused", "",
            fmt::format("plugin directory {}: {} {}; {}", quote(report.file.native()), refusal.code, refusal.text,
                        refusal.remedy)};
  }
  // What the user has said should not be used is no news.
  const auto is_wish = [](const Refusal& refusal) {
    return refusal.code == "AA-P401" || refusal.code == "AA-P402" || refusal.code == "AA-P404";
  };
  const bool as_wished = std::all_of(report.refusals.begin(), report.refusals.end(), is_wish);
  return {as_wished ? Severity::notice : Severity::warning, "plugin.refused", "", refusal_text(report)};
}

void tell(Console& console, const PluginReport& report) {
  if (!report.refusals.empty()) console.problem(plugin_problem(report));
  if (report.is_dev_override && report.is_usable()) {
    console.problem(
        {Severity::notice, "plugin.dev_override", "",
         fmt::format("DEVELOPMENT: plugin {} is {} ({})", report.id(), quote(report.file.native()), report.named_by)});
  }
}

std::filesystem::path user_plugin_directory(const ProcessContext& process) {
  const std::filesystem::path data = from_environment(process, "XDG_DATA_HOME");
  if (data.is_absolute()) return data / "autoarchive/plugins";
  const std::filesystem::path home = from_environment(process, "HOME");
  return home.is_absolute() ? home / ".local/share/autoarchive/plugins" : std::filesystem::path();
}

std::filesystem::path installed_directory(const ProcessContext& process) {
  return (process.executable.parent_path() / AA_PLUGIN_RELATIVE_DIR).lexically_normal();
}

// The user's own directories come first. What is left out is told where there is a console. Nobody with more rights
// than the user takes code from a variable or a home directory that somebody else may have set.
PluginSearch plugin_search(const ProcessContext& process, const GlobalOptions& options, const Config& config,
                           Console* console) {
  PluginSearch search;
  for (const auto& directory : options.plugin_directories) search.first.push_back({directory, "--plugin-dir"});
  search.safe_mode = options.safe_mode;
  const auto path = from_environment(process, "AA_PLUGIN_PATH");
  const bool is_trusted = !process.has_raised_rights && (!process.as_root || config.plugins.environment_path);
  if (console != nullptr && !path.empty() && !is_trusted) {
    console->problem({Severity::notice, "plugin.path_ignored", "",
                      process.has_raised_rights
                          ? "AA_PLUGIN_PATH is ignored with raised rights; use plugins.directories"
                          : "AA_PLUGIN_PATH is ignored for root; use --plugin-dir, or set plugins.environment_path"});
  }
  for (std::size_t begin = 0; is_trusted && begin < path.size();) {
    const auto end = std::min(path.find(':', begin), path.size());
    if (end > begin) search.first.push_back({path.substr(begin, end - begin), "AA_PLUGIN_PATH"});
    begin = end + 1;
  }
  if (!process.as_root && !process.has_raised_rights) search.user_directory = user_plugin_directory(process);
  search.installed_directory = installed_directory(process);
  return search;
}

/// Puts what was given in the place of what is configured, and notes that it was.
class Overriding {
 public:
  Overriding(const ArchiveOverrides& overrides, ArchiveConfig& archive) : overrides_(overrides), archive_(archive) {}

  void run() {
    if (overrides_.root) set("root", archive_.root, directory_of("root", *overrides_.root));
    if (overrides_.destination)
      set("destination", archive_.destination, directory_of("destination", *overrides_.destination));
    if (!overrides_.include.empty())
      set("include", archive_.include, std::set(overrides_.include.begin(), overrides_.include.end()));
    if (!overrides_.exclude.empty()) {
      auto patterns = archive_.filter.exclude;
      patterns.insert(patterns.end(), overrides_.exclude.begin(), overrides_.exclude.end());
      set("exclude", archive_.filter.exclude, std::move(patterns));
    }
    if (overrides_.type) set("type", archive_.type, *overrides_.type);
    if (overrides_.strength) set("strength", archive_.strength, overrides_.strength);
    if (overrides_.provider) set("provider", archive_.provider, *overrides_.provider);
    if (overrides_.threads) set("threads", archive_.threads, *overrides_.threads);
    if (overrides_.incremental) set("incremental", archive_.incremental, true);
    if (overrides_.overwrite_at_start) set("overwrite_at_start", archive_.overwrite_at_start, true);
    if (overrides_.allow_empty) set("allow_empty", archive_.allow_empty, true);
  }

 private:
  static std::filesystem::path directory_of(const std::string& option, const std::string& given) {
    if (given.empty()) throw Error(ErrorCode::value_error, "--" + option + ": name a directory", ErrorCause::usage);
    return plain_path(std::filesystem::absolute(given));
  }

  template <class Value>
  void set(const std::string& key, Value& place, Value value) {
    place = std::move(value);
    const auto variable = overrides_.variables.find(key);
    archive_.origins[key] = {
        variable == overrides_.variables.end() ? "command line" : "environment " + variable->second, 0, 0};
  }

  const ArchiveOverrides& overrides_;
  ArchiveConfig& archive_;
};

Error unknown_archive(const std::string& name, const Config& config) {
  std::vector<std::string> names;
  for (const auto& [known, archive] : config.archives) names.push_back(known);
  const auto suggestion = nearest(name, names);
  const std::string remedy =
      !suggestion.empty() ? "did you mean " + suggestion + "?"
      : config.files.empty()
          ? "there is no configuration; give --root DIR and --destination DIR, or see aa config example"
          : "see aa list";
  return {ErrorCode::key_error, fmt::format("no archive {} is configured; {}", quote(name), remedy),
          ErrorCause::no_such_backup};
}

}  // namespace

Session::Session(const ProcessContext& process, GlobalOptions options)
    : process_(process),
      options_(std::move(options)),
      console_(process.out, process.err, console_options(process, options_)),
      events_(options_.events),
      service_(from_environment(process, "NOTIFY_SOCKET")),
      on_stop_(process.stop, [this] { stopped_at_ms_ = steady_milliseconds(); }) {}

std::optional<std::chrono::milliseconds> Session::since_stop() const {
  if (!process_.stop.stop_requested()) return std::nullopt;
  // The request is seen a moment before its time is.
  const auto at = stopped_at_ms_.load();
  return std::chrono::milliseconds(at == 0 ? 0 : steady_milliseconds() - at);
}

ProgressStyle Session::progress_style() const {
  return host::progress_style(options_.progress, options_.verbosity == Verbosity::quiet, process_.err_is_terminal);
}

bool Session::syncs() const {
  return from_environment(process_, "AA_BENCHMARK") != "no-sync";
}

const Config& Session::config() {
  if (!config_) {
    ConfigSources sources{options_.config, process_.environment, process_.as_root};
    config_ = read_config(sources);
  }
  return *config_;
}

std::filesystem::path Session::installed_plugins() const {
  return installed_directory(process_);
}

std::unique_ptr<Providers> Session::fresh_providers(const Config& config) const {
  const auto search = plugin_search(process_, options_, config, nullptr);
  return std::make_unique<Providers>(config, search, AppEnvironment(process_.executable.native(), {}, {}),
                                     [](const PluginReport&) {});
}

Providers& Session::unchecked_providers(const std::filesystem::path& plugin) {
  if (!providers_) {
    AppEnvironment environment(process_.executable.native(), {}, {});
    auto search = plugin_search(process_, options_, config(), &console_);
    if (!plugin.empty()) search.first.insert(search.first.begin(), {plugin, "the command line"});
    providers_ = std::make_unique<Providers>(config(), search, std::move(environment),
                                             [this](const PluginReport& report) { tell(console_, report); });
  }
  return *providers_;
}

Providers& Session::providers() {
  auto& providers = unchecked_providers();
  if (!settings_checked_) providers.check_settings();
  settings_checked_ = true;
  return providers;
}

ArchiveConfig Session::archive(const std::string& name, const ArchiveOverrides& overrides) {
  check_archive_name(name);
  const auto& known = config().archives;
  const auto found = known.find(name);
  ArchiveConfig archive = found != known.end() ? found->second : config().defaults;
  if (found == known.end() && !overrides.destination) throw unknown_archive(name, config());
  archive.name = name;
  Overriding(overrides, archive).run();
  return archive;
}

std::vector<ArchiveConfig> Session::archives(const std::vector<std::string>& names, const ArchiveOverrides& overrides) {
  std::vector<ArchiveConfig> chosen;
  chosen.reserve(names.size());
  for (const auto& name : names) chosen.push_back(archive(name, overrides));
  if (names.empty()) {
    for (const auto& name : config().order) chosen.push_back(archive(name, overrides));
  }
  return chosen;
}

std::vector<ArchiveConfig> Session::some_archives(const std::vector<std::string>& names,
                                                  const ArchiveOverrides& overrides) {
  auto chosen = archives(names, overrides);
  if (!chosen.empty()) return chosen;
  throw Error(ErrorCode::key_error, "no archive is configured; see aa config example", ErrorCause::no_such_backup);
}

bool Session::confirm(const std::string& question) {
  if (options_.yes) return true;
  if (!process_.in_is_terminal || options_.json) {
    throw Error(ErrorCode::value_error, question + " Not asked without a terminal; add -y", ErrorCause::usage);
  }
  process_.err << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(process_.in, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace autoarchive::host
