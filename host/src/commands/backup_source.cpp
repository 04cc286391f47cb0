#include "commands/backup_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "job/archive_catalog.hpp"
#include "job/backup_search.hpp"
#include "job/destination_record.hpp"
#include "job/missing_backup.hpp"
#include "job/salvaged_chain.hpp"

namespace autoarchive::host {
namespace {

bool is_archive_file(Session& session, const Target& target, const std::optional<std::string>& destination) {
  if (target.archive.find('/') != std::string::npos) return true;
  if (destination) return false;  // a file of the working directory does not hide the archive that lies there
  std::error_code ignored;
  return std::filesystem::is_regular_file(target.archive, ignored) &&
         !session.config().archives.contains(target.archive);
}

std::unique_ptr<ReadableFile> open_manifest(const IStorage& storage, const CatalogEntry& entry) {
  return entry.manifest.empty() ? nullptr : storage.open(entry.manifest);
}

/// Stands for a file that is missing.
class MissingFile final : public ReadableFile {
 public:
  explicit MissingFile(std::string description) : description_(std::move(description)) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return 0; }
  [[nodiscard]] std::size_t read_at(std::uint64_t /*offset*/, std::span<std::byte> /*buffer*/) const override {
    return 0;
  }
  [[nodiscard]] std::string description() const override { return description_; }

 private:
  std::string description_;
};

using ChainWithGaps = std::vector<std::optional<std::size_t>>;

ChainWithGaps chain_of(const BackupCatalog& catalog, std::size_t wanted, Gaps gaps, BackupSource& source) {
  try {
    const auto chain = catalog.chain_to(wanted);
    return {chain.begin(), chain.end()};
  } catch (const Error& error) {
    if (gaps == Gaps::refused || error.cause() != ErrorCause::damaged) throw;
    source.remarks.push_back(error.message() + "; what is there is read all the same");
    source.is_partial = true;
    return salvaged_chain(catalog, wanted);
  }
}

std::unique_ptr<ReadableFile> open_level(const IStorage& storage, const CatalogEntry& entry, Gaps gaps,
                                         BackupSource& source) {
  try {
    return storage.open(entry.file.name);
  } catch (const Error& error) {
    if (gaps == Gaps::refused || (!error.is_os_error() && error.code() != ErrorCode::file_not_found)) throw;
    source.remarks.push_back(error.message() + "; it is taken for missing");
    source.is_partial = true;
    return std::make_unique<MissingFile>(storage.description() + "/" + entry.file.name);
  }
}

/// What the level of a backup would be called.
std::string name_of_level(const BackupName& backup, std::size_t level) {
  return BackupName{backup.archive, backup.type, static_cast<int>(level), backup.keeping_id}.file_name();
}

void add_chain(const IStorage& storage, const BackupCatalog& catalog, std::size_t wanted, Gaps gaps,
               BackupSource& source) {
  for (const auto& index : chain_of(catalog, wanted, gaps, source)) {
    ArchiveLevel level;
    if (!index) {
      const auto name = name_of_level(catalog.entries()[wanted].name, source.levels.size());
      level.file = std::make_unique<MissingFile>(storage.description() + "/" + name);
      source.levels.push_back(std::move(level));
      continue;
    }
    const auto& entry = catalog.entries()[*index];
    level.file = open_level(storage, entry, gaps, source);
    level.manifest = open_manifest(storage, entry);
    if (!level.manifest) {
      source.remarks.push_back(
          fmt::format("{} has no manifest{}: contents are checked only as far as the format itself does",
                      quote(entry.file.name), entry.fault.empty() ? "" : " that can be used (" + entry.fault + ")"));
    } else if (!entry.fault.empty()) {
      source.remarks.push_back(fmt::format("the manifest of {}: {}", quote(entry.file.name), entry.fault));
    }
    if (entry.level() != entry.name.level.value_or(0)) {
      source.remarks.push_back(fmt::format("{} is level {}, whatever its name says; aa rescan gives it the right one",
                                           quote(entry.file.name), entry.level()));
    }
    source.has_faults = source.has_faults || !entry.fault.empty();
    source.levels.push_back(std::move(level));
    source.closing = entry.closing;
  }
}

/// What the file says of itself; none if it says nothing, or its beginning is damaged: then `is_known` is false.
std::optional<ArchiveIdentity> identity_of(Session& session, const ReadableFile& file, bool& is_known) {
  try {
    return session.providers().reader_for(file)->identity(file);
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged && error.cause() != ErrorCause::unsupported) throw;
    is_known = false;
    return std::nullopt;
  }
}

bool is_called(Session& session, const ReadableFile& file, const ManifestHeader& header) {
  const auto name = parse_backup_name(std::filesystem::path(file.description()).filename().native(), header.archive,
                                      session.providers().types());
  return name && name->level.value_or(0) == header.level;
}

/// The header of the manifest beside an archive file, if it is the archive's. A file whose beginning is lost, so that
/// its identity is not `is_known`, is what it and the manifest are called.
std::optional<ManifestHeader> manifest_beside(Session& session, const ReadableFile& file,
                                              const std::optional<ArchiveIdentity>& identity, bool is_known,
                                              BackupSource& source) {
  const auto name = manifest_name(file.description());
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(name, ignored)) {
    source.remarks.push_back(
        fmt::format("{} has no manifest beside it: contents are checked only as far as the format itself does",
                    quote(file.description())));
    return std::nullopt;
  }
  try {
    ManifestReader reader(open_local_file(name));
    const bool is_other = identity && identity->backup_uuid != reader.header().backup_uuid;
    const auto bytes = reader.closing().archive_bytes;
    if (!is_other && bytes == file.size()) return reader.header();
    source.has_other_manifest = is_other;
    source.has_faults = !is_other;
    if (is_other) {
      source.remarks.push_back(fmt::format("{} is that of another backup, and is not used", quote(name)));
      return std::nullopt;
    }
    const bool is_its_own = identity || (!is_known && is_called(session, file, reader.header()));
    source.remarks.push_back(fmt::format("{} has {} bytes, and its manifest{} says {}", quote(file.description()),
                                         file.size(), is_its_own ? "" : ", which is not used,", bytes));
    if (is_its_own) return reader.header();  // the file is damaged
    return std::nullopt;
  } catch (const Error& error) {  // it is damaged, or can't be read: the archive speaks for itself
    if (error.cause() != ErrorCause::damaged && !error.is_os_error()) throw;
    source.remarks.push_back(error.message());
  }
  source.has_faults = true;
  return std::nullopt;
}

/// The chain of a level whose archive file was named: what lies in the same directory.
bool add_chain_of(Session& session, const std::filesystem::path& path, const ManifestHeader& header, Gaps gaps,
                  BackupSource& source) {
  const LocalStorage storage(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
  const auto catalog = read_catalog(session, storage, header.archive);
  const auto& entries = catalog.entries();
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const auto& entry) { return entry.file.name == path.filename().native(); });
  std::string fault = fmt::format("its name is not that of a backup of {}", quote(header.archive));
  try {
    if (found != entries.end()) {
      add_chain(storage, catalog, static_cast<std::size_t>(found - entries.begin()), gaps, source);
      return true;
    }
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged) throw;
    fault = error.message();
  }
  source.remarks.push_back(
      fmt::format("{} is level {} of a chain, and is read without the levels that it is based on: {}",
                  quote(path.native()), header.level, fault));
  return false;
}

std::unique_ptr<ReadableFile> open_named(const std::string& file) {
  try {
    return open_local_file(file);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::file_not_found) throw;
    throw Error(error.code(), error.message(), ErrorCause::no_such_backup, error.os_errno());
  }
}

BackupSource open_file(Session& session, const Target& target, Gaps gaps) {
  if (!target.selector.empty()) {
    throw Error(ErrorCode::value_error,
                fmt::format("{} is a file, which is one backup: name the archive to choose among its backups, e.g. "
                            "NAME@{} --destination DIR",
                            quote(target.archive), target.selector),
                ErrorCause::usage);
  }
  BackupSource source;
  source.description = target.archive;
  ArchiveLevel level;
  level.file = open_named(target.archive);
  bool is_known = true;
  const auto identity = identity_of(session, *level.file, is_known);
  const auto header = manifest_beside(session, *level.file, identity, is_known, source);
  if (header && header->level > 0 && add_chain_of(session, target.archive, *header, gaps, source)) return source;
  // Without a manifest the file says it; where neither can be read, nothing does.
  source.is_partial = header ? header->level > 0 : identity ? identity->level > 0 : !is_known && source.has_faults;
  if (source.is_partial && !header) {
    source.remarks.push_back(
        identity ? fmt::format("{} is level {} of {}, and is read without the levels that it is based on",
                               quote(target.archive), identity->level, quote(identity->archive))
                 : fmt::format("it is not known which level {} is; it is read without any that it may be based on",
                               quote(target.archive)));
  }
  if (header) {
    auto manifest = open_local_file(manifest_name(target.archive));
    if (header->level == 0) source.closing = ManifestReader(open_local_file(manifest_name(target.archive))).closing();
    (header->level == 0 ? level.manifest : source.own_manifest) = std::move(manifest);
  }
  source.levels.push_back(std::move(level));
  return source;
}

/// What lies in a destination that no archive of the configuration is known to be in.
struct FoundArchives {
  std::set<std::string> names;
  std::vector<LeftAlone> unknown;  ///< files that may be backups, and nothing that can be read says of which archive
};

/// Asks manifests and archive files which archive they are of, since a name alone may be that of several:
/// "a.1.tar.gz" is a level of "a". Where one of the two is damaged, the other one is enough.
class ArchiveSearch {
 public:
  ArchiveSearch(Session& session, const LocalStorage& storage) : types_(session.providers().types()) {
    for (const auto& stored : storage.list("")) {
      if (stored.name.ends_with(manifest_name(""))) look_at_manifest(storage, stored.name);
    }
    const auto files = look_for_backups(session, storage, storage.directory());
    for (const auto& backup : files.backups) {
      if (!take(backup.file, backup.identity.archive)) {
        add_unknown({backup.file,
                     fmt::format("says it is a backup of {}, and is not called like one; see aa rescan",
                                 quote(backup.identity.archive)),
                     "archive.unproven"});
      }
    }
    for (const auto& other : files.others) {
      if (!other.problem.empty() || may_be_backup(other.file)) add_unknown(other);
    }
  }

  FoundArchives run() {
    FoundArchives found;
    for (const auto& [file, archive] : archives_) found.names.insert(archive);
    for (auto& [file, reason] : unknown_) {
      if (!archives_.contains(file)) found.unknown.push_back(std::move(reason));
    }
    return found;
  }

 private:
  void look_at_manifest(const IStorage& storage, const std::string& name) {
    const auto file = name.substr(0, name.size() - manifest_name("").size());
    try {
      take(file, ManifestReader(storage.open(name)).header().archive);
    } catch (const Error& error) {
      const bool is_damage = error.cause() == ErrorCause::damaged;
      add_unknown({name, error.message(), is_damage ? "archive.damaged" : "archive.unproven"}, file);
    }
  }

  bool take(const std::string& file, const std::string& archive) {
    if (!parse_backup_name(file, archive, types_)) return false;
    archives_.emplace(file, archive);
    return true;
  }

  // What was told of its manifest stays, since that tells that it is one of ours.
  void add_unknown(LeftAlone reason) {
    const auto file = reason.file;
    add_unknown(std::move(reason), file);
  }
  void add_unknown(LeftAlone reason, const std::string& file) {
    if (reason.problem.empty()) reason.problem = "archive.unproven";
    unknown_.try_emplace(file, std::move(reason));
  }

  [[nodiscard]] bool may_be_backup(const std::string& file) const {
    return std::any_of(types_.begin(), types_.end(),
                       [&](const auto& type) { return file.ends_with("." + type.extension); });
  }

  std::vector<BackupType> types_;
  std::map<std::string, std::string> archives_;  // by file
  std::map<std::string, LeftAlone> unknown_;     // by file
};

ArchivesToRead archives_in(Session& session, const std::string& destination) {
  const auto found = ArchiveSearch(session, LocalStorage(destination)).run();
  ArchivesToRead archives{{found.names.begin(), found.names.end()}, ExitStatus::ok};
  for (const auto& file : found.unknown) {
    const bool is_damage = file.problem == "archive.damaged";
    session.console().problem({is_damage ? Severity::error : Severity::warning, file.problem, "",
                               fmt::format("{} can't be assigned to an archive, and is left out: {}", quote(file.file),
                                           escaped(file.reason))});
    archives.status = worse(archives.status, is_damage ? ExitStatus::failed : ExitStatus::warnings);
  }
  if (archives.names.empty()) {
    session.console().info(
        fmt::format("{} has no backup that says of which archive it is; aa rescan {} makes "
                    "manifests for archive files",
                    quote(destination), quote(destination)));
  }
  return archives;
}

Error not_in_destination(Session& session, const LocalStorage& storage, const std::string& archive) {
  const auto others = ArchiveSearch(session, storage).run().names;
  const auto suggestion = nearest(archive, {others.begin(), others.end()});
  return {ErrorCode::key_error,
          fmt::format("{} has no backup of {}; {}", quote(storage.description()), quote(archive),
                      suggestion.empty() ? "see aa list --destination DIR" : "did you mean " + suggestion + "?"),
          ErrorCause::no_such_backup};
}

}  // namespace

ArchivesToRead archives_to_read(Session& session, std::vector<std::string> named,
                                const std::optional<std::string>& destination) {
  if (!named.empty()) return {std::move(named), ExitStatus::ok};
  if (destination) return archives_in(session, *destination);
  for (const auto& [name, archive] : session.config().archives) named.push_back(name);
  if (named.empty())
    session.console().info("no archive is configured; see aa config example, or name one and its --destination");
  return {std::move(named), ExitStatus::ok};
}

ArchiveBackups read_backups(Session& session, const std::string& archive,
                            const std::optional<std::string>& destination) {
  ArchiveOverrides overrides;
  overrides.destination = destination;
  auto config = session.archive(archive, overrides);
  auto storage = std::make_unique<LocalStorage>(config.destination);
  auto catalog = read_catalog(session, *storage, archive);
  if (catalog.entries().empty() && !session.config().archives.contains(archive))
    throw not_in_destination(session, *storage, archive);
  if (catalog.entries().empty()) require_same_destination(session.config().state_dir, archive, config.destination);
  return {std::move(config), std::move(storage), std::move(catalog)};
}

ExitStatus report_not_searched(Session& session, const std::string& archive, const CatalogEntry& entry) {
  session.console().problem({Severity::warning, "archive.unproven", archive,
                             fmt::format("{} has no manifest that can be used, and is not searched; see aa ls FILE",
                                         quote(entry.file.name))});
  return ExitStatus::warnings;
}

BackupSource open_source(Session& session, const Target& target, const std::optional<std::string>& destination,
                         Gaps gaps) {
  if (is_archive_file(session, target, destination)) return open_file(session, target, gaps);
  const auto backups = read_backups(session, target.archive, destination);
  const auto wanted = backups.catalog.resolve(target.selector);
  BackupSource source;
  source.description = target.selector.empty() ? target.archive : target.archive + "@" + target.selector;
  source.archive = target.archive;
  add_chain(*backups.storage, backups.catalog, wanted, gaps, source);
  return source;
}

std::string missing_newest_of(Session& session, const Target& target, const std::optional<std::string>& destination) {
  if (!target.selector.empty() || is_archive_file(session, target, destination)) return {};
  const auto backups = read_backups(session, target.archive, destination);
  return missing_newest(session, backups.archive, *backups.storage, backups.catalog);
}

void report_remarks(Session& session, const BackupSource& source) {
  for (const auto& remark : source.remarks)
    session.console().problem({Severity::warning, "archive.unproven", "", escaped(remark)});
}

}  // namespace autoarchive::host
