/// \file
/// The configuration after reading, merging and checking: plain values, no YAML.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/tree/attributes.hpp"
#include "autoarchive/tree/filter.hpp"

namespace autoarchive::host {

/// Where a value comes from, for messages and `config show`.
struct Origin {
  std::string file;  ///< e.g. "/etc/autoarchive/config.yaml", "built-in", "command line", "environment AA_TYPE"
  int line = 0;      ///< from 1; 0: not from a file
  int column = 0;
  /// "config.yaml:12:5", "built-in"
  [[nodiscard]] std::string text() const;
};

/// When a chain of levels begins again. What is not set never fires.
struct LevelRules {
  std::optional<int> max;                             ///< the highest level; a higher one is a restart
  std::optional<std::chrono::seconds> restart_after;  ///< since the last low level
  std::optional<std::chrono::seconds> full_after;     ///< since level 0
  std::optional<int> full_after_restarts;
  /// A restart goes to a level that is not larger than this part of level 0.
  std::optional<int> max_restart_size_percent;
  /// Generations beyond KeepRules::generations go with the next backup, and not only one a time.
  bool remove_obsolete = false;
};

/// When a hook runs. before_all and after_all once a run, all others once an archive.
enum class HookPoint : std::uint8_t { before_all, before, snapshot, after, succeeded, warned, failed, after_all };
[[nodiscard]] std::string_view to_string(HookPoint point) noexcept;

/// A program of the user's at a point of a run.
struct HookRule {
  HookPoint at = HookPoint::before;
  std::vector<std::string> run;      ///< argument vector; a shell takes part only if it is the shell's
  std::vector<std::string> release;  ///< snapshot: what takes it away again, always
  std::set<int> not_now{75};         ///< exit statuses that mean: try again later
  std::chrono::seconds time_limit{3600};
  Origin origin;
};

/// What a problem counts as. The last rule that fits decides.
struct ProblemRule {
  enum class Treatment : std::uint8_t { ignore, notice, warning, error };
  std::string on;     ///< an id such as "file.changed", or "file.*", "*"
  std::string match;  ///< a pattern with the meaning of .gitignore; empty: every path
  Treatment as = Treatment::notice;
};

/// Outside of these the source is not trusted: the backup is held, and the old ones stay.
struct GuardRules {
  std::optional<int> min_files;
  std::optional<int> shrink_limit_percent;  ///< fewer files or bytes than the last backup by more than this part
};

/// What is proven of the backups, and when.
struct VerifyRules {
  bool after_create = false;                          ///< every new backup is read back
  std::optional<std::chrono::seconds> restore_every;  ///< the newest is restored into nothing
};

/// What the provider of an archive has to be able to do, by the names of features.
struct FeatureRules {
  std::vector<std::string> required;   ///< a provider without one of them is out
  std::vector<std::string> preferred;  ///< who has more of them comes first
};

/// How many older generations stay.
struct KeepRules {
  int generations = 1;  ///< 0..676
};

/// One archive, with templates and defaults merged in.
struct ArchiveConfig {
  std::string name;
  std::filesystem::path defined_in;  ///< the file; empty: the command line
  std::filesystem::path root;
  std::set<std::string> include{"."};
  FilterRules filter;
  std::filesystem::path destination;
  std::string type = "tar.gz";    ///< a type's extension; whether a provider has it is the router's matter
  std::optional<int> strength;    ///< 0..9
  std::string provider = "auto";  ///< a provider id as a pin, or "auto"
  FeatureRules features;
  bool incremental = false;
  LevelRules levels;
  KeepRules keep;
  std::vector<HookRule> hooks;
  std::vector<ProblemRule> problems;
  GuardRules guard;
  VerifyRules verify;
  std::optional<std::chrono::seconds> max_age;  ///< of the last success, for `status`
  std::string schedule;                         ///< systemd's OnCalendar; empty: by hand
  bool overwrite_at_start = false;
  bool allow_empty = false;
  unsigned threads = 0;  ///< 0: auto
  MetadataOptions metadata;
  /// Where each key's value comes from, by dotted key below the archive, e.g. "keep.generations".
  std::map<std::string, Origin> origins;
};

/// What the user says about one provider.
struct ProviderSettings {
  int priority = 0;       ///< -1000..1000
  bool enabled = true;    ///< false: never used
  bool required = false;  ///< nothing is started without it
  std::map<std::string, std::string> options;
  Origin origin;
  std::map<std::string, Origin> option_origins;  ///< of each option
};

/// A directory with plugins, or a plugin, and where it is named.
struct ConfiguredPath {
  std::filesystem::path path;
  Origin origin;
};

/// The file, the content, or both, that a plugin id is tied to.
struct ConfiguredPin {
  std::filesystem::path file;  ///< empty: wherever it is found
  std::string sha256;          ///< 64 hexadecimal digits in lower case; empty: any
  Origin origin;
};

struct PluginsConfig {
  std::vector<ConfiguredPath> directories;
  std::map<std::string, ProviderSettings> settings;     ///< by provider id, e.g. "tar-external"
  std::set<std::string> deny;                           ///< provider or plugin ids
  std::set<std::string> allow;                          ///< plugin ids; empty: all
  std::map<std::string, ConfiguredPin> pins;            ///< by plugin id
  std::map<std::string, ConfiguredPath> dev_overrides;  ///< by plugin id
  bool environment_path = false;                        ///< AA_PLUGIN_PATH counts for root, too
  /// Where each value comes from, by dotted key below `plugins`, e.g. "settings.tar-external.priority".
  std::map<std::string, Origin> origins;
};

/// Everything that was read. A plain value.
struct Config {
  std::vector<std::filesystem::path> files;  ///< that were read, in order; empty: no configuration
  PluginsConfig plugins;
  std::filesystem::path state_dir;
  std::vector<HookRule> hooks;     ///< before_all, after_all
  int jobs = 1;                    ///< archives that are backed up at the same time
  std::optional<int> nice;         ///< 0..19
  std::string ionice;              ///< "idle", "best-effort"; empty: as it is
  std::vector<std::string> order;  ///< names of the archives as they stand in the files
  std::map<std::string, ArchiveConfig> archives;
  /// What an archive starts from that no file names (`aa create NAME --root … --destination …`).
  ArchiveConfig defaults;
  std::map<std::string, Origin> origins;  ///< of what is the run's, e.g. "state_dir"
};

/// Where to look for the configuration and what overrides it. Given, not taken from the process, so that tests can.
struct ConfigSources {
  std::filesystem::path file;  ///< --config or $AA_CONFIG; empty: search
  std::map<std::string, std::string> environment;
  bool as_root = false;  ///< files that others may write are refused then
};

/// Finds ($AA_CONFIG, $XDG_CONFIG_HOME/autoarchive/config.yaml, /etc/autoarchive/config.yaml; plus archives.d/*.yaml
/// beside it), reads and checks. No file found: an empty configuration. Throws Error(value_error, cause configuration)
/// whose message has one line per fault, each "FILE:LINE:COLUMN: what, what is allowed, nearest key"; nothing is
/// half-read.
[[nodiscard]] Config read_config(const ConfigSources& sources);

/// JSON Schema (draft 2020-12) of the file, from the same table of keys that reads it.
[[nodiscard]] std::string config_schema();
/// A complete commented YAML with every key, its default and its meaning, from the same table.
[[nodiscard]] std::string config_example();
/// docs/config-reference.md, from the same table.
[[nodiscard]] std::string config_reference();

/// An effective value as text, for `config show`: dotted key, value, origin.
struct ShownValue {
  std::string key;
  std::string value;
  Origin origin;
};
[[nodiscard]] std::vector<ShownValue> show_archive(const ArchiveConfig& archive);
/// Of the run: everything outside of archives. Of a provider's options, only references to secrets are shown.
[[nodiscard]] std::vector<ShownValue> show_run(const Config& config);

}  // namespace autoarchive::host
