/// \file
/// The storage that is always there: a directory.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/export.hpp"
#include "autoarchive/storage/istorage.hpp"

namespace autoarchive {

/// A local directory as storage. Files are made with mode 0600, O_EXCL and O_NOFOLLOW; a file appears under its name
/// only when it is complete and synced. File systems without hard links or directory sync work with what they have.
class AA_EXPORT LocalStorage final : public IStorage {
 public:
  /// The directory is opened at each call; it need not exist yet.
  explicit LocalStorage(std::filesystem::path directory);
  ~LocalStorage() override;

  [[nodiscard]] std::string description() const override;
  [[nodiscard]] bool has(StorageCapability capability) const noexcept override;
  [[nodiscard]] std::unique_ptr<ITransaction> begin(const TransactionOptions& options) override;
  [[nodiscard]] std::unique_ptr<ReadableFile> open(std::string_view name) const override;
  [[nodiscard]] std::optional<StoredFile> stat(std::string_view name) const override;
  [[nodiscard]] std::vector<StoredFile> list(std::string_view prefix) const override;
  [[nodiscard]] std::optional<std::uint64_t> free_bytes() const override;

  [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }

 private:
  std::filesystem::path directory_;
};

/// A new file at `path`, 0600, for state that a commit gives its name (ITransaction::put_state), which also syncs it.
/// Throws Error(file_exists, os_error).
[[nodiscard]] AA_EXPORT std::unique_ptr<Sink> create_state_file(const std::filesystem::path& path);

/// Names that storage itself uses and that no backup may have.
inline constexpr std::string_view kPartialSuffix = "._partial";
inline constexpr std::string_view kOldSuffix = "._old";
inline constexpr std::string_view kMarkerName = ".autoarchive-destination";

}  // namespace autoarchive
