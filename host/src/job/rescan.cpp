#include "job/rescan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "autoarchive/archiver/backup_catalog.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "events/reading_progress.hpp"
#include "job/archive_transaction.hpp"
#include "job/backup_search.hpp"
#include "job/found_manifests.hpp"
#include "job/restore_text.hpp"

namespace autoarchive::host {
namespace {

class ArchiveRescan {
 public:
  ArchiveRescan(Session& session, IStorage& storage, std::filesystem::path directory, std::string archive,
                std::filesystem::path snapshots)
      : session_(session),
        storage_(storage),
        directory_(std::move(directory)),
        archive_(std::move(archive)),
        snapshots_(std::move(snapshots)) {}

  std::vector<RescannedBackup> run() {
    if (!session_.options().dry_run) begin();
    look();
    assign_names();
    for (const auto index : in_chain_order()) {
      auto& backup = backups_[index];
      if (!backup.is_used()) continue;
      if (const auto reason = why_unreadable(backup); !reason.empty()) {
        leave(backup, reason);
        continue;
      }
      find_manifest(backup);
      if (!session_.options().dry_run) put_digest(backup);
      take_snapshot(backup);
      if (!backup.is_left && backup.found.file != backup.name.file_name())
        plan_.steps.push_back({CommitStep::Action::move, backup.found.file, backup.name.file_name()});
    }
    if (transaction_) commit();
    std::vector<RescannedBackup> results;
    for (auto& backup : backups_) results.push_back(std::move(backup.result));
    return results;
  }

 private:
  struct Backup {
    FoundBackup found;
    BackupName name;
    RescannedBackup result;
    std::optional<ManifestHeader> header;  // of its manifest; none: it has none
    ManifestClosing closing;
    bool is_put = false;   // the manifest is new
    bool is_left = false;  // it, or its manifest, can't be read now
    [[nodiscard]] bool is_used() const { return !name.archive.empty(); }
  };

  void begin() {
    ArchiveConfig archive;
    const auto& known = session_.config().archives.find(archive_);
    if (known != session_.config().archives.end()) archive = known->second;
    archive.name = archive_;
    archive.destination = directory_;
    transaction_ = storage_.begin(transaction_options(session_, archive));
    for (const auto& line : transaction_->recovered())
      session_.console().problem({Severity::notice, "", archive_, escaped(line)});
  }

  // Again, now that nobody else changes anything.
  void look() {
    for (auto& found : look_for_backups(session_, storage_, directory_).backups) {
      if (found.identity.archive != archive_) continue;
      auto& backup = backups_.emplace_back();
      backup.result.file = backup.result.was = found.file;
      backup.result.identity = found.identity;
      backup.result.manifest = "none";
      backup.found = std::move(found);
    }
    for (const auto& stored : storage_.list("")) names_.insert(stored.name);
    manifests_.emplace(directory_, names_, session_.config().state_dir);
  }

  void assign_names() {
    std::vector<FoundBackup> found;
    for (const auto& backup : backups_) found.push_back(backup.found);
    std::set<std::string> archives;
    for (const auto& [name, archive] : session_.config().archives) archives.insert(name);
    const auto names = name_backups(found, names_, archives);
    for (std::size_t i = 0; i < backups_.size(); ++i) {
      auto& result = backups_[i].result;
      switch (names[i].fate) {
        case FoundName::Fate::stays:
        case FoundName::Fate::moves:
          backups_[i].name = names[i].name;
          result.file = names[i].name.file_name();
          break;
        case FoundName::Fate::copy:
          result.trouble = fmt::format("a copy of {}, left alone", quote(names[i].copy_of));
          break;
        case FoundName::Fate::renamed:
          result.trouble =
              fmt::format("is called as a backup of the archive {}, and left alone", names[i].name.archive);
          break;
        case FoundName::Fate::nameless:
          result.trouble = "every name that it could have is taken; left alone";
          result.problem = "archive.unproven";
          break;
      }
    }
  }

  // What a level is based on comes before it.
  [[nodiscard]] std::vector<std::size_t> in_chain_order() const {
    std::vector<std::size_t> order(backups_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      return backups_[a].found.identity.level < backups_[b].found.identity.level;
    });
    return order;
  }

  /// Of the archive or of a manifest beside it; empty if nothing is known against them. A commit reads both ends of
  /// what it moves.
  [[nodiscard]] std::string why_unreadable(const Backup& backup) const {
    for (const auto& file : {backup.found.file, backup.name.file_name()}) {
      if (auto reason = manifests_->unreadable(manifest_name(file)); !reason.empty()) return reason;
    }
    std::vector<std::byte> end(1U << 17U);
    try {
      const auto file = storage_.open(backup.found.file);
      static_cast<void>(file->read_at(0, end));
      static_cast<void>(file->read_at(file->size() - std::min<std::uint64_t>(file->size(), end.size()), end));
    } catch (const Error& error) {
      if (!error.is_os_error()) throw;
      return error.message();
    }
    return {};
  }

  void find_manifest(Backup& backup) {
    const auto name = manifest_name(backup.name.file_name());
    const auto* found = manifests_->find(backup.found, name);
    if (found != nullptr && found->name == name) {
      backup.result.manifest = "there";
      backup.header = found->header;
      backup.closing = found->closing;
      const auto& parent = found->header.parent_uuid;
      if (found->header.level > 0 && file_of(parent) == backups_.end()) tell_of_missing(backup, parent);
      return;
    }
    const auto in_the_way = manifest_in_the_way(backup);
    if (!in_the_way.empty()) return fail(backup, in_the_way, "archive.unproven");
    if (found != nullptr) return take_over(backup, *found);
    rebuild(backup);
  }

  /// A whole manifest of another backup is not replaced, unless that backup is here, too, and gets it under its name.
  [[nodiscard]] std::string manifest_in_the_way(const Backup& backup) const {
    const auto name = manifest_name(backup.name.file_name());
    const auto id = manifests_->backup_of(name);
    const bool is_at_home = id.empty() || id == backup.found.identity.backup_uuid ||
                            std::any_of(backups_.begin(), backups_.end(), [&](const auto& other) {
                              return other.is_used() && other.found.identity.backup_uuid == id;
                            });
    if (is_at_home) return {};
    return fmt::format("{} is the manifest of the backup {}, which is not here: move it away", quote(name), id);
  }

  static void fail(Backup& backup, std::string trouble, const char* problem) {
    backup.result.trouble = std::move(trouble);
    backup.result.problem = problem;
  }

  void take_over(Backup& backup, const FoundManifest& found) {
    backup.result.manifest = found.name.empty() ? "from state" : "there";
    backup.header = found.header;
    backup.closing = found.closing;
    // One that lies beside a copy is that one's.
    const auto of = found.name.substr(0, found.name.size() - std::min(found.name.size(), manifest_name("").size()));
    if (!found.name.empty() && (of == backup.found.file || !names_.contains(of))) retire(found.name);
    if (!transaction_) return;
    copy(*found.file, *put_manifest(backup));
  }

  std::unique_ptr<Sink> put_manifest(Backup& backup) {
    const auto name = manifest_name(backup.name.file_name());
    if (names_.contains(name)) retire(name);
    backup.is_put = true;
    return transaction_->put(name);
  }

  void rebuild(Backup& backup) {
    const auto* parent = parent_of(backup);
    if (backup.found.identity.level > 0 && parent == nullptr) return;
    backup.result.manifest = "rebuilt";
    auto header = header_for(backup, parent);
    if (!transaction_) {
      backup.header = std::move(header);
      return;
    }
    const auto file = storage_.open(backup.found.file);
    const auto base = parent == nullptr ? nullptr : open_manifest(*parent);
    ReadingProgress progress(session_.console(), backup.found.file, session_.progress_style(), file->size());
    const WatchedFile watched(*file, progress);
    try {
      const auto sink = put_manifest(backup);
      const auto reader = session_.providers().reader_for(*file);
      backup.closing = reader->rebuild_manifest(watched, base.get(), header, *sink, session_.process().stop);
      sink->finish();
      backup.header = std::move(header);
    } catch (const Error& error) {
      if (watched.has_failed() && error.is_os_error()) return leave(backup, error.message());
      const bool is_its_fault = error.cause() == ErrorCause::damaged || error.cause() == ErrorCause::unsupported;
      if (!is_its_fault) throw;
      give_up(backup, error.message(), error.cause());
    }
  }

  // What can be read at another time may be whole.
  void leave(Backup& backup, const std::string& reason) {
    discard_manifest(backup);
    backup.is_left = true;
    backup.result.file = backup.found.file;
    fail(backup, reason + "; left alone: run again when it can be read", "archive.unproven");
  }

  void discard_manifest(Backup& backup) {
    const auto name = manifest_name(backup.name.file_name());
    if (backup.is_put) transaction_->discard(name);
    backup.is_put = false;
    if (retired_.erase(name) > 0) std::erase_if(plan_.steps, [&](const auto& step) { return step.from == name; });
    backup.header.reset();
    backup.result.manifest = "none";
  }

  void give_up(Backup& backup, const std::string& reason, ErrorCause cause = ErrorCause::damaged) {
    discard_manifest(backup);
    if (cause == ErrorCause::unsupported) return fail(backup, reason, "archive.unproven");
    auto text = reason + "; what can be had of it: aa restore --salvage";
    const auto copy = std::find_if(backups_.begin(), backups_.end(), [&](const auto& other) {
      return !other.is_used() && other.found.identity.backup_uuid == backup.found.identity.backup_uuid;
    });
    if (copy != backups_.end())
      text += fmt::format("; {} is a copy of it: put that in its place, and run again", quote(copy->found.file));
    fail(backup, std::move(text), "archive.damaged");
  }

  static std::string level_below(const ArchiveIdentity& identity, const std::string& uuid) {
    return fmt::format("level {} (backup {}), which it is based on,", identity.level - 1,
                       uuid.empty() ? "unknown" : escaped(uuid));
  }

  static void tell_of_missing(Backup& backup, const std::string& parent_uuid) {
    fail(backup, level_below(backup.found.identity, parent_uuid) + " is not here: put it here, and run again",
         "chain.broken");
  }

  /// The level below with its manifest; null, with the reason in the result, if it is not to be had.
  const Backup* parent_of(Backup& backup) {
    const auto& identity = backup.found.identity;
    if (identity.level == 0) return nullptr;
    if (!backup.found.chain_fault.empty()) {
      fail(backup, backup.found.chain_fault, "archive.unproven");
      return nullptr;
    }
    const auto parent = file_of(identity.parent_uuid);
    const auto level = level_below(identity, identity.parent_uuid);
    if (parent == backups_.end()) {
      tell_of_missing(backup, identity.parent_uuid);
    } else if (parent->is_left) {
      fail(backup, level + " can't be read now: run again when it can", "archive.unproven");
    } else if (!parent->is_used()) {
      fail(backup, fmt::format("{} is called {}, and left alone", level, quote(parent->found.file)), "chain.broken");
    } else if (parent->found.identity.level + 1 != identity.level) {
      fail(backup,
           fmt::format("{} is level {}: one of the two files is not what it says", level, parent->found.identity.level),
           "chain.broken");
    } else if (!parent->header) {
      fail(backup, level + " has no manifest", "chain.broken");
    } else {
      return &*parent;
    }
    return nullptr;
  }

  /// The one that is used, else one that is left alone.
  [[nodiscard]] std::vector<Backup>::const_iterator file_of(const std::string& backup_uuid) const {
    auto found = backups_.end();
    for (auto backup = backups_.begin(); backup != backups_.end(); ++backup) {
      if (backup->found.identity.backup_uuid != backup_uuid) continue;
      if (backup->is_used()) return backup;
      found = backup;
    }
    return found;
  }

  [[nodiscard]] ManifestHeader header_for(const Backup& backup, const Backup* parent) const {
    const auto& identity = backup.found.identity;
    ManifestHeader header;
    header.backup_uuid = identity.backup_uuid;
    header.archive = identity.archive;
    header.type = backup.found.type.extension;
    header.level = identity.level;
    header.chain_uuid = identity.chain_uuid;
    header.parent_uuid = identity.parent_uuid;
    if (parent != nullptr) header.parent_sha256 = parent->closing.archive_sha256;
    header.root = identity.root;
    header.provider = identity.provider;
    header.definition_digest = definition_digest(header.root, header.type, header.provider);
    header.started = backup.found.time;
    return header;
  }

  [[nodiscard]] std::unique_ptr<ReadableFile> open_manifest(const Backup& backup) const {
    const auto name = manifest_name(backup.name.file_name());
    return backup.is_put ? transaction_->read_back(name) : storage_.open(name);
  }

  // A digest that differs is evidence, and stays where it is: the file may have been changed since it was made.
  void put_digest(Backup& backup) {
    const auto& digest = backup.closing.archive_sha256;
    if (!backup.header || digest.empty()) return;
    const auto name = backup.name.file_name();
    const auto wanted = digest + "  " + name + "\n";
    bool is_there = false;
    for (const auto& noted : std::set{sha256_name(name), sha256_name(backup.found.file)}) {
      if (!names_.contains(noted)) continue;
      std::string text;
      try {
        text = read_text(noted);
      } catch (const Error& error) {
        if (!error.is_os_error()) throw;
        return fail(backup, error.message() + "; left alone", "archive.unproven");
      }
      if (!text.starts_with(digest)) {
        return give_up_digest(backup, fmt::format("its SHA-256 is {}, and {} says another: the archive has changed "
                                                  "since, or the digest is that of another one; remove it if so",
                                                  digest, quote(noted)));
      }
      is_there = is_there || (noted == sha256_name(name) && text == wanted);
      if (noted != sha256_name(name)) retire(noted);
    }
    if (is_there) return;
    if (names_.contains(sha256_name(name))) retire(sha256_name(name));
    plan_.texts.push_back({sha256_name(name), wanted});
  }

  void give_up_digest(Backup& backup, const std::string& text) {
    if (backup.result.manifest == "rebuilt") {
      give_up(backup, text);
    } else {
      fail(backup, text, "archive.damaged");
    }
  }

  // Where there is a state already, a level has been made since by us: that one counts.
  void take_snapshot(Backup& backup) {
    const bool is_wanted = !snapshots_.empty() && backup.found.is_original && backup.name.keeping_id.empty();
    if (!is_wanted || !backup.header) return;
    const int level = backup.found.identity.level;
    const auto name = archive_ + (level > 0 ? "." + std::to_string(level) : "") + ".snar";
    const auto state = session_.config().state_dir / "snapshots";
    std::error_code error;
    if (std::filesystem::exists(state / name, error)) return;
    if (!std::filesystem::is_regular_file(snapshots_ / name, error)) {
      return fail(backup,
                  fmt::format("its snapshot {} is not in {}: the next backup can't be a level on it", quote(name),
                              quote(snapshots_.native())),
                  "");
    }
    backup.result.snapshot = snapshots_ / name;
    if (!transaction_) return;
    std::filesystem::create_directories(state, error);  // that it failed tells the file that can't be made
    const auto source = open_local_file(snapshots_ / name);
    const auto sink = create_state_file(transaction_->put_state(state / name));
    copy(*source, *sink);
    has_new_state_ = true;
  }

  static void copy(const ReadableFile& source, Sink& sink) {
    std::vector<std::byte> buffer(1U << 18U);
    for (std::uint64_t offset = 0; offset < source.size();) {
      const auto got = source.read_at(offset, buffer);
      if (got == 0) throw Error(ErrorCode::os_error, quote(source.description()) + " has become shorter");
      sink.write(ByteView(buffer).first(got));
      offset += got;
    }
    sink.finish();
  }

  [[nodiscard]] std::string read_text(const std::string& name) const {
    std::array<std::byte, 1024> head{};
    const auto size = storage_.open(name)->read_at(0, head);
    return {reinterpret_cast<const char*>(head.data()), size};
  }

  void retire(const std::string& name) {
    if (retired_.insert(name).second) plan_.steps.push_back({CommitStep::Action::retire, name, ""});
  }

  void commit() {
    std::vector<CatalogEntry> entries;
    bool changes = has_new_state_ || !plan_.steps.empty() || !plan_.texts.empty() ||
                   !names_.contains(std::string(kRestoreTextName));
    for (const auto& backup : backups_) {
      if (!backup.is_used() || backup.is_left) continue;
      changes = changes || backup.is_put;
      auto& entry = entries.emplace_back();
      entry.name = backup.name;
      entry.file.name = backup.name.file_name();
      entry.file.size = backup.found.bytes;
      entry.file.modified = backup.found.time;
      entry.header = backup.header;
      if (backup.header) entry.closing = backup.closing;
    }
    if (!changes) return;
    const auto steps = restore_steps(BackupCatalog(std::move(entries)));
    const bool is_all =
        std::none_of(backups_.begin(), backups_.end(), [](const auto& backup) { return backup.is_left; });
    // What can't be read now may be what the text is about.
    if (is_all || !steps.empty()) plan_.texts.push_back({std::string(kRestoreTextName), restore_text(archive_, steps)});
    transaction_->commit(plan_);
  }

  Session& session_;
  IStorage& storage_;
  std::filesystem::path directory_;
  std::string archive_;
  std::unique_ptr<ITransaction> transaction_;  // null: a dry run
  std::vector<Backup> backups_;
  std::set<std::string> names_;  // in the directory
  std::optional<FoundManifests> manifests_;
  std::set<std::string> retired_;
  CommitPlan plan_;
  std::filesystem::path snapshots_;  // of the original; empty: none are taken over
  bool has_new_state_ = false;
};

}  // namespace

std::vector<RescannedBackup> rescan_archive(Session& session, IStorage& storage, const std::filesystem::path& directory,
                                            const std::string& archive, const std::filesystem::path& snapshots) {
  return ArchiveRescan(session, storage, directory, archive, snapshots).run();
}

}  // namespace autoarchive::host
