#include "job/archive_transaction.hpp"

#include "job/destination_record.hpp"

namespace autoarchive::host {

TransactionOptions transaction_options(Session& session, const ArchiveConfig& archive) {
  const auto& state_dir = session.config().state_dir;
  TransactionOptions options;
  options.archive = archive.name;
  options.lock_wait = session.options().lock_wait;
  options.state_lock_dir = state_dir / "lock";
  options.expected_marker = remembered_marker(state_dir, archive.name, archive.destination);
  options.sync = session.syncs();
  options.stop = session.process().stop;
  return options;
}

}  // namespace autoarchive::host
