/// \file
/// `-v`: a line an entry, with a letter that says what became of it.
#pragma once

#include "autoarchive/archiver/backup_observer.hpp"
#include "output/console.hpp"

namespace autoarchive::host {

/// Subscribes to one job. Excluded entries are told with their rule, unchanged ones only with -vv.
class EntryLines final : public IBackupObserver {
 public:
  explicit EntryLines(Console& console) : console_(console) {}
  void entry_done(const Entry& entry, EntryStatus status, std::string_view rule) override;

 private:
  Console& console_;
};

}  // namespace autoarchive::host
