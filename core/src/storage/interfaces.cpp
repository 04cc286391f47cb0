// Out-of-line parts of the storage interfaces: each vtable lives here, once.
#include "autoarchive/storage/istorage.hpp"
#include "autoarchive/storage/sink.hpp"
#include "autoarchive/storage/transaction.hpp"

namespace autoarchive {

Sink::~Sink() = default;
ReadableFile::~ReadableFile() = default;
IStorage::~IStorage() = default;
ITransaction::~ITransaction() = default;

}  // namespace autoarchive
