#include "gitignore_pattern.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace autoarchive {
namespace {

constexpr std::string_view kSpecial = "*?[\\";

// git strips blanks from the end of a line unless a backslash stands before them.
std::string_view strip_trailing_blanks(std::string_view line) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) {
      end = ++i + 1;
    } else if (line[i] != ' ') {
      end = i + 1;
    }
  }
  return line.substr(0, end);
}

/// "alnum" … as in "[[:alnum:]]"; null if there is no such class.
int (*posix_class(std::string_view name))(int) {
  using Test = int (*)(int);
  constexpr std::array<std::pair<std::string_view, Test>, 12> kClasses{{{"alnum", std::isalnum},
                                                                        {"alpha", std::isalpha},
                                                                        {"blank", std::isblank},
                                                                        {"cntrl", std::iscntrl},
                                                                        {"digit", std::isdigit},
                                                                        {"graph", std::isgraph},
                                                                        {"lower", std::islower},
                                                                        {"print", std::isprint},
                                                                        {"punct", std::ispunct},
                                                                        {"space", std::isspace},
                                                                        {"upper", std::isupper},
                                                                        {"xdigit", std::isxdigit}}};
  for (const auto& [known, test] : kClasses) {
    if (known == name) return test;
  }
  return nullptr;
}

unsigned char as_byte(char c) {
  return static_cast<unsigned char>(c);
}

/// Reads what stands between "[" and "]".
class SetReader {
 public:
  SetReader(std::string_view pattern, std::size_t at) : pattern_(pattern), at_(at) {}

  /// False if it is not closed or names an unknown class: the whole pattern then matches nothing.
  bool read(std::bitset<256>& set) {
    const bool negated = peek() == '!' || peek() == '^';
    if (negated) ++at_;
    for (bool first = true; first || peek() != ']'; first = false) {
      if (at_ >= pattern_.size() || !read_item(set)) return false;
    }
    ++at_;
    if (negated) set.flip();
    set.reset('/');
    return true;
  }
  [[nodiscard]] std::size_t position() const { return at_; }

 private:
  [[nodiscard]] int peek(std::size_t ahead = 0) const {
    return at_ + ahead < pattern_.size() ? as_byte(pattern_[at_ + ahead]) : -1;
  }

  bool read_item(std::bitset<256>& set) {
    if (peek() == '-' && previous_ >= 0 && peek(1) >= 0 && peek(1) != ']') return read_range(set);
    if (peek() == '[' && peek(1) == ':') {
      const auto end = pattern_.find(']', at_ + 2);
      if (end == std::string_view::npos) return false;
      if (end > at_ + 2 && pattern_[end - 1] == ':') return read_class(set, end);
    }
    if (peek() == '\\') ++at_;
    if (peek() < 0) return false;
    previous_ = peek();
    set.set(static_cast<std::size_t>(previous_));
    ++at_;
    return true;
  }

  bool read_range(std::bitset<256>& set) {
    ++at_;
    if (peek() == '\\') ++at_;
    if (peek() < 0) return false;
    for (int c = previous_; c <= peek(); ++c) set.set(static_cast<std::size_t>(c));
    ++at_;
    previous_ = -1;
    return true;
  }

  bool read_class(std::bitset<256>& set, std::size_t end) {
    const auto test = posix_class(pattern_.substr(at_ + 2, end - 1 - (at_ + 2)));
    if (test == nullptr) return false;
    for (int c = 0; c < 128; ++c) {
      if (test(c) != 0) set.set(static_cast<std::size_t>(c));
    }
    at_ = end + 1;
    previous_ = -1;
    return true;
  }

  std::string_view pattern_;
  std::size_t at_;
  int previous_ = -1;  // where a range could begin
};

}  // namespace

GitignorePattern::GitignorePattern(std::string_view line) {
  if (line.starts_with('#')) return;
  line = strip_trailing_blanks(line);
  negated_ = line.starts_with('!');
  if (negated_) line.remove_prefix(1);
  directories_only_ = line.ends_with('/');
  if (directories_only_) line.remove_suffix(1);
  basename_only_ = line.find('/') == std::string_view::npos;
  if (line.empty()) return;
  if (line.starts_with('/')) line.remove_prefix(1);
  valid_ = true;
  compile(line);
}

void GitignorePattern::compile(std::string_view pattern) {
  const auto first_special = pattern.find_first_of(kSpecial);
  literal_ = first_special == std::string_view::npos;
  suffix_ = basename_only_ && first_special == 0 && pattern[0] == '*' &&
            pattern.substr(1).find_first_of(kSpecial) == std::string_view::npos;
  if (literal_ || suffix_) {
    text_ = suffix_ ? pattern.substr(1) : pattern;
    return;
  }
  for (std::size_t at = 0; at < pattern.size() && valid_;) {
    const char c = pattern[at];
    if (c == '*') {
      // git compares the literal beginning by itself and then starts anew, so that "a**/b" has its "**" at a beginning,
      // too.
      compile_stars(pattern, at, at == 0 || at == first_special || pattern[at - 1] == '/');
    } else if (c == '[') {
      valid_ = compile_set(pattern, ++at);
    } else if (c == '\\') {
      valid_ = ++at < pattern.size();
      if (valid_) tokens_.push_back({Kind::literal, pattern[at++]});
    } else {
      tokens_.push_back({c == '?' ? Kind::any : Kind::literal, c});
      ++at;
    }
  }
}

void GitignorePattern::compile_stars(std::string_view pattern, std::size_t& at, bool at_boundary) {
  const auto begin = at;
  while (at < pattern.size() && pattern[at] == '*') ++at;
  const bool special = at - begin >= 2 && at_boundary && !basename_only_;
  if (special && at == pattern.size()) {
    tokens_.push_back({Kind::tail_star});
  } else if (special && pattern[at] == '/') {
    tokens_.push_back({Kind::dir_star});
    ++at;
  } else {
    tokens_.push_back({Kind::star});
  }
}

bool GitignorePattern::compile_set(std::string_view pattern, std::size_t& at) {
  SetReader reader(pattern, at);
  std::bitset<256> set;
  if (!reader.read(set)) return false;
  at = reader.position();
  tokens_.push_back({Kind::set, 0, sets_.size()});
  sets_.push_back(set);
  return true;
}

bool GitignorePattern::matches(std::string_view path, bool is_directory) const {
  if (!valid_ || (directories_only_ && !is_directory)) return false;
  if (basename_only_) path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0
  if (literal_) return path == text_;
  if (suffix_) return path.ends_with(text_);
  return simulate(path);
}

bool GitignorePattern::accepts(const Token& token, unsigned char byte) const {
  switch (token.kind) {
    case Kind::literal:
      return as_byte(token.byte) == byte;
    case Kind::any:
      return byte != '/';
    case Kind::set:
      return sets_[token.set].test(byte);
    case Kind::star:
    case Kind::dir_star:
    case Kind::tail_star:
      break;
  }
  return false;
}

// All states of the pattern at once, so that no text can make it backtrack: text length times pattern length at most.
bool GitignorePattern::simulate(std::string_view text) const {
  std::vector<char> states(tokens_.size() + 1, 0);
  std::vector<char> next(tokens_.size() + 1, 0);
  // A state is entered together with those that need no byte to be reached from it.
  const auto enter = [this](std::vector<char>& set, std::size_t state) {
    while (set[state] == 0) {
      set[state] = 1;
      const bool may_be_empty =
          state < tokens_.size() && (tokens_[state].kind == Kind::star || tokens_[state].kind == Kind::dir_star ||
                                     tokens_[state].kind == Kind::tail_star);
      if (!may_be_empty) return;
      ++state;
    }
  };
  enter(states, 0);
  for (const char c : text) {
    std::fill(next.begin(), next.end(), 0);
    bool alive = false;
    for (std::size_t state = 0; state < tokens_.size(); ++state) {
      if (states[state] == 0) continue;
      const auto& token = tokens_[state];
      if (token.kind == Kind::star ? c != '/' : token.kind == Kind::tail_star) enter(next, state);
      if (token.kind == Kind::dir_star) {
        // Inside "**/" only a separator leads on: entering the state itself must not skip it.
        next[state] = 1;
        if (c == '/') enter(next, state + 1);
      }
      if (accepts(token, as_byte(c))) enter(next, state + 1);
      alive = true;
    }
    if (!alive) return false;
    states.swap(next);
  }
  return states.back() != 0;
}

}  // namespace autoarchive
