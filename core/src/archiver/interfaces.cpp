// Out-of-line parts of the archiver interfaces: each vtable lives here, once.
#include "autoarchive/archiver/backup_observer.hpp"
#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/archiver/iarchiver.hpp"

namespace autoarchive {

IArchiver::~IArchiver() = default;
IArchiveReader::~IArchiveReader() = default;
IArchiveReaderIdentification::~IArchiveReaderIdentification() = default;

IBackupObserver::~IBackupObserver() = default;
void IBackupObserver::started(const BackupStarted& /*job*/) {}
void IBackupObserver::file_add(std::string_view /*name*/) {}
void IBackupObserver::backup_operation_error(BackupSubOperation /*operation*/, BackupOperationError /*error*/,
                                             std::optional<std::string_view> /*name*/,
                                             std::optional<std::string_view> /*error_text*/) {}
void IBackupObserver::entry_done(const Entry& /*entry*/, EntryStatus /*status*/, std::string_view /*rule*/) {}
void IBackupObserver::notice(std::string_view /*text*/) {}
void IBackupObserver::progress(const BackupProgress& /*progress*/) {}
void IBackupObserver::finished(const BackupSummary& /*summary*/) {}

IMemberVisitor::~IMemberVisitor() = default;

IRestoreObserver::~IRestoreObserver() = default;
void IRestoreObserver::restored(const ArchiveMember& /*member*/) {}
void IRestoreObserver::removed(std::string_view /*path*/) {}
void IRestoreObserver::problem(std::string_view /*path*/, std::string_view /*text*/) {}
void IRestoreObserver::damaged(std::string_view path, std::string_view text) {
  problem(path, text);
}
void IRestoreObserver::progress(std::uint64_t /*entries*/, std::uint64_t /*content_bytes*/) {}

std::string_view ArchiveReaderServiceIdentification::name() const noexcept {
  return "archive-reader";
}
std::type_index ArchiveReaderServiceIdentification::interface() const noexcept {
  return typeid(IArchiveReader);
}
std::type_index ArchiveReaderServiceIdentification::provider_identification_interface() const noexcept {
  return typeid(IArchiveReaderIdentification);
}
bool ArchiveReaderServiceIdentification::accepts(const IProviderIdentification& identification) const noexcept {
  return dynamic_cast<const IArchiveReaderIdentification*>(&identification) != nullptr;
}

}  // namespace autoarchive
