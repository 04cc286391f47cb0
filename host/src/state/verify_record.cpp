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

// First line, a line a record (backup, depth, time, "whole", "damaged" or "unread"), and the digest of all before it.
constexpr std::string_view kFirstLine = "autoarchive-verified 1\n";
constexpr std::chrono::seconds kLockWait{10};  // whoever holds it writes one small file
constexpr std::array<std::string_view, 4> kDepths{"quick", "data", "restore", "source"};

std::filesystem::path record_file(const std::filesystem::path& state_dir, const std::string& archive) {
  return state_dir / "verified" / archive;
}

std::string digest_of(std::string_view text) {
  return sha256_of(std::as_bytes(std::span(text)));
}

std::optional<VerifyRecord> parse_record(const std::string& line) {
  std::istringstream words(line);
  VerifyRecord record;
  std::string depth;
  std::string time;
  std::string result;
  if (!(words >> record.backup_uuid >> depth >> time >> result)) return std::nullopt;
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

std::optional<std::vector<VerifyRecord>> parse(const std::string& text) {
  const auto last = text.rfind("sha256 ");
  if (!text.starts_with(kFirstLine) || last == std::string::npos) return std::nullopt;
  if (text.substr(last) != "sha256 " + digest_of(text.substr(0, last)) + "\n") return std::nullopt;
  std::vector<VerifyRecord> records;
  std::istringstream lines(text.substr(kFirstLine.size(), last - kFirstLine.size()));
  for (std::string line; std::getline(lines, line);) {
    auto record = parse_record(line);
    if (!record) return std::nullopt;
    records.push_back(std::move(*record));
  }
  return records;
}

std::string text_of(const std::vector<VerifyRecord>& records) {
  std::string text(kFirstLine);
  for (const auto& record : records) {
    text += record.backup_uuid + " " + std::string(to_string(record.depth)) + " " + format_rfc3339(record.time) + " " +
            (record.whole    ? "whole"
             : record.unread ? "unread"
                             : "damaged") +
            "\n";
  }
  return text + "sha256 " + digest_of(text) + "\n";
}

/// Backups of which every byte was found whole once, and whose last record is as wanted.
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
                                              std::string& fault) {
  const auto file = record_file(state_dir, archive);
  std::ifstream in(file, std::ios::binary);
  if (!in) return {};
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  auto records = parse(text);
  if (records) return std::move(*records);
  fault = "state " + quote(file.native()) + " is damaged: what was verified before is forgotten";
  return {};
}

void remember_verified(const std::filesystem::path& state_dir, const std::string& archive,
                       const std::vector<VerifyRecord>& fresh, const std::set<std::string>& known) {
  const auto file = record_file(state_dir, archive);
  if (::mkdir(file.parent_path().c_str(), 0700) != 0 && errno != EEXIST)
    throw Error::from_errno(errno, "state " + quote(file.native()));
  // Beside the record and with a name that no archive has; never removed, so never stale.
  const LockFile lock(file.parent_path() / ("." + archive + ".lock"), kLockWait, {});
  std::string ignored;  // a damaged file is replaced
  auto records = read_verify_records(state_dir, archive, ignored);
  std::erase_if(records, [&](const auto& old) {
    return !known.contains(old.backup_uuid) || std::any_of(fresh.begin(), fresh.end(), [&](const auto& record) {
      return record.backup_uuid == old.backup_uuid && record.depth == old.depth && (old.unread || !record.unread);
    });
  });
  records.insert(records.end(), fresh.begin(), fresh.end());
  const auto text = text_of(records);
  write_private_file(file, std::as_bytes(std::span(text)));
}

const VerifyRecord* last_verified(const std::vector<VerifyRecord>& records, std::string_view backup_uuid) {
  const VerifyRecord* last = nullptr;
  for (const auto& record : records) {
    if (record.backup_uuid == backup_uuid && (last == nullptr || record.time >= last->time)) last = &record;
  }
  return last;
}

std::set<std::string> proven_backups(const std::vector<VerifyRecord>& records) {
  return once_proven(records, [](const auto& last) { return last.whole; });
}

std::set<std::string> unread_backups(const std::vector<VerifyRecord>& records) {
  return once_proven(records, [](const auto& last) { return last.unread; });
}

void forget_verified(const std::filesystem::path& state_dir, const std::string& archive) {
  std::error_code error;
  std::filesystem::remove(record_file(state_dir, archive), error);
  if (error) throw Error::from_errno(error.value(), "state " + quote(record_file(state_dir, archive).native()));
}

}  // namespace autoarchive::host
