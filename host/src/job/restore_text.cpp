#include "job/restore_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive::host {
namespace {

constexpr std::string_view kIntroduction =
    R"(How to restore these backups without the program that has made them.

Every backup is a plain tar file. NAME.EXT is level 0, the whole tree; NAME.1.EXT is what changed since level 0, NAME.2.EXT what changed since
level 1, and so on: a chain. Files with two letters before EXT (NAME.aa.EXT, NAME.1.aa.EXT) are older generations: they are restored in the same
way, from level 0 upward. A level that a generation lacks lies in the next younger one: ab, aa, and then without letters.

Run the commands of a section for one of the programs in the directory of this file, as root if owners are to come back, all of them and in their
order. Each section is for the newest backup of its archive; leave out levels from the end to get an earlier one. This file is written anew
whenever backups come or go.

GNU tar can't make paths of more than 4095 bytes: it leaves them out, says so, and ends with 2. bsdtar makes them. bsdtar can't set ACLs of backups
that GNU tar has made (the provider tar-external): it leaves them out, says so, and ends with 1. GNU tar sets them. Look at what a command says before
you run the next one.

)";

// Every flag has its reason: deletions; owners as numbers, as the names may belong to others here; modes; what else a
// file has.
constexpr std::string_view kGnuTar =
    "tar --extract --listed-incremental=/dev/null --numeric-owner --preserve-permissions --xattrs --xattrs-include='*' "
    "--acls --selinux";

/// Bytes that a text had better not have are said by printf; a line end at the end the shell would drop.
std::string shell_word(std::string_view word) {
  const bool is_plain = is_utf8(word) && std::none_of(word.begin(), word.end(), [](char c) {
                          return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
                        });
  std::string text;
  if (is_plain) {
    for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
    return "'" + text + "'";
  }
  for (const char c : word) text += fmt::format("\\{:03o}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  return "\"$(printf '" + text + "')\"";
}

std::string path_word(std::string_view path) {
  return "\"${TO:?}\"/" + shell_word(path);
}

/// A path below the directory, whatever a manifest says.
bool is_safe(const std::string& path) {
  const auto normal = std::filesystem::path(path).lexically_normal();
  return !path.empty() && path.find('\0') == std::string::npos && !path.ends_with('\n') && normal.native() == path &&
         path != "." && path.front() != '/' && path != ".." && !path.starts_with("../");
}

bool can_remove(const RestoreStep& step) {
  return step.is_known && std::all_of(step.removed.begin(), step.removed.end(), is_safe);
}

std::string bsdtar_part(const std::vector<RestoreStep>& steps) {
  const auto unknown = std::find_if_not(steps.begin() + 1, steps.end(), can_remove);
  if (unknown != steps.end()) {
    return fmt::format(
        "bsdtar (libarchive) and other programs read these files, too, in the same order, but remove "
        "nothing, and what {} takes away can't be said here: use GNU tar.\n\n",
        unknown->file);
  }
  std::string text = "With bsdtar (libarchive) instead";
  if (steps.size() > 1)
    text +=
        ", which neither removes what a level has deleted (that is done before it) nor sets the times of old "
        "directories";
  text += ":\n\n    TO=$(mktemp -d)\n";
  for (std::size_t level = 0; level < steps.size(); ++level) {
    // Into an empty directory nothing has to be removed.
    for (const auto& path : level == 0 ? std::vector<std::string>() : steps[level].removed)
      text += fmt::format("    rm -rf {}\n", path_word(path));
    text += fmt::format("    bsdtar -x -p --numeric-owner -f {} -C \"$TO\"\n", steps[level].file);
  }
  return text + "    echo \"restored into $TO\"\n\n";
}

}  // namespace

std::string restore_text(std::string_view archive, const std::vector<RestoreStep>& steps) {
  std::string text(kIntroduction);
  if (steps.empty()) return text;
  text += fmt::format("== {} ==\n\nThe newest backup that can be restored is level {}. Check its files first:\n\n",
                      archive, steps.size() - 1);
  for (const auto& step : steps) text += fmt::format("    sha256sum --check {}\n", sha256_name(step.file));
  text += "\nRestore with GNU tar, into an empty directory (any will do in place of the one that mktemp makes):\n\n";
  text += "    TO=$(mktemp --directory)\n";
  for (const auto& step : steps) text += fmt::format("    {} --file={} --directory=\"$TO\"\n", kGnuTar, step.file);
  return text + "    echo \"restored into $TO\"\n\n" + bsdtar_part(steps);
}

std::vector<RestoreStep> restore_steps(const BackupCatalog& catalog, std::size_t point) {
  std::vector<RestoreStep> steps;
  try {
    for (const auto index : catalog.chain_to(point)) {
      const auto& entry = catalog.entries()[index];
      auto& step = steps.emplace_back();
      step.file = entry.name.file_name();
      step.is_known = entry.closing && !entry.closing->more_removed;
      if (entry.closing) step.removed = entry.closing->removed;
    }
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged) throw;
    steps.clear();
  }
  return steps;
}

std::vector<RestoreStep> restore_steps(const BackupCatalog& catalog) {
  for (const auto point : catalog.newest_first()) {
    if (auto steps = restore_steps(catalog, point); !steps.empty()) return steps;
  }
  return {};
}

BackupCatalog catalog_after(const BackupCatalog& catalog, const CommitPlan& plan) {
  auto entries = catalog.entries();
  for (const auto& step : plan.steps) {
    const auto entry = std::find_if(entries.begin(), entries.end(),
                                    [&](const auto& candidate) { return candidate.name.file_name() == step.from; });
    if (entry == entries.end()) continue;
    if (step.action == CommitStep::Action::retire) {
      entries.erase(entry);
      continue;
    }
    const std::array types{entry->name.type};
    if (auto name = parse_backup_name(step.to, entry->name.archive, types)) entry->name = std::move(*name);
  }
  return BackupCatalog(std::move(entries));
}

void renew_restore_text(const std::string& archive, const BackupCatalog& catalog, CommitPlan& plan) {
  plan.texts.push_back(
      {std::string(kRestoreTextName), restore_text(archive, restore_steps(catalog_after(catalog, plan)))});
}

std::string restore_script(const std::vector<std::string>& files, const std::string& to) {
  auto text = fmt::format("#!/bin/sh\nset -e\nTO={}\nmkdir -p \"$TO\"\n", shell_word(to));
  // With a list of names of a directory, GNU tar removes what is not in it.
  text +=
      "if [ -n \"$(ls -A \"$TO\")\" ]; then echo \"$TO is not empty: what the backup does not have would be removed\" "
      ">&2; exit 1; fi\n";
  for (const auto& file : files) text += fmt::format("{} --file={} --directory=\"$TO\"\n", kGnuTar, shell_word(file));
  return text;
}

}  // namespace autoarchive::host
