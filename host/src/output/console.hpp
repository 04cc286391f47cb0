/// \file
/// The only place that writes to the user: results on stdout, problems and progress on stderr.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "output/json.hpp"

namespace autoarchive::host {

enum class Verbosity : std::uint8_t { quiet, normal, verbose, very_verbose };
enum class When : std::uint8_t { automatic, always, never };

struct ConsoleOptions {
  Verbosity verbosity = Verbosity::normal;
  bool json = false;   ///< one document on stdout and nothing else
  bool color = false;  ///< decided already: terminal, NO_COLOR, --color
};

/// How bad it is. A notice never changes the exit status.
enum class Severity : std::uint8_t { notice, warning, error };

/// One thing the user should know. `id` is stable and documented, e.g. "file.changed".
struct Problem {
  Severity severity = Severity::warning;
  std::string id;
  std::string archive;  ///< empty: not about one archive
  std::string text;     ///< one line, safe on a terminal
};

/// Text is one line a call. Not thread-safe.
class Console {
 public:
  /// The streams must outlive the console.
  Console(std::ostream& out, std::ostream& err, ConsoleOptions options);

  [[nodiscard]] const ConsoleOptions& options() const noexcept { return options_; }
  /// A line of the result. Nothing with --json.
  void result(std::string_view line);
  /// A line that says what was done; not when quiet, nothing with --json.
  void info(std::string_view line);
  /// A line only for `verbosity` and above.
  void detail(Verbosity verbosity, std::string_view line);
  /// "aa: [home] warning: … (file.changed)". Notices not when quiet. Kept for the JSON document.
  void problem(const Problem& problem);
  /// A text that is all that was asked for: printed as it is, quiet or not; with --json "text" of the document.
  void text(std::string_view text);
  /// Problems of another process's document become part of ours; they are not printed.
  void adopt(const Json::Array& problems);
  /// The document of --json, with "problems" added; printed at once. Nothing without --json.
  void document(Json::Object object);
  /// Begins the document with an array of that name, whose elements are printed as they come, so that any number costs
  /// no memory. document() ends it. Nothing without --json, or after the document.
  void begin_array(std::string_view name);
  /// REQUIRES: begin_array(), if there is --json.
  void element(Json element);

  /// A line on stderr that is no problem, such as progress; not when quiet.
  void remark(std::string_view line);
  /// Overwrites the current line on stderr, for a bar; an empty text clears it.
  void status_line(std::string_view text);

  [[nodiscard]] std::uint64_t warnings() const noexcept { return warnings_; }
  [[nodiscard]] bool document_printed() const noexcept { return document_printed_; }

 private:
  void clear_status_line();

  std::ostream& out_;
  std::ostream& err_;
  ConsoleOptions options_;
  std::vector<Problem> problems_;
  Json::Array adopted_;
  std::uint64_t warnings_ = 0;
  bool status_shown_ = false;
  bool document_printed_ = false;
  bool is_in_array_ = false;
  bool has_element_ = false;
};

}  // namespace autoarchive::host
