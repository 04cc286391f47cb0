/// \file
/// JSON: a value tree in the order in which it was built; to be printed, and our own files read again.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace autoarchive::host {

/// A JSON value. Objects keep the order of their members.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;  // null
  Json(bool value) : value_(value) {}
  Json(std::integral auto value) : value_(static_cast<std::int64_t>(value)) {}
  Json(double value) : value_(value) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}

  /// None if the text is not one JSON value, or nested deeper than 64 levels.
  [[nodiscard]] static std::optional<Json> parse(std::string_view text);

  /// The member of an object; null if this is no object or has no such member.
  [[nodiscard]] const Json* find(std::string_view member) const noexcept;
  /// The value if it is one of that kind; an integer is a number, too.
  [[nodiscard]] std::optional<std::int64_t> as_integer() const noexcept;
  [[nodiscard]] std::optional<double> as_number() const noexcept;
  [[nodiscard]] const std::string* as_text() const noexcept { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const Array* as_array() const noexcept { return std::get_if<Array>(&value_); }
  [[nodiscard]] const Object* as_object() const noexcept { return std::get_if<Object>(&value_); }

  /// One line, pure ASCII-safe UTF-8; bytes that are not UTF-8 are replaced (paths have a member of their own for
  /// them).
  [[nodiscard]] std::string dump() const;
  /// For people: indented by two.
  [[nodiscard]] std::string pretty() const;

 private:
  friend struct JsonRendering;
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

/// Appends `key`, and `key`_b64 when the bytes of the path are not UTF-8.
void add_path(Json::Object& object, std::string_view path, const std::string& key = "path");

}  // namespace autoarchive::host
