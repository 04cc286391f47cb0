// Makes a plugin out of host/templates/plugin. tests/package builds it, validates it and backs up with it, untouched.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "commands/plugin_actions.hpp"
#include "commands/plugin_template.hpp"

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;

void check_name(const std::string& name) {
  const auto is_good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (!name.empty() && name.size() <= 40 && name.front() >= 'a' && name.front() <= 'z' && name.back() != '-' &&
      std::all_of(name.begin(), name.end(), is_good))
    return;
  throw Error(
      ErrorCode::value_error,
      fmt::format("plugins new: {} can't be a plugin's name; give lower-case letters, digits and '-', beginning "
                  "with a letter, e.g. cpio",
                  quote(name)),
      ErrorCause::usage);
}

std::string filled_in(std::string_view text, const std::string& name) {
  constexpr std::string_view kPlace = "@NAME@";
  std::string filled(text);
  for (auto at = filled.find(kPlace); at != std::string::npos; at = filled.find(kPlace, at))
    filled.replace(at, kPlace.size(), name);
  return filled;
}

void write_file(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text << std::flush;
  if (!out) throw Error(ErrorCode::os_error, "plugins new: can't write " + quote(file.native()));
}

}  // namespace

ExitStatus make_plugin(Session& session, const std::string& name, const fs::path& directory) {
  check_name(name);
  const auto folder = (directory.empty() ? fs::path(".") : directory) / name;
  std::error_code error;
  if (!fs::create_directory(folder, error)) {
    throw Error(ErrorCode::file_exists,
                fmt::format("plugins new: {} can't be made: {}", quote(folder.native()),
                            error ? error.message() : std::string("it is there already")),
                ErrorCause::usage);
  }
  Json::Array files;
  for (const auto& [file, text] :
       std::array<std::pair<const char*, std::string_view>, 3>{{{"CMakeLists.txt", plugin_template::kCmakeLists},
                                                                {"README.md", plugin_template::kReadme},
                                                                {"archiver.cpp", plugin_template::kArchiver}}}) {
    write_file(folder / file, filled_in(text, name));
    files.emplace_back((folder / file).native());
    session.console().result((folder / file).native());
  }
  session.console().info(fmt::format(
      "next: cmake -S {0} -B {0}/build && cmake --build {0}/build && ctest --test-dir {0}/build", folder.native()));
  session.console().document({{"files", std::move(files)}});
  return ExitStatus::ok;
}

}  // namespace autoarchive::host
