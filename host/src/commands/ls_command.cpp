#include <fmt/format.h>

#include <algorithm>

#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"

namespace autoarchive::host {
namespace {

bool is_below(std::string_view path, std::string_view directory) {
  return directory == "." || path == directory ||
         (path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/');
}

char letter(EntryKind kind) {
  switch (kind) {
    case EntryKind::directory:
      return 'd';
    case EntryKind::symlink:
      return 'l';
    case EntryKind::fifo:
      return 'p';
    case EntryKind::character_device:
      return 'c';
    case EntryKind::block_device:
      return 'b';
    case EntryKind::file:
    case EntryKind::socket:
    case EntryKind::unknown:
      break;
  }
  return '-';
}

std::string permissions(std::uint32_t mode) {
  std::string text = "rwxrwxrwx";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((mode >> (8 - i) & 1U) == 0) text[i] = '-';
  }
  if ((mode & 04000U) != 0) text[2] = text[2] == 'x' ? 's' : 'S';
  if ((mode & 02000U) != 0) text[5] = text[5] == 'x' ? 's' : 'S';
  if ((mode & 01000U) != 0) text[8] = text[8] == 'x' ? 't' : 'T';
  return text;
}

std::string owner(const std::string& name, std::uint32_t id) {
  return name.empty() ? std::to_string(id) : escaped(name);
}

/// Prints members that are asked for, as a line or as JSON.
class MemberLines final : public IMemberVisitor {
 public:
  MemberLines(Session& session, const std::vector<std::string>& paths) : session_(session) {
    for (const auto& path : paths) paths_.push_back(normalize_path(path));
    found_.resize(paths_.size(), paths_.empty());
  }

  void member(const ArchiveMember& member) override { add(member.entry, member.hard_link); }

  void add(const Entry& entry, bool hard_link) {
    if (!wanted(entry.path)) return;
    ++count_;
    if (session_.options().json) {
      members_.emplace_back(as_json(entry, hard_link));
    } else {
      session_.console().result(line(entry, hard_link));
    }
  }

  ExitStatus finish() {
    auto status = ExitStatus::ok;
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      if (found_[i]) continue;
      session_.console().problem({Severity::error, "", "", fmt::format("{} is not in this backup", quote(paths_[i]))});
      status = ExitStatus::no_such_backup;
    }
    session_.console().document({{"entries", std::move(members_)}, {"count", count_}});
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

  static Json::Object as_json(const Entry& entry, bool hard_link) {
    Json::Object object;
    add_path(object, entry.path);
    object.emplace_back("kind", hard_link ? std::string_view("hard_link") : to_string(entry.kind));
    object.emplace_back("mode", entry.mode);
    object.emplace_back("uid", entry.uid);
    object.emplace_back("gid", entry.gid);
    object.emplace_back("user", entry.user);
    object.emplace_back("group", entry.group);
    object.emplace_back("size", entry.size);
    object.emplace_back("mtime", format_rfc3339(entry.mtime.seconds, entry.mtime.nanoseconds));
    if (!entry.link_target.empty()) object.emplace_back("target", entry.link_target);
    return object;
  }

  static std::string line(const Entry& entry, bool hard_link) {
    const auto arrow = hard_link ? " link to " : " -> ";
    const auto target = entry.link_target.empty() ? std::string() : arrow + quote(entry.link_target);
    return fmt::format("{}{} {}/{} {:>10} {} {}{}", hard_link ? 'h' : letter(entry.kind), permissions(entry.mode),
                       owner(entry.user, entry.uid), owner(entry.group, entry.gid), entry.size,
                       format_rfc3339(entry.mtime.seconds, 0), quote(entry.path), target);
  }

  Session& session_;
  std::vector<std::string> paths_;
  std::vector<bool> found_;
  Json::Array members_;
  std::uint64_t count_ = 0;
};

void list_manifest(ArchiveLevel& level, MemberLines& lines) {
  ManifestReader manifest(std::move(level.manifest));
  for (ManifestEntry entry; manifest.next(entry);) {
    // What could not be stored is in the manifest, but in no backup.
    if (entry.stored_level >= 0) lines.add(entry.entry, /*hard_link=*/false);
  }
}

}  // namespace

ExitStatus run_command(Session& session, const LsCommand& command) {
  auto source = open_source(session, command.target, command.destination);
  report_remarks(session, source);
  auto& newest = source.levels.back();
  MemberLines lines(session, command.paths);
  if (newest.manifest) {
    list_manifest(newest, lines);
  } else {
    constexpr Bytes kDecoderMemory = 128_MiB;
    session.providers().reader_for(*newest.file)->read_members(*newest.file, kDecoderMemory, lines);
  }
  return lines.finish();
}

}  // namespace autoarchive::host
