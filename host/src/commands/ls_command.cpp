#include <fmt/format.h>

#include <algorithm>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"
#include "output/entry_text.hpp"

namespace autoarchive::host {
namespace {

bool is_below(std::string_view path, std::string_view directory) {
  return directory == "." || path == directory ||
         (path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/');
}

/// Prints members that are asked for, as a line or as JSON.
class MemberLines final : public IMemberVisitor {
 public:
  MemberLines(Session& session, const std::vector<std::string>& paths) : session_(session) {
    for (const auto& path : paths) paths_.push_back(normalize_path(path));
    found_.resize(paths_.size(), paths_.empty());
    session_.console().begin_array("entries");
  }

  void member(const ArchiveMember& member) override { add(member.entry, member.hard_link); }

  void add(const Entry& entry, bool hard_link) {
    if (session_.process().stop.stop_requested())
      throw Error(ErrorCode::runtime_error, "stopped on request", ErrorCause::cancelled);
    if (!wanted(entry.path)) return;
    ++count_;
    if (session_.options().json) {
      session_.console().element(entry_json(entry, hard_link));
    } else {
      session_.console().result(entry_line(entry, hard_link));
    }
  }

  /// What is asked for, "." if everything: in walk order, without what lies below another one of them.
  [[nodiscard]] std::vector<std::string> places() const {
    auto sorted = paths_;
    if (sorted.empty()) sorted.emplace_back(".");
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return compare_paths(a, b) < 0; });
    std::vector<std::string> places;
    for (auto& path : sorted) {
      if (places.empty() || !is_below(path, places.back())) places.push_back(std::move(path));
    }
    return places;
  }

  ExitStatus finish() {
    auto status = ExitStatus::ok;
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      if (found_[i]) continue;
      session_.console().problem({Severity::error, "", "", fmt::format("{} is not in this backup", quote(paths_[i]))});
      status = ExitStatus::no_such_backup;
    }
    session_.console().document({{"count", count_}});
    return status;
  }

 private:
  bool wanted(std::string_view path) {
    bool any = paths_.empty();
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      if (!is_below(path, paths_[i])) continue;
      found_[i] = true;
      any = true;
    }
    return any;
  }

  Session& session_;
  std::vector<std::string> paths_;
  std::vector<bool> found_;
  std::uint64_t count_ = 0;
};

// A directory is read from where it begins. That every byte is the right one is known before.
void list_manifest(ArchiveLevel& level, MemberLines& lines) {
  ManifestReader::check(*level.manifest);
  ManifestReader manifest(std::move(level.manifest));
  for (const auto& place : lines.places()) {
    if (place != ".") manifest.seek(place);
    for (ManifestEntry entry; manifest.next(entry) && is_below(entry.entry.path, place);) {
      // What could not be stored is in the manifest, but in no backup.
      if (entry.stored_level >= 0) lines.add(entry.entry, /*hard_link=*/false);
    }
  }
}

/// Lists what a restore of a chain would bring, for which there is no manifest.
class PlannedMembers final : public IRestoreObserver {
 public:
  PlannedMembers(Session& session, MemberLines& lines) : session_(session), lines_(lines) {}

  void restored(const ArchiveMember& member) override { lines_.member(member); }
  void problem(std::string_view path, std::string_view text) override {
    session_.console().problem({Severity::warning, "file.meta", "", remark_on(path, text)});
  }

 private:
  Session& session_;
  MemberLines& lines_;
};

ExitStatus list_chain(Session& session, std::vector<ArchiveLevel> levels, MemberLines& lines) {
  const auto reader = session.providers().reader_for(*levels.back().file);
  PlannedMembers planned(session, lines);
  RestoreRequest request;
  request.levels = std::move(levels);
  request.dry_run = true;
  request.stop = session.process().stop;
  request.observer = &planned;
  return reader->restore(request).problems > 0 ? ExitStatus::warnings : ExitStatus::ok;
}

}  // namespace

ExitStatus run_command(Session& session, const LsCommand& command) {
  auto source = open_source(session, command.target, command.destination);
  report_remarks(session, source);
  auto& newest = source.levels.back();
  MemberLines lines(session, command.paths);
  auto status = ExitStatus::ok;
  if (newest.manifest) {
    list_manifest(newest, lines);
  } else if (source.levels.size() > 1) {
    status = list_chain(session, std::move(source.levels), lines);
  } else {
    constexpr Bytes kDecoderMemory = 128_MiB;
    session.providers().reader_for(*newest.file)->read_members(*newest.file, kDecoderMemory, lines);
  }
  return worse(status, lines.finish());
}

}  // namespace autoarchive::host
