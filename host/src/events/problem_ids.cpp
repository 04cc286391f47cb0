#include "events/problem_ids.hpp"

#include <fmt/format.h>

#include <array>

namespace autoarchive::host {
namespace {

constexpr std::array kIds{
    ProblemId{"file.changed", true,
              "A file changed while it was read, three times in a row. It is stored as it was read last, and read "
              "again next time."},
    ProblemId{"file.vanished", true, "An entry was gone before its turn came. A notice."},
    ProblemId{"file.unreadable", true,
              "An entry could not be opened or looked at. It is not stored, what an earlier level has of it stays."},
    ProblemId{"dir.unreadable", true,
              "A directory could not be listed, or not to its end. It is stored; of what is in it, what an earlier "
              "level has stays."},
    ProblemId{"file.io", true, "Reading a file failed in the middle."},
    ProblemId{"file.unsupported", true, "A socket (a notice), or a type that tar can't express."},
    ProblemId{"source.missing", true, "A path that `include` names is not there."},
    ProblemId{
        "source.empty", false,
        "The root is empty: something is not mounted. Nothing is committed, unless allow_empty says that it may be."},
    ProblemId{"source.unreadable", false, "The root is missing or can't be entered."},
    ProblemId{"dest.full", false, "The destination is full. Nothing is committed, the old backups stay."},
    ProblemId{"dest.lost", false,
              "The destination is missing, not the one of the last backup, read-only, or has not enough room."},
    ProblemId{"lock.busy", false, "Another run has the archive."},
    ProblemId{"archive.suspicious", false,
              "The source is outside of what `guard` allows: the backup is held as NAME.held.EXT, the old ones stay."},
    ProblemId{"chain.broken", false,
              "A level is missing or not whole: what is based on it can't be restored; the next backup is a level 0."},
    ProblemId{"archive.damaged", false,
              "A backup or its manifest is not what its digest says, or a part of it can't be read."},
    ProblemId{"archive.missing", false,
              "The newest backup is not in its destination any more: its manifest is there without it, or the last run "
              "is remembered, and nothing that is there is as new. A notice of the run that makes its level again."},
    ProblemId{"verify.failed", false,
              "A new backup could not be read back or restored as a drill, for a reason that is no damage."},
    ProblemId{"state.lost", false, "The program's own record of earlier runs is lost, damaged, or can't be written."},
    ProblemId{"state.full", false,
              "There is no room in state_dir. Nothing is committed, the old backups stay; the text names the file."},
    ProblemId{"clock.back", false,
              "The newest backup is from the future: the clock was set back. Rules on age do not fire."},
    ProblemId{"hook.failed", false, "A hook ended with an error, took too long, or could not be started."},
    ProblemId{"archive.unproven", false,
              "What was read could not be compared: there is no manifest, or it, or the archive, can't be read now."},
    ProblemId{"file.meta", false, "What belongs to an entry beside its content could not be restored exactly."},
    ProblemId{"plugin.dev_override", false, "A plugin under development takes an installed one's place."},
    ProblemId{"plugin.path_ignored", false, "AA_PLUGIN_PATH is not followed with the rights of another user."},
    ProblemId{"plugin.failed", false, "A provider has failed in its own code. Nothing is committed."},
    ProblemId{
        "plugin.refused", false,
        "A plugin was not loaded, or its directory can't be read. A notice where the configuration does not want it."},
    ProblemId{"config.reality", false,
              "The configuration does not fit to this machine: a root, a destination, a program or a plugin."},
    ProblemId{"pattern.unmatched", false,
              "A pattern of `exclude` leaves nothing out. A notice of `aa config check`, which alone looks for it."},
    ProblemId{"import.differs", false,
              "Something of the original's configuration can't be taken over as it is; the text says what becomes of "
              "it."},
};

}  // namespace

std::span<const ProblemId> problem_ids() {
  return kIds;
}

std::vector<std::string> path_problem_ids() {
  std::vector<std::string> ids;
  for (const auto& id : kIds) {
    if (id.of_a_path) ids.emplace_back(id.id);
  }
  return ids;
}

bool id_matches(std::string_view rule, std::string_view id) {
  if (rule == "*" || rule == id) return true;
  return rule.ends_with(".*") && id.starts_with(rule.substr(0, rule.size() - 1));
}

std::string_view problem_id_of(const Error& error) noexcept {
  switch (error.cause()) {
    case ErrorCause::no_space:
      return "dest.full";
    case ErrorCause::destination:
      return "dest.lost";
    case ErrorCause::lock_busy:
      return "lock.busy";
    case ErrorCause::source:
      return error.is_os_error() ? "source.unreadable" : "source.empty";
    case ErrorCause::damaged:
      return "archive.damaged";
    case ErrorCause::state_lost:
      return "state.lost";
    case ErrorCause::unspecified:
      if (error.message().starts_with("hook at ")) return "hook.failed";
      return error.message().find("a fault of its plugin") != std::string::npos ? "plugin.failed" : "";
    default:
      return {};
  }
}

std::string problem_reference() {
  std::string out =
      "# Problems\n\n"
      "<!-- Made from the table of ids by `aa config problems`; a test compares the two. -->\n\n"
      "Each problem is one line on standard error, with its id in brackets; the same id stands in `problems` of the "
      "`--json` document. Ids "
      "are never renamed.\n"
      "With `problems:` in the configuration, those about a path can be made to count as another thing.\n\n"
      "| id | about a path | meaning |\n| --- | --- | --- |\n";
  for (const auto& id : kIds) out += fmt::format("| `{}` | {} | {} |\n", id.id, id.of_a_path ? "yes" : "", id.meaning);
  return out;
}

}  // namespace autoarchive::host
