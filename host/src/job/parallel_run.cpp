#include "job/parallel_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "autoarchive/base/error.hpp"
#include "job/program.hpp"

namespace autoarchive::host {
namespace {

constexpr std::chrono::seconds kGrace{10};  // for what has to be cleared when a stop is requested

/// Builds a command line word by word.
class Arguments {
 public:
  void flag(bool set, const char* name) {
    if (set) words_.emplace_back(name);
  }
  void option(const char* name, const std::string& value) {
    if (!value.empty()) words_.push_back(std::string(name) + "=" + value);
  }
  template <class Value>
  void option(const char* name, const std::optional<Value>& value) {
    if constexpr (std::is_same_v<Value, std::string>) {
      if (value) words_.push_back(std::string(name) + "=" + *value);
    } else {
      if (value) words_.push_back(std::string(name) + "=" + std::to_string(*value));
    }
  }
  void word(const std::string& text) { words_.push_back(text); }
  [[nodiscard]] std::vector<std::string> take() { return std::move(words_); }

 private:
  std::vector<std::string> words_;
};

void add_globals(const GlobalOptions& options, const std::string& events, Arguments& arguments) {
  arguments.option("--config", options.config.native());
  arguments.flag(options.verbosity == Verbosity::quiet, "-q");
  arguments.flag(options.verbosity >= Verbosity::verbose, "-v");
  arguments.flag(options.verbosity == Verbosity::very_verbose, "-v");
  arguments.flag(options.json, "--json");
  arguments.option("--events", events);
  arguments.option("--progress", std::string(options.progress == "none" ? "none" : "plain"));
  arguments.option("--color", std::string(options.color == When::always ? "always" : "never"));
  arguments.option("--lock-wait", std::to_string(options.lock_wait.count()) + "s");
  for (const auto& directory : options.plugin_directories) arguments.option("--plugin-dir", directory.native());
  arguments.flag(options.safe_mode, "--safe-mode");
}

void add_overrides(const ArchiveOverrides& overrides, Arguments& arguments) {
  arguments.option("--root", overrides.root);
  arguments.option("--destination", overrides.destination);
  for (const auto& path : overrides.include) arguments.option("--include", path);
  for (const auto& pattern : overrides.exclude) arguments.option("--exclude", pattern);
  arguments.option("--type", overrides.type);
  arguments.option("--strength", overrides.strength);
  arguments.option("--provider", overrides.provider);
  arguments.option("--threads", overrides.threads);
  arguments.flag(overrides.incremental, "--incremental");
  arguments.flag(overrides.overwrite_at_start, "--overwrite-at-start");
  arguments.flag(overrides.allow_empty, "--allow-empty");
}

/// One process's output, passed on in whole lines; with --json what is on standard output is its document.
class Output {
 public:
  Output(Session& session, std::mutex& mutex) : session_(session), mutex_(mutex) {}

  void take(bool is_error, std::string_view bytes) {
    if (!is_error && session_.options().json) {
      document_ += bytes;
      return;
    }
    auto& rest = is_error ? error_ : out_;
    rest += bytes;
    const auto end = rest.rfind('\n');
    if (end == std::string::npos) return;
    print(is_error, rest.substr(0, end + 1));
    rest.erase(0, end + 1);
  }
  void finish() {
    if (!out_.empty()) print(/*is_error=*/false, out_ + "\n");
    if (!error_.empty()) print(/*is_error=*/true, error_ + "\n");
  }
  [[nodiscard]] const std::string& document() const noexcept { return document_; }

 private:
  void print(bool is_error, const std::string& lines) {
    const std::lock_guard lock(mutex_);
    (is_error ? session_.process().err : session_.process().out) << lines << std::flush;
  }

  Session& session_;
  std::mutex& mutex_;
  std::string out_;
  std::string error_;
  std::string document_;
};

/// The archives, shared out to threads that each wait for one process.
class ParallelRun {
 public:
  ParallelRun(Session& session, const CreateCommand& command, const std::vector<std::string>& archives)
      : session_(session), command_(command), archives_(archives), ends_(archives.size()) {}

  ParallelOutcome run(int jobs) {
    std::vector<std::jthread> threads;
    const auto count = std::min(static_cast<std::size_t>(jobs), archives_.size());
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
    threads.clear();
    ParallelOutcome outcome;
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      outcome.status = worse(outcome.status, ends_[i].status);
      if (session_.options().json && ends_[i].was_started) add_document(archives_[i], ends_[i], outcome);
    }
    return outcome;
  }

 private:
  struct End {
    ExitStatus status = ExitStatus::ok;
    std::string document;
    bool was_started = false;
  };

  void work() {
    for (auto i = next_++; i < archives_.size() && !stopped_; i = next_++) {
      if (session_.process().stop.stop_requested()) return;
      ends_[i] = run_one(archives_[i]);
      if (command_.fail_fast && ends_[i].status != ExitStatus::ok && ends_[i].status != ExitStatus::warnings)
        stopped_ = true;
    }
  }

  End run_one(const std::string& archive) {
    Output output(session_, mutex_);
    ProgramCall call;
    call.words = arguments_for(session_.options(), command_, archive, events());
    call.words.insert(call.words.begin(), session_.process().executable);
    for (const auto& [name, value] : session_.process().environment)
      call.environment.push_back(fmt::format("{}={}", name, value));
    call.stop = session_.process().stop;
    call.stop_grace = kGrace;
    call.output = [&](bool is_error, std::string_view bytes) { output.take(is_error, bytes); };
    try {
      const auto end = run_program(call);
      output.finish();
      return {static_cast<ExitStatus>(end.status), output.document(), true};
    } catch (const Error& error) {
      const std::lock_guard lock(mutex_);
      return {report_start(archive, error), {}, true};
    }
  }

  ExitStatus report_start(const std::string& archive, const Error& error) {
    session_.console().problem({Severity::error, "", archive, error.message()});
    return ExitStatus::failed;
  }

  // Ours may be a descriptor, which the others can open by its name.
  [[nodiscard]] std::string events() const {
    const auto& target = session_.options().events;
    if (!target.starts_with("fd:")) return target;
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + target.substr(3);
  }

  void add_document(const std::string& archive, const End& end, ParallelOutcome& outcome) {
    const auto document = Json::parse(end.document).value_or(Json());
    if (const auto* problems = document.find("problems"); problems != nullptr && problems->as_array() != nullptr)
      session_.console().adopt(*problems->as_array());
    if (const auto* archives = document.find("archives"); archives != nullptr && archives->as_array() != nullptr) {
      outcome.documents.insert(outcome.documents.end(), archives->as_array()->begin(), archives->as_array()->end());
    } else {
      outcome.documents.emplace_back(failed(archive, end, document.find("error")));
    }
  }

  // Of a process that has told nothing of its archive: what has ended it, or that it has died.
  static Json::Object failed(const std::string& archive, const End& end, const Json* error) {
    const auto* id = error == nullptr ? nullptr : error->find("id");
    const auto* message = error == nullptr ? nullptr : error->find("message");
    const auto status = std::to_string(static_cast<int>(end.status));
    return {{"archive", archive},
            {"status", "failed"},
            {"error", message == nullptr ? Json("its process ended with status " + status) : *message},
            {"cause", id == nullptr ? Json(to_string(ErrorCause::unspecified)) : *id}};
  }

  Session& session_;
  const CreateCommand& command_;
  const std::vector<std::string>& archives_;
  std::vector<End> ends_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;  // guards the streams and the console
};

}  // namespace

std::vector<std::string> arguments_for(const GlobalOptions& options, const CreateCommand& command,
                                       const std::string& archive, const std::string& events) {
  Arguments arguments;
  add_globals(options, events, arguments);
  arguments.word("create");
  add_overrides(command.overrides, arguments);
  arguments.option("--level", command.level);
  if (command.next_level) arguments.option("--level", std::string("next"));
  arguments.flag(command.full, "--full");
  arguments.flag(command.new_destination, "--new-destination");
  arguments.flag(command.accept_source, "--accept-source");
  arguments.flag(command.ignore_free_space, "--ignore-free-space");
  arguments.flag(options.dry_run, "--dry-run");
  arguments.option("--jobs", std::string("1"));
  arguments.word(kPartOfRunOption);
  arguments.word(archive);
  return arguments.take();
}

ParallelOutcome create_in_parallel(Session& session, const CreateCommand& command,
                                   const std::vector<std::string>& archives, int jobs) {
  return ParallelRun(session, command, archives).run(jobs);
}

}  // namespace autoarchive::host
