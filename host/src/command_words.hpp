/// \file
/// From the words of a command line to one command: what CLI11 has written, checked and put in its place.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "command_line.hpp"

namespace autoarchive::host {

/// Options as they were given; a CommandLine is made of them afterwards.
struct Words {
  GlobalOptions options;
  int verbose = 0;
  bool quiet = false;
  std::string color = "auto";
  std::string lock_wait;
  std::string target;
  std::vector<std::string> targets;
  std::string level;
};

/// All commands side by side: CLI11 fills the one whose verb was given.
struct Commands {
  CreateCommand create;
  ListCommand list;
  LsCommand ls;
  CatCommand cat;
  FindCommand find;
  VersionsCommand versions;
  DiffCommand diff;
  ExplainCommand explain;
  RestoreCommand restore;
  VerifyCommand verify;
  RemoveCommand remove;
  KeepCommand keep;
  StatusCommand status;
  ScheduleCommand schedule;
  PurgeCommand purge;
  RescanCommand rescan;
  RouteCommand route;
  WhyCommand why;
  PluginsCommand plugins;
  ConfigCommand config;
  CompletionCommand completion;
  CompleteCommand complete;
  ManualCommand manual;

  /// Which values of an archive come from the environment.
  void set_variables(const std::map<std::string, std::string>& variables);
};

/// Throws Error(value_error, cause usage).
[[nodiscard]] GlobalOptions options_of(Words& words);
/// The command of this verb, with the words that belong to it. Throws Error(value_error, cause usage).
[[nodiscard]] Command command_of(const std::string& verb, Commands& commands, const Words& words);

}  // namespace autoarchive::host
