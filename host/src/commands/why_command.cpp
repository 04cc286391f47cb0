#include <fmt/format.h>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/tree/path_verdict.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"

namespace autoarchive::host {
namespace {

std::string_view word(PathFate fate) {
  switch (fate) {
    case PathFate::taken:
      return "taken";
    case PathFate::excluded:
      return "excluded";
    case PathFate::not_included:
      return "not_included";
    case PathFate::other_file_system:
      return "other_file_system";
    case PathFate::own_file:
      return "own_file";
    case PathFate::missing:
      break;
  }
  return "missing";
}

std::string sentence(const std::string& path, const PathVerdict& verdict) {
  const auto place = verdict.place == path ? std::string() : " of " + quote(verdict.place);
  switch (verdict.fate) {
    case PathFate::taken:
      return verdict.rule.empty() ? "taken: no rule leaves it out" : "taken: " + verdict.rule;
    case PathFate::excluded:
      return "left out: " + verdict.rule + place;
    case PathFate::not_included:
      return "left out: no include leads to it";
    case PathFate::other_file_system:
      return "left out: one_file_system, and " + quote(verdict.place) + " is on another one";
    case PathFate::own_file:
      return "left out: " + quote(verdict.place) + " is the destination or the state of this program";
    case PathFate::missing:
      break;
  }
  return "not there: " + quote(verdict.place) + ": " + verdict.rule;
}

/// The backups that hold a path: the manifests tell, no archive is read.
std::vector<const CatalogEntry*> holders(const ArchiveBackups& backups, const std::string& path) {
  std::vector<const CatalogEntry*> found;
  for (const auto index : backups.catalog.newest_first()) {
    const auto& entry = backups.catalog.entries()[index];
    if (entry.manifest.empty()) continue;
    ManifestReader manifest(backups.storage->open(entry.manifest));
    manifest.seek(path);
    ManifestEntry line;
    if (manifest.next(line) && line.entry.path == path && line.stored_level >= 0) found.push_back(&entry);
  }
  return found;
}

}  // namespace

ExitStatus run_command(Session& session, const WhyCommand& command) {
  const auto archive = session.archive(command.archive, command.overrides);
  if (archive.root.empty()) {
    throw Error(ErrorCode::value_error, fmt::format("why: no file defines {}; give --root DIR", quote(archive.name)),
                ErrorCause::usage);
  }
  auto rules = archive.filter;
  const Filter filter(std::move(rules));
  const auto backups = read_backups(session, command.archive, command.overrides.destination);
  auto status = ExitStatus::ok;
  for (const auto& entry : backups.catalog.entries()) {
    if (entry.manifest.empty()) status = report_not_searched(session, archive.name, entry);
  }
  Json::Array documents;
  for (const auto& given : command.paths) {
    const auto path = normalize_path(given);
    const auto verdict = explain_path({archive.root, archive.include, {}, false}, filter, path);
    session.console().result(fmt::format("{}: {}", quote(path), sentence(path, verdict)));
    Json::Array files;
    for (const auto* entry : holders(backups, path)) {
      session.console().result(fmt::format("  in {}", quote(entry->file.name)));
      files.emplace_back(entry->file.name);
    }
    Json::Object document;
    add_path(document, path);
    document.emplace_back("fate", word(verdict.fate));
    document.emplace_back("rule", verdict.rule);
    document.emplace_back("backups", std::move(files));
    documents.emplace_back(std::move(document));
  }
  session.console().document(
      {{"exit_code", static_cast<int>(status)}, {"archive", archive.name}, {"paths", std::move(documents)}});
  return status;
}

}  // namespace autoarchive::host
