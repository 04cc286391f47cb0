#include "state/archive_record.hpp"

#include <algorithm>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "state/state_file.hpp"

namespace autoarchive::host {
namespace {

constexpr std::string_view kSuffix = ".json";
constexpr int kVersion = 1;

std::filesystem::path file_of(const std::filesystem::path& state_dir, const std::string& archive) {
  return state_dir / "archives" / (archive + std::string(kSuffix));
}

// Members that are missing or of another kind keep their defaults: the digest has told that they were written so.
std::string text(const Json& object, std::string_view member) {
  const auto* found = object.find(member);
  const auto* value = found == nullptr ? nullptr : found->as_text();
  return value == nullptr ? std::string() : *value;
}
std::int64_t integer(const Json& object, std::string_view member) {
  const auto* found = object.find(member);
  return found == nullptr ? 0 : found->as_integer().value_or(0);
}
double number(const Json& object, std::string_view member) {
  const auto* found = object.find(member);
  return found == nullptr ? 0 : found->as_number().value_or(0);
}
std::optional<SystemTime> time(const Json& object, std::string_view member) {
  return parse_time(text(object, member));
}

Json to_json(const RunRecord& run) {
  return Json::Object{{"began", format_rfc3339(run.began)},
                      {"status", run.status},
                      {"level", run.level},
                      {"level_rule", run.level_rule},
                      {"seconds", run.seconds},
                      {"entries", run.entries},
                      {"stored_entries", run.stored_entries},
                      {"content_bytes", run.content_bytes},
                      {"archive_bytes", run.archive_bytes},
                      {"warnings", run.warnings},
                      {"backup", run.backup},
                      {"error", run.error}};
}

RunRecord to_run(const Json& json) {
  RunRecord run;
  run.began = time(json, "began").value_or(SystemTime{});
  run.status = text(json, "status");
  run.level = static_cast<int>(integer(json, "level"));
  run.level_rule = text(json, "level_rule");
  run.seconds = number(json, "seconds");
  run.entries = static_cast<std::uint64_t>(integer(json, "entries"));
  run.stored_entries = static_cast<std::uint64_t>(integer(json, "stored_entries"));
  run.content_bytes = static_cast<std::uint64_t>(integer(json, "content_bytes"));
  run.archive_bytes = static_cast<std::uint64_t>(integer(json, "archive_bytes"));
  run.warnings = static_cast<std::uint64_t>(integer(json, "warnings"));
  run.backup = text(json, "backup");
  run.error = text(json, "error");
  return run;
}

Json to_json(const DrillRecord& drill) {
  return Json::Object{{"time", format_rfc3339(drill.time)},
                      {"backup", drill.backup},
                      {"seconds", drill.seconds},
                      {"content_bytes", drill.content_bytes}};
}

DrillRecord to_drill(const Json& json) {
  return {time(json, "time").value_or(SystemTime{}), text(json, "backup"), number(json, "seconds"),
          static_cast<std::uint64_t>(integer(json, "content_bytes"))};
}

ArchiveRecord to_record(const Json& json) {
  ArchiveRecord record;
  record.defined_in = text(json, "defined_in");
  record.chain = text(json, "chain");
  record.restarts = static_cast<int>(integer(json, "restarts"));
  record.last_restart = time(json, "last_restart");
  record.failing_since = time(json, "failing_since");
  if (const auto* success = json.find("last_success"); success != nullptr && success->as_object() != nullptr)
    record.last_success = to_run(*success);
  if (const auto* drill = json.find("drill"); drill != nullptr && drill->as_object() != nullptr)
    record.drill = to_drill(*drill);
  const auto* runs = json.find("runs");
  if (runs == nullptr || runs->as_array() == nullptr) return record;
  for (const auto& run : *runs->as_array()) record.runs.push_back(to_run(run));
  return record;
}

}  // namespace

ArchiveRecordFile read_archive_record(const std::filesystem::path& state_dir, const std::string& archive) {
  auto file = read_state_file(file_of(state_dir, archive));
  if (!file.document) return {{}, std::move(file.fault)};
  if (integer(*file.document, "version") != kVersion)
    return {{}, quote(file_of(state_dir, archive).native()) + " has a version that this program does not know"};
  return {to_record(*file.document), {}};
}

void write_archive_record(const std::filesystem::path& state_dir, const std::string& archive,
                          const ArchiveRecord& record) {
  Json::Object object{
      {"version", kVersion}, {"defined_in", record.defined_in}, {"chain", record.chain}, {"restarts", record.restarts}};
  if (record.last_restart) object.emplace_back("last_restart", format_rfc3339(*record.last_restart));
  if (record.failing_since) object.emplace_back("failing_since", format_rfc3339(*record.failing_since));
  if (record.last_success) object.emplace_back("last_success", to_json(*record.last_success));
  if (record.drill) object.emplace_back("drill", to_json(*record.drill));
  Json::Array runs;
  for (const auto& run : record.runs) runs.push_back(to_json(run));
  object.emplace_back("runs", std::move(runs));
  write_state_file(file_of(state_dir, archive), object);
}

void add_run(ArchiveRecord& record, RunRecord run) {
  if (run.status == "failed") {
    if (!record.failing_since) record.failing_since = run.began;
  } else if (run.status != "not_now") {
    record.failing_since.reset();
    if (run.status != "held") record.last_success = run;
  }
  record.runs.push_back(std::move(run));
  if (record.runs.size() > kRememberedRuns) {
    record.runs.erase(record.runs.begin(), record.runs.end() - static_cast<std::ptrdiff_t>(kRememberedRuns));
  }
}

const RunRecord* last_run_like(const ArchiveRecord& record, bool increment) noexcept {
  for (auto run = record.runs.rbegin(); run != record.runs.rend(); ++run) {
    if (!run->backup.empty() && run->status != "held" && (run->level > 0) == increment) return &*run;
  }
  return nullptr;
}

std::vector<std::string> recorded_archives(const std::filesystem::path& state_dir) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(state_dir / "archives", error);
  if (error == std::errc::no_such_file_or_directory) return names;
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const auto name = entry->path().filename().native();
    if (name.ends_with(kSuffix)) names.push_back(name.substr(0, name.size() - kSuffix.size()));
  }
  if (error) throw Error::from_errno(error.value(), "state directory " + quote((state_dir / "archives").native()));
  std::sort(names.begin(), names.end());
  return names;
}

void remove_archive_record(const std::filesystem::path& state_dir, const std::string& archive) {
  std::error_code error;
  std::filesystem::remove(file_of(state_dir, archive), error);
  if (error) throw Error::from_errno(error.value(), "state " + quote(file_of(state_dir, archive).native()));
}

}  // namespace autoarchive::host
