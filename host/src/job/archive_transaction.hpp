/// \file
/// How the host asks for an archive's locks.
#pragma once

#include "autoarchive/storage/transaction.hpp"
#include "session.hpp"

namespace autoarchive::host {

/// For every command that writes into the archive's destination: both locks, the wait that the user allows, and the
/// marker that the destination had at the last success.
[[nodiscard]] TransactionOptions transaction_options(Session& session, const ArchiveConfig& archive);

}  // namespace autoarchive::host
