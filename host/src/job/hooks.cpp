#include "job/hooks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autoarchive/base/durations.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "job/program.hpp"
#include "state/state_file.hpp"

namespace autoarchive::host {
namespace {

constexpr std::string_view kRootPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
// What all hooks that clear up may still take together when the run is told to end: with the time until the last is
// killed, the process ends within two seconds.
constexpr std::chrono::milliseconds kClearingTime{1700};
constexpr std::chrono::milliseconds kClearingGrace{200};
constexpr std::size_t kMaxLineBytes = 4096;
constexpr std::size_t kMaxLines = 1000;
constexpr std::size_t kMaxOutputBytes = 64U << 10U;

// The user's own, without what steers this program or the loader.
std::vector<std::string> environment_of(const ProcessContext& process, const HookFacts& facts, HookPoint at) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : process.environment) {
    if (!name.starts_with("AA_") && !name.starts_with("LD_") && name != "PATH" && name != "NOTIFY_SOCKET")
      lines.push_back(fmt::format("{}={}", name, value));
  }
  lines.push_back("PATH=" + hook_path(process));
  lines.push_back("AA_HOOK=" + std::string(to_string(at)));
  lines.push_back("AA_ARCHIVE=" + facts.archive);
  lines.push_back("AA_LEVEL=" + (facts.level ? std::to_string(*facts.level) : std::string()));
  lines.push_back("AA_RESULT=" + facts.result);
  lines.push_back("AA_FILE=" + facts.file);
  lines.push_back("AA_SNAPSHOT=" + facts.snapshot);
  return lines;
}

std::string document_of(const HookFacts& facts, HookPoint at) {
  Json::Object document{{"event", "hook"}, {"at", to_string(at)}, {"archive", facts.archive}};
  if (facts.level) document.emplace_back("level", *facts.level);
  document.emplace_back("result", facts.result);
  if (!facts.file.empty()) add_path(document, facts.file);
  document.emplace_back("snapshot", facts.snapshot);
  document.emplace_back("error", facts.error);
  return Json(std::move(document)).dump() + "\n";
}

/// Takes a hook's output apart. A flood is cut, and said to have been.
class OutputLines {
 public:
  OutputLines(Session& session, const HookFacts& facts, HookPoint at) : session_(session), facts_(facts), at_(at) {}

  void take(bool is_error, std::string_view bytes) {
    if (!is_error && output_.size() < kMaxOutputBytes)
      output_.append(bytes.substr(0, kMaxOutputBytes - output_.size()));
    auto& rest = is_error ? error_rest_ : output_rest_;
    for (const char byte : bytes) {
      if (byte != '\n' && rest.size() < kMaxLineBytes) {
        rest.push_back(byte);
      } else if (byte == '\n') {
        line(is_error, rest);
        rest.clear();
      }
    }
  }
  void finish() {
    if (!output_rest_.empty()) line(/*is_error=*/false, output_rest_);
    if (!error_rest_.empty()) line(/*is_error=*/true, error_rest_);
    if (lines_ > kMaxLines)
      line_out(/*is_error=*/true, fmt::format("({} more lines were left out)", lines_ - kMaxLines));
  }
  [[nodiscard]] const std::string& output() const noexcept { return output_; }
  [[nodiscard]] const std::string& last_error() const noexcept { return last_error_; }

 private:
  void line(bool is_error, const std::string& text) {
    if (is_error && !text.empty()) last_error_ = text;
    if (++lines_ <= kMaxLines) line_out(is_error, text);
  }
  void line_out(bool is_error, const std::string& text) {
    session_.events().emit("hook_output", {{"archive", facts_.archive},
                                           {"at", to_string(at_)},
                                           {"stream", is_error ? "stderr" : "stdout"},
                                           {"text", text}});
    session_.console().detail(Verbosity::verbose, fmt::format("{}: {}", to_string(at_), escaped(text)));
  }

  Session& session_;
  const HookFacts& facts_;
  HookPoint at_;
  std::string output_;
  std::string output_rest_;
  std::string error_rest_;
  std::string last_error_;
  std::size_t lines_ = 0;
};

Error failed(const HookRule& rule, const std::vector<std::string>& words, const std::string& how,
             const std::string& last_error, ErrorCause cause) {
  return {ErrorCode::runtime_error,
          fmt::format("hook at {} ({}): {} ended with {}{}", to_string(rule.at), rule.origin.text(),
                      quote(words.front()), how, last_error.empty() ? "" : ": " + escaped(last_error)),
          cause};
}

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of('\n');
  if (end == std::string::npos) return {};
  const auto begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

}  // namespace

std::string hook_path(const ProcessContext& process) {
  const auto found = process.environment.find("PATH");
  return process.as_root || found == process.environment.end() ? std::string(kRootPath) : found->second;
}

std::string Hooks::run(const HookRule& rule, const std::vector<std::string>& words, const HookFacts& facts,
                       bool stoppable) {
  ProgramCall call;
  call.words = words;
  call.words.front() = find_program(words.front(), hook_path(session_.process()));
  if (call.words.front().empty())
    throw failed(rule, words, "no program of that name in PATH", "", ErrorCause::unspecified);
  call.environment = environment_of(session_.process(), facts, rule.at);
  call.input = document_of(facts, rule.at);
  call.time_limit = rule.time_limit;
  call.stop = session_.process().stop;
  call.stop_grace = kClearingGrace;
  if (!stoppable) {
    const auto since_stop = session_.since_stop();
    call.patience = kClearingTime - since_stop.value_or(std::chrono::milliseconds(0));
    if (call.patience.count() <= 0)
      throw failed(rule, words, "no start: the time after the stop is over", "", ErrorCause::unspecified);
  }
  OutputLines lines(session_, facts, rule.at);
  call.output = [&](bool is_error, std::string_view bytes) { lines.take(is_error, bytes); };
  session_.events().emit("hook_started", {{"archive", facts.archive}, {"at", to_string(rule.at)}});
  ProgramEnd end;
  try {
    end = run_program(call);
  } catch (const Error& error) {
    throw failed(rule, words, "no start: " + error.message(), "", ErrorCause::unspecified);
  }
  lines.finish();
  session_.events().emit("hook_finished",
                         {{"archive", facts.archive}, {"at", to_string(rule.at)}, {"status", end.status}});
  if (end.stopped && stoppable) throw failed(rule, words, end.text(call), "", ErrorCause::cancelled);
  if (end.stopped) {
    throw failed(rule, words,
                 fmt::format("no end within {} after the stop, which all hooks share", format_duration(kClearingTime)),
                 lines.last_error(), ErrorCause::unspecified);
  }
  if (end.timed_out) throw failed(rule, words, end.text(call), lines.last_error(), ErrorCause::unspecified);
  if (rule.not_now.contains(end.status))
    throw failed(rule, words, end.text(call) + ", which means not now", lines.last_error(), ErrorCause::not_now);
  if (end.status != 0) throw failed(rule, words, end.text(call), lines.last_error(), ErrorCause::unspecified);
  return lines.output();
}

void Hooks::require(HookPoint at, const HookFacts& facts) {
  for (const auto& rule : rules_) {
    if (rule.at == at) static_cast<void>(run(rule, rule.run, facts, /*stoppable=*/true));
  }
}

std::size_t Hooks::attempt(HookPoint at, const HookFacts& facts) {
  std::size_t failures = 0;
  for (const auto& rule : rules_) {
    if (rule.at != at) continue;
    try {
      static_cast<void>(run(rule, rule.run, facts, /*stoppable=*/false));
    } catch (const Error& error) {
      warn(facts, error);
      ++failures;
    }
  }
  return failures;
}

void Hooks::warn(const HookFacts& facts, const Error& error) {
  session_.console().problem({Severity::warning, "hook.failed", facts.archive, error.message()});
}

Snapshot::Snapshot(Hooks& hooks, HookFacts facts) : hooks_(hooks), facts_(std::move(facts)) {
  const auto found = std::find_if(hooks.rules_.begin(), hooks.rules_.end(),
                                  [](const auto& rule) { return rule.at == HookPoint::snapshot; });
  if (found == hooks.rules_.end()) return;
  rule_ = &*found;
  const auto left = read_state_file(note());
  if (left.document) {
    const auto* path = left.document->find("path");
    if (path != nullptr && path->as_text() != nullptr) facts_.snapshot = *path->as_text();
    hooks_.session_.console().problem(
        {Severity::notice, "", facts_.archive, "the snapshot of a run that was interrupted is released"});
    if (!release()) {
      throw Error(ErrorCode::runtime_error,
                  fmt::format("the snapshot {} of an interrupted run is still there; release it, and remove {}",
                              quote(facts_.snapshot), quote(note().native())),
                  ErrorCause::unavailable);
    }
    facts_.snapshot.clear();
  }
  // Noted before it is made: whatever happens from here on, it is released.
  write_state_file(note(), Json::Object{{"path", ""}});
  made_ = true;
  try {
    directory_ = last_line(hooks_.run(*rule_, rule_->run, facts_, /*stoppable=*/true));
    facts_.snapshot = directory_.native();
    write_state_file(note(), Json::Object{{"path", facts_.snapshot}});
    std::error_code error;
    if (!directory_.is_absolute() || !std::filesystem::is_directory(directory_, error)) {
      throw failed(*rule_, rule_->run,
                   "no directory of the snapshot as the last line of its output, but " + quote(facts_.snapshot), "",
                   ErrorCause::unspecified);
    }
  } catch (const Error&) {
    release();
    throw;
  }
}

Snapshot::~Snapshot() {
  if (made_) release();
}

bool Snapshot::release() {
  if (rule_ == nullptr) return true;
  made_ = false;
  try {
    static_cast<void>(hooks_.run(*rule_, rule_->release, facts_, /*stoppable=*/false));
    std::filesystem::remove(note());
    return true;
  } catch (const Error& error) {  // the note stays: the next run tries again
    hooks_.warn(facts_, error);
  } catch (const std::filesystem::filesystem_error& error) {
    hooks_.session_.console().problem({Severity::warning, "state.lost", facts_.archive, escaped(error.what())});
  }
  return false;
}

std::filesystem::path Snapshot::note() const {
  return hooks_.session_.config().state_dir / "held-snapshots" / (facts_.archive + ".json");
}

}  // namespace autoarchive::host
