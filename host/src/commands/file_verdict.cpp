#include "commands/file_verdict.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "job/sha256_file.hpp"
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

/// Whether a backup is called so that is what this file is: who renames an archive renames the file for sha256sum with
/// it, and what is in that stays. Where nothing says what the file is, any name may be right.
bool may_be_called(Session& session, const ArchiveLevel& level, IArchiveReader& reader, const std::string& name) {
  std::string archive;
  int number = 0;
  FileVerdict ignored;
  if (level.manifest) {
    const ManifestReader manifest(open_local_file(level.manifest->description()));
    archive = manifest.header().archive;
    number = manifest.header().level;
  } else if (const auto identity = identity_of(*level.file, reader, ignored)) {
    archive = identity->archive;
    number = identity->level;
  } else {
    return true;
  }
  const auto parsed = parse_backup_name(name, archive, session.providers().types());
  return parsed && parsed->level.value_or(0) == number;
}

/// Compares with the file for sha256sum what was read of an archive to its end. Where the manifest has proven that, it
/// is the other one that is wrong.
void check_sha256_file(Session& session, const ArchiveLevel& level, IArchiveReader& reader, FileVerdict& verdict) {
  const std::filesystem::path path(verdict.name);
  const auto name = path.filename().native();
  const auto noted = read_sha256_file(LocalStorage(path.parent_path()), name);
  const bool is_whole = verdict.faults.empty();
  const auto remark = [&](const char* id, const std::string& text) {
    const char* proof = !is_whole ? "" : level.manifest ? "; its manifest proves it" : "; nothing proves it";
    verdict.remarks.push_back({id, text + proof});
  };
  switch (noted.state) {
    case Sha256File::State::absent:
      return;
    case Sha256File::State::bad:
    case Sha256File::State::unreadable:
      return remark("archive.unproven", noted.fault);
    case Sha256File::State::good:
      break;
  }
  const auto noted_path = quote(sha256_name(verdict.name));
  if (noted.sha256 != verdict.result.sha256) {
    const auto text = fmt::format("its SHA-256 is {}, and {} says {}", verdict.result.sha256, noted_path, noted.sha256);
    if (!level.manifest || !is_whole) return verdict.faults.push_back(text);
    if (!is_commit_cut_off(level)) remark("archive.damaged", text + ": remove that, and aa rescan writes it anew");
  } else if (noted.name != name && is_whole && !may_be_called(session, level, reader, noted.name)) {
    remark("archive.unproven", fmt::format("{} is of {}, and not of {}: aa rescan writes it anew", noted_path,
                                           quote(noted.name), quote(name)));
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
  if (is_read) check_sha256_file(session, level, reader, verdict);
  return verdict;
}

}  // namespace autoarchive::host
