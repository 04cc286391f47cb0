#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <span>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/private_file.hpp"
#include "autoarchive/base/text.hpp"
#include "commands/commands.hpp"
#include "job/program.hpp"
#include "job/schedule_units.hpp"

namespace autoarchive::host {
namespace {

constexpr std::string_view kSystemPath = "/usr/bin:/bin";

std::filesystem::path units_folder(const Session& session, const ScheduleCommand& command) {
  if (!command.directory.empty()) return command.directory;
  if (session.process().as_root) return "/etc/systemd/system";
  const auto home = session.process().environment.find("HOME");
  if (home == session.process().environment.end()) {
    throw Error(ErrorCode::value_error, "schedule: HOME is not set; give --directory", ErrorCause::usage);
  }
  return std::filesystem::path(home->second) / ".config/systemd/user";
}

bool is_ours(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  return std::getline(in, line) && line == kUnitMark;
}

void write_unit(const std::filesystem::path& file, const std::string& text) {
  std::error_code error;
  if (std::filesystem::exists(std::filesystem::symlink_status(file, error)) && !is_ours(file)) {
    throw Error(ErrorCode::file_exists, "schedule: " + quote(file.native()) + " is not ours; move it away",
                ErrorCause::usage);
  }
  write_private_file(file, std::as_bytes(std::span(text)));
  if (::chmod(file.c_str(), 0644) != 0) throw Error::from_errno(errno, "unit " + quote(file.native()));
}

/// systemctl, if this system runs by systemd and the units lie where it looks.
class Systemd {
 public:
  Systemd(Session& session, const ScheduleCommand& command)
      : session_(session),
        program_(find_program("systemctl", kSystemPath)),
        is_used_(command.directory.empty() && !program_.empty() && std::filesystem::exists("/run/systemd/system")) {}

  void run(std::vector<std::string> words) {
    if (!session_.process().as_root) words.insert(words.begin(), "--user");
    if (!is_used_) {
      session_.console().info(fmt::format("to do by hand: systemctl {}", fmt::join(words, " ")));
      return;
    }
    ProgramCall call;
    words.insert(words.begin(), program_);
    call.words = words;
    for (const auto& [name, value] : session_.process().environment)
      call.environment.push_back(fmt::format("{}={}", name, value));
    call.time_limit = std::chrono::minutes(1);
    std::string said;
    call.output = [&](bool /*is_error*/, std::string_view bytes) { said += bytes; };
    const auto end = run_program(call);
    if (end.status != 0 || end.timed_out) {
      throw Error(ErrorCode::runtime_error,
                  fmt::format("{} ended with {}: {}", fmt::join(words, " "), end.text(call), escaped(said)));
    }
  }

 private:
  Session& session_;
  std::string program_;
  bool is_used_;
};

struct Scheduled {
  ArchiveConfig archive;
  std::vector<UnitFile> units;
};

std::vector<Scheduled> scheduled(Session& session, const ScheduleCommand& command) {
  if (session.config().files.empty())
    throw Error(ErrorCode::value_error, "schedule: there is no configuration; see aa config example",
                ErrorCause::usage);
  const UnitProgram program{session.process().executable, std::filesystem::absolute(session.config().files.front())};
  std::vector<Scheduled> chosen;
  for (const auto& archive : session.archives(command.archives)) {
    if (!archive.schedule.empty()) {
      chosen.push_back({archive, schedule_units(session.config(), archive, program)});
    } else if (!command.archives.empty()) {
      throw Error(ErrorCode::value_error, fmt::format("schedule: archive {} has no schedule", quote(archive.name)),
                  ErrorCause::usage);
    }
  }
  if (chosen.empty()) session.console().info("no archive has a schedule, e.g. schedule: \"*-*-* 03:00\"");
  return chosen;
}

void show(Session& session, const std::vector<Scheduled>& chosen) {
  for (const auto& [archive, units] : chosen) {
    for (const auto& unit : units) session.console().result(fmt::format("# {}\n{}", unit.name, unit.text));
  }
}

Json::Object as_json(const Scheduled& scheduled) {
  Json::Array units;
  for (const auto& unit : scheduled.units) units.emplace_back(Json::Object{{"name", unit.name}, {"text", unit.text}});
  return {{"archive", scheduled.archive.name}, {"schedule", scheduled.archive.schedule}, {"units", std::move(units)}};
}

// The services can write into it, and can't make it.
void make_state_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory.parent_path(), error);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    throw Error::from_errno(errno, "state directory " + quote(directory.native()));
}

void install(Session& session, const ScheduleCommand& command, const std::vector<Scheduled>& chosen) {
  const auto folder = units_folder(session, command);
  std::filesystem::create_directories(folder);
  make_state_directory(session.config().state_dir);
  for (const auto& [archive, units] : chosen) {
    for (const auto& unit : units) write_unit(folder / unit.name, unit.text);
  }
  Systemd systemd(session, command);
  systemd.run({"daemon-reload"});
  for (const auto& [archive, units] : chosen) {
    systemd.run({"enable", "--now", units.back().name});
    session.console().info(fmt::format("{}: scheduled at {}", archive.name, archive.schedule));
  }
}

void remove(Session& session, const ScheduleCommand& command, const std::vector<Scheduled>& chosen) {
  const auto folder = units_folder(session, command);
  Systemd systemd(session, command);
  for (const auto& [archive, units] : chosen) {
    if (!is_ours(folder / units.back().name)) {
      session.console().info(archive.name + ": is not scheduled");
      continue;
    }
    systemd.run({"disable", "--now", units.back().name});
    for (const auto& unit : units) {
      if (is_ours(folder / unit.name)) std::filesystem::remove(folder / unit.name);
    }
    session.console().info(archive.name + ": not scheduled any more");
  }
  systemd.run({"daemon-reload"});
}

}  // namespace

ExitStatus run_command(Session& session, const ScheduleCommand& command) {
  const auto chosen = scheduled(session, command);
  if (command.action == "show" || session.options().dry_run) {
    show(session, chosen);
  } else if (command.action == "install") {
    install(session, command, chosen);
  } else {
    remove(session, command, chosen);
  }
  Json::Array documents;
  for (const auto& each : chosen) documents.emplace_back(as_json(each));
  session.console().document({{"exit_code", 0}, {"archives", std::move(documents)}});
  return ExitStatus::ok;
}

}  // namespace autoarchive::host
