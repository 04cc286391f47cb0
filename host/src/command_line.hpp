/// \file
/// What the user has asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.hpp"
#include "output/console.hpp"

namespace autoarchive::host {

/// "home@2.aa" as archive and selector.
struct Target {
  std::string archive;   ///< or the path of an archive file
  std::string selector;  ///< "" is the newest point in time
};

/// Options that every command takes, before or after the verb.
struct GlobalOptions {
  std::filesystem::path config;
  Verbosity verbosity = Verbosity::normal;
  bool json = false;
  std::string events;
  std::string progress = "auto";  ///< auto, bar, plain, none
  When color = When::automatic;
  bool dry_run = false;
  bool yes = false;
  std::chrono::seconds lock_wait{0};
  std::vector<std::filesystem::path> plugin_directories;
  bool safe_mode = false;
  /// Each of them under its name, for `config show`; of a flag how often it is given.
  std::vector<ShownValue> given;
};

/// Overrides of an archive's values, and the definition of an ad-hoc one.
struct ArchiveOverrides {
  std::optional<std::string> root;
  std::optional<std::string> destination;
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  std::optional<std::string> type;
  std::optional<int> strength;
  std::optional<std::string> provider;
  std::optional<unsigned> threads;
  bool incremental = false;
  bool overwrite_at_start = false;
  bool allow_empty = false;
  std::map<std::string, std::string> variables;  ///< the environment's that have given some of them, by key: "AA_TYPE"
};

/// Of `create`: it was started by a run that has the hooks before and after all.
inline constexpr const char* kPartOfRunOption = "--part-of-run";

struct CreateCommand {
  std::vector<std::string> archives;
  bool all = false;
  ArchiveOverrides overrides;
  std::optional<int> level;  ///< none: by the rules
  bool next_level = false;   ///< the next in a row, whatever the rules say
  bool full = false;
  bool new_destination = false;
  bool accept_source = false;
  bool ignore_free_space = false;
  std::optional<int> jobs;   ///< none: as the configuration says
  bool part_of_run = false;  ///< kPartOfRunOption
  bool fail_fast = false;
};
struct ListCommand {
  std::vector<std::string> archives;
  std::optional<std::string> destination;  ///< of an ad-hoc archive
};
struct LsCommand {
  Target target;
  std::vector<std::string> paths;
  std::optional<std::string> destination;
};
struct CatCommand {
  Target target;
  std::vector<std::string> paths;
  std::optional<std::string> destination;
};
struct FindCommand {
  std::string pattern;  ///< a shell pattern
  std::vector<std::string> archives;
  std::optional<std::string> destination;
  bool all = false;  ///< every backup, not only the newest
};
struct VersionsCommand {
  std::string archive;
  std::string path;
  std::optional<std::string> destination;
};
struct DiffCommand {
  Target first;
  std::optional<Target> second;
  bool live = false;  ///< with the tree as it is now, in place of a second backup
  ArchiveOverrides overrides;
};
struct ExplainCommand {
  std::string archive;
  std::optional<std::string> destination;
};
struct RestoreCommand {
  Target target;
  std::vector<std::string> paths;
  std::optional<std::string> destination;
  std::filesystem::path to;
  std::string at;                    ///< a time instead of a selector
  std::string overwrite = "always";  ///< always, newer, never
  std::string owner;                 ///< names, ids, none; empty: names, as far as the user may
  bool delete_others = false;
  bool salvage = false;
  bool script = false;  ///< print a shell script with plain tar commands instead
};
struct VerifyCommand {
  std::vector<Target> targets;  ///< empty: every archive of the configuration
  std::optional<std::string> destination;
  std::string level = "data";  ///< quick, data, restore, source
};
struct RemoveCommand {
  Target target;
  bool has_selector = false;
  std::optional<int> from_level;
  std::optional<std::string> destination;
};
struct KeepCommand {
  std::vector<std::string> targets;  ///< archives; one ARCHIVE[@SELECTOR] to pin or unpin
  bool pin = false;
  bool unpin = false;
};
struct StatusCommand {
  std::vector<std::string> archives;
  std::string format = "text";   ///< text, json, prometheus
  std::filesystem::path output;  ///< empty: standard output
};
struct ScheduleCommand {
  std::string action;  ///< show, install, remove
  std::vector<std::string> archives;
  std::filesystem::path directory;  ///< of the units; empty: systemd's
};
struct PurgeCommand {
  std::vector<std::string> archives;
  bool orphans = false;
};
struct RescanCommand {
  std::filesystem::path directory;  ///< empty: the destinations of all archives
  std::filesystem::path snapshots;  ///< of the original program, to be taken over; empty: none
};
struct RouteCommand {
  std::vector<std::string> archives;
  ArchiveOverrides overrides;
};
struct WhyCommand {
  std::string archive;
  std::vector<std::string> paths;
  ArchiveOverrides overrides;
};
struct PluginsCommand {
  std::string action;               ///< list, inspect, doctor, new, validate
  std::string plugin;               ///< a file, an id or a name; new: a name; validate: a file; may be empty for doctor
  bool no_load = false;             ///< inspect: run none of its code
  std::filesystem::path directory;  ///< new: where the folder is made; empty: here
  std::string only;                 ///< validate: tests whose "group/name" has this in it; empty: all
  std::uint32_t seed = 1;           ///< validate
  int time_limit_seconds = 120;     ///< validate: of one test, 1..86400
  std::filesystem::path junit;      ///< validate: a report in JUnit's form; empty: none
};
struct ConfigCommand {
  std::string action;  ///< check, show, import, schema, example, reference, problems
  std::vector<std::string> archives;
  ArchiveOverrides overrides;                ///< show
  bool file_only = false;                    ///< check: not against this machine
  std::vector<std::filesystem::path> paths;  ///< import
};
struct CompletionCommand {
  std::string shell;  ///< bash, zsh, fish
};
/// What a shell asks on its user's behalf.
struct CompleteCommand {
  std::vector<std::string> words;  ///< of the command line, the program's name first and the one that is typed last
};
struct ManualCommand {
  std::string page;  ///< aa, aa.yaml
};
struct VersionCommand {};
/// `text` is printed and the program ends well.
struct HelpCommand {
  std::string text;
};

using Command =
    std::variant<CreateCommand, ListCommand, LsCommand, CatCommand, FindCommand, VersionsCommand, DiffCommand,
                 ExplainCommand, RestoreCommand, VerifyCommand, RemoveCommand, KeepCommand, StatusCommand,
                 ScheduleCommand, PurgeCommand, RescanCommand, RouteCommand, WhyCommand, PluginsCommand, ConfigCommand,
                 CompletionCommand, CompleteCommand, ManualCommand, VersionCommand, HelpCommand>;

struct CommandLine {
  GlobalOptions options;
  Command command;
};

/// Reads arguments (without the program's name); AA_… variables of the environment give the global options that the
/// arguments do not. Throws Error (value_error, cause usage) that says what is wrong and what is allowed.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& arguments);

/// One thing that can be said on the command line.
struct WordDescription {
  std::vector<std::string> names;    ///< of an option: "--config", "-c"; of an argument: "ARCHIVE"
  std::string value;                 ///< what an option takes, e.g. "FILE"; empty: nothing
  std::vector<std::string> choices;  ///< all that it takes; empty: anything of its kind
  std::string text;
  std::string environment;  ///< the variable that gives it, too; may be empty
  bool required = false;
  bool repeatable = false;
};
/// A command, with what belongs to it alone.
struct VerbDescription {
  std::string name;
  std::string text;
  std::vector<WordDescription> arguments;
  std::vector<WordDescription> options;
  std::vector<VerbDescription> verbs;  ///< e.g. of config: check, show
};
/// The whole command line as a table, for manuals and completion. The options of the top are the global ones.
[[nodiscard]] VerbDescription describe_command_line();

/// "home@~1" -> {"home", "~1"}. A path of a file keeps its "@".
[[nodiscard]] Target parse_target(const std::string& text);

}  // namespace autoarchive::host
