/// \file
/// Bytes that should be text: file names on a terminal, in JSON and in messages.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/export.hpp"

namespace autoarchive {

[[nodiscard]] AA_EXPORT bool is_utf8(std::string_view bytes) noexcept;

/// A name in single quotes, safe on a terminal: control characters, bytes that are not UTF-8, quotes, bidirectional
/// marks and backslashes appear as escapes. quote("a\nb") is 'a\nb' with a backslash and an n.
[[nodiscard]] AA_EXPORT std::string quote(std::string_view name);
/// The same escapes without the surrounding quotes, for texts of other programs in one line of ours.
[[nodiscard]] AA_EXPORT std::string escaped(std::string_view text);

[[nodiscard]] AA_EXPORT std::string to_base64(std::string_view bytes);
/// None if `text` is not base64 with padding.
[[nodiscard]] AA_EXPORT std::optional<std::string> from_base64(std::string_view text);
[[nodiscard]] AA_EXPORT std::string to_hex(ByteView bytes);

/// The candidate with the smallest edit distance to `word`, if it is near enough to be a typing error; else empty.
[[nodiscard]] AA_EXPORT std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// Whether it can be the id of a backup: 1 to 64 letters, digits and "-", as ids become part of records that are made
/// of lines and words.
[[nodiscard]] AA_EXPORT bool is_id(std::string_view text) noexcept;
/// Random version 4 UUID in lower case, e.g. "0b8e7c1e-6c0f-4d6b-9b0e-2f5b0c7f6f0a". From the kernel's generator.
[[nodiscard]] AA_EXPORT std::string make_uuid();

}  // namespace autoarchive
