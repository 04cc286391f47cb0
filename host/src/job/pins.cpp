#include "job/pins.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "state/verify_record.hpp"

namespace autoarchive::host {
namespace {

constexpr std::size_t kUuidBytes = 36;

std::string file_of(const std::string& archive) {
  return "." + archive + ".pins";
}

bool is_uuid(std::string_view text) {
  return text.size() == kUuidBytes && text.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

/// Whether `backups` has all that is needed to restore it.
bool is_chain_of(const std::set<std::string>& backups, const BackupCatalog& catalog, std::size_t index) {
  if (!catalog.entries()[index].header) return false;
  try {
    const auto chain = catalog.chain_to(index);
    return std::all_of(chain.begin(), chain.end(), [&](std::size_t of) {
      const auto& entry = catalog.entries()[of];
      return entry.fault.empty() && backups.contains(entry.backup_uuid());
    });
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged) throw;
    return false;
  }
}

}  // namespace

std::set<std::string> read_pins(const IStorage& storage, const std::string& archive) {
  const auto name = file_of(archive);
  const auto stored = storage.stat(name);
  std::set<std::string> pins;
  if (!stored) return pins;
  std::string text(static_cast<std::size_t>(stored->size), '\0');
  text.resize(storage.open(name)->read_at(0, std::as_writable_bytes(std::span(text))));
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = text.find('\n', begin);
    const auto line = text.substr(begin, end - begin);
    if (end == std::string::npos || !is_uuid(line)) {
      throw Error(ErrorCode::value_error,
                  "pins " + quote(storage.description() + "/" + name) +
                      " are damaged: each line has to be the id of a backup; mend or remove the file",
                  ErrorCause::damaged);
    }
    pins.insert(line);
    begin = end + 1;
  }
  return pins;
}

void put_pins(ITransaction& transaction, const std::string& archive, const std::set<std::string>& pins) {
  std::string text;
  for (const auto& pin : pins) text += pin + "\n";
  const auto sink = transaction.put(file_of(archive));
  sink->write(std::as_bytes(std::span(text)));
  sink->finish();
}

std::map<std::string, Hold> holds(const BackupCatalog& catalog, const std::set<std::string>& pins,
                                  const std::set<std::string>& verified, const std::set<std::string>& unread) {
  std::map<std::string, Hold> reasons;
  const auto hold_newest_of = [&](const std::set<std::string>& backups, const char* reason) {
    for (const auto index : catalog.newest_first()) {
      if (!is_chain_of(backups, catalog, index)) continue;
      reasons[catalog.entries()[index].header->backup_uuid] = {reason, false};
      return;
    }
  };
  auto once_verified = verified;
  once_verified.insert(unread.begin(), unread.end());
  hold_newest_of(once_verified, "the newest that was verified and could not be read since");
  hold_newest_of(verified, "the newest that is verified");
  for (const auto& pin : pins) reasons[pin] = {"pinned", true};
  return reasons;
}

std::map<std::string, Hold> read_holds(const std::filesystem::path& state_dir, const ArchiveConfig& archive,
                                       const IStorage& storage, const BackupCatalog& catalog) {
  std::string ignored;  // a damaged record proves nothing, and status tells of it
  const auto records = read_verify_records(state_dir, archive.name, archive.destination, ignored);
  return holds(catalog, read_pins(storage, archive.name), proven_backups(records), unread_backups(records));
}

}  // namespace autoarchive::host
