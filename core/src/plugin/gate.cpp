#include "gate.hpp"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "autoarchive/base/text.hpp"
#include "autoarchive/plugin/fingerprint.hpp"
#include "elf_file.hpp"

namespace autoarchive {
namespace {

namespace fs = std::filesystem;

std::string name(const fs::path& path) {
  return quote(path.native());
}

bool may_others_write(const struct stat& status) {
  if ((status.st_mode & S_IWOTH) != 0) return true;
  // The own group of whoever runs this is trusted: a umask of 002 makes every directory writable for it.
  const bool own_group = status.st_gid == ::getegid();
  return (status.st_mode & S_IWGRP) != 0 && !own_group;
}

Refusal unreadable(const fs::path& path, const std::error_code& error) {
  return {"AA-P101", name(path) + ": " + error.message(), "remove it, or put a plugin there"};
}

/// One component of the path, the file itself included.
void check_component(const fs::path& path, std::vector<Refusal>& refusals) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    refusals.push_back(unreadable(path, {errno, std::generic_category()}));
    return;
  }
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    refusals.push_back({"AA-P102",
                        name(path) + " belongs to user " + std::to_string(status.st_uid) + ", and only root or user " +
                            std::to_string(::geteuid()) + " may own it",
                        "chown it to one of them"});
  }
  // In a sticky directory, such as /tmp, others can add names but not replace ours.
  const bool is_sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
  if (may_others_write(status) && !is_sticky) {
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", static_cast<unsigned>(status.st_mode & 07777U));
    refusals.push_back(
        {"AA-P103", name(path) + " can be written by others (mode " + mode.data() + ")", "chmod go-w " + name(path)});
  }
}

struct AbiField {
  const char* code;
  const char* key;
  const char* remedy;
};
constexpr std::array kAbiFields{
    AbiField{"AA-P501", "abi.kind", "rebuild the plugin for this host"},
    AbiField{"AA-P502", "abi.epoch", "rebuild the plugin against the headers of this host"},
    AbiField{"AA-P503", "abi.headers", "rebuild the plugin against the headers of this host"},
    AbiField{"AA-P504", "abi.library", "build the plugin with the host's C++ library"},
    AbiField{"AA-P505", "abi.cxx11", "build the plugin with the same _GLIBCXX_USE_CXX11_ABI"},
    AbiField{"AA-P506", "abi.debug_stl", "build the plugin without _GLIBCXX_DEBUG"},
    AbiField{"AA-P507", "abi.rtti", "build the plugin with -frtti"},
    AbiField{"AA-P507", "abi.exceptions", "build the plugin with -fexceptions"},
    AbiField{"AA-P508", "abi.sanitizers", "build the plugin with the host's sanitizers, or without"}};

int as_number(const std::string& text) {
  return std::atoi(text.c_str());
}

}  // namespace

std::vector<Refusal> check_file(const fs::path& file) {
  std::vector<Refusal> refusals;
  std::error_code error;
  const auto real = fs::canonical(file, error);
  if (error) return {unreadable(file, error)};
  const auto directory = fs::canonical(file.parent_path().empty() ? fs::path(".") : file.parent_path(), error);
  if (error) return {unreadable(file, error)};
  const bool is_link = fs::is_symlink(file, error);
  if (error) return {unreadable(file, error)};
  const bool is_regular = fs::is_regular_file(real, error);
  if (error) return {unreadable(file, error)};
  if (is_link && real.parent_path() != directory) {
    refusals.push_back({"AA-P104", name(file) + " is a link that leaves its directory, to " + name(real),
                        "copy the plugin into the directory"});
  }
  if (!is_regular) refusals.push_back({"AA-P101", name(file) + " is not a regular file", "put a plugin there"});
  for (auto path = real; path.has_relative_path(); path = path.parent_path()) check_component(path, refusals);
  return refusals;
}

std::vector<Refusal> check_elf(const fs::path& file) {
  const auto elf = read_elf(file);
  if (!elf.is_elf) return {{"AA-P201", name(file) + " is not an ELF file", "remove it, or put a plugin there"}};
  if (!elf.is_host_class || !elf.is_host_machine) {
    return {{"AA-P202", name(file) + " is for another machine (ELF machine " + std::to_string(elf.machine) + ")",
             "build the plugin for this machine"}};
  }
  if (!elf.headers_fit || elf.needed_bytes > elf.file_bytes) {
    return {{"AA-P203",
             name(file) + " is truncated: a segment ends at " + std::to_string(elf.needed_bytes) + ", the file has " +
                 std::to_string(elf.file_bytes) + " bytes",
             "install it again"}};
  }
  if (!elf.is_shared_library)
    return {{"AA-P201", name(file) + " is not a shared library", "remove it, or put a plugin there"}};
  return {};
}

std::vector<Refusal> check_place(const fs::path& file, const PluginPolicy& policy) {
  std::error_code error;
  if (!policy.safe_mode || fs::equivalent(file.parent_path(), policy.installed_directory, error)) return {};
  return {{"AA-P404", "safe mode: only plugins in " + name(policy.installed_directory) + " are loaded",
           "run without --safe-mode"}};
}

std::vector<Refusal> check_policy(const PluginDescriptor& descriptor, const PluginPolicy& policy) {
  if (!policy.denied.contains(descriptor.id)) return {};
  return {{"AA-P401", "plugin " + descriptor.id + " is denied by the configuration", "take it out of plugins.deny"}};
}

std::vector<Refusal> check_abi(const PluginDescriptor& descriptor) {
  static const auto host = parse_descriptor(AA_FINGERPRINT).descriptor;
  std::vector<Refusal> refusals;
  for (const auto& field : kAbiFields) {
    const auto theirs = descriptor.value(field.key);
    const auto ours = host.value(field.key);
    if (theirs != ours) {
      refusals.push_back(
          {field.code, std::string(field.key) + ": plugin " + quote(theirs) + ", host " + quote(ours), field.remedy});
    }
  }
  const auto theirs = descriptor.value("abi.library_release");
  const auto ours = host.value("abi.library_release");
  if (as_number(theirs) > as_number(ours)) {
    refusals.push_back({"AA-P504", "abi.library_release: plugin " + quote(theirs) + ", host " + quote(ours),
                        "build the plugin with a C++ library that is not newer than the host's"});
  }
  return refusals;
}

}  // namespace autoarchive
