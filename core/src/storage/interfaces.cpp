// Out-of-line parts of the storage interfaces: each vtable lives here, once.
#include <algorithm>

#include "autoarchive/storage/istorage.hpp"
#include "autoarchive/storage/sink.hpp"
#include "autoarchive/storage/transaction.hpp"

namespace autoarchive {

Sink::~Sink() = default;
ReadableFile::~ReadableFile() = default;
IStorage::~IStorage() = default;
ITransaction::~ITransaction() = default;

bool CommitPlan::takes(std::string_view name) const {
  return std::any_of(steps.begin(), steps.end(), [&](const auto& step) { return step.from == name; });
}

}  // namespace autoarchive
