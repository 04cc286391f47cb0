#include <fmt/format.h>

#include <fstream>
#include <map>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/kit/conformance.hpp"
#include "commands/plugin_actions.hpp"

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;

struct Finished {
  const kit::ConformanceTest* test;
  kit::Verdict verdict;
};

std::string full_name(const kit::ConformanceTest& test) {
  return fmt::format("{}/{}", test.group, test.name);
}

std::string in_xml(std::string_view text) {
  std::string xml;
  for (const char c : escaped(text)) {
    if (c == '<') {
      xml += "&lt;";
    } else if (c == '&') {
      xml += "&amp;";
    } else if (c == '"') {
      xml += "&quot;";
    } else {
      xml += c;
    }
  }
  return xml;
}

/// The first case fails until the last test is done: a report of a run that died in between is not green.
void write_junit(const fs::path& file, const std::string& plugin, const std::vector<Finished>& finished,
                 bool complete) {
  if (file.empty()) return;
  std::string cases = complete ? "  <testcase classname=\"harness\" name=\"has come to its end\"/>\n"
                               : "  <testcase classname=\"harness\" name=\"has come to its end\"><failure "
                                 "message=\"it has not\"/></testcase>\n";
  int failures = complete ? 0 : 1;
  for (const auto& [test, verdict] : finished) {
    cases += fmt::format("  <testcase classname=\"{}\" name=\"{}\"", test->group, test->name);
    if (verdict.outcome == kit::Outcome::pass) {
      cases += "/>\n";
      continue;
    }
    const bool failed = kit::is_failure(verdict.outcome);
    failures += failed ? 1 : 0;
    const auto* const element = failed ? "failure" : verdict.outcome == kit::Outcome::skip ? "skipped" : "system-out";
    if (verdict.outcome == kit::Outcome::warn) {
      cases += fmt::format("><system-out>{}</system-out></testcase>\n", in_xml(verdict.text));
    } else {
      cases += fmt::format("><{} message=\"{} {}: {}\"/></testcase>\n", element, test->obligation,
                           to_string(verdict.outcome), in_xml(verdict.text));
    }
  }
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << fmt::format(
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n{}"
             "</testsuite>\n",
             in_xml(plugin), finished.size() + 1, failures, cases)
      << std::flush;
  if (!out) throw Error(ErrorCode::os_error, "--junit: can't write " + quote(file.native()));
}

std::vector<const kit::ConformanceTest*> chosen_tests(const std::string& only) {
  std::vector<const kit::ConformanceTest*> chosen;
  for (const auto& test : kit::conformance_tests()) {
    if (full_name(test).find(only) != std::string::npos) chosen.push_back(&test);
  }
  if (!chosen.empty()) return chosen;
  std::string names;
  for (const auto& test : kit::conformance_tests()) names += " " + full_name(test);
  throw Error(ErrorCode::value_error, "--only " + quote(only) + ": no test has that in its name; there are" + names,
              ErrorCause::usage);
}

void print(Console& console, const kit::ConformanceTest& test, const kit::Verdict& verdict) {
  console.result(fmt::format("{:<8} {}", to_string(verdict.outcome), full_name(test)));
  if (!verdict.text.empty()) console.result(fmt::format("         {} {}", test.obligation, escaped(verdict.text)));
}

Json::Object as_json(const Finished& finished) {
  return {{"group", finished.test->group},
          {"name", finished.test->name},
          {"obligation", finished.test->obligation},
          {"must", finished.test->must},
          {"outcome", to_string(finished.verdict.outcome)},
          {"text", finished.verdict.text}};
}

}  // namespace

ExitStatus validate_plugin(Session& session, const PluginsCommand& command) {
  auto& console = session.console();
  kit::Subject subject;
  subject.plugin = fs::absolute(command.plugin).lexically_normal();
  const auto installed = session.installed_plugins();
  if (fs::is_directory(installed)) subject.companions.push_back(installed);
  subject.seed = command.seed;
  subject.time_limit = std::chrono::seconds(command.time_limit_seconds);
  const auto tests = chosen_tests(command.only);
  std::vector<Finished> finished;
  std::map<std::string, int> counts;
  bool failed = false;
  for (const auto* test : tests) {
    write_junit(command.junit, subject.plugin, finished, /*complete=*/false);
    if (session.process().stop.stop_requested())
      throw Error(ErrorCode::runtime_error, "stopped before all tests were done", ErrorCause::cancelled);
    finished.push_back({test, kit::run_isolated(*test, subject)});
    const auto& verdict = finished.back().verdict;
    print(console, *test, verdict);
    ++counts[std::string(to_string(verdict.outcome))];
    failed = failed || kit::is_failure(verdict.outcome);
  }
  write_junit(command.junit, subject.plugin, finished, /*complete=*/true);
  std::string sum;
  for (const auto& [outcome, count] : counts) sum += fmt::format("{}{} {}", sum.empty() ? "" : ", ", count, outcome);
  console.result(fmt::format("{} tests: {}", finished.size(), sum));
  const auto status = failed ? ExitStatus::failed : ExitStatus::ok;
  Json::Array documents;
  for (const auto& each : finished) documents.emplace_back(as_json(each));
  console.document({{"exit_code", static_cast<int>(status)}, {"tests", std::move(documents)}});
  return status;
}

}  // namespace autoarchive::host
