#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <span>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/private_file.hpp"
#include "autoarchive/base/text.hpp"
#include "commands/commands.hpp"
#include "job/health.hpp"
#include "output/prometheus.hpp"
#include "output/table.hpp"

namespace autoarchive::host {
namespace {

constexpr std::size_t kShownPaths = 20;

double seconds_of(SystemTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// Shows the health of archives, one after the other, in the wanted form.
class StatusReport {
 public:
  explicit StatusReport(Session& session) : session_(session) {}

  void add(const ArchiveConfig& archive) {
    const bool lists_paths = session_.options().verbosity >= Verbosity::verbose;
    const auto facts = look_at(session_, archive, lists_paths ? kShownPaths : 0);
    const auto health = assess(facts, archive);
    worst_ = std::max(worst_, health.verdict);
    add_row(archive, facts, health);
    add_document(archive, facts, health);
    add_figures(archive, facts, health);
  }

  [[nodiscard]] ExitStatus exit_status() const {
    return worst_ == Verdict::ok        ? ExitStatus::ok
           : worst_ == Verdict::warning ? ExitStatus::warnings
                                        : ExitStatus::failed;
  }
  void print_text() {
    for (const auto& line : table_.lines()) session_.console().result(line);
    for (const auto& line : remarks_) session_.console().result(line);
  }
  [[nodiscard]] Json::Object document() const {
    return {{"exit_code", static_cast<int>(exit_status())}, {"status", to_string(worst_)}, {"archives", documents_}};
  }
  [[nodiscard]] std::string figures() const { return figures_.text(); }

 private:
  static std::string ago(const std::optional<SystemTime>& time, SystemTime now) {
    if (!time) return "never";
    return *time > now ? "in the future" : format_duration(now - *time) + " ago";
  }

  void add_row(const ArchiveConfig& archive, const HealthFacts& facts, const Health& health) {
    const auto& success = facts.record.last_success;
    table_.add({archive.name, std::string(to_string(health.verdict)),
                ago(success ? std::optional(success->began) : facts.newest, facts.now), ago(facts.verified, facts.now),
                std::to_string(facts.backups), format_bytes({facts.stored_bytes}), facts.next_level});
    for (const auto& reason : health.reasons) remarks_.push_back(archive.name + ": " + reason);
    for (const auto& path : facts.problem_paths) remarks_.push_back(archive.name + ":   " + quote(path));
    if (const auto growth = bytes_a_day(facts.record); growth && facts.free_bytes && *growth > 0) {
      remarks_.push_back(fmt::format("{}: {} a day, room for {:.0f} days", archive.name,
                                     format_bytes({static_cast<std::uint64_t>(*growth)}),
                                     static_cast<double>(*facts.free_bytes) / *growth));
    }
  }

  static void add_time(Json::Object& object, const char* name, const std::optional<SystemTime>& time) {
    object.emplace_back(name, time ? Json(format_rfc3339(*time)) : Json());
  }

  void add_document(const ArchiveConfig& archive, const HealthFacts& facts, const Health& health) {
    const auto& record = facts.record;
    Json::Object object{{"archive", archive.name},
                        {"status", to_string(health.verdict)},
                        {"reasons", Json::Array(health.reasons.begin(), health.reasons.end())}};
    add_time(object, "last_success", record.last_success ? std::optional(record.last_success->began) : facts.newest);
    add_time(object, "failing_since", record.failing_since);
    add_time(object, "newest_backup", facts.newest);
    add_time(object, "last_verified", facts.verified);
    add_time(object, "last_restore", record.drill ? std::optional(record.drill->time) : std::nullopt);
    object.emplace_back("max_age", archive.max_age ? Json(archive.max_age->count()) : Json());
    object.emplace_back("backups", facts.backups);
    object.emplace_back("stored_bytes", facts.stored_bytes);
    object.emplace_back("free_bytes", facts.free_bytes ? Json(*facts.free_bytes) : Json());
    object.emplace_back("problem_entries", facts.problem_entries);
    Json::Array paths;
    for (const auto& path : facts.problem_paths) {
      Json::Object shown;
      add_path(shown, path);
      paths.emplace_back(std::move(shown));
    }
    object.emplace_back("problem_paths", std::move(paths));
    object.emplace_back("next_level", facts.next_level);
    const auto growth = bytes_a_day(record);
    object.emplace_back("bytes_a_day", growth ? Json(*growth) : Json());
    if (facts.record.drill) {
      object.emplace_back("restore_bytes", facts.record.drill->content_bytes);
      object.emplace_back("restore_seconds", facts.record.drill->seconds);
    }
    documents_.emplace_back(std::move(object));
  }

  void add_figures(const ArchiveConfig& archive, const HealthFacts& facts, const Health& health) {
    const auto add = [&](const char* name, const char* help, double value) {
      figures_.add(std::string("autoarchive_") + name, help, archive.name, value);
    };
    add("status", "0 ok, 1 warning, 2 bad.", static_cast<double>(health.verdict));
    if (facts.record.last_success) {
      const auto& success = *facts.record.last_success;
      add("last_success_timestamp_seconds", "When the last good run began.", seconds_of(success.began));
      add("last_run_duration_seconds", "How long it took.", success.seconds);
      add("last_backup_bytes", "Size of its file.", static_cast<double>(success.archive_bytes));
    }
    if (archive.max_age)
      add("max_age_seconds", "How old the last success may be.", static_cast<double>(archive.max_age->count()));
    if (facts.verified)
      add("last_verified_timestamp_seconds", "When a backup was verified.", seconds_of(*facts.verified));
    if (facts.record.drill)
      add("last_restore_timestamp_seconds", "When one was restored.", seconds_of(facts.record.drill->time));
    add("backups", "Backup files.", static_cast<double>(facts.backups));
    add("stored_bytes", "Their size.", static_cast<double>(facts.stored_bytes));
    if (facts.free_bytes) add("free_bytes", "Room in the destination.", static_cast<double>(*facts.free_bytes));
    add("problem_entries", "Entries that are missing or changed in the newest backup.",
        static_cast<double>(facts.problem_entries));
  }

  Session& session_;
  Verdict worst_ = Verdict::ok;
  Table table_{{"ARCHIVE", "STATUS", "SUCCESS", "VERIFIED", "BACKUPS", "SIZE", "NEXT LEVEL"}};
  std::vector<std::string> remarks_;
  Json::Array documents_;
  PrometheusText figures_;
};

// Collectors run as somebody else, and take files with their own ending only: not the temporary one.
void write_readable(const std::filesystem::path& file, const std::string& text) {
  const auto temporary = file.native() + ".new";
  write_private_file(temporary, std::as_bytes(std::span(text)));
  if (::chmod(temporary.c_str(), 0644) != 0 || std::rename(temporary.c_str(), file.c_str()) != 0)
    throw Error::from_errno(errno, "status " + quote(file.native()));
}

}  // namespace

ExitStatus run_command(Session& session, const StatusCommand& command) {
  if (session.options().json && command.output.empty() && command.format == "prometheus") {
    throw Error(ErrorCode::value_error, "status: --json and --format prometheus can't both have standard output",
                ErrorCause::usage);
  }
  StatusReport report(session);
  for (const auto& archive : session.some_archives(command.archives)) report.add(archive);
  std::string text;
  if (command.format == "prometheus") text = report.figures();
  if (command.format == "json") text = Json(report.document()).dump() + "\n";
  if (!command.output.empty()) {
    write_readable(command.output, text.empty() ? report.figures() : text);
  } else if (!text.empty() && !session.options().json) {
    session.process().out << text;
  } else {
    report.print_text();
  }
  session.console().document(report.document());
  return report.exit_status();
}

}  // namespace autoarchive::host
