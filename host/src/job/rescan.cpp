#include "job/rescan.hpp"

#include <fmt/format.h>

#include <algorithm>
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
#include "job/rescan_entries.hpp"
#include "job/restore_text.hpp"
#include "job/sha256_file.hpp"

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
    for (auto* entry : entries_.in_chain_order()) {
      auto& backup = *entry;
      if (!backup.is_used()) continue;
      if (const auto reason = why_unreadable(backup); !reason.empty()) {
        leave(backup, reason);
        continue;
      }
      find_manifest(backup);
      check_against_manifest(backup);
      if (!session_.options().dry_run) put_digest(backup);
      take_snapshot(backup);
      if (!backup.is_left && backup.found.file != backup.name.file_name())
        plan_.steps.push_back({CommitStep::Action::move, backup.found.file, backup.name.file_name()});
    }
    if (transaction_) commit();
    std::vector<RescannedBackup> results;
    for (auto& backup : entries_.all()) results.push_back(std::move(backup.result));
    return results;
  }

 private:
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
      entries_.add(std::move(found));
    }
    for (const auto& stored : storage_.list("")) names_.insert(stored.name);
    manifests_.emplace(directory_, names_, session_.config().state_dir);
  }

  void assign_names() {
    std::set<std::string> archives;
    for (const auto& [name, archive] : session_.config().archives) archives.insert(name);
    entries_.assign_names(names_, archives);
  }

  /// Of the archive or of a manifest beside it; empty if nothing is known against them. A commit reads both ends of
  /// what it moves.
  [[nodiscard]] std::string why_unreadable(const RescanEntry& backup) const {
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

  void find_manifest(RescanEntry& backup) {
    const auto name = manifest_name(backup.name.file_name());
    const auto* found = manifests_->find(backup.found, name);
    if (found != nullptr && found->name == name) {
      backup.result.manifest = "there";
      backup.header = found->header;
      backup.closing = found->closing;
      return;
    }
    const auto in_the_way = manifest_in_the_way(backup);
    if (!in_the_way.empty()) return backup.fail(in_the_way, "archive.unproven");
    if (found != nullptr) return take_over(backup, *found);
    rebuild(backup);
  }

  // A file of another size than the manifest has is the one that has changed: the manifest has a digest of its own.
  void check_against_manifest(RescanEntry& backup) const {
    if (!backup.header || backup.result.manifest == "rebuilt") return;
    if (!backup.found.damage.empty()) {
      tell_of_damage(backup, backup.found.damage + ": its manifest, which stays, says what it was");
    } else if (backup.closing.archive_bytes != backup.found.bytes) {
      tell_of_damage(backup, fmt::format("it has {} bytes, and its manifest, which stays, says {}", backup.found.bytes,
                                         backup.closing.archive_bytes));
    }
    entries_.check_parent(backup);
  }

  /// A whole manifest of another backup is not replaced, unless that backup is here, too, and gets it under its name.
  [[nodiscard]] std::string manifest_in_the_way(const RescanEntry& backup) const {
    const auto name = manifest_name(backup.name.file_name());
    const auto id = manifests_->backup_of(name);
    const auto* of = entries_.of(id);
    if (id.empty() || id == backup.found.identity.backup_uuid || (of != nullptr && of->is_used())) return {};
    return fmt::format("{} is the manifest of the backup {}, which is not here: move it away", quote(name), id);
  }

  void take_over(RescanEntry& backup, const FoundManifest& found) {
    backup.result.manifest = found.name.empty() ? "from state" : "there";
    backup.header = found.header;
    backup.closing = found.closing;
    // One that lies beside a copy is that one's.
    const auto of = found.name.substr(0, found.name.size() - std::min(found.name.size(), manifest_name("").size()));
    if (!found.name.empty() && (of == backup.found.file || !names_.contains(of))) retire(found.name);
    if (!transaction_) return;
    copy(*found.file, *put_manifest(backup));
  }

  std::unique_ptr<Sink> put_manifest(RescanEntry& backup) {
    const auto name = manifest_name(backup.name.file_name());
    if (names_.contains(name)) retire(name);
    backup.is_put = true;
    return transaction_->put(name);
  }

  void rebuild(RescanEntry& backup) {
    const auto* parent = entries_.parent_of(backup);
    if (backup.found.identity.level > 0 && parent == nullptr) return;
    if (!backup.found.damage.empty()) return give_up(backup, backup.found.damage);
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
      const bool is_unreadable = watched.has_failed() || error.cause() == ErrorCause::damaged;
      if (is_unreadable && error.is_os_error()) return leave(backup, error.message());
      const bool is_its_fault = error.cause() == ErrorCause::damaged || error.cause() == ErrorCause::unsupported;
      if (!is_its_fault) throw;
      give_up(backup, error.message(), error.cause());
    }
  }

  // What can be read at another time may be whole.
  void leave(RescanEntry& backup, const std::string& reason) {
    discard_manifest(backup);
    backup.is_left = true;
    backup.result.file = backup.found.file;
    backup.fail(reason + "; left alone: run again when it can be read", "archive.unproven");
  }

  void discard_manifest(RescanEntry& backup) {
    const auto name = manifest_name(backup.name.file_name());
    if (backup.is_put) transaction_->discard(name);
    backup.is_put = false;
    if (retired_.erase(name) > 0) std::erase_if(plan_.steps, [&](const auto& step) { return step.from == name; });
    backup.header.reset();
    backup.result.manifest = "none";
  }

  void give_up(RescanEntry& backup, const std::string& reason, ErrorCause cause = ErrorCause::damaged) {
    discard_manifest(backup);
    if (cause == ErrorCause::unsupported) return backup.fail(reason, "archive.unproven");
    tell_of_damage(backup, reason);
  }

  void tell_of_damage(RescanEntry& backup, const std::string& reason) const {
    auto text = reason + "; what can be had of it: aa restore --salvage";
    if (const auto* copy = entries_.copy_of(backup); copy != nullptr)
      text += fmt::format("; {} is a copy of it: put that in its place, and run again", quote(copy->found.file));
    backup.fail(text, "archive.damaged");
  }

  [[nodiscard]] std::unique_ptr<ReadableFile> open_manifest(const RescanEntry& backup) const {
    const auto name = manifest_name(backup.name.file_name());
    return backup.is_put ? transaction_->read_back(name) : storage_.open(name);
  }

  // A digest that differs is evidence, and stays where it is: the file may have been changed since it was made. What is
  // no digest is none.
  void put_digest(RescanEntry& backup) {
    const auto& digest = backup.closing.archive_sha256;
    if (!backup.header || digest.empty()) return;
    const auto name = backup.name.file_name();
    bool is_there = false;
    for (const auto& file : std::set{name, backup.found.file}) {
      const auto noted = read_sha256_file(storage_, file);
      if (noted.state == Sha256File::State::absent) continue;
      const auto path = sha256_name(file);
      if (noted.state == Sha256File::State::unreadable)
        return backup.fail(noted.fault + "; left alone", "archive.unproven");
      if (!names_.contains(path)) {
        return backup.fail(quote(path) + " is in the way: it is not a regular file; move it away, and run again",
                           "archive.unproven");
      }
      if (noted.state == Sha256File::State::good && noted.sha256 != digest) {
        return give_up_digest(backup, fmt::format("its SHA-256 is {}, and {} says another: the archive has changed "
                                                  "since, or the digest is that of another one; remove it if so",
                                                  digest, quote(path)));
      }
      const bool is_right = file == name && noted.sha256 == digest && noted.name == name;
      is_there = is_there || is_right;
      if (!is_right) retire(path);
    }
    if (!is_there) plan_.texts.push_back({sha256_name(name), sha256_text(digest, name)});
  }

  void give_up_digest(RescanEntry& backup, const std::string& text) {
    if (backup.result.manifest == "rebuilt") {
      give_up(backup, text);
    } else {
      backup.fail(text, "archive.damaged");
    }
  }

  // Where there is a state already, a level has been made since by us: that one counts.
  void take_snapshot(RescanEntry& backup) {
    const bool is_wanted = !snapshots_.empty() && backup.found.is_original && backup.name.keeping_id.empty();
    if (!is_wanted || !backup.header) return;
    const int level = backup.found.identity.level;
    const auto name = archive_ + (level > 0 ? "." + std::to_string(level) : "") + ".snar";
    const auto state = session_.config().state_dir / "snapshots";
    std::error_code error;
    if (std::filesystem::exists(state / name, error)) return;
    if (!std::filesystem::is_regular_file(snapshots_ / name, error)) {
      return backup.fail(fmt::format("its snapshot {} is not in {}: the next backup can't be a level on it",
                                     quote(name), quote(snapshots_.native())),
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

  void retire(const std::string& name) {
    if (retired_.insert(name).second) plan_.steps.push_back({CommitStep::Action::retire, name, ""});
  }

  void commit() {
    std::vector<CatalogEntry> entries;
    bool changes = has_new_state_ || !plan_.steps.empty() || !plan_.texts.empty() ||
                   !names_.contains(std::string(kRestoreTextName));
    for (const auto& backup : entries_.all()) {
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
        std::none_of(entries_.all().begin(), entries_.all().end(), [](const auto& backup) { return backup.is_left; });
    // What can't be read now may be what the text is about.
    if (is_all || !steps.empty()) plan_.texts.push_back({std::string(kRestoreTextName), restore_text(archive_, steps)});
    transaction_->commit(plan_);
  }

  Session& session_;
  IStorage& storage_;
  std::filesystem::path directory_;
  std::string archive_;
  std::unique_ptr<ITransaction> transaction_;  // null: a dry run
  RescanEntries entries_;
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
