/// \file
/// One line of a gitignore file, compiled.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace autoarchive {

/// The meaning of gitignore(5), including what git does with its corner cases. Immutable, thread-safe.
class GitignorePattern {
 public:
  explicit GitignorePattern(std::string_view line);

  /// Blank lines, comments and patterns that git can't compile either match nothing.
  [[nodiscard]] bool matches(std::string_view path, bool is_directory) const;
  /// "!": a match takes back an exclusion.
  [[nodiscard]] bool negated() const noexcept { return negated_; }

 private:
  enum class Kind : std::uint8_t {
    literal,    ///< one byte
    any,        ///< "?": a byte that is no separator
    set,        ///< "[…]": one of a set, which never has the separator
    star,       ///< "*": a run without separators
    dir_star,   ///< "**/": nothing, or anything that ends with a separator
    tail_star,  ///< "/**" at the end: anything
  };
  struct Token {
    Kind kind;
    char byte = 0;
    std::size_t set = 0;  ///< index into sets_
  };

  void compile(std::string_view pattern);
  void compile_stars(std::string_view pattern, std::size_t& at, bool at_boundary);
  [[nodiscard]] bool compile_set(std::string_view pattern, std::size_t& at);
  [[nodiscard]] bool simulate(std::string_view text) const;
  [[nodiscard]] bool accepts(const Token& token, unsigned char byte) const;

  bool valid_ = false;
  bool negated_ = false;
  bool directories_only_ = false;
  bool basename_only_ = false;
  bool literal_ = false;  ///< no wildcard: text_ is compared
  bool suffix_ = false;   ///< "*" and a literal: text_ is what a basename has to end with
  std::string text_;
  std::vector<Token> tokens_;
  std::vector<std::bitset<256>> sets_;
};

}  // namespace autoarchive
