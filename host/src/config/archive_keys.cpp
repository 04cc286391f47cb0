#include "config/archive_keys.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/text.hpp"
#include "config/plain_path.hpp"
#include "config/rule_lists.hpp"

namespace autoarchive::host {
namespace {

constexpr std::size_t kMaxTextBytes = 1U << 20U;
constexpr std::chrono::seconds kMaxDuration = std::chrono::hours(24) * 36'500;  // so that nanoseconds hold it

std::string text_of(bool value) {
  return value ? "true" : "false";
}

template <class Texts>
std::string text_of_list(const Texts& texts) {
  std::string joined = "[";
  for (const auto& text : texts) joined += (joined.size() == 1 ? "" : ", ") + quote(text);
  return joined + "]";
}

std::vector<std::string> texts(const YamlNode& list) {
  std::vector<std::string> values;
  for (const auto& item : list.items) values.push_back(item.text);
  return values;
}

void set_include(ArchiveConfig& archive, const YamlNode& value) {
  archive.include.clear();
  for (const auto& path : texts(value)) archive.include.insert(normalize_path(path));
}

void set_exclude(ArchiveConfig& archive, const YamlNode& value) {
  archive.filter.exclude = texts(value);
  static_cast<void>(Filter(archive.filter));  // throws for a pattern that can't be compiled
}

bool boolean(const YamlNode& value) {
  return *as_boolean(value);
}
int integer(const YamlNode& value) {
  return static_cast<int>(*as_integer(value));
}

// 0 is "never" for every rule that fires after a while.
std::optional<int> limit(const YamlNode& value) {
  const int number = integer(value);
  return number == 0 ? std::nullopt : std::optional(number);
}
std::optional<std::chrono::seconds> age_limit(const YamlNode& value) {
  const auto duration = *parse_duration(value.text);
  return duration.count() == 0 ? std::nullopt : std::optional(duration);
}
std::string text_of_limit(const std::optional<int>& limit) {
  return limit ? std::to_string(*limit) : std::string("never");
}
std::string text_of_limit(const std::optional<std::chrono::seconds>& limit) {
  return limit ? format_duration(*limit) : std::string("never");
}

/// "70%" as 70.
std::optional<std::int64_t> as_percent(const YamlNode& node) {
  if (node.kind != YamlKind::scalar || !node.text.ends_with('%')) return std::nullopt;
  YamlNode number;
  number.kind = YamlKind::scalar;
  number.text = node.text.substr(0, node.text.size() - 1);
  return as_integer(number);
}

using A = ArchiveConfig;
using Y = YamlNode;

constexpr std::array kKeys{
    ArchiveKey{"extends", ValueKind::text, "chain", "A template whose values this one starts from.", 0, 0,
               [](A&, const Y&) {}, [](const A&) { return std::string(); }},
    ArchiveKey{"root", ValueKind::path, "/home",
               "Directory that is backed up. Member names in the archive are relative to it.", 0, 0,
               [](A& a, const Y& v) { a.root = as_path(v); }, [](const A& a) { return a.root.native(); }},
    ArchiveKey{"include", ValueKind::text_list, "[alice, bob]",
               "What is backed up, relative to the root. Default: everything below it.", 0, 0, set_include,
               [](const A& a) { return text_of_list(a.include); }},
    ArchiveKey{"exclude", ValueKind::text_list, "[\"**/.cache\", \"*.tmp\", \"/alice/old\"]",
               "Patterns with the meaning of .gitignore, relative to the root; the last match wins, \"!\" takes back.",
               0, 0, set_exclude, [](const A& a) { return text_of_list(a.filter.exclude); }},
    ArchiveKey{"exclude_caches", ValueKind::boolean, "true",
               "Leave out what is in directories that have a CACHEDIR.TAG.", 0, 0,
               [](A& a, const Y& v) { a.filter.exclude_caches = boolean(v); },
               [](const A& a) { return text_of(a.filter.exclude_caches); }},
    ArchiveKey{"exclude_if_present", ValueKind::text_list, "[.nobackup]",
               "Leave out what is in directories that have a file of one of these names.", 0, 0,
               [](A& a, const Y& v) { a.filter.exclude_if_present = texts(v); },
               [](const A& a) { return text_of_list(a.filter.exclude_if_present); }},
    ArchiveKey{"exclude_larger_than", ValueKind::size, "4GiB", "Leave out files above this size.", 0, 0,
               [](A& a, const Y& v) { a.filter.exclude_larger_than = *parse_bytes(v.text); },
               [](const A& a) {
                 return a.filter.exclude_larger_than ? std::to_string(a.filter.exclude_larger_than->count)
                                                     : std::string("none");
               }},
    ArchiveKey{"one_file_system", ValueKind::boolean, "true", "Do not descend into other file systems.", 0, 0,
               [](A& a, const Y& v) { a.filter.one_file_system = boolean(v); },
               [](const A& a) { return text_of(a.filter.one_file_system); }},
    ArchiveKey{"destination", ValueKind::path, "/mnt/backup", "Directory that gets the backups. It has to exist.", 0, 0,
               [](A& a, const Y& v) { a.destination = as_path(v); }, [](const A& a) { return a.destination.native(); }},
    ArchiveKey{"type", ValueKind::text, "tar.gz", "tar, tar.gz, tar.bz2, tar.xz, tar.zst, or what a plugin brings.", 0,
               0, [](A& a, const Y& v) { a.type = v.text; }, [](const A& a) { return a.type; }},
    ArchiveKey{"strength", ValueKind::integer, "6", "Compression from 0 (fast) to 9 (small). Default: the codec's own.",
               0, 9, [](A& a, const Y& v) { a.strength = integer(v); },
               [](const A& a) { return a.strength ? std::to_string(*a.strength) : std::string("default"); }},
    ArchiveKey{"provider", ValueKind::text, "auto",
               "Which provider makes the backup: auto, or the id of one, e.g. tar-internal, tar-external.", 0, 0,
               [](A& a, const Y& v) { a.provider = v.text; }, [](const A& a) { return a.provider; }},
    ArchiveKey{"features.required", ValueKind::text_list, "[Metadata]",
               "What the provider has to be able to do, beside what the other keys need: Metadata, RandomAccess, "
               "Restore, Verify, or what a plugin brings.",
               0, 0, [](A& a, const Y& v) { a.features.required = texts(v); },
               [](const A& a) { return text_of_list(a.features.required); }},
    ArchiveKey{"features.preferred", ValueKind::text_list, "[RandomAccess]",
               "Of several providers, who has most of these makes the backup, whatever the priorities are; none is "
               "refused for it.",
               0, 0, [](A& a, const Y& v) { a.features.preferred = texts(v); },
               [](const A& a) { return text_of_list(a.features.preferred); }},
    ArchiveKey{"incremental", ValueKind::boolean, "true",
               "Make levels: 0 is everything, n is what has changed since n-1.", 0, 0,
               [](A& a, const Y& v) { a.incremental = boolean(v); }, [](const A& a) { return text_of(a.incremental); }},
    ArchiveKey{"levels.max", ValueKind::integer, "10",
               "The highest level: after it the row begins again with a low level. 0: there is none.", 0, 9999,
               [](A& a, const Y& v) { a.levels.max = limit(v); },
               [](const A& a) { return text_of_limit(a.levels.max); }},
    ArchiveKey{"levels.restart_after", ValueKind::duration, "30d",
               "A low level is made when the last one is older than this. 0: never.", 0, 0,
               [](A& a, const Y& v) { a.levels.restart_after = age_limit(v); },
               [](const A& a) { return text_of_limit(a.levels.restart_after); }},
    ArchiveKey{"levels.full_after", ValueKind::duration, "90d",
               "A level 0 is made when the last one is older than this. 0: never.", 0, 0,
               [](A& a, const Y& v) { a.levels.full_after = age_limit(v); },
               [](const A& a) { return text_of_limit(a.levels.full_after); }},
    ArchiveKey{"levels.full_after_restarts", ValueKind::integer, "3",
               "A level 0 is made after so many restarts with a low level. 0: never.", 0, 9999,
               [](A& a, const Y& v) { a.levels.full_after_restarts = limit(v); },
               [](const A& a) { return text_of_limit(a.levels.full_after_restarts); }},
    ArchiveKey{"levels.max_restart_size", ValueKind::percent, "70%",
               "A restart goes to level 1, or to the first above it that is not larger than this part of level 0.", 1,
               10'000, [](A& a, const Y& v) { a.levels.max_restart_size_percent = static_cast<int>(*as_percent(v)); },
               [](const A& a) {
                 return a.levels.max_restart_size_percent ? std::to_string(*a.levels.max_restart_size_percent) + "%"
                                                          : std::string("none");
               }},
    ArchiveKey{"levels.remove_obsolete", ValueKind::boolean, "true",
               "Generations that an earlier, larger keep.generations has left go with the next backup.", 0, 0,
               [](A& a, const Y& v) { a.levels.remove_obsolete = boolean(v); },
               [](const A& a) { return text_of(a.levels.remove_obsolete); }},
    ArchiveKey{"keep.generations", ValueKind::integer, "2",
               "How many older generations stay (aa, ab, …) when a new backup takes their place.", 0, 676,
               [](A& a, const Y& v) { a.keep.generations = integer(v); },
               [](const A& a) { return std::to_string(a.keep.generations); }},
    ArchiveKey{"hooks", ValueKind::rule_list,
               "[{at: before, run: [findmnt, --noheadings, /mnt/backup], not_now: [1], time_limit: 1m}]",
               "Programs at points of a run: at (before, snapshot, after, succeeded, warned, failed), run (argument "
               "vector) or "
               "shell, time_limit, not_now, release (of a snapshot).",
               0, 0, [](A& a, const Y& v) { a.hooks = read_hooks(v, /*of_the_run=*/false); },
               [](const A& a) { return text_of(a.hooks); }},
    ArchiveKey{"problems", ValueKind::rule_list, "[{on: file.changed, match: \"**/*.log\", as: notice}]",
               "What a problem counts as: on (an id, file.*, *), match (a pattern), as (ignore, notice, warning, "
               "error: ends the "
               "backup). The last that fits decides.",
               0, 0, [](A& a, const Y& v) { a.problems = read_problem_rules(v); },
               [](const A& a) { return text_of(a.problems); }},
    ArchiveKey{"guard.min_files", ValueKind::integer, "1000",
               "With fewer files the source is not trusted: the backup is held as NAME.held.EXT and the old ones stay. "
               "0: no limit.",
               0, 1'000'000'000, [](A& a, const Y& v) { a.guard.min_files = limit(v); },
               [](const A& a) { return a.guard.min_files ? std::to_string(*a.guard.min_files) : std::string("none"); }},
    ArchiveKey{"guard.shrink_limit", ValueKind::percent, "40%",
               "The same when files or bytes have become less by more than this part since the last backup.", 1, 99,
               [](A& a, const Y& v) { a.guard.shrink_limit_percent = static_cast<int>(*as_percent(v)); },
               [](const A& a) {
                 return a.guard.shrink_limit_percent ? std::to_string(*a.guard.shrink_limit_percent) + "%"
                                                     : std::string("none");
               }},
    ArchiveKey{"verify.after_create", ValueKind::boolean, "true",
               "Every new backup is read back from the destination, to the last byte.", 0, 0,
               [](A& a, const Y& v) { a.verify.after_create = boolean(v); },
               [](const A& a) { return text_of(a.verify.after_create); }},
    ArchiveKey{
        "verify.restore_every", ValueKind::duration, "30d",
        "After a backup, the newest is restored into nothing, as a drill, when the last one is older than this. 0: "
        "never.",
        0, 0, [](A& a, const Y& v) { a.verify.restore_every = age_limit(v); },
        [](const A& a) { return text_of_limit(a.verify.restore_every); }},
    ArchiveKey{"max_age", ValueKind::duration, "26h",
               "aa status says \"bad\" when the last success is older than this. 0: at any age it is good.", 0, 0,
               [](A& a, const Y& v) { a.max_age = age_limit(v); }, [](const A& a) { return text_of_limit(a.max_age); }},
    ArchiveKey{"schedule", ValueKind::text, "\"*-*-* 03:00\"",
               "When aa schedule lets systemd make the backup: its OnCalendar.", 0, 0,
               [](A& a, const Y& v) { a.schedule = v.text; }, [](const A& a) { return a.schedule; }},
    ArchiveKey{"overwrite_at_start", ValueKind::boolean, "false",
               "Remove the old backup before the new one is written, to free its space, if it does not stay as a "
               "generation. A failure then leaves none.",
               0, 0, [](A& a, const Y& v) { a.overwrite_at_start = boolean(v); },
               [](const A& a) { return text_of(a.overwrite_at_start); }},
    ArchiveKey{"allow_empty", ValueKind::boolean, "false",
               "An empty root is no error. Else it is taken for a file system that is not mounted.", 0, 0,
               [](A& a, const Y& v) { a.allow_empty = boolean(v); }, [](const A& a) { return text_of(a.allow_empty); }},
    ArchiveKey{"threads", ValueKind::integer, "0", "Threads that compress; 0 is as many as there are cores.", 0, 256,
               [](A& a, const Y& v) { a.threads = static_cast<unsigned>(integer(v)); },
               [](const A& a) { return std::to_string(a.threads); }},
    ArchiveKey{"metadata.xattrs", ValueKind::boolean, "true",
               "Store extended attributes, file capabilities among them.", 0, 0,
               [](A& a, const Y& v) { a.metadata.xattrs = boolean(v); },
               [](const A& a) { return text_of(a.metadata.xattrs); }},
    ArchiveKey{"metadata.acls", ValueKind::boolean, "true", "Store POSIX access control lists.", 0, 0,
               [](A& a, const Y& v) { a.metadata.acls = boolean(v); },
               [](const A& a) { return text_of(a.metadata.acls); }},
    ArchiveKey{"metadata.selinux", ValueKind::boolean, "true", "Store SELinux labels.", 0, 0,
               [](A& a, const Y& v) { a.metadata.selinux = boolean(v); },
               [](const A& a) { return text_of(a.metadata.selinux); }},
    ArchiveKey{"metadata.owner_names", ValueKind::boolean, "true",
               "Store the names of users and groups beside their numbers.", 0, 0,
               [](A& a, const Y& v) { a.metadata.owner_names = boolean(v); },
               [](const A& a) { return text_of(a.metadata.owner_names); }},
    ArchiveKey{"metadata.sparse", ValueKind::boolean, "true", "Store the holes of files as holes.", 0, 0,
               [](A& a, const Y& v) { a.metadata.sparse = boolean(v); },
               [](const A& a) { return text_of(a.metadata.sparse); }},
    ArchiveKey{"metadata.nanoseconds", ValueKind::boolean, "true",
               "Store times to the nanosecond (1 KiB a file before compression).", 0, 0,
               [](A& a, const Y& v) { a.metadata.nanoseconds = boolean(v); },
               [](const A& a) { return text_of(a.metadata.nanoseconds); }},
};

bool is_list_of_texts(const YamlNode& node) {
  return node.kind == YamlKind::sequence && std::all_of(node.items.begin(), node.items.end(),
                                                        [](const auto& item) { return item.kind == YamlKind::scalar; });
}

bool is_list_of_mappings(const YamlNode& node) {
  return node.kind == YamlKind::sequence && std::all_of(node.items.begin(), node.items.end(), [](const auto& item) {
           return item.kind == YamlKind::mapping;
         });
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

bool fits(const ArchiveKey& key, const YamlNode& value) {
  if (key.kind == ValueKind::text_list) return is_list_of_texts(value);
  if (key.kind == ValueKind::rule_list) return is_list_of_mappings(value);
  if (value.kind != YamlKind::scalar) return false;
  switch (key.kind) {
    case ValueKind::boolean:
      return as_boolean(value).has_value();
    case ValueKind::integer: {
      const auto number = as_integer(value);
      return number && *number >= key.min && *number <= key.max;
    }
    case ValueKind::percent: {
      const auto number = as_percent(value);
      return number && *number >= key.min && *number <= key.max;
    }
    case ValueKind::size:
      return parse_bytes(value.text).has_value();
    case ValueKind::duration:
      return parse_duration(value.text).value_or(kMaxDuration + std::chrono::seconds(1)) <= kMaxDuration;
    case ValueKind::text:  // one line: it becomes part of others' files, such as units of systemd
      return !value.text.empty() && std::none_of(value.text.begin(), value.text.end(), is_control);
    case ValueKind::path:
      return !value.text.empty();
    case ValueKind::text_list:
    case ValueKind::rule_list:
      break;
  }
  return false;
}

std::string shown(const YamlNode& value) {
  if (value.kind == YamlKind::scalar) return quote(value.text);
  return value.kind == YamlKind::sequence ? "a list" : value.kind == YamlKind::mapping ? "a mapping" : "nothing";
}

}  // namespace

std::string with_environment(const YamlNode& node) {
  std::string out;
  std::string_view rest(node.text);
  for (auto at = rest.find("${"); at != std::string_view::npos; at = rest.find("${")) {
    const bool is_literal = at > 0 && rest[at - 1] == '$';
    out += rest.substr(0, is_literal ? at - 1 : at);
    const auto end = rest.find('}', at);
    if (end == std::string_view::npos) throw config_error(node.origin, "\"${\" without \"}\" in " + quote(node.text));
    const std::string name(rest.substr(at + 2, end - at - 2));
    const char* value = std::getenv(name.c_str());
    // "${DISK}/backup" would be "/backup".
    if (!is_literal && (value == nullptr || *value == '\0')) {
      throw config_error(node.origin,
                         "environment variable " + quote(name) + " is " + (value == nullptr ? "not set" : "empty"));
    }
    out += is_literal ? std::string(rest.substr(at, end + 1 - at)) : std::string(value);
    if (out.size() > kMaxTextBytes)
      throw config_error(node.origin, "with its variables replaced, the text has more than 1 MiB");
    rest.remove_prefix(end + 1);
  }
  return out.append(rest);
}

std::span<const ArchiveKey> archive_keys() {
  return kKeys;
}

const ArchiveKey* find_archive_key(std::string_view name) {
  const auto* found = std::find_if(kKeys.begin(), kKeys.end(), [&](const auto& key) { return key.name == name; });
  return found == kKeys.end() ? nullptr : found;
}

std::string describe(const ArchiveKey& key) {
  switch (key.kind) {
    case ValueKind::text:
      return "a text";
    case ValueKind::path:
      return "an absolute path";
    case ValueKind::boolean:
      return "true or false";
    case ValueKind::integer:
      return "an integer from " + std::to_string(key.min) + " to " + std::to_string(key.max);
    case ValueKind::percent:
      return "a part such as 70%, from " + std::to_string(key.min) + "% to " + std::to_string(key.max) + "%";
    case ValueKind::size:
      return "a size such as 100MB or 4GiB";
    case ValueKind::duration:
      return "a duration such as 90m, 26h or 14d, at most 36500d";
    case ValueKind::text_list:
      return "a list of texts";
    case ValueKind::rule_list:
      return "a list of mappings";
  }
  return {};
}

void apply_archive_key(const ArchiveKey& key, const YamlNode& value, ArchiveConfig& archive) {
  if (!fits(key, value)) {
    throw config_error(value.origin,
                       std::string(key.name) + " has to be " + describe(key) + ", and is " + shown(value));
  }
  try {
    key.set(archive, value);
  } catch (const Error& error) {
    if (error.cause() == ErrorCause::configuration) throw;
    throw config_error(value.origin, std::string(key.name) + ": " + error.message());
  }
  archive.origins[std::string(key.name)] = value.origin;
}

std::optional<bool> as_boolean(const YamlNode& node) {
  if (node.kind != YamlKind::scalar || node.quoted) return std::nullopt;
  return node.text == "true" ? std::optional(true) : node.text == "false" ? std::optional(false) : std::nullopt;
}

std::optional<std::int64_t> as_integer(const YamlNode& node) {
  if (node.kind != YamlKind::scalar || node.quoted) return std::nullopt;
  std::int64_t value = 0;
  const auto* end = node.text.data() + node.text.size();
  const auto parsed = std::from_chars(node.text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(value) : std::nullopt;
}

std::filesystem::path as_path(const YamlNode& node) {
  const auto text = with_environment(node);
  std::filesystem::path path(text);
  const char* home = std::getenv("HOME");
  if (home != nullptr && (text == "~" || text.starts_with("~/"))) path = std::string(home) + text.substr(1);
  if (!path.is_absolute())
    throw config_error(node.origin, "path " + quote(node.text) + " has to be absolute, e.g. '/home'");
  return plain_path(path);
}

}  // namespace autoarchive::host
