#include "events/event_stream.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <utility>

#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/base/version.hpp"
#include "output/secret_mask.hpp"

namespace autoarchive::host {
namespace {

UniqueFd open_target(const std::string& target) {
  if (target.empty()) return UniqueFd();
  if (target.starts_with("fd:")) {
    int number = -1;
    const auto* end = target.data() + target.size();
    const auto parsed = std::from_chars(target.data() + 3, end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number < 0) {
      throw Error(ErrorCode::value_error, "--events: " + quote(target) + " is not FILE or fd:N", ErrorCause::usage);
    }
    UniqueFd copy(::fcntl(number, F_DUPFD_CLOEXEC, 3));
    if (!copy) throw Error::from_errno(errno, "--events " + target, ErrorCause::usage);
    return copy;
  }
  UniqueFd fd(::open(target.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600));
  if (!fd) throw Error::from_errno(errno, "--events " + quote(target), ErrorCause::usage);
  return fd;
}

}  // namespace

EventStream::EventStream(const std::string& target) : fd_(open_target(target)) {
  emit("hello", {{"schema", kEventSchema}, {"program", "aa"}, {"version", std::string(version())}});
}

void EventStream::emit(std::string_view event, Json::Object object) {
  if (!fd_) return;
  Json::Object line{{"event", event}, {"time", format_rfc3339(std::chrono::system_clock::now())}};
  for (auto& member : object) line.push_back(std::move(member));
  const auto text = document_without_secrets(Json(std::move(line))).dump() + '\n';
  for (std::string_view rest = text; !rest.empty();) {
    const auto written = ::write(fd_.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fd_.reset();
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

JobEvents::JobEvents(EventStream& stream, std::string archive) : stream_(stream), archive_(std::move(archive)) {}

void JobEvents::emit(std::string_view event, Json::Object members) {
  members.insert(members.begin(), {"archive", archive_});
  stream_.emit(event, std::move(members));
}

void JobEvents::started(const BackupStarted& job) {
  emit("backup_started",
       {{"provider", job.provider}, {"file", job.file}, {"backup", job.backup_uuid}, {"level", job.level}});
}

void JobEvents::file_add(std::string_view name) {
  Json::Object members;
  add_path(members, name);
  emit("file_add", std::move(members));
}

void JobEvents::backup_operation_error(BackupSubOperation operation, BackupOperationError error,
                                       std::optional<std::string_view> name,
                                       std::optional<std::string_view> error_text) {
  Json::Object members{{"operation", to_string(operation)}, {"error", to_string(error)}};
  if (name) add_path(members, *name);
  if (error_text) members.emplace_back("text", *error_text);
  emit("backup_operation_error", std::move(members));
}

void JobEvents::notice(std::string_view text) {
  emit("notice", {{"text", text}});
}

void JobEvents::progress(const BackupProgress& progress) {
  emit("progress", {{"entries", progress.entries},
                    {"content_bytes", progress.content_bytes},
                    {"archive_bytes", progress.archive_bytes},
                    {"total_entries", progress.total_entries},
                    {"total_content_bytes", progress.total_content_bytes}});
}

void JobEvents::finished(const BackupSummary& summary) {
  emit("backup_finished", {{"entries", summary.entries},
                           {"stored_entries", summary.stored_entries},
                           {"content_bytes", summary.content_bytes},
                           {"archive_bytes", summary.archive_bytes},
                           {"sha256", summary.archive_sha256}});
}

}  // namespace autoarchive::host
