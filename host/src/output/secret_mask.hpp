/// \file
/// Keeps what nobody shall see out of everything that this process writes. There is one mask a process, because
/// whatever writes has to know every secret. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "output/json.hpp"

namespace autoarchive::host {

/// From now on, it is "(secret)" in every text: as it stands, with its control characters escaped, quoted, and as JSON.
void hide_secret(const std::string& secret);
/// The text without what has been hidden.
[[nodiscard]] std::string without_secrets(std::string_view text);
/// The same in each text of a document; numbers and the names of members stay.
[[nodiscard]] Json document_without_secrets(Json value);

}  // namespace autoarchive::host
