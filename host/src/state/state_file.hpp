/// \file
/// Small files of the host's own state: one line of JSON, and one with its SHA-256.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "output/json.hpp"

namespace autoarchive::host {

/// What was read: neither a document nor a fault if there is no such file.
struct StateFile {
  std::optional<Json> document;
  std::string fault;  ///< names the file and what is wrong with it
};

/// A file of at most 1 MiB that is not what its digest says is a fault, never an exception.
[[nodiscard]] StateFile read_state_file(const std::filesystem::path& file);
/// Makes the file's folder (0700), and writes whole and durable. Throws Error(os_error).
void write_state_file(const std::filesystem::path& file, const Json& document);

}  // namespace autoarchive::host
