// pax records and what stands in them: the parsers of both plugins find the same, and what they write they read.
#include <map>
#include <string>

#include "../../plugins/tar-external/src/pax_records.hpp"
#include "../../plugins/tar-internal/src/pax_records.hpp"
#include "acl_text.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {
namespace {

using Records = std::map<std::string, std::string, std::less<>>;

/// By tar-internal; false if something is wrong with them.
bool parse(std::string_view text, Records& records) {
  std::string_view key;
  std::string_view value;
  while (!text.empty()) {
    if (!tar_internal::next_pax_record(text, key, value)) return false;
    records.insert_or_assign(std::string(key), std::string(value));
  }
  return true;
}

void read_values(const Records& records) {
  const auto no_id = [](const std::string& name) { return name == "alice" ? std::int64_t{1000} : std::int64_t{-1}; };
  for (const auto& [key, value] : records) {
    if (const auto time = tar_internal::parse_pax_time(value)) {
      tar_internal::PaxRecords written;
      written.add_time("mtime", *time);
      Records again;
      expect(parse(written.text(), again) && tar_internal::parse_pax_time(again["mtime"]) == time, "a time comes back");
    }
    if (const auto acl = tar_internal::acl_from_text(value, no_id, no_id)) {
      const auto text = tar_internal::acl_to_text(*acl);
      expect(text.has_value() && tar_internal::acl_from_text(*text, no_id, no_id) == acl, "an ACL comes back");
    }
    static_cast<void>(tar_internal::acl_to_text(value));
  }
}

void compare(std::string_view text) {
  Records records;
  const bool is_whole = parse(text, records);
  for (const auto& [key, value] : records) {
    std::optional<std::string> found;
    try {
      found = tar_external::pax_value(text, key);
    } catch (const Error&) {
      expect(!is_whole, "records that one plugin reads the other reads, too");
      return;
    }
    expect(is_whole && found == value, "both plugins find the same value");
    const auto replaced = tar_external::replace_pax_record(text, key, "another value");
    expect(tar_external::pax_value(replaced, key) == "another value", "a record can be replaced");
    expect(!tar_external::pax_value(tar_external::replace_pax_record(text, key, {}), key), "a record can be removed");
  }
}

void write_and_read(std::string_view value) {
  tar_internal::PaxRecords written;
  written.add("path", value);
  written.add_xattr({"user." + std::string(value.substr(0, 30)), std::string(value)});
  Records records;
  expect(parse(written.text(), records) && records.size() == 2 && records["path"] == value, "records come back");
}

}  // namespace

void take_input(ByteView input) {
  const auto text = text_of(input);
  Records records;
  static_cast<void>(parse(text, records));
  records["whole"] = text;
  read_values(records);
  compare(text);
  write_and_read(text);
}

}  // namespace autoarchive::fuzz
