#include "job/reality_check.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <span>

#include "autoarchive/archiver/router.hpp"
#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "autoarchive/tree/walker.hpp"
#include "config/plain_path.hpp"
#include "config/secret.hpp"
#include "job/destination_record.hpp"
#include "job/hooks.hpp"
#include "job/next_backup.hpp"
#include "job/program.hpp"
#include "state/archive_record.hpp"

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;

Origin origin_of(const ArchiveConfig& archive, const std::string& key) {
  const auto found = archive.origins.find(key);
  return found == archive.origins.end() ? Origin{"built-in", 0, 0} : found->second;
}

/// Empty, or why the directory can't be used, with what to do.
std::string fault_of_directory(const fs::path& directory, int access) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0)
    return fmt::format("{}: {}; make it, or mount its file system", quote(directory.native()), errno_text(errno));
  if (!S_ISDIR(status.st_mode)) return quote(directory.native()) + " is not a directory; name another";
  if (::access(directory.c_str(), access) == 0) return {};
  return fmt::format("{}: {}; run as a user who may, or change its mode", quote(directory.native()), errno_text(errno));
}

/// The nearest directory above a path that is there.
fs::path nearest_directory(fs::path path) {
  std::error_code error;
  while (path.has_relative_path() && !fs::exists(path, error)) path = path.parent_path();
  return path;
}

class Findings {
 public:
  explicit Findings(std::string archive) : archive_(std::move(archive)) {}
  void add(Severity severity, const Origin& origin, const std::string& text) {
    all_.push_back({severity, archive_, origin, text});
  }
  void unmatched(const Origin& origin, const std::string& text) {
    all_.push_back({Severity::notice, archive_, origin, text, "pattern.unmatched"});
  }
  void error(const Origin& origin, const std::string& text) { add(Severity::error, origin, text); }
  void warning(const Origin& origin, const std::string& text) { add(Severity::warning, origin, text); }
  void notice(const Origin& origin, const std::string& text) { add(Severity::notice, origin, text); }
  [[nodiscard]] std::vector<RealityFinding> take() { return std::move(all_); }

 private:
  std::string archive_;
  std::vector<RealityFinding> all_;
};

void check_program(const Session& session, const HookRule& rule, const std::string& name, Findings& findings) {
  const auto program = find_program(name, hook_path(session.process()));
  const auto at = fmt::format("hook at {}: ", to_string(rule.at));
  if (program.empty())
    return findings.error(rule.origin, at + "there is no program " + quote(name) + " in PATH; give its whole path");
  struct stat status {};
  if (::stat(program.c_str(), &status) != 0)
    return findings.error(
        rule.origin, fmt::format("{}{}: {}; install it, or correct the path", at, quote(program), errno_text(errno)));
  if (!S_ISREG(status.st_mode) || ::access(program.c_str(), X_OK) != 0)
    return findings.error(rule.origin, fmt::format("{}{} can't be run; chmod +x it", at, quote(program)));
  const bool is_foreign = (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0);
  if (session.process().as_root && is_foreign) {
    findings.warning(rule.origin,
                     fmt::format("{}{} runs as root and can be written by others; chown root and chmod go-w it", at,
                                 quote(program)));
  }
}

void check_hooks(const Session& session, const std::vector<HookRule>& hooks, Findings& findings) {
  for (const auto& rule : hooks) {
    check_program(session, rule, rule.run.front(), findings);
    if (!rule.release.empty()) check_program(session, rule, rule.release.front(), findings);
  }
}

/// Ids that are used in `plugins:` and that nothing here has.
class IdCheck {
 public:
  IdCheck(const std::vector<PluginReport>& reports, Findings& findings) : findings_(findings) {
    for (const auto& report : reports) {
      plugins_.push_back(report.id());
      for (const auto& provider : report.descriptor.providers) providers_.push_back(provider.id);
    }
  }
  void check(const std::string& id, const Origin& origin, bool is_provider, bool is_plugin) {
    std::vector<std::string> known;
    if (is_provider) known = providers_;
    if (is_plugin) known.insert(known.end(), plugins_.begin(), plugins_.end());
    if (std::find(known.begin(), known.end(), id) != known.end()) return;
    const auto suggestion = nearest(id, known);
    findings_.warning(origin,
                      fmt::format("no {} here has the id {}; {}", is_provider ? "provider" : "plugin", quote(id),
                                  suggestion.empty() ? "see aa plugins list" : "did you mean " + suggestion + "?"));
  }

 private:
  std::vector<std::string> plugins_;
  std::vector<std::string> providers_;
  Findings& findings_;
};

void check_plugin_ids(Session& session, Findings& findings) {
  const auto& plugins = session.config().plugins;
  IdCheck ids(session.unchecked_providers().reports(), findings);
  for (const auto& [id, settings] : plugins.settings) ids.check(id, settings.origin, true, false);
  for (const auto& [id, pin] : plugins.pins) ids.check(id, pin.origin, false, true);
  for (const auto& [id, file] : plugins.dev_overrides) ids.check(id, file.origin, false, true);
}

void check_secrets(const PluginsConfig& plugins, Findings& findings) {
  for (const auto& [id, settings] : plugins.settings) {
    for (const auto& [name, value] : settings.options) {
      try {
        if (is_secret_reference(value)) static_cast<void>(resolve_secret(value, settings.option_origins.at(name)));
      } catch (const Error& error) {  // has its place
        findings.error({}, error.message());
      }
    }
  }
}

class ArchiveCheck {
 public:
  ArchiveCheck(Session& session, const ArchiveConfig& archive)
      : session_(session), archive_(archive), findings_(archive.name) {}

  std::vector<RealityFinding> run() {
    check_provider();
    check_state();
    check_destination();
    check_schedule();
    check_root();
    check_hooks(session_, archive_.hooks, findings_);
    return findings_.take();
  }

 private:
  [[nodiscard]] Origin origin(const std::string& key) const { return origin_of(archive_, key); }

  void check_provider() {
    try {
      static_cast<void>(session_.providers().type(archive_.type));
      if (const auto fault = fault_of_preferences(session_.providers(), archive_); !fault.empty())
        findings_.warning(origin(std::string(kPreferredKey)), fault);
      const auto wanted = route_request(session_.providers(), archive_, "");
      const auto decision =
          route(wanted, session_.providers().policy(), session_.providers().candidates(archive_.type));
      static_cast<void>(decision.chosen_or_throw(wanted));
    } catch (const Error& error) {
      findings_.error(origin(archive_.provider == "auto" ? "type" : "provider"), error.message());
    }
  }

  // Each is cleared by rules of its own: what is removed from the one would be the other's.
  void check_state() {
    const auto& state = session_.config().state_dir;
    if (lies_in(archive_.destination, state)) {
      findings_.error(origin("destination"), fmt::format("destination {} lies in state_dir {}; name another",
                                                         quote(archive_.destination.native()), quote(state.native())));
    } else if (lies_in(state, archive_.destination)) {
      findings_.error(origin("destination"), fmt::format("state_dir {} lies in the destination {}; name another",
                                                         quote(state.native()), quote(archive_.destination.native())));
    }
  }

  // Only systemd knows its calendar.
  void check_schedule() {
    const auto program = find_program("systemd-analyze", "/usr/bin:/bin");
    if (archive_.schedule.empty() || program.empty()) return;
    ProgramCall call;
    call.words = {program, "calendar", "--", archive_.schedule};
    call.time_limit = std::chrono::seconds(10);
    std::string said;
    call.output = [&](bool is_error, std::string_view bytes) { said += is_error ? bytes : std::string_view(); };
    const auto end = run_program(call);
    if (end.status == 0 || end.timed_out) return;
    findings_.error(origin("schedule"),
                    fmt::format("schedule {} is no calendar expression of systemd's, e.g. \"*-*-* 03:00\": {}",
                                quote(archive_.schedule), escaped(said.substr(0, said.find('\n')))));
  }

  void check_destination() {
    const auto& directory = archive_.destination;
    const auto place = origin("destination");
    struct statvfs file_system {};
    if (::statvfs(directory.c_str(), &file_system) == 0 && (file_system.f_flag & ST_RDONLY) != 0) {
      return findings_.error(place, "destination " + quote(directory.native()) +
                                        " is on a file system that is read-only; mount it to be written to");
    }
    if (const auto fault = fault_of_directory(directory, R_OK | W_OK | X_OK); !fault.empty())
      return findings_.error(place, "destination " + fault);
    if (const auto fault = other_destination(session_.config().state_dir, archive_.name, directory); !fault.empty())
      return findings_.error(place, fault);
    check_space(place);
    struct stat source {};
    struct stat target {};
    if (::stat(archive_.root.c_str(), &source) != 0 || ::stat(directory.c_str(), &target) != 0) return;
    if (lies_in(directory, archive_.root)) {
      findings_.notice(place, "the destination lies inside of the root; what is there is left out of the backup");
    } else if (source.st_dev == target.st_dev) {
      findings_.notice(place, "root and destination are on the same file system: one failure takes both");
    }
  }

  void check_space(const Origin& place) {
    const auto record = read_archive_record(session_.config().state_dir, archive_.name).record;
    const auto* const last = last_run_like(record, /*increment=*/false);
    const auto free = LocalStorage(archive_.destination).free_bytes();
    if (last == nullptr || !free || last->archive_bytes <= *free) return;
    findings_.warning(place, fmt::format("destination {} has {} free, and the last full backup took {}; make room",
                                         quote(archive_.destination.native()), format_bytes({*free}),
                                         format_bytes({last->archive_bytes})));
  }

  void check_root() {
    if (const auto fault = fault_of_directory(archive_.root, R_OK | X_OK); !fault.empty())
      return findings_.error(origin("root"), "root " + fault);
    std::error_code error;
    if (!archive_.allow_empty && fs::directory_iterator(archive_.root, error) == fs::directory_iterator() && !error) {
      return findings_.error(origin("root"), "root " + quote(archive_.root.native()) +
                                                 " is empty; mount its file system, or set allow_empty: true");
    }
    walk();
  }

  // Includes that are missing and patterns without effect show in a walk only.
  void walk() {
    FilterRules rules = archive_.filter;
    const Filter filter(std::move(rules));
    WalkOptions options;
    options.root = archive_.root;
    options.includes = archive_.include;
    options.with_stats = filter.rules().exclude_larger_than.has_value();
    Walker walker(std::move(options), filter);
    std::set<std::string> used;
    std::uint64_t unreadable = 0;
    for (WalkItem item; walker.next(item);) {
      if (session_.process().stop.stop_requested())
        throw Error(ErrorCode::runtime_error, "stopped on request", ErrorCause::cancelled);
      if (item.event == WalkEvent::excluded) used.insert(item.rule);
      if (item.event == WalkEvent::list_failed) ++unreadable;
      if (item.event == WalkEvent::stat_failed && item.is_include) {
        findings_.warning(origin("include"), fmt::format("include {}: {}; correct it, or take it out",
                                                         quote(item.entry.path), errno_text(item.os_errno)));
      }
    }
    if (unreadable > 0) {
      findings_.warning(
          origin("root"),
          fmt::format("{} directories below {} can't be read, and are missing in a backup that this user makes",
                      unreadable, quote(archive_.root.native())));
      return;  // what a pattern leaves out may lie there
    }
    tell_of_unused(used);
  }

  void tell_of_unused(const std::set<std::string>& used) {
    const auto& patterns = archive_.filter.exclude;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      const auto rule = fmt::format("exclude[{}] {}", i, quote(patterns[i]));
      if (!patterns[i].starts_with('!') && !used.contains(rule))
        findings_.unmatched(origin("exclude"), rule + " leaves nothing out; correct it, or take it out");
    }
  }

  Session& session_;
  const ArchiveConfig& archive_;
  Findings findings_;
};

}  // namespace

std::vector<RealityFinding> check_surroundings(Session& session) {
  Findings findings({});
  const auto& config = session.config();
  try {
    static_cast<void>(session.providers());
  } catch (const Error& error) {
    findings.error({}, error.message());
  }
  check_plugin_ids(session, findings);
  check_secrets(config.plugins, findings);
  const auto state = nearest_directory(config.state_dir);
  if (const auto fault = fault_of_directory(state, W_OK | X_OK); !fault.empty())
    findings.error({}, "state_dir " + quote(config.state_dir.native()) + ": " + fault);
  check_hooks(session, config.hooks, findings);
  return findings.take();
}

std::vector<RealityFinding> check_archive(Session& session, const ArchiveConfig& archive) {
  return ArchiveCheck(session, archive).run();
}

}  // namespace autoarchive::host
