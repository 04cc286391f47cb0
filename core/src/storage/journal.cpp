#include "journal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <set>
#include <span>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

using Action = JournalStep::Action;

constexpr std::string_view kFirstLine = "autoarchive-journal 1\n";
constexpr std::array<std::string_view, 6> kWords{"retire", "move", "keep", "publish", "state", "unstate"};

std::string digest_of(std::string_view text) {
  return sha256_of(std::as_bytes(std::span(text)));
}

std::string encode(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte != 0x7F && c != '%') {
      out += c;
    } else {
      out += '%' + to_hex(std::as_bytes(std::span(&c, 1)));
    }
  }
  return out;
}

std::optional<std::string> decode(std::string_view word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '%') {
      out += word[i];
      continue;
    }
    unsigned value = 0;
    const auto digits = word.substr(i + 1, 2);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || parsed.ptr != digits.data() + 2) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

void append(std::string& line, const FileIdentity& identity) {
  line += " " + std::to_string(identity.size) + " " + std::to_string(identity.inode) + " " + identity.probe;
}

/// Takes words off the front of a line.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}
  [[nodiscard]] bool done() const { return rest_.empty(); }
  std::string_view next() {
    const auto word = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(std::min(rest_.size(), word.size() + 1));
    return word;
  }
  std::optional<FileIdentity> identity() {
    FileIdentity identity;
    if (!number(identity.size) || !number(identity.inode)) return std::nullopt;
    identity.probe = next();
    return identity;
  }

 private:
  bool number(std::uint64_t& value) {
    const auto word = next();
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), value);
    return parsed.ec == std::errc() && parsed.ptr == word.data() + word.size();
  }
  std::string_view rest_;
};

// Who can write into the destination can write a journal: it says nothing about files elsewhere.
bool is_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

bool is_below(const std::filesystem::path& path, const std::filesystem::path& directory) {
  const auto normal = path.lexically_normal();
  return directory.empty() ||
         std::mismatch(directory.begin(), directory.end(), normal.begin(), normal.end()).first == directory.end();
}

std::optional<JournalStep> parse_step(std::string_view line) {
  Words words(line);
  JournalStep step;
  const auto verb = words.next();
  const auto* known = std::find(kWords.begin(), kWords.end(), verb);
  if (known == kWords.end()) return std::nullopt;
  step.action = static_cast<Action>(known - kWords.begin());
  const auto from = decode(words.next());
  if (!from) return std::nullopt;
  step.from = *from;
  if (step.action == Action::unstate) return step;
  const auto to = decode(words.next());
  const auto identity = words.identity();
  if (!to || !identity) return std::nullopt;
  step.to = *to;
  step.identity = *identity;
  if (step.action != Action::state && !(is_file_name(step.from) && is_file_name(step.to))) return std::nullopt;
  if (!words.done()) {
    step.replaced = words.identity();
    if (!step.replaced) return std::nullopt;
  }
  return step;
}

bool has(const Directory& directory, const std::string& name, const FileIdentity& identity) {
  const auto found = directory.identify(name);
  return found && found->matches(identity);
}

Error foreign(const Directory& directory, const std::string& name) {
  return {ErrorCode::file_exists, "commit: " + directory.description(name) +
                                      " is not the file that belongs there; move it away, and run again"};
}

/// Carries steps out in one directory. Every step looks first whether it has been done.
class StepRunner {
 public:
  StepRunner(const Directory& directory, std::vector<std::string>& remarks)
      : directory_(directory), remarks_(remarks) {}

  void move_away(const JournalStep& step) const {
    if (has(directory_, step.to, step.identity)) return;
    if (!has(directory_, step.from, step.identity)) {
      if (step.action == Action::retire) return;  // dropped already, before a crash
      remarks_.push_back(directory_.description(step.from) + " was gone before it could become " + quote(step.to));
      return;
    }
    if (directory_.exists(step.to)) throw foreign(directory_, step.to);
    if (step.action == Action::keep && directory_.link(step.from, step.to)) return;
    directory_.rename_new(step.from, step.to);
  }

  void publish(const JournalStep& step) const {
    if (has(directory_, step.to, step.identity)) return directory_.remove(step.from);
    if (!has(directory_, step.from, step.identity)) {
      throw Error(ErrorCode::file_not_found,
                  "commit: " + directory_.description(step.from) + " is gone or not what was written",
                  ErrorCause::damaged);
    }
    if (directory_.exists(step.to) && !(step.replaced && has(directory_, step.to, *step.replaced))) {
      throw foreign(directory_, step.to);
    }
    directory_.rename(step.from, step.to);
  }

  void drop(const JournalStep& step) const {
    if (has(directory_, step.to, step.identity)) directory_.remove(step.to);
  }

 private:
  const Directory& directory_;
  std::vector<std::string>& remarks_;
};

// State lies on this machine; a journal that another machine finishes leaves it alone, and the next level there is a
// level 0.
void run_state(const JournalStep& step, const std::filesystem::path& state_dir, std::vector<std::string>& remarks,
               std::set<std::filesystem::path>& touched) {
  const std::filesystem::path target(step.action == Action::unstate ? step.from : step.to);
  if (!is_below(target, state_dir)) {
    remarks.push_back("state " + quote(target.native()) + " is not in the state directory of this run: left alone");
    return;
  }
  std::error_code error;
  if (!std::filesystem::is_directory(target.parent_path(), error)) {
    remarks.push_back("state " + quote(target.native()) + " is not on this machine: left alone");
    return;
  }
  const Directory directory(target.parent_path(), ErrorCause::unspecified);
  touched.insert(target.parent_path());
  if (step.action == Action::unstate) return directory.remove(target.filename());
  const auto from = std::filesystem::path(step.from).filename().native();
  const auto to = target.filename().native();
  if (has(directory, to, step.identity)) return directory.remove(from);
  if (!has(directory, from, step.identity)) {
    remarks.push_back("state " + quote(target.native()) + " was lost: the next backup will be a level 0");
    return directory.remove(to);
  }
  directory.rename(from, to);
}

}  // namespace

std::string Journal::text() const {
  std::string text(kFirstLine);
  for (const auto& step : steps) {
    text += std::string(kWords.at(static_cast<std::size_t>(step.action))) + " " + encode(step.from);
    if (step.action != Action::unstate) {
      text += " " + encode(step.to);
      append(text, step.identity);
      if (step.replaced) append(text, *step.replaced);
    }
    text += '\n';
  }
  return text + "sha256 " + digest_of(text) + "\n";
}

std::optional<Journal> Journal::parse(std::string_view text) {
  const auto last = text.rfind("sha256 ");
  if (!text.starts_with(kFirstLine) || last == std::string_view::npos) return std::nullopt;
  if (text.substr(last) != "sha256 " + digest_of(text.substr(0, last)) + "\n") return std::nullopt;
  Journal journal;
  for (auto rest = text.substr(kFirstLine.size(), last - kFirstLine.size()); !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    auto step = parse_step(line);
    if (!step) return std::nullopt;
    journal.steps.push_back(std::move(*step));
  }
  return journal;
}

std::vector<std::string> Journal::run(const Directory& destination, bool sync,
                                      const std::filesystem::path& state_dir) const {
  std::vector<std::string> remarks;
  const StepRunner runner(destination, remarks);
  const auto sync_destination = [&] {
    if (sync) destination.sync();
  };
  // Older backups move away …
  for (const auto& step : steps) {
    if (step.action <= Action::keep) runner.move_away(step);
  }
  sync_destination();
  // … the new files take their names …
  for (const auto& step : steps) {
    if (step.action == Action::publish) runner.publish(step);
  }
  sync_destination();
  // … the provider's state follows …
  std::set<std::filesystem::path> touched;
  for (const auto& step : steps) {
    if (step.action >= Action::state) run_state(step, state_dir, remarks, touched);
  }
  for (const auto& directory : touched) {
    if (sync) Directory(directory, ErrorCause::unspecified).sync();
  }
  // … and what falls off goes last.
  for (const auto& step : steps) {
    if (step.action == Action::retire) runner.drop(step);
  }
  sync_destination();
  return remarks;
}

}  // namespace autoarchive
