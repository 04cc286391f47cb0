#include "output/manual_page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>
#include <map>
#include <vector>

#include "autoarchive/base/version.hpp"
#include "config/config.hpp"
#include "events/problem_ids.hpp"

namespace autoarchive::host {
namespace {

constexpr std::string_view kDescription =
    "aa makes backups of directory trees as plain tar files. An archive is a named definition: what to back up and "
    "where "
    "to. A backup is one file made from it, with a level (0 is full, N is what has changed since N-1) and, if it is an "
    "older generation, a keeping id (aa is the newest kept one). Any tar reads the files; RESTORE.txt, which lies "
    "beside "
    "them, has the commands.";

constexpr std::string_view kSelectors = R"(.SH SELECTORS
After an archive's name and @ stands which backup is meant.
.TP
nothing
the newest
.TP
.B @1
that level of the newest chain
.TP
.B @aa
the newest point in time of that generation
.TP
.B @1.aa
a level of it
.TP
.B @~1
one point in time before the newest
.TP
.B @2026\-11\-01T03:00
the newest not after that time
)";

// As in interface and README: the numbers are those of ExitStatus.
constexpr std::string_view kExitStatus = R"(.SH EXIT STATUS
.TP
.B 0
everything asked for is done and complete
.TP
.B 1
done with warnings: committed, but some entries are missing or changed, each named; of verify and diff: differences that are no damage
.TP
.B 2
at least one archive failed (nothing is committed for it, older backups are untouched), or damage was found
.TP
.BR 64 ", " 78
usage error, configuration invalid: nothing was started
.TP
.B 66
no such archive or backup
.TP
.B 69
no provider makes that type or has that feature
.TP
.B 70
a bug of aa
.TP
.B 73
destination unusable, found before writing
.TP
.B 75
not now: another run holds the lock, or a hook said so
.TP
.B 77
not permitted
.TP
.RB 128+ n
ended by signal
.I n
)";

constexpr std::string_view kFiles = R"(.SH FILES
.TP
.I $XDG_CONFIG_HOME/autoarchive/config.yaml\fR, \fI/etc/autoarchive/config.yaml
the configuration, see
.BR aa.yaml (5),
unless \-\-config or AA_CONFIG names another
.TP
.I archives.d/*.yaml
beside it: more archives and templates
.TP
.I NAME[.LEVEL][.KEEPID].EXT
a backup in its destination, with its manifest (.manifest.zst) and its .sha256
.TP
.I RESTORE.txt
in the destination: how to restore without aa
)";

std::string heading(std::string_view page, int section, std::string_view title) {
  return fmt::format(".TH {} {} \"\" \"AutoArchive {}\" \"{}\"\n", page, section, version(), title);
}

std::string argument_text(const WordDescription& argument) {
  const auto dots = argument.repeatable ? "..." : "";
  return argument.required ? fmt::format("\\fI{}\\fR{}", argument.names.front(), dots)
                           : fmt::format("[\\fI{}\\fR{}]", argument.names.front(), dots);
}

std::string option_text(const WordDescription& option) {
  std::string text;
  for (const auto& name : option.names) text += fmt::format("{}\\fB{}\\fR", text.empty() ? "" : ", ", roff(name));
  if (!option.choices.empty()) return text + " " + roff(fmt::format("{}", fmt::join(option.choices, "|")));
  return option.value.empty() ? text : fmt::format("{} \\fI{}\\fR", text, option.value);
}

bool is_help(const WordDescription& option) {
  return option.names.front() == "--help";
}

std::string options_text(const std::vector<WordDescription>& options) {
  std::string page;
  for (const auto& option : options) {
    if (is_help(option)) continue;
    page += fmt::format(".TP\n{}\n{}\n", option_text(option), roff(option.text));
  }
  return page;
}

std::string verb_text(const VerbDescription& verb, const std::string& above) {
  const auto name = above + verb.name;
  std::string page;
  for (const auto& below : verb.verbs) page += verb_text(below, name + " ");
  if (!page.empty()) return page;
  std::string usage = "\\fBaa " + name + "\\fR";
  if (verb.options.size() > 1) usage += " [\\fIoption\\fR...]";
  for (const auto& argument : verb.arguments) usage += " " + argument_text(argument);
  page += fmt::format(".SS {}\n{}\n.PP\n{}\n", name, usage, roff(verb.text));
  for (const auto& argument : verb.arguments) {
    if (!argument.text.empty())
      page += fmt::format(".TP\n\\fI{}\\fR\n{}\n", argument.names.front(), roff(argument.text));
  }
  return page + options_text(verb.options);
}

void add_environment(const VerbDescription& verb, std::map<std::string, std::string>& variables) {
  for (const auto& option : verb.options) {
    if (!option.environment.empty()) variables.emplace(option.environment, option.names.front());
  }
  for (const auto& below : verb.verbs) add_environment(below, variables);
}

std::string environment_text(const VerbDescription& commands) {
  std::map<std::string, std::string> variables{{"AA_CONFIG", "--config"}};
  add_environment(commands, variables);
  std::string page = ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nno colours, unless \\-\\-color says so\n";
  for (const auto& [name, option] : variables) page += fmt::format(".TP\n.B {}\nas {}\n", name, roff(option));
  return page;
}

// `code` is bold.
std::string inline_roff(std::string_view text) {
  std::string out;
  bool is_code = false;
  while (!text.empty()) {
    const auto end = std::min(text.find('`'), text.size());
    out += roff(text.substr(0, end));
    if (end < text.size()) {
      is_code = !is_code;
      out += is_code ? "\\fB" : "\\fR";
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string problems_text() {
  std::string page = ".SH PROBLEMS\nEach problem is told with an id that stays the same from version to version.\n";
  for (const auto& id : problem_ids()) page += fmt::format(".TP\n.B {}\n{}\n", id.id, inline_roff(id.meaning));
  return page;
}

std::vector<std::string_view> cells_of(std::string_view row) {
  std::vector<std::string_view> cells;
  row.remove_prefix(2);  // "| "
  for (auto end = row.find(" |"); end != std::string_view::npos; end = row.find(" |")) {
    cells.push_back(row.substr(0, end));
    row.remove_prefix(std::min(end + 3, row.size()));
  }
  return cells;
}

// The key, its value and its default on one line, the meaning, which stands in the last column, below.
std::string row_text(std::string_view row) {
  const auto cells = cells_of(row);
  std::string text = ".TP\n" + inline_roff(cells.front());
  for (std::size_t i = 1; i + 1 < cells.size(); ++i) {
    if (cells[i].empty()) continue;
    text += (i == 1 ? "  " : "; default ") + inline_roff(cells[i]);
  }
  return text + "\n" + inline_roff(cells.back()) + "\n";
}

}  // namespace

std::string roff(std::string_view text) {
  constexpr std::string_view kEllipsis = "…";
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out = "\\&";
  while (!text.empty()) {
    if (text.starts_with(kEllipsis)) {
      out += "...";
      text.remove_prefix(kEllipsis.size());
      continue;
    }
    const char c = text.front();
    out += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
    text.remove_prefix(1);
  }
  return out;
}

std::string roff_of_markdown(std::string_view markdown) {
  std::string page;
  bool in_table = false;
  while (!markdown.empty()) {
    const auto end = std::min(markdown.find('\n'), markdown.size());
    const auto line = markdown.substr(0, end);
    markdown.remove_prefix(std::min(end + 1, markdown.size()));
    const bool is_row = line.starts_with("| ");
    if (line.starts_with("## ")) {
      std::string title(line.substr(3));
      for (char& c : title) c = c == '`' ? '"' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      std::erase(title, '"');
      page += ".SH " + roff(title) + "\n";
    } else if (is_row && in_table) {
      if (!line.starts_with("| --- ")) page += row_text(line);
    } else if (!is_row && !line.empty() && !line.starts_with("# ") && !line.starts_with("<!--")) {
      page += inline_roff(line) + "\n";
    } else if (line.empty() && !page.empty() && !markdown.starts_with("#") && !markdown.starts_with("|")) {
      page += ".PP\n";
    }
    in_table = is_row;  // its first row is its heading
  }
  return page;
}

std::string program_manual(const VerbDescription& commands) {
  auto page = heading("AA", 1, "User Commands");
  page += ".SH NAME\naa \\- named backups of directory trees as plain tar files\n.SH SYNOPSIS\n";
  page += "\\fBaa\\fR [\\fIglobal option\\fR...] \\fIcommand\\fR [\\fIargument\\fR...]\n.SH DESCRIPTION\n";
  page += roff(kDescription) + "\n.SH COMMANDS\n";
  for (const auto& verb : commands.verbs) page += verb_text(verb, "");
  page += ".SH GLOBAL OPTIONS\nBefore or after the command.\n" + options_text(commands.options);
  page += kSelectors;
  page += kExitStatus;
  page += problems_text();
  page += environment_text(commands);
  page += kFiles;
  return page + ".SH SEE ALSO\n.BR aa.yaml (5),\n.BR tar (1)\n";
}

std::string configuration_manual() {
  auto page = heading("AA.YAML", 5, "File Formats");
  page += ".SH NAME\naa.yaml \\- configuration of aa\n.SH DESCRIPTION\n";
  page += roff_of_markdown(config_reference());
  page += ".SH EXAMPLE\n.nf\n";
  page += R"(version: 1
archives:
  home:
    root: /home
    destination: /mnt/backup
    exclude: ["**/.cache"]
    incremental: true
    keep: {generations: 2}
)";
  return page + ".fi\n.SH SEE ALSO\n.BR aa (1)\n";
}

}  // namespace autoarchive::host
