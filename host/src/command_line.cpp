#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "command_words.hpp"

namespace autoarchive::host {
namespace {

void add_global_options(CLI::App& app, Words& words) {
  auto& options = words.options;
  app.add_option("-c,--config", options.config, "configuration file")->type_name("FILE");
  app.add_flag("-q,--quiet", words.quiet, "problems only")->envname("AA_QUIET");
  app.add_flag("-v,--verbose", words.verbose, "a line an entry; -vv for more")->envname("AA_VERBOSE");
  app.add_flag("--json", options.json, "one JSON document on stdout, nothing else")->envname("AA_JSON");
  app.add_option("--events", options.events, "what happens as JSON lines, to FILE or fd:N")->envname("AA_EVENTS");
  app.add_option("--progress", options.progress, "how progress is shown")
      ->check(CLI::IsMember({"auto", "bar", "plain", "none"}))
      ->default_str("auto")
      ->envname("AA_PROGRESS");
  app.add_option("--color", words.color, "colours")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->default_str("auto")
      ->envname("AA_COLOR");
  app.add_flag("-n,--dry-run", options.dry_run, "say what would be done, and do nothing")->envname("AA_DRY_RUN");
  app.add_flag("-y,--yes", options.yes, "don't ask")->envname("AA_YES");
  app.add_option("--lock-wait", words.lock_wait, "wait that long for another run, e.g. 90s, 10m")
      ->default_str("0s")
      ->envname("AA_LOCK_WAIT");
  app.add_option("--plugin-dir", options.plugin_directories, "look for plugins here first")
      ->type_name("DIR")
      ->allow_extra_args(false);
  app.add_flag("--safe-mode", options.safe_mode, "only the installed plugins")->envname("AA_SAFE_MODE");
}

void add_overrides(CLI::App& verb, ArchiveOverrides& overrides) {
  verb.add_option("--root", overrides.root, "root directory of the source (an archive that no file defines)")
      ->type_name("DIR");
  verb.add_option("--destination", overrides.destination, "directory that gets the backup")->type_name("DIR");
  // One value a use: what follows it is the archive's name.
  verb.add_option("--include", overrides.include, "below the root; repeatable")
      ->type_name("PATH")
      ->allow_extra_args(false);
  verb.add_option("--exclude", overrides.exclude, "gitignore pattern; repeatable")
      ->type_name("PATTERN")
      ->allow_extra_args(false);
  verb.add_option("--type", overrides.type, "tar, tar.gz, tar.bz2, tar.xz, tar.zst, or a plugin's")->envname("AA_TYPE");
  verb.add_option("--strength", overrides.strength, "0..9")->envname("AA_STRENGTH");
  verb.add_option("--provider", overrides.provider, "use this one")->type_name("ID")->envname("AA_PROVIDER");
  verb.add_option("--threads", overrides.threads, "0: as many as there are cores")->envname("AA_THREADS");
  verb.add_flag("--incremental", overrides.incremental, "make levels");
}

void add_create(CLI::App& app, CreateCommand& create, Words& words) {
  auto& verb = *app.add_subcommand("create", "make backups");
  verb.add_option("ARCHIVE", create.archives, "archives of the configuration, or a name with --root and --destination");
  verb.add_flag("--all", create.all, "every archive of the configuration");
  add_overrides(verb, create.overrides);
  auto* level = verb.add_option("--level", words.level, "N, or next: in a row, whatever the rules say");
  verb.add_flag("--full", create.full, "a level 0")->excludes(level);
  verb.add_flag("--overwrite-at-start", create.overrides.overwrite_at_start,
                "remove the old backup first, to free its space");
  verb.add_flag("--allow-empty", create.overrides.allow_empty, "an empty root is no error");
  verb.add_flag("--new-destination", create.new_destination, "the destination is new, or another one than last time");
  verb.add_flag("--accept-source", create.accept_source, "the source is right, whatever guard says");
  verb.add_flag("--ignore-free-space", create.ignore_free_space, "begin even if it does not seem to be enough");
  verb.add_option("--jobs", create.jobs, "archives at the same time")->check(CLI::Range(1, 64))->type_name("N");
  verb.add_flag(kPartOfRunOption, create.part_of_run)->group("");
  verb.add_flag("--fail-fast", create.fail_fast, "stop at the first archive that fails");
}

void add_restore(CLI::App& app, RestoreCommand& restore, Words& words) {
  auto& verb = *app.add_subcommand("restore", "bring files back");
  verb.add_option("TARGET", words.target, "ARCHIVE[@SELECTOR], or an archive file")->required();
  verb.add_option("PATH", restore.paths, "only these, with all below them");
  verb.add_option("--to", restore.to, "directory to restore into")->required()->type_name("DIR");
  verb.add_option("--at", restore.at, "the newest backup not after this day, minute or second, e.g. 2026-11-01T03:00");
  auto* overwrite = verb.add_option("--overwrite", restore.overwrite, "what happens to files that are there")
                        ->check(CLI::IsMember({"always", "newer", "never"}));
  auto* owner = verb.add_option("--owner", restore.owner, "whose the files become")
                    ->check(CLI::IsMember({"names", "ids", "none"}));
  auto* remove = verb.add_flag("--delete", restore.delete_others,
                               "remove what the backup does not have, but on other file systems");
  auto* salvage =
      verb.add_flag("--salvage", restore.salvage,
                    "bring back what can be had out of damaged files, and of chains of which some are missing");
  auto* script = verb.add_flag("--script", restore.script, "print a shell script with plain tar commands instead");
  for (auto* other : {overwrite, owner, remove, salvage}) script->excludes(other);
  verb.add_option("--destination", restore.destination, "where the backups of an archive lie that no file defines")
      ->type_name("DIR");
}

void add_looking(CLI::App& app, Commands& commands, Words& words) {
  auto& list = *app.add_subcommand("list", "archives and their backups");
  list.add_option("ARCHIVE", commands.list.archives, "default: all");
  list.add_option("--destination", commands.list.destination, "of an archive that no file defines")->type_name("DIR");
  auto& ls = *app.add_subcommand("ls", "what is in a backup");
  ls.add_option("TARGET", words.target, "ARCHIVE[@SELECTOR], or an archive file")->required();
  ls.add_option("PATH", commands.ls.paths, "only these, with all below them");
  ls.add_option("--destination", commands.ls.destination, "of an archive that no file defines")->type_name("DIR");
  auto& status = *app.add_subcommand("status", "are the backups as they should be");
  status.add_option("ARCHIVE", commands.status.archives, "default: all");
  status.add_option("--format", commands.status.format, "text, json or prometheus")
      ->check(CLI::IsMember({"text", "json", "prometheus"}));
  status
      .add_option("--output", commands.status.output,
                  "written at once, for all to read; the figures for Prometheus unless --format says json")
      ->type_name("FILE");
  auto& route = *app.add_subcommand("route", "which provider makes the backups, and why");
  route.add_option("ARCHIVE", commands.route.archives, "default: all");
  add_overrides(route, commands.route.overrides);
  auto& why = *app.add_subcommand("why", "which rule takes or leaves a path, and which backups hold it");
  why.add_option("ARCHIVE", commands.why.archive, "an archive")->required();
  why.add_option("PATH", commands.why.paths, "relative to the root")->required();
  add_overrides(why, commands.why.overrides);
}

constexpr const char* kDestinationText = "of an archive that no file defines";

void add_contents(CLI::App& app, Commands& commands, Words& words) {
  auto& cat = *app.add_subcommand("cat", "write a file of a backup to standard output");
  cat.add_option("TARGET", words.target, "ARCHIVE[@SELECTOR], or an archive file")->required();
  cat.add_option("PATH", commands.cat.paths, "relative to the root")->required();
  cat.add_option("--destination", commands.cat.destination, kDestinationText)->type_name("DIR");
  auto& find = *app.add_subcommand("find", "where a name is");
  find.add_option("PATTERN", commands.find.pattern, "shell pattern of a name, or with a / in it of a path")->required();
  find.add_option("ARCHIVE", commands.find.archives, "default: all");
  find.add_flag("--all", commands.find.all, "in every backup, not only in the newest");
  find.add_option("--destination", commands.find.destination, kDestinationText)->type_name("DIR");
  auto& versions = *app.add_subcommand("versions", "how a path has changed from backup to backup");
  versions.add_option("ARCHIVE", commands.versions.archive, "an archive")->required();
  versions.add_option("PATH", commands.versions.path, "relative to the root")->required();
  versions.add_option("--destination", commands.versions.destination, kDestinationText)->type_name("DIR");
  auto& diff = *app.add_subcommand("diff", "what differs between two backups, or one and the live tree");
  diff.add_option("TARGET", words.targets, "ARCHIVE[@SELECTOR], or an archive file; one with --live, else two")
      ->required()
      ->expected(1, 2);
  diff.add_flag("--live", commands.diff.live, "compare with the tree as it is now");
  add_overrides(diff, commands.diff.overrides);
  auto& explain = *app.add_subcommand("explain", "which files make which point in time, and what depends on them");
  explain.add_option("ARCHIVE", commands.explain.archive, "an archive")->required();
  explain.add_option("--destination", commands.explain.destination, kDestinationText)->type_name("DIR");
}

void add_verify(CLI::App& app, VerifyCommand& verify, Words& words) {
  auto& verb = *app.add_subcommand("verify", "prove that a backup is whole and comes back");
  verb.add_option("TARGET", words.targets, "ARCHIVE[@SELECTOR], or archive files; default: all archives");
  verb.add_option("--level", verify.level,
                  "how far: sizes and chain, every byte, a restore into nothing, the live tree")
      ->check(CLI::IsMember({"quick", "data", "restore", "source"}));
  verb.add_option("--destination", verify.destination, "of an archive that no file defines")->type_name("DIR");
}

void add_removing(CLI::App& app, Commands& commands, Words& words) {
  auto& remove = *app.add_subcommand("remove", "delete a backup and all that depends on it");
  remove.add_option("TARGET", words.target, "ARCHIVE@SELECTOR, or ARCHIVE with --from-level")->required();
  remove.add_option("--from-level", commands.remove.from_level, "levels from N on");
  remove.add_option("--destination", commands.remove.destination, "of an archive that no file defines")
      ->type_name("DIR");
  auto& keep = *app.add_subcommand("keep", "apply the rules on generations, or pin a backup");
  keep.add_option("ARCHIVE", commands.keep.targets, "default: all; ARCHIVE[@SELECTOR] with --pin and --unpin");
  auto* pin = keep.add_flag("--pin", commands.keep.pin, "this backup and its chain never go by themselves");
  keep.add_flag("--unpin", commands.keep.unpin, "the rules decide again")->excludes(pin);
  auto& purge =
      *app.add_subcommand("purge", "delete stored state of archives that are no longer configured; never a backup");
  purge.add_option("ARCHIVE", commands.purge.archives, "");
  purge.add_flag("--orphans", commands.purge.orphans, "every archive that is not configured");
  auto& rescan = *app.add_subcommand("rescan", "names and manifests again, from the archive files alone");
  rescan.add_option("DIR", commands.rescan.directory, "default: the destinations of all archives");
  rescan
      .add_option("--snapshots", commands.rescan.snapshots,
                  "where the Python AutoArchive has its snapshots (NAME.snar), to go on with its levels")
      ->type_name("DIR");
}

void add_plugins(CLI::App& app, PluginsCommand& command) {
  auto& plugins = *app.add_subcommand("plugins", "what can make and read backups");
  plugins.require_subcommand(1);
  const auto add = [&](const char* action, const char* text) {
    auto* verb = plugins.add_subcommand(action, text);
    verb->callback([&command, action] { command.action = action; });
    return verb;
  };
  add("list", "plugins, loaded and refused, with their providers");
  auto* inspect = add("inspect", "all that a plugin says of itself");
  inspect->add_option("PLUGIN", command.plugin, "its file, id or name")->required();
  inspect->add_flag("--no-load", command.no_load, "run none of its code");
  add("doctor", "check all plugins, or one, and say what to do")
      ->add_option("PLUGIN", command.plugin, "its file, id or name; default: all");
  auto* validate = add("validate", "prove what a plugin claims, each test in a process of its own");
  validate->add_option("FILE", command.plugin, "the plugin")->required();
  validate->add_option("--only", command.only, "tests that have this in GROUP/NAME")->type_name("TEXT");
  validate->add_option("--seed", command.seed, "of the contents of files");
  validate->add_option("--time-limit", command.time_limit_seconds, "of one test")
      ->check(CLI::Range(1, 86'400))
      ->type_name("SECONDS");
  validate->add_option("--junit", command.junit, "write a report in JUnit's form")->type_name("FILE");
  auto* create = add("new", "a folder with a plugin that builds and backs up, to begin with");
  create->add_option("NAME", command.plugin, "of the plugin, its provider and its type, e.g. cpio")->required();
  create->add_option("--into", command.directory, "where the folder is made; default: here")->type_name("DIR");
}

void add_groups(CLI::App& app, Commands& commands) {
  add_plugins(app, commands.plugins);
  auto& schedule = *app.add_subcommand("schedule", "systemd units for archives that have a schedule");
  schedule.require_subcommand(1);
  for (const auto& [action, text] : {std::pair("show", "print them"), std::pair("install", "write and enable them"),
                                     std::pair("remove", "disable and delete them")}) {
    auto* verb = schedule.add_subcommand(action, text);
    verb->add_option("ARCHIVE", commands.schedule.archives, "default: all that have a schedule");
    verb->add_option("--directory", commands.schedule.directory, "of the units")->type_name("DIR");
    verb->callback([&commands, action = std::string(action)] { commands.schedule.action = action; });
  }
  auto& config = *app.add_subcommand("config", "the configuration");
  config.require_subcommand(1);
  const auto add = [&](const char* action, const char* text) {
    auto* verb = config.add_subcommand(action, text);
    verb->callback([&commands, action] { commands.config.action = action; });
    return verb;
  };
  auto* check = add("check", "read it and say what is wrong with it, by itself and on this machine");
  check->add_option("ARCHIVE", commands.config.archives, "default: all");
  check->add_flag("--file-only", commands.config.file_only, "not against this machine");
  auto* show = add("show", "effective values and where they come from");
  show->add_option("ARCHIVE", commands.config.archives, "default: all");
  add_overrides(*show, commands.config.overrides);
  add("import", "the original AutoArchive's configuration as one of ours")
      ->add_option("PATH", commands.config.paths,
                   ".aa files, its folder of configuration, or files of options; default: where it looks itself");
  add("schema", "JSON Schema of the file");
  add("example", "a commented file with every key");
  add("reference", "every key as a table, in Markdown");
  add("problems", "every id of a problem as a table, in Markdown");
}

void add_texts(CLI::App& app, Commands& commands) {
  auto& completion = *app.add_subcommand("completion", "a script for a shell that completes commands and archives");
  completion.add_option("SHELL", commands.completion.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  auto& manual = *app.add_subcommand("manual", "a page of the manual, for man --local-file -");
  manual.add_option("PAGE", commands.manual.page, "aa or aa.yaml; default: aa")
      ->check(CLI::IsMember({"aa", "aa.yaml"}));
  auto& complete = *app.add_subcommand("complete", "")->group("");
  complete.add_option("WORD", commands.complete.words, "");
  app.add_subcommand("version", "the version");
  app.add_subcommand("help", "this text");
}

void build(CLI::App& app, Words& words, Commands& commands) {
  app.description("Named backups of directory trees as plain tar files, full or by levels.");
  app.name("aa");
  app.fallthrough();
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", [] { return std::string(); });
  add_global_options(app, words);
  add_create(app, commands.create, words);
  add_restore(app, commands.restore, words);
  add_looking(app, commands, words);
  add_contents(app, commands, words);
  add_verify(app, commands.verify, words);
  add_removing(app, commands, words);
  add_groups(app, commands);
  add_texts(app, commands);
  for (auto* verb : app.get_subcommands({})) {
    verb->fallthrough();
    for (auto* action : verb->get_subcommands({})) action->fallthrough();
  }
}

// CLI11 tells what an option takes as "TEXT:{auto,always,never}", "N:INT in [1 - 64]" or "FILE".
WordDescription describe(const CLI::Option& option) {
  WordDescription word;
  const auto type = option.get_type_name();
  const auto brace = type.find(":{");
  if (brace != std::string::npos && type.back() == '}')
    word.choices = CLI::detail::split(type.substr(brace + 2, type.size() - brace - 3), ',');
  word.text = option.get_description();
  word.required = option.get_required();
  word.repeatable = option.get_items_expected_max() > 1;
  if (option.get_positional()) {
    word.names.push_back(option.get_name(/*positional=*/true));
    return word;
  }
  for (const auto& name : option.get_lnames()) word.names.push_back("--" + name);
  for (const auto& name : option.get_snames()) word.names.push_back("-" + name);
  if (option.get_items_expected_max() > 0) word.value = type.substr(0, type.find(':'));
  word.environment = option.get_envname();
  return word;
}

VerbDescription describe(const CLI::App& app) {
  VerbDescription verb{app.get_name(), app.get_description(), {}, {}, {}};
  for (const auto* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    (option->get_positional() ? verb.arguments : verb.options).push_back(describe(*option));
  }
  for (const auto* below : app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); }))
    verb.verbs.push_back(describe(*below));
  return verb;
}

bool is_short(const std::string& argument) {
  return argument.size() > 1 && argument[0] == '-' && argument[1] != '-';
}

/// The flags of a group: "-vn" has two. What follows "c" is its file.
std::string_view given_letters(std::string_view argument) {
  argument.remove_prefix(1);
  return argument.substr(0, argument.find('c'));
}

/// What a flag is set to: how many times it was given, or what a variable says.
std::string flag_value(const CLI::Option& flag) {
  std::int64_t value = 0;
  for (const auto& given : flag.results()) value += CLI::detail::to_flag_value(given);
  return std::to_string(std::max<std::int64_t>(value, 0));
}

/// The variable that has given an option; empty: none has. CLI11 asks it only for what the arguments don't give.
std::string variable_behind(const CLI::Option& option, const std::vector<std::string>& arguments) {
  if (option.count() == 0 || option.get_envname().empty()) return {};
  std::set<std::string> names;
  for (const auto& name : option.get_lnames()) names.insert("--" + name);
  for (const auto& name : option.get_snames()) names.insert("-" + name);
  const auto gives = [&](const std::string& argument) {
    if (!is_short(argument)) return names.contains(argument.substr(0, argument.find('=')));
    const auto letters = given_letters(argument);
    return std::any_of(letters.begin(), letters.end(),
                       [&](char letter) { return names.contains(std::string("-") + letter); });
  };
  return std::any_of(arguments.begin(), arguments.end(), gives) ? std::string() : option.get_envname();
}

Origin origin_of(const CLI::Option& option, const std::vector<std::string>& arguments) {
  if (option.count() == 0) return {"built-in", 0, 0};
  const auto variable = variable_behind(option, arguments);
  return {variable.empty() ? "command line" : "environment " + variable, 0, 0};
}

std::vector<ShownValue> given_options(const CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<ShownValue> given;
  for (const auto* option : app.get_options()) {
    const bool is_flag = option->get_items_expected_max() == 0;
    const auto& name = option->get_lnames().front();
    if (name == "help" || name == "version") continue;
    const auto value = is_flag                ? flag_value(*option)
                       : option->count() == 0 ? option->get_default_str()
                                              : CLI::detail::join(option->results(), ", ");
    given.push_back({name, value, origin_of(*option, arguments)});
  }
  return given;
}

/// Of the verbs that were given.
std::map<std::string, std::string> archive_variables(const CLI::App& app, const std::vector<std::string>& arguments) {
  std::map<std::string, std::string> variables;
  for (const auto* verb : app.get_subcommands()) {
    for (const auto* option : verb->get_options()) {
      if (auto variable = variable_behind(*option, arguments); !variable.empty())
        variables[option->get_lnames().front()] = std::move(variable);
    }
    variables.merge(archive_variables(*verb, arguments));
  }
  return variables;
}

std::string verb_of(const CLI::App& app) {
  const auto verbs = app.get_subcommands();
  return verbs.empty() ? "help" : verbs.front()->get_name();
}

}  // namespace

VerbDescription describe_command_line() {
  CLI::App app;
  Words words;
  Commands commands;
  build(app, words, commands);
  return describe(app);
}

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  CLI::App app;
  Words words;
  Commands commands;
  build(app, words, commands);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return {options_of(words), HelpCommand{app.help()}};
  } catch (const CLI::CallForAllHelp&) {
    return {options_of(words), HelpCommand{app.help("", CLI::AppFormatMode::All)}};
  } catch (const CLI::CallForVersion&) {
    return {options_of(words), VersionCommand{}};
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorCode::value_error, std::string(error.what()) + "; see aa help", ErrorCause::usage);
  }
  const auto verb = verb_of(app);
  if (verb == "help") {
    app.clear();  // else it would be the help of "help"
    return {options_of(words), HelpCommand{app.help()}};
  }
  words.options.given = given_options(app, arguments);
  commands.set_variables(archive_variables(app, arguments));
  auto command = command_of(verb, commands, words);
  return {options_of(words), std::move(command)};
}

}  // namespace autoarchive::host
