#include "output/completion.hpp"

#include <algorithm>

#include "autoarchive/archiver/archiver_identification.hpp"
#include "autoarchive/archiver/backup_type.hpp"

namespace autoarchive::host {
namespace {

constexpr std::string_view kBash = R"(# bash completion for aa; where nothing of ours fits, file names do
_aa() {
  # bash splits words at "=", ":" and "@", too: what stands together is one word for aa, and of the last one only what
  # bash takes for a word is replaced.
  local IFS=$'\n' line=${COMP_LINE:0:COMP_POINT} before= words=() i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    local word=${COMP_WORDS[i]}
    if ((i == COMP_CWORD)); then word=${line#"${line%%[![:space:]]*}"}; fi
    if ((i > 0)) && [[ $line != [[:space:]]* ]]; then
      before=${words[-1]}
      words[-1]+=$word
    else
      before=
      words+=("$word")
      line=${line#"${line%%[![:space:]]*}"}
    fi
    line=${line#"$word"}
  done
  if [[ $before && $word == [=:@] ]]; then before+=$word; fi
  COMPREPLY=($(aa complete -- "${words[@]}" 2> /dev/null))
  COMPREPLY=("${COMPREPLY[@]#"$before"}")
}
complete -o default -o nosort -F _aa aa
)";

constexpr std::string_view kZsh = R"(#compdef aa
_aa() {
  local -a found
  found=("${(@f)$(aa complete -- "${(@)words[1,CURRENT]}" 2> /dev/null)}")
  if [[ -n $found ]]; then
    compadd -V aa -a found
  else
    [[ $PREFIX == --*=* ]] && compset -P 1 '*='
    _files
  fi
}
if [ "$funcstack[1]" = _aa ]; then _aa "$@"; else compdef _aa aa; fi
)";

constexpr std::string_view kFish = R"(# fish completion for aa
complete --command aa --keep-order --arguments '(aa complete -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token --cut-at-cursor) 2> /dev/null)'
)";

bool is_option(std::string_view word) {
  return word.size() > 1 && word.front() == '-';
}

/// The words that are already there, put in their places.
class Line {
 public:
  Line(const VerbDescription& commands, const std::vector<std::string>& words) {
    verbs_.push_back(&commands);
    for (std::size_t i = 1; i + 1 < words.size(); ++i) take(words[i]);
  }

  [[nodiscard]] const WordDescription* open_option() const { return open_option_; }
  /// Null if there is no such option here.
  [[nodiscard]] const WordDescription* find_option(std::string_view word) const {
    for (const auto* verb : verbs_) {
      for (const auto& option : verb->options) {
        if (std::find(option.names.begin(), option.names.end(), word) != option.names.end()) return &option;
      }
    }
    return nullptr;
  }
  [[nodiscard]] const std::vector<const VerbDescription*>& verbs() const { return verbs_; }
  /// The argument that comes next; null: none more.
  [[nodiscard]] const WordDescription* next_argument() const {
    const auto& arguments = verbs_.back()->arguments;
    if (arguments.empty()) return nullptr;
    if (arguments_ < arguments.size()) return &arguments[arguments_];
    return arguments.back().repeatable ? &arguments.back() : nullptr;
  }

 private:
  void take(const std::string& word) {
    if (open_option_ != nullptr) {
      open_option_ = nullptr;
    } else if (is_option(word)) {
      const auto* option = find_option(word);
      if (option != nullptr && !option->value.empty()) open_option_ = option;
    } else if (const auto* verb = find_verb(word)) {
      verbs_.push_back(verb);
    } else {
      ++arguments_;
    }
  }
  [[nodiscard]] const VerbDescription* find_verb(const std::string& word) const {
    for (const auto& verb : verbs_.back()->verbs) {
      if (verb.name == word) return &verb;
    }
    return nullptr;
  }

  std::vector<const VerbDescription*> verbs_;  // the program, its command, its action
  const WordDescription* open_option_ = nullptr;
  std::size_t arguments_ = 0;
};

std::vector<std::string> all_options(const std::vector<const VerbDescription*>& verbs) {
  std::vector<std::string> names;
  for (auto verb = verbs.rbegin(); verb != verbs.rend(); ++verb) {
    for (const auto& option : (*verb)->options) names.push_back(option.names.front());
  }
  return names;
}

/// What an option takes, as far as it can be listed. Plugins may bring more types and providers than these.
std::vector<std::string> values_of(const WordDescription& option) {
  auto values = option.choices;
  if (option.names.front() == "--type") {
    for (const auto& type : backup_type::kWellKnown) values.push_back(type.extension);
  } else if (option.names.front() == "--provider") {
    values = {std::string(archiver_provider_id::kTarExternal), std::string(archiver_provider_id::kTarInternal)};
  }
  return values;
}

/// Of "--option=": each value with that before it.
std::vector<std::string> joined_values(const Line& line, std::string_view begin) {
  const auto* const option = line.find_option(begin.substr(0, begin.size() - 1));
  if (option == nullptr || option->value.empty()) return {};
  auto words = values_of(*option);
  for (auto& word : words) word.insert(0, begin);
  return words;
}

std::vector<std::string> possible(const Line& line, const std::string& last, const std::vector<std::string>& archives) {
  if (line.open_option() != nullptr) return values_of(*line.open_option());
  if (const auto equals = last.find('='); last.starts_with("--") && equals != std::string::npos)
    return joined_values(line, std::string_view(last).substr(0, equals + 1));
  if (is_option(last) || last == "-") return all_options(line.verbs());
  std::vector<std::string> names;
  for (const auto& verb : line.verbs().back()->verbs) names.push_back(verb.name);
  if (!names.empty()) return names;
  const auto* argument = line.next_argument();
  if (argument == nullptr) return {};
  if (!argument->choices.empty()) return argument->choices;
  const auto& name = argument->names.front();
  return name == "ARCHIVE" || name == "TARGET" ? archives : names;
}

}  // namespace

std::vector<std::string> completions(const VerbDescription& commands, const std::vector<std::string>& words,
                                     const std::vector<std::string>& archives) {
  if (words.size() < 2) return {};
  const auto& last = words.back();
  auto found = possible(Line(commands, words), last, archives);
  std::erase_if(found, [&](const std::string& word) { return !word.starts_with(last); });
  return found;
}

std::string named_config(const std::vector<std::string>& words) {
  constexpr std::string_view kLong = "--config=";
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i].starts_with(kLong)) return words[i].substr(kLong.size());
    if ((words[i] == "-c" || words[i] == "--config") && i + 1 < words.size()) return words[i + 1];
  }
  return {};
}

std::string_view completion_script(std::string_view shell) {
  return shell == "zsh" ? kZsh : shell == "fish" ? kFish : kBash;
}

}  // namespace autoarchive::host
