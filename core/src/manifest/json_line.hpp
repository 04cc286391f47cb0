/// \file
/// One line of JSON, written and read by hand: a general library costs more than all the rest of an unchanged level.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace autoarchive {

/// Appends the members of one object to a text. Keys have at most 16 plain characters.
class JsonLineWriter {
 public:
  /// Begins the object at the end of `out`, which must outlive the writer.
  explicit JsonLineWriter(std::string& out) : out_(out) { out_ += '{'; }

  /// UTF-8 under `key`; any other bytes in base64 under `base64_key`.
  void text(std::string_view key, std::string_view base64_key, std::string_view value);
  /// REQUIRES: `value` is UTF-8.
  void text(std::string_view key, std::string_view value);
  void number(std::string_view key, std::uint64_t value);
  void signed_number(std::string_view key, std::int64_t value);
  /// 16 hexadecimal digits as a string.
  void hex(std::string_view key, std::uint64_t value);
  /// Begins a member whose value is appended by the caller: returns the text to append to.
  std::string& raw(std::string_view key);
  /// Ends the object and the line.
  void finish() { out_ += "}\n"; }

  /// A JSON string with its quotes. REQUIRES: UTF-8.
  static void append_string(std::string& out, std::string_view value);

 private:
  template <class Number>
  void append_number(std::string_view name, Number value);
  char* put_key(char* place, std::string_view name);

  std::string& out_;
  bool first_ = true;
};

/// Walks over one object. Every call throws Error(value_error, cause damaged) if the text is not what it asks for.
class JsonLineReader {
 public:
  explicit JsonLineReader(std::string_view line) : rest_(line) {}

  /// Enters the object. Then, as long as next_member() is true, its key() is read and its value must be taken or
  /// skipped.
  void begin_object();
  [[nodiscard]] bool next_member();
  [[nodiscard]] std::string_view key() const noexcept { return key_; }

  void begin_array();
  /// True: another element follows.
  [[nodiscard]] bool next_element();

  /// The decoded string into `out`.
  void text(std::string& out);
  /// A base64 string, decoded.
  void base64(std::string& out);
  [[nodiscard]] std::uint64_t number();
  [[nodiscard]] std::int64_t signed_number();
  [[nodiscard]] std::uint64_t hex();
  /// Any value, of at most 16 levels.
  void skip(int depth = 0);
  /// Nothing may follow.
  void end() const;

 private:
  void read_key();
  [[nodiscard]] bool short_number(std::uint64_t& value);
  void text_with_escapes(std::string& out);
  char peek();
  void expect(char c);
  void append_escape(std::string& out);
  unsigned read_code_unit();

  std::string_view rest_;
  std::string_view key_;
  std::string decoded_key_;  // of one with escapes, which key_ then is
  bool fresh_ = false;       // nothing of the current object or array has been read yet
};

}  // namespace autoarchive
