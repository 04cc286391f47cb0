/// \file
/// systemd units for archives that have a schedule. Pure: text in, text out.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace autoarchive::host {

/// One file of a unit.
struct UnitFile {
  std::string name;  ///< e.g. "autoarchive-home.timer"
  std::string text;
};

/// The first line of every unit that we have made; no other file is ever replaced or removed.
inline constexpr std::string_view kUnitMark = "# Made by aa schedule; changes are lost.";

/// How a unit starts the program.
struct UnitProgram {
  std::filesystem::path executable;
  std::filesystem::path config;  ///< absolute
};

/// Service and timer of one archive. REQUIRES: archive.schedule is not empty.
[[nodiscard]] std::vector<UnitFile> schedule_units(const Config& config, const ArchiveConfig& archive,
                                                   const UnitProgram& program);

/// A word of ExecStart: quoted, with "%" and "$" as they are.
[[nodiscard]] std::string unit_word(const std::string& word);

}  // namespace autoarchive::host
