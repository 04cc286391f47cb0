#include "job/sha256_file.hpp"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive::host {
namespace {

constexpr std::size_t kDigits = 64;
constexpr std::size_t kMaxBytes = 8192;  // longer than any path
constexpr std::string_view kText = "  ";
constexpr std::string_view kBinary = " *";

bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

std::string in_lower_case(std::string_view digits) {
  std::string lower(digits);
  for (auto& c : lower) c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

/// As far as the line is one; else `bad`, without a reason.
Sha256File parse(std::string_view text) {
  Sha256File bad;
  bad.state = Sha256File::State::bad;
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.size() <= kDigits + kText.size()) return bad;
  const auto digits = text.substr(0, kDigits);
  const auto separator = text.substr(kDigits, kText.size());
  const auto name = text.substr(kDigits + kText.size());
  const bool is_line = is_hexadecimal(digits) && (separator == kText || separator == kBinary) &&
                       name.find_first_of(std::string_view("\n\0", 2)) == std::string_view::npos;
  if (!is_line) return bad;
  return {Sha256File::State::good, in_lower_case(digits), std::string(name), {}};
}

std::string read_text(const ReadableFile& file) {
  std::vector<std::byte> buffer(kMaxBytes);
  const auto size = file.read_at(0, buffer);
  return {reinterpret_cast<const char*>(buffer.data()), size};
}

}  // namespace

Sha256File read_sha256_file(const IStorage& storage, const std::string& archive_file) {
  try {
    const auto file = storage.open(sha256_name(archive_file));
    auto found = parse(read_text(*file));
    if (found.state == Sha256File::State::bad) {
      found.fault = fmt::format("{} is no line \"DIGEST  {}\" for sha256sum: aa rescan writes it anew",
                                quote(file->description()), archive_file);
    }
    return found;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::file_not_found) return {};
    if (error.is_os_error()) return {Sha256File::State::unreadable, {}, {}, error.message()};
    if (error.code() != ErrorCode::value_error) throw;
    return {Sha256File::State::bad, {}, {}, error.message() + ": move it away, and aa rescan writes it anew"};
  }
}

std::string sha256_text(const std::string& sha256, const std::string& archive_file) {
  return sha256 + std::string(kText) + archive_file + "\n";
}

}  // namespace autoarchive::host
