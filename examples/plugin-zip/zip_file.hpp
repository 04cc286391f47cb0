/// \file
/// libarchive's zip as objects: handles are owned, errors are Error, and no exception goes through its C code.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <autoarchive/storage/istorage.hpp>
#include <autoarchive/storage/sink.hpp>
#include <autoarchive/tree/entry.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zip_plugin {

struct EntryDeleter {
  void operator()(archive_entry* entry) const noexcept { archive_entry_free(entry); }
};
using EntryPtr = std::unique_ptr<archive_entry, EntryDeleter>;

/// Writes a zip into a sink, which must outlive it and is not finished by it.
class ZipWriter {
 public:
  /// `strength` 0..9; none: libarchive's own.
  ZipWriter(autoarchive::Sink& out, std::optional<int> strength);
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;
  ~ZipWriter();

  /// Begins an entry, whose content of entry.size bytes follows by write().
  void begin(const autoarchive::Entry& entry, std::uint32_t stat_mode);
  void write(autoarchive::ByteView bytes);
  /// The directory of the zip. REQUIRES: called once.
  void finish();

 private:
  static la_ssize_t take(archive* handle, void* self, const void* bytes, std::size_t size) noexcept;
  void check(la_ssize_t result);

  autoarchive::Sink& out_;
  archive* handle_;
  std::exception_ptr failure_;  // of the sink, on its way around libarchive
};

/// Reads a zip entry by entry.
class ZipInput {
 public:
  /// `file` must outlive it. Throws Error(value_error, cause damaged) if it is no zip.
  explicit ZipInput(const autoarchive::ReadableFile& file);
  ZipInput(const ZipInput&) = delete;
  ZipInput& operator=(const ZipInput&) = delete;
  ~ZipInput();

  /// Null at the end. Valid until the next call.
  [[nodiscard]] archive_entry* next();
  /// Up to buffer.size() bytes of the entry's content; 0 at its end.
  [[nodiscard]] std::size_t read(std::span<std::byte> buffer);

 private:
  [[nodiscard]] std::string problem() const;
  static la_ssize_t give(archive* handle, void* self, const void** bytes) noexcept;
  static la_int64_t seek(archive* handle, void* self, la_int64_t offset, int whence) noexcept;
  void check(int result);

  const autoarchive::ReadableFile& file_;
  archive* handle_;
  std::uint64_t position_ = 0;
  std::vector<std::byte> buffer_;
  std::exception_ptr failure_;
};

/// As it is restored: a path below the target, kind, mode, time and link target. Throws Error(value_error, cause
/// damaged) for a path that would leave the target.
[[nodiscard]] autoarchive::Entry entry_of(archive_entry* from);

}  // namespace zip_plugin
