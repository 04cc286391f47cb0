#include "commands/file_verdict.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "output/entry_text.hpp"

namespace autoarchive::host {
namespace {

/// What the file says of itself; none if it says nothing, or its beginning is damaged, which is a fault.
std::optional<ArchiveIdentity> identity_of(const ReadableFile& file, IArchiveReader& reader, FileVerdict& verdict) {
  try {
    return reader.identity(file);
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged && error.cause() != ErrorCause::unsupported) throw;
    verdict.is_unread = error.is_os_error();
    verdict.faults.push_back(error.message());
    return std::nullopt;
  }
}

/// The checks that read no content: manifest and identity.
void check_quickly(const ArchiveLevel& level, IArchiveReader& reader, FileVerdict& verdict) {
  try {
    if (!level.manifest) {
      static_cast<void>(identity_of(*level.file, reader, verdict));
      return;
    }
    ManifestReader::check(*level.manifest);
    ManifestReader manifest(open_local_file(level.manifest->description()));
    verdict.backup_uuid = manifest.header().backup_uuid;
    const auto identity = identity_of(*level.file, reader, verdict);
    if (identity && identity->backup_uuid != verdict.backup_uuid) {
      verdict.faults.push_back(fmt::format("it is the backup {} (level {} of {}), and its manifest is that of {}",
                                           identity->backup_uuid, identity->level, quote(identity->archive),
                                           verdict.backup_uuid));
    }
    if (manifest.closing().archive_bytes != level.file->size()) {
      verdict.faults.push_back(fmt::format("it has {} bytes, and its manifest says {}", level.file->size(),
                                           manifest.closing().archive_bytes));
    }
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged && !error.is_os_error()) throw;
    verdict.is_unread = error.is_os_error();
    verdict.faults.push_back(error.message());
  }
}

/// A commit gives the archive its name before the ".sha256". Where one was cut off in between, that is the old one's
/// until the next run finishes it, and the manifest alone decides.
bool is_commit_cut_off(const ArchiveLevel& level) {
  if (!level.manifest) return false;
  const ManifestReader manifest(open_local_file(level.manifest->description()));
  const auto directory = std::filesystem::path(level.file->description()).parent_path();
  std::error_code error;
  return std::filesystem::exists(directory / ("." + manifest.header().archive + ".journal"), error);
}

/// What the file for sha256sum says; empty if there is none, or it can't be read, which is a fault.
std::string noted_sha256(const std::string& archive_file, FileVerdict& verdict) {
  constexpr std::size_t kDigits = 64;
  try {
    const auto file = open_local_file(sha256_name(archive_file));
    std::array<std::byte, kDigits> head{};
    const auto size = file->read_at(0, head);
    return {reinterpret_cast<const char*>(head.data()), size};
  } catch (const Error& error) {
    if (!error.is_os_error()) throw;
    if (error.code() == ErrorCode::file_not_found) return {};
    verdict.is_unread = verdict.is_unread || verdict.faults.empty();
    verdict.faults.push_back(error.message());
    return {};
  }
}

}  // namespace

Json::Object as_json(const FileVerdict& verdict) {
  Json::Array lost;
  for (const auto& path : verdict.result.lost) {
    Json::Object object;
    add_path(object, path);
    lost.emplace_back(std::move(object));
  }
  return {{"file", verdict.name},
          {"backup", verdict.backup_uuid},
          {"proven", verdict.is_proven},
          {"members", verdict.result.members},
          {"content_bytes", verdict.result.content_bytes},
          {"sha256", verdict.result.sha256},
          {"faults", Json::Array(verdict.faults.begin(), verdict.faults.end())},
          {"lost", std::move(lost)},
          {"lost_members", verdict.result.lost_members},
          {"whole_members", verdict.result.whole_members}};
}

FileVerdict check_file(Session& session, const ArchiveLevel& level, IArchiveReader& reader, VerifyDepth depth,
                       ReadingProgress& progress) {
  FileVerdict verdict;
  verdict.name = level.file->description();
  verdict.is_proven = level.manifest != nullptr;
  check_quickly(level, reader, verdict);
  if (depth == VerifyDepth::quick) {
    verdict.is_unread = verdict.is_unread && verdict.faults.size() == 1;
    return verdict;
  }
  const WatchedFile watched(*level.file, progress);
  verdict.result = reader.verify(watched, level.manifest.get(), session.process().stop);
  verdict.faults = verdict.result.faults;
  const bool is_read = !verdict.result.sha256.empty() || verdict.faults.empty();
  // Who could not read the file to its end says so, and may have more to say.
  verdict.is_unread = (verdict.is_unread || !is_read) && verdict.faults.size() <= 1;
  const auto noted = noted_sha256(verdict.name, verdict);
  const bool is_proven = verdict.faults.empty();
  if (is_read && !noted.empty() && noted != verdict.result.sha256 && !(is_proven && is_commit_cut_off(level))) {
    verdict.faults.push_back(fmt::format("its SHA-256 is {}, and {} says {}", verdict.result.sha256,
                                         quote(sha256_name(verdict.name)), escaped(noted)));
  }
  return verdict;
}

}  // namespace autoarchive::host
