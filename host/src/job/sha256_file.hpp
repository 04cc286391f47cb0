/// \file
/// The file beside an archive that `sha256sum --check` reads: one line, "DIGEST  NAME".
#pragma once

#include <cstdint>
#include <string>

#include "autoarchive/storage/istorage.hpp"

namespace autoarchive::host {

/// What stands in such a file.
struct Sha256File {
  enum class State : std::uint8_t {
    absent,
    good,
    bad,         ///< whatever it is, it says nothing: it is no such line, or no regular file
    unreadable,  ///< at this time
  };
  State state = State::absent;
  std::string sha256;  ///< of `good`: in lower case
  std::string name;    ///< of `good`: of the file that it is of
  std::string fault;   ///< of `bad` and `unreadable`: why, with the path; and of `bad`, what to do
};

/// Of the archive file `archive_file` of the storage.
[[nodiscard]] Sha256File read_sha256_file(const IStorage& storage, const std::string& archive_file);
/// As it should be.
[[nodiscard]] std::string sha256_text(const std::string& sha256, const std::string& archive_file);

}  // namespace autoarchive::host
