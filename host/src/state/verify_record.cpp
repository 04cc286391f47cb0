#include "state/verify_record.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/private_file.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/storage/lock_file.hpp"

namespace autoarchive::host {
namespace {

// First line, a line a record (backup, depth, time, "whole", "damaged" or "unread", place), and the digest of all
// before it.
constexpr std::string_view kFirstLine = "autoarchive-verified 2\n";
constexpr std::chrono::hours kKeptElsewhere{24 * 365};
constexpr std::chrono::seconds kLockWait{10};  // whoever holds it writes one small file
constexpr std::array<std::string_view, 4> kDepths{"quick", "data", "restore", "source"};

std::filesystem::path record_file(const std::filesystem::path& state_dir, const std::string& archive) {
  return state_dir / "verified" / archive;
}

std::string digest_of(std::string_view text) {
  return sha256_of(std::as_bytes(std::span(text)));
}

/// A destination in one word, however it is written.
std::string place_of(const std::filesystem::path& destination) {
  constexpr std::size_t kDigits = 16;
  std::error_code error;
  auto path = std::filesystem::weakly_canonical(destination, error);
  if (error) path = destination.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // as "/backups/" is "/backups"
  return digest_of(path.native()).substr(0, kDigits);
}

/// What was found, and where.
struct PlacedRecord : VerifyRecord {
  std::string place;
};

std::optional<PlacedRecord> parse_record(const std::string& line) {
  std::istringstream words(line);
  PlacedRecord record;
  std::string depth;
  std::string time;
  std::string result;
  if (!(words >> record.backup_uuid >> depth >> time >> result >> record.place)) return std::nullopt;
  const auto parsed_depth = parse_depth(depth);
  const auto parsed_time = parse_time(time);
  if (!parsed_depth || !parsed_time || (result != "whole" && result != "damaged" && result != "unread"))
    return std::nullopt;
  record.depth = *parsed_depth;
  record.time = *parsed_time;
  record.whole = result == "whole";
  record.unread = result == "unread";
  return record;
}

std::optional<std::vector<PlacedRecord>> parse(const std::string& text) {
  const auto last = text.rfind("sha256 ");
  if (!text.starts_with(kFirstLine) || last == std::string::npos) return std::nullopt;
  if (text.substr(last) != "sha256 " + digest_of(text.substr(0, last)) + "\n") return std::nullopt;
  std::vector<PlacedRecord> records;
  std::istringstream lines(text.substr(kFirstLine.size(), last - kFirstLine.size()));
  for (std::string line; std::getline(lines, line);) {
    auto record = parse_record(line);
    if (!record) return std::nullopt;
    records.push_back(std::move(*record));
  }
  return records;
}

std::string text_of(const std::vector<PlacedRecord>& records) {
  std::string text(kFirstLine);
  for (const auto& record : records) {
    text += record.backup_uuid + " " + std::string(to_string(record.depth)) + " " + format_rfc3339(record.time) + " " +
            (record.whole    ? "whole"
             : record.unread ? "unread"
                             : "damaged") +
            " " + record.place + "\n";
  }
  return text + "sha256 " + digest_of(text) + "\n";
}

/// Of all places. Empty if nothing is remembered, or what is remembered is damaged: then `fault` says so.
std::vector<PlacedRecord> read_all(const std::filesystem::path& file, std::string& fault) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return {};
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  auto records = parse(text);
  if (records) return std::move(*records);
  fault = "state " + quote(file.native()) + " is damaged: what was verified before is forgotten";
  return {};
}

bool is_replaced_by(const VerifyRecord& old, const VerifyRecord& fresh) {
  return fresh.backup_uuid == old.backup_uuid && fresh.depth == old.depth && (old.unread || !fresh.unread);
}

/// Nothing follows from a quick check that found nothing.
bool is_finding(const VerifyRecord& record) {
  return record.depth != VerifyDepth::quick || !record.whole;
}

/// Backups of which every byte was found whole once, and of which what is known last is as wanted.
template <class Wanted>
std::set<std::string> once_proven(const std::vector<VerifyRecord>& records, const Wanted& is_wanted) {
  std::set<std::string> found;
  for (const auto& record : records) {
    const bool is_proof = record.depth != VerifyDepth::quick && record.whole;
    if (is_proof && is_wanted(*last_verified(records, record.backup_uuid))) found.insert(record.backup_uuid);
  }
  return found;
}

}  // namespace

std::string_view to_string(VerifyDepth depth) noexcept {
  return kDepths.at(static_cast<std::size_t>(depth));
}

std::optional<VerifyDepth> parse_depth(std::string_view word) noexcept {
  const auto* found = std::find(kDepths.begin(), kDepths.end(), word);
  if (found == kDepths.end()) return std::nullopt;
  return static_cast<VerifyDepth>(found - kDepths.begin());
}

std::vector<VerifyRecord> read_verify_records(const std::filesystem::path& state_dir, const std::string& archive,
                                              const std::filesystem::path& destination, std::string& fault) {
  const auto place = place_of(destination);
  std::vector<VerifyRecord> records;
  for (auto& record : read_all(record_file(state_dir, archive), fault)) {
    if (record.place == place) records.push_back(std::move(record));
  }
  return records;
}

void remember_verified(const std::filesystem::path& state_dir, const std::string& archive,
                       const std::filesystem::path& destination, const std::vector<VerifyRecord>& fresh,
                       const std::set<std::string>& known) {
  const auto file = record_file(state_dir, archive);
  if (::mkdir(file.parent_path().c_str(), 0700) != 0 && errno != EEXIST)
    throw Error::from_errno(errno, "state " + quote(file.native()));
  // Beside the record and with a name that no archive has; never removed, so never stale.
  const LockFile lock(file.parent_path() / ("." + archive + ".lock"), kLockWait, {});
  const auto place = place_of(destination);
  const auto long_ago = std::chrono::system_clock::now() - kKeptElsewhere;
  std::string ignored;  // a damaged file is replaced
  auto records = read_all(file, ignored);
  std::erase_if(records, [&](const auto& old) {
    if (old.place != place) return old.time < long_ago;
    return !known.contains(old.backup_uuid) ||
           std::any_of(fresh.begin(), fresh.end(), [&](const auto& record) { return is_replaced_by(old, record); });
  });
  for (const auto& record : fresh) records.push_back({record, place});
  const auto text = text_of(records);
  write_private_file(file, std::as_bytes(std::span(text)));
}

const VerifyRecord* last_verified(const std::vector<VerifyRecord>& records, std::string_view backup_uuid) {
  const VerifyRecord* last = nullptr;
  for (const auto& record : records) {
    if (record.backup_uuid != backup_uuid) continue;
    const auto rank = [](const VerifyRecord& of) { return std::pair(is_finding(of), of.time); };
    if (last == nullptr || rank(record) >= rank(*last)) last = &record;
  }
  return last;
}

std::set<std::string> proven_backups(const std::vector<VerifyRecord>& records) {
  return once_proven(records, [](const auto& last) { return last.whole; });
}

std::set<std::string> unread_backups(const std::vector<VerifyRecord>& records) {
  return once_proven(records, [](const auto& last) { return last.unread; });
}

std::optional<SystemTime> found_damaged(const std::vector<VerifyRecord>& records, std::string_view backup_uuid) {
  const auto* last = last_verified(records, backup_uuid);
  if (last == nullptr || last->whole || last->unread) return std::nullopt;
  return last->time;
}

std::set<std::string> known_backups(const BackupCatalog& catalog) {
  std::set<std::string> known;
  for (const auto& entry : catalog.entries()) {
    if (entry.header) known.insert(entry.header->backup_uuid);
  }
  return known;
}

void forget_verified(const std::filesystem::path& state_dir, const std::string& archive) {
  std::error_code error;
  std::filesystem::remove(record_file(state_dir, archive), error);
  if (error) throw Error::from_errno(error.value(), "state " + quote(record_file(state_dir, archive).native()));
}

}  // namespace autoarchive::host
