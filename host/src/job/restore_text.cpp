#include "job/restore_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "autoarchive/base/error.hpp"

namespace autoarchive::host {
namespace {

constexpr std::string_view kIntroduction =
    R"(How to restore these backups without the program that has made them.

Every backup is a plain tar file. NAME.EXT is level 0, the whole tree; NAME.1.EXT is what changed since level 0, NAME.2.EXT what changed since
level 1, and so on: a chain. Files with two letters before EXT (NAME.aa.EXT, NAME.1.aa.EXT) are older generations: they are restored in the same
way, from level 0 upward.

Run the commands of a section in the directory of this file, as root if owners are to come back, all of them and in their order. Each section is
for the newest backup of its archive; leave out levels from the end to get an earlier one. This file is written anew with each backup.

)";

// Every flag has its reason: deletions; owners as numbers, as the names may belong to others here; modes; what else a
// file has.
constexpr std::string_view kGnuTar =
    "tar --extract --listed-incremental=/dev/null --numeric-owner --preserve-permissions --xattrs --xattrs-include='*' "
    "--acls --selinux";

std::string shell_word(std::string_view word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

std::string bsdtar_part(const std::vector<std::string>& files) {
  if (files.size() == 1)
    return fmt::format("With bsdtar (libarchive) instead:\n\n    bsdtar -x -p -f {} -C \"$TO\"\n\n", files.front());
  return "bsdtar and other programs read these files, too, in the same order, but do not remove what a level has "
         "deleted: use GNU tar for a "
         "chain.\n\n";
}

}  // namespace

std::string restore_text(std::string_view archive, const std::vector<std::string>& files) {
  std::string text(kIntroduction);
  if (files.empty()) return text;
  text +=
      fmt::format("== {} ==\n\nThe newest backup is level {}. Check its files first:\n\n", archive, files.size() - 1);
  for (const auto& file : files) text += fmt::format("    sha256sum --check {}\n", sha256_name(file));
  text += "\nRestore with GNU tar, into an empty directory (any will do in place of the one that mktemp makes):\n\n";
  text += "    TO=$(mktemp --directory)\n";
  for (const auto& file : files) text += fmt::format("    {} --file={} --directory=\"$TO\"\n", kGnuTar, file);
  return text + "    echo \"restored into $TO\"\n\n" + bsdtar_part(files);
}

std::vector<std::string> chain_with(const BackupCatalog& catalog, const BackupName& made) {
  std::vector<std::string> files;
  const int level = made.level.value_or(0);
  const auto& entries = catalog.entries();
  const auto parent = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
    return entry.name.keeping_id.empty() && entry.name.type == made.type && entry.name.level.value_or(0) == level - 1;
  });
  if (level > 0) {
    if (parent == entries.end()) return {};
    try {  // lower levels stay where they are
      for (const auto index : catalog.chain_to(static_cast<std::size_t>(parent - entries.begin())))
        files.push_back(entries[index].name.file_name());
    } catch (const Error& error) {
      if (error.cause() != ErrorCause::damaged) throw;
      return {};
    }
  }
  files.push_back(made.file_name());
  return files;
}

std::string restore_script(const std::vector<std::string>& files, const std::string& to) {
  auto text = fmt::format("#!/bin/sh\nset -e\nTO={}\nmkdir -p \"$TO\"\n", shell_word(to));
  for (const auto& file : files) text += fmt::format("{} --file={} --directory=\"$TO\"\n", kGnuTar, shell_word(file));
  return text;
}

}  // namespace autoarchive::host
