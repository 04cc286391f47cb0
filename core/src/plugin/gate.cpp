#include "gate.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/plugin/fingerprint.hpp"

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

// A library is looked for there before anywhere else: whoever can write there can bring in code.
void check_run_path(const fs::path& file, const std::string& run_path, std::vector<Refusal>& refusals) {
  auto path = run_path;
  for (const std::string_view origin : {"$ORIGIN", "${ORIGIN}"}) {
    if (path.starts_with(origin)) path.replace(0, origin.size(), fs::absolute(file).parent_path().native());
  }
  const auto refuse = [&](const std::string& why) {
    refusals.push_back({"AA-P205", name(file) + " looks for its libraries in " + quote(run_path) + ", " + why,
                        "link it without RPATH, or with one below $ORIGIN"});
  };
  if (!path.starts_with('/')) return refuse("which depends on the current directory");
  bool is_missing = false;
  for (auto part = fs::path(path).lexically_normal(); part.has_relative_path(); part = part.parent_path()) {
    struct stat status {};
    if (::stat(part.c_str(), &status) != 0) {
      is_missing = true;
      continue;
    }
    const bool is_sticky = (status.st_mode & S_ISVTX) != 0;
    const bool is_foreign = status.st_uid != 0 && status.st_uid != ::geteuid();
    if (is_foreign || (may_others_write(status) && (is_missing || !is_sticky)))
      return refuse("where others can put one (" + name(part) + ")");
    is_missing = false;
  }
}

void check_sha256(const fs::path& file, const PluginPin& pin, std::vector<Refusal>& refusals) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  std::string found;
  try {
    if (fd) found = sha256_of_file(fd.get());
  } catch (const Error& error) {
    found = error.message();
  }
  if (found == pin.sha256) return;
  refusals.push_back(
      {"AA-P403", "sha256: file " + quote(found) + ", pinned by " + pin.named_by + " " + quote(pin.sha256),
       "install the pinned file, or pin this one if you know why it differs", "sha256", found, pin.sha256});
}

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

std::vector<Refusal> check_elf(const fs::path& file, const ElfFile& elf) {
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
  std::vector<Refusal> refusals;
  if (elf.executable_stack) {
    refusals.push_back({"AA-P204", name(file) + " asks for an executable stack",
                        "build it with aa_add_plugin(), or link it with -Wl,-z,noexecstack"});
  }
  if (elf.text_relocations)
    refusals.push_back({"AA-P204", name(file) + " has to be written to when it is loaded", "compile it with -fPIC"});
  for (const auto& run_path : elf.run_paths) check_run_path(file, run_path, refusals);
  return refusals;
}

std::vector<Refusal> check_note(const fs::path& file, const ElfFile& elf, PluginDescriptor& descriptor) {
  if (!elf.descriptor) {
    return {{"AA-P301", name(file) + " is a shared library, but not an AutoArchive plugin (it has no note)",
             "build it with aa_add_plugin() and AA_PLUGIN(), or remove it"}};
  }
  auto parsed = parse_descriptor(*elf.descriptor);
  descriptor = std::move(parsed.descriptor);
  std::vector<Refusal> refusals;
  for (auto& fault : parsed.faults) refusals.push_back({fault.code, fault.text, fault.remedy});
  return refusals;
}

bool is_installed(const fs::path& file, const PluginPolicy& policy) {
  std::error_code error;
  return !policy.installed_directory.empty() && fs::equivalent(file.parent_path(), policy.installed_directory, error);
}

std::vector<Refusal> check_policy(const fs::path& file, const PluginDescriptor& descriptor,
                                  const PluginPolicy& policy) {
  std::vector<Refusal> refusals;
  const auto& id = descriptor.id;
  const bool is_override = !policy.safe_mode && policy.dev_overrides.contains(id);
  if (policy.denied.contains(id)) {
    refusals.push_back({"AA-P401", "plugin " + id + " is denied by the configuration", "take it out of plugins.deny"});
  }
  if (!policy.allowed.empty() && !policy.allowed.contains(id)) {
    refusals.push_back({"AA-P402", "plugin " + id + " is not on the list of what is allowed",
                        "add it to plugins.allow, or remove the file"});
  }
  if (policy.safe_mode && !is_installed(file, policy)) {
    refusals.push_back({"AA-P404", "safe mode: only plugins in " + name(policy.installed_directory) + " are loaded",
                        "run without --safe-mode"});
  }
  constexpr std::string_view kReserved = "org.autoarchive.";
  if (id.starts_with(kReserved) && !policy.installed_directory.empty() && !is_installed(file, policy) && !is_override) {
    refusals.push_back({"AA-P405", "the id " + id + " is reserved for plugins in " + name(policy.installed_directory),
                        "give the plugin another id, or name the file in plugins.dev_overrides while you work on it"});
  }
  const auto pin = policy.pins.find(id);
  if (pin != policy.pins.end() && !pin->second.sha256.empty() && !is_override)
    check_sha256(file, pin->second, refusals);
  return refusals;
}

std::vector<Refusal> check_abi(const PluginDescriptor& descriptor) {
  static const auto host = parse_descriptor(AA_FINGERPRINT).descriptor;
  std::vector<Refusal> refusals;
  const auto refuse = [&](const char* code, const char* key, const char* remedy) {
    const auto theirs = descriptor.value(key);
    const auto ours = host.value(key);
    refusals.push_back(
        {code, std::string(key) + ": plugin " + quote(theirs) + ", host " + quote(ours), remedy, key, theirs, ours});
  };
  constexpr bool kHaveSettled = AUTOARCHIVE_ABI_EPOCH != 0U;
  for (const auto& field : kAbiFields) {
    if (kHaveSettled && std::string_view(field.key) == "abi.headers") continue;  // the epoch says it all
    if (descriptor.value(field.key) != host.value(field.key)) refuse(field.code, field.key, field.remedy);
  }
  constexpr auto kRelease = "abi.library_release";
  if (as_number(descriptor.value(kRelease)) > as_number(host.value(kRelease)))
    refuse("AA-P504", kRelease, "build the plugin with a C++ library that is not newer than the host's");
  return refusals;
}

}  // namespace autoarchive
