#include "job/create_report.hpp"

#include <fmt/format.h>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/text.hpp"
#include "exit_status.hpp"
#include "output/secret_mask.hpp"

namespace autoarchive::host {

std::string summary_line(const std::string& archive, const NextBackup& next, const MadeBackup& made) {
  const auto& summary = made.result.summary;
  return fmt::format("{}: level {} by {}: {} of {} entries, {} -> {} in {}: {}", archive, made.result.level,
                     next.provider, summary.stored_entries, summary.entries, format_bytes({summary.content_bytes}),
                     format_bytes({summary.archive_bytes}), format_duration(made.elapsed), quote(made.result.path));
}

Json::Object document_of(const std::string& archive, const NextBackup& next, const MadeBackup& made) {
  const auto& [result, elapsed, status, warnings] = made;
  Json::Object object{{"archive", archive},        {"status", status},
                      {"level", result.level},     {"level_reason", next.choice.reason},
                      {"provider", next.provider}, {"backup", result.identity.backup_uuid}};
  object.emplace_back("level_rule", to_string(next.choice.rule));
  add_path(object, result.path);
  object.emplace_back("entries", result.summary.entries);
  object.emplace_back("stored_entries", result.summary.stored_entries);
  object.emplace_back("content_bytes", result.summary.content_bytes);
  object.emplace_back("archive_bytes", result.summary.archive_bytes);
  object.emplace_back("sha256", result.summary.archive_sha256);
  object.emplace_back("warnings", warnings);
  object.emplace_back("seconds", std::chrono::duration<double>(elapsed).count());
  return object;
}

std::string forecast_line(const std::string& archive, const NextBackup& next, const Forecast& forecast) {
  auto line = fmt::format("{}: would make level {} ({}) by {}: {} of {} entries, {}", archive, next.choice.level,
                          next.choice.reason, next.provider, forecast.stored_entries, forecast.entries,
                          format_bytes({forecast.content_bytes}));
  if (forecast.read_entries > 0) {
    line += fmt::format("; {} files ({}) would be read to see whether they have changed", forecast.read_entries,
                        format_bytes({forecast.read_bytes}));
  }
  return line;
}

Json::Object document_of(const std::string& archive, const NextBackup& next, const Forecast& forecast) {
  return {{"archive", archive},
          {"status", "dry_run"},
          {"level", next.choice.level},
          {"level_reason", next.choice.reason},
          {"level_rule", to_string(next.choice.rule)},
          {"provider", next.provider},
          {"entries", forecast.entries},
          {"stored_entries", forecast.stored_entries},
          {"content_bytes", forecast.content_bytes},
          {"read_entries", forecast.read_entries},
          {"read_bytes", forecast.read_bytes},
          {"gone_entries", forecast.gone_entries}};
}

RunRecord failed_run(const Error& error, SystemTime began) {
  RunRecord run;
  run.began = began;
  run.status = exit_status_of(error) == ExitStatus::not_now ? "not_now" : "failed";
  run.error = without_secrets(error.message());
  return run;
}

}  // namespace autoarchive::host
