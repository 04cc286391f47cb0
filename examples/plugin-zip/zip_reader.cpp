#include "zip_reader.hpp"

#include <unistd.h>

#include <algorithm>
#include <autoarchive/base/digest.hpp>
#include <autoarchive/base/error.hpp>
#include <autoarchive/base/text.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>
#include <set>

#include "zip_file.hpp"

namespace zip_plugin {

using namespace autoarchive;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBufferBytes = 256 * 1024;

class Identification final : public IArchiveReaderIdentification {
 public:
  [[nodiscard]] std::string_view provider_id() const noexcept override { return "zip-reader"; }
  // A local file header, or the end of a zip without entries.
  [[nodiscard]] std::optional<std::string> recognise(ByteView head) const override {
    for (const char* magic : {"PK\3\4", "PK\5\6"}) {
      if (head.size() >= 4 && std::memcmp(head.data(), magic, 4) == 0) return "zip";
    }
    return std::nullopt;
  }
};

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::runtime_error, "stopped", ErrorCause::cancelled);
}

/// Which members are wanted, and which of the wanted ones were there.
class Selection {
 public:
  explicit Selection(const std::vector<std::string>& paths) {
    for (const auto& path : paths) wanted_.push_back(normalize_path(path));
  }
  [[nodiscard]] bool takes(const std::string& path) {
    if (wanted_.empty()) return true;
    bool taken = false;
    for (const auto& wanted : wanted_) {
      if (wanted != "." && path != wanted && !path.starts_with(wanted + "/")) continue;
      found_.insert(wanted);
      taken = true;
    }
    return taken;
  }
  [[nodiscard]] std::vector<std::string> not_found() const {
    std::vector<std::string> missing;
    for (const auto& wanted : wanted_) {
      if (!found_.contains(wanted)) missing.push_back(wanted);
    }
    return missing;
  }

 private:
  std::vector<std::string> wanted_;
  std::set<std::string> found_;
};

/// Writes members below a directory. libarchive refuses to go through a symlink that a member has made.
class Disk {
 public:
  explicit Disk(const RestoreRequest& request) : handle_(archive_write_disk_new()) {
    if (handle_ == nullptr) throw std::bad_alloc();
    int flags =
        ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_SYMLINKS;
    if (request.owner != OwnerPolicy::none && ::geteuid() == 0) flags |= ARCHIVE_EXTRACT_OWNER;
    if (request.overwrite == OverwritePolicy::never) flags |= ARCHIVE_EXTRACT_NO_OVERWRITE;
    if (request.overwrite == OverwritePolicy::newer) flags |= ARCHIVE_EXTRACT_NO_OVERWRITE_NEWER;
    archive_write_disk_set_options(handle_, flags);
    std::error_code error;
    fs::create_directory(request.target, error);
    target_ = fs::canonical(request.target, error);
    if (error) {
      archive_write_free(handle_);
      throw Error(ErrorCode::os_error, quote(request.target.native()) + ": " + error.message(),
                  ErrorCause::destination);
    }
  }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  ~Disk() { archive_write_free(handle_); }

  /// What went wrong; empty: nothing.
  [[nodiscard]] std::string restore(const Entry& entry, archive_entry* header, ZipInput& input) {
    archive_entry_copy_pathname(header, (target_ / entry.path).c_str());
    if (archive_write_header(handle_, header) < ARCHIVE_OK) return text();
    for (std::size_t got = 0; (got = input.read(buffer_)) > 0;) {
      if (archive_write_data(handle_, buffer_.data(), got) < 0) return text();
    }
    return archive_write_finish_entry(handle_) < ARCHIVE_OK ? text() : std::string();
  }
  /// Times and modes of directories come last. What went wrong; empty: nothing.
  [[nodiscard]] std::string finish() { return archive_write_close(handle_) < ARCHIVE_OK ? text() : std::string(); }

 private:
  [[nodiscard]] std::string text() const {
    const char* const words = archive_error_string(handle_);
    return words == nullptr ? std::string("it could not be written") : escaped(words);
  }
  archive* handle_;
  fs::path target_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(kBufferBytes);
};

}  // namespace

std::shared_ptr<const IArchiveReaderIdentification> zip_reader_identification() {
  static const auto identification = std::make_shared<const Identification>();
  return identification;
}

ZipReader::ZipReader(const ProviderArguments& /*arguments*/) {}

void ZipReader::read_members(const ReadableFile& file, Bytes /*decoder_memory*/, IMemberVisitor& visitor) {
  ZipInput input(file);
  while (auto* header = input.next()) {
    ArchiveMember member;
    member.entry = entry_of(header);
    visitor.member(member);
  }
}

RestoreResult ZipReader::restore(const RestoreRequest& request) {
  IRestoreObserver nobody;
  auto& observer = request.observer != nullptr ? *request.observer : nobody;
  Selection selection(request.paths);
  RestoreResult result;
  const auto problem = [&](std::string_view path, const std::string& text) {
    if (text.empty()) return;
    ++result.problems;
    observer.problem(path, text);
  };
  ZipInput input(*request.levels.back().file);
  std::optional<Disk> disk;
  if (!request.dry_run) disk.emplace(request);
  while (auto* header = input.next()) {
    check_stop(request.stop);
    ArchiveMember member;
    member.entry = entry_of(header);
    if (!selection.takes(member.entry.path)) continue;
    ++result.entries;
    result.content_bytes += member.entry.size;
    if (disk) problem(member.entry.path, disk->restore(member.entry, header, input));
    observer.restored(member);
    observer.progress(result.entries, result.content_bytes);
  }
  if (disk) problem(".", disk->finish());
  if (request.delete_others) problem(".", "a zip has no list of what else there was: nothing was deleted");
  result.not_found = selection.not_found();
  return result;
}

std::optional<ArchiveIdentity> ZipReader::identity(const ReadableFile& /*file*/) {
  return std::nullopt;
}

RestoreResult ZipReader::prove(const RestoreRequest& request) {
  IRestoreObserver nobody;
  auto& observer = request.observer != nullptr ? *request.observer : nobody;
  RestoreResult result;
  std::vector<std::byte> buffer(kBufferBytes);
  Entry entry;
  try {
    ZipInput input(*request.levels.back().file);
    while (auto* header = input.next()) {
      check_stop(request.stop);
      entry = entry_of(header);
      ++result.entries;
      for (std::size_t got = 0; (got = input.read(buffer)) > 0;) result.content_bytes += got;
    }
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged) throw;
    ++result.problems;
    ++result.damaged;
    observer.damaged(entry.path, error.message());
  }
  return result;
}

void ZipReader::read_content(const std::vector<ArchiveLevel>& levels, std::string_view path, Sink& out) {
  const auto wanted = normalize_path(path);
  std::vector<std::byte> buffer(kBufferBytes);
  ZipInput input(*levels.back().file);
  while (auto* header = input.next()) {
    const auto entry = entry_of(header);
    if (entry.path != wanted) continue;
    if (entry.kind != EntryKind::file)
      throw Error(ErrorCode::value_error, quote(path) + " is no file", ErrorCause::usage);
    for (std::size_t got = 0; (got = input.read(buffer)) > 0;) out.write(std::span(buffer).first(got));
    return;
  }
  throw Error(ErrorCode::key_error, quote(path) + " is not in the zip", ErrorCause::no_such_backup);
}

VerifyResult ZipReader::verify(const ReadableFile& file, const ReadableFile* /*manifest*/, std::stop_token stop) {
  VerifyResult result;
  std::vector<std::byte> buffer(kBufferBytes);
  Sha256 digest;
  for (std::uint64_t offset = 0; offset < file.size();) {
    check_stop(stop);
    const auto got = file.read_at(offset, buffer);
    if (got == 0) break;
    digest.update(std::span(buffer).first(got));
    offset += got;
  }
  result.sha256 = digest.finish();
  try {
    ZipInput input(file);  // each entry's CRC is checked when it is read to its end
    while (auto* header = input.next()) {
      check_stop(stop);
      ++result.members;
      static_cast<void>(entry_of(header));
      for (std::size_t got = 0; (got = input.read(buffer)) > 0;) result.content_bytes += got;
    }
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged) throw;
    result.faults.push_back(error.message());
  }
  return result;
}

ManifestClosing ZipReader::rebuild_manifest(const ReadableFile& file, const ReadableFile* /*parent*/,
                                            const ManifestHeader& /*header*/, Sink& /*out*/, std::stop_token /*stop*/) {
  throw Error(ErrorCode::not_implemented, quote(file.description()) + ": a zip does not say which backup it is",
              ErrorCause::unsupported);
}

}  // namespace zip_plugin
