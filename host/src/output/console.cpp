#include "output/console.hpp"

#include <fmt/format.h>

#include <utility>

#include "output/secret_mask.hpp"

namespace autoarchive::host {
namespace {

// Thousands of unreadable files must not fill the memory; the text on stderr has named every one of them.
constexpr std::size_t kMaxProblemsInDocument = 10'000;

std::string_view word(Severity severity) {
  switch (severity) {
    case Severity::notice:
      return "notice";
    case Severity::warning:
      return "warning";
    case Severity::error:
      break;
  }
  return "error";
}

std::string_view color_of(Severity severity) {
  switch (severity) {
    case Severity::notice:
      return "\x1b[36m";
    case Severity::warning:
      return "\x1b[33m";
    case Severity::error:
      break;
  }
  return "\x1b[31m";
}

Json::Object as_json(const Problem& problem) {
  Json::Object object{{"severity", word(problem.severity)}, {"id", problem.id}};
  if (!problem.archive.empty()) object.emplace_back("archive", problem.archive);
  object.emplace_back("message", problem.text);
  return object;
}

}  // namespace

Console::Console(std::ostream& out, std::ostream& err, ConsoleOptions options)
    : out_(out), err_(err), options_(options) {}

void Console::result(std::string_view line) {
  if (options_.json) return;
  clear_status_line();
  out_ << without_secrets(line) << '\n';
}

void Console::info(std::string_view line) {
  if (options_.verbosity != Verbosity::quiet) result(line);
}

void Console::detail(Verbosity verbosity, std::string_view line) {
  if (options_.verbosity >= verbosity) result(line);
}

void Console::problem(const Problem& problem) {
  if (problem.severity != Severity::notice) ++warnings_;
  if (options_.json && problems_.size() < kMaxProblemsInDocument) problems_.push_back(problem);
  if (problem.severity == Severity::notice && options_.verbosity == Verbosity::quiet) return;
  clear_status_line();
  const auto label = options_.color ? fmt::format("{}{}\x1b[0m", color_of(problem.severity), word(problem.severity))
                                    : std::string(word(problem.severity));
  err_ << "aa: ";
  if (!problem.archive.empty()) err_ << '[' << problem.archive << "] ";
  err_ << label << ": " << without_secrets(problem.text);
  if (!problem.id.empty()) err_ << " (" << problem.id << ')';
  err_ << '\n';
}

void Console::text(std::string_view text) {
  if (options_.json) return document({{"text", text}});
  clear_status_line();
  out_ << text;
}

void Console::adopt(const Json::Array& problems) {
  for (const auto& problem : problems) {
    if (problems_.size() + adopted_.size() < kMaxProblemsInDocument) adopted_.push_back(problem);
  }
}

void Console::document(Json::Object object) {
  if (!options_.json || document_printed_) return;
  Json::Array problems;
  for (const auto& problem : problems_) problems.emplace_back(as_json(problem));
  for (auto& problem : adopted_) problems.push_back(std::move(problem));
  object.emplace_back("problems", std::move(problems));
  const auto text = document_without_secrets(Json(std::move(object))).dump();
  if (is_in_array_) out_ << "],";
  out_ << std::string_view(text).substr(is_in_array_ ? 1 : 0) << '\n';
  document_printed_ = true;
}

void Console::begin_array(std::string_view name) {
  if (!options_.json || document_printed_) return;
  out_ << "{" << Json(name).dump() << ":[";
  is_in_array_ = true;
}

void Console::element(Json element) {
  if (!is_in_array_ || document_printed_) return;
  if (std::exchange(has_element_, true)) out_ << ",";
  out_ << document_without_secrets(std::move(element)).dump();
}

void Console::remark(std::string_view line) {
  if (options_.verbosity == Verbosity::quiet) return;
  clear_status_line();
  err_ << without_secrets(line) << '\n';
}

void Console::status_line(std::string_view text) {
  clear_status_line();
  if (text.empty()) return;
  err_ << text << std::flush;
  status_shown_ = true;
}

void Console::clear_status_line() {
  if (!std::exchange(status_shown_, false)) return;
  err_ << "\r\x1b[K" << std::flush;
}

}  // namespace autoarchive::host
