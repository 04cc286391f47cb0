#include "gnu_tar.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>

#include "autoarchive/base/child_process.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive::tar_external {
namespace {

// --verbatim-files-from came with 1.29, --xattrs with 1.27, names by --index-file long before.
constexpr int kMinMajor = 1;
constexpr int kMinMinor = 29;

constexpr std::chrono::seconds kVersionTime{60};
constexpr std::size_t kMaxVersionBytes = 4096;

/// Its first line. Throws Error if it does not come to its end: any program can be named as tar.
std::string version_text(const std::string& program) {
  const ChildProcess tar({program, {"--version"}, {"LC_ALL=C"}, {}});
  std::string text;
  if (!read_to_end(tar.standard_output(), kVersionTime, kMaxVersionBytes, text)) {
    throw Error(ErrorCode::runtime_error,
                quote(program) + " --version has not ended within " + std::to_string(kVersionTime.count()) +
                    " s; install the package tar, or set the option tar",
                ErrorCause::unavailable);
  }
  return text.substr(0, text.find('\n'));
}

// "tar (GNU tar) 1.34"
bool is_new_enough(std::string_view first_line) {
  const auto number = first_line.substr(first_line.rfind(' ') + 1);
  int major = 0;
  int minor = 0;
  const auto* end = number.data() + number.size();
  const auto dot = std::from_chars(number.data(), end, major).ptr;
  if (dot != end && *dot == '.') std::from_chars(dot + 1, end, minor);
  return major > kMinMajor || (major == kMinMajor && minor >= kMinMinor);
}

}  // namespace

std::string find_program(std::string_view name) {
  for (auto path = kProgramPath; !path.empty();) {
    const auto directory = path.substr(0, path.find(':'));
    path.remove_prefix(std::min(path.size(), directory.size() + 1));
    auto file = std::string(directory) + "/" + std::string(name);
    std::error_code error;
    if (std::filesystem::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

Availability check_tar(const std::string& given) {
  const auto program = given.empty() ? find_program("tar") : given;
  if (program.empty())
    return {false, "GNU tar was not found in " + std::string(kProgramPath) + "; install the package tar"};
  try {
    const auto text = version_text(program);
    if (text.find("GNU tar") == std::string::npos) {
      return {false, quote(program) + " is not GNU tar (it says " + quote(text) +
                         "); install the package tar, or set the option tar"};
    }
    if (!is_new_enough(text))
      return {false, quote(program) + " is " + quote(text) + ", and GNU tar 1.29 or newer is needed"};
  } catch (const Error& error) {
    return {false, error.message()};
  }
  return {};
}

std::string_view compressor_of(std::string_view extension) {
  if (extension == "tar.gz") return "gzip";
  if (extension == "tar.bz2") return "bzip2";
  if (extension == "tar.xz") return "xz";
  return extension == "tar.zst" ? "zstd" : "";
}

}  // namespace autoarchive::tar_external
