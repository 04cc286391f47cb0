/// \file
/// Where backups live. The only way in which anything in this project reads or writes a destination, so that an object
/// store can take a directory's place: nothing may assume more than these calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/export.hpp"
#include "autoarchive/service/iservice.hpp"
#include "autoarchive/storage/transaction.hpp"

namespace autoarchive {

/// What a storage can do beyond put, read, list and remove.
enum class StorageCapability : std::uint8_t { rename, hard_link };

/// One stored file. Names are flat: no "/" in them.
struct StoredFile {
  std::string name;
  std::uint64_t size = 0;
  SystemTime modified{};
  /// Identity where the storage has one (a local file system); else 0. Used to leave our own files out of a backup.
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t link_count = 1;
};

/// A stored file, open for reading at any place. Thread-safe.
class AA_EXPORT ReadableFile {
 public:
  ReadableFile() = default;
  ReadableFile(const ReadableFile&) = delete;
  ReadableFile& operator=(const ReadableFile&) = delete;
  virtual ~ReadableFile();

  [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;
  /// Fills `buffer` from `offset` on; returns how much there was (less only at the end). Throws Error(os_error).
  [[nodiscard]] virtual std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const = 0;
  /// For messages, e.g. "/mnt/backup/home.tar.gz".
  [[nodiscard]] virtual std::string description() const = 0;
};

/// A local file by its path, for archives that lie anywhere. Throws Error (file_not_found, os_error; value_error if it
/// is not a regular file).
[[nodiscard]] AA_EXPORT std::unique_ptr<ReadableFile> open_local_file(const std::string& path);

/// A place for backups. Thread-safe; readers take no lock.
class AA_EXPORT IStorage : public IService {
 public:
  ~IStorage() override;

  /// For messages, e.g. "/mnt/backup".
  [[nodiscard]] virtual std::string description() const = 0;
  [[nodiscard]] virtual bool has(StorageCapability capability) const noexcept = 0;

  /// Locks one archive, finishes or clears what a dead writer left, and opens a transaction. Throws Error: cause
  /// lock_busy if another writer has it for longer than `options.lock_wait`; cause destination if the place is
  /// missing, not a directory, read-only, or not the one that is expected; file_exists if a journal meets a foreign
  /// file.
  [[nodiscard]] virtual std::unique_ptr<ITransaction> begin(const TransactionOptions& options) = 0;

  /// Throws Error(file_not_found, cause no_such_backup).
  [[nodiscard]] virtual std::unique_ptr<ReadableFile> open(std::string_view name) const = 0;
  /// None if there is no such file. Throws Error(os_error).
  [[nodiscard]] virtual std::optional<StoredFile> stat(std::string_view name) const = 0;
  /// Regular files whose names begin with `prefix`, sorted by bytes; temporary files of writers included. Throws
  /// Error(os_error).
  [[nodiscard]] virtual std::vector<StoredFile> list(std::string_view prefix) const = 0;
  /// Bytes that can still be written; none if the storage does not know.
  [[nodiscard]] virtual std::optional<std::uint64_t> free_bytes() const = 0;
};

}  // namespace autoarchive
