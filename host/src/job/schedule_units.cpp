#include "job/schedule_units.hpp"

#include <fmt/format.h>

namespace autoarchive::host {
namespace {

// "%" is a specifier in every value.
std::string unit_text(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '%' ? "%%" : std::string(1, c);
  return out;
}

std::string exec_start(const ArchiveConfig& archive, const UnitProgram& program) {
  std::string line;
  for (const auto& word : std::vector<std::string>{program.executable, "--config", program.config, "--progress", "none",
                                                   "--lock-wait", "1h", "create", archive.name})
    line += (line.empty() ? "" : " ") + unit_word(word);
  return line;
}

// What a backup needs not to be able to do. A hook may mount: it gets more.
std::string hardening(const Config& config, const ArchiveConfig& archive) {
  std::string text =
      "LockPersonality=yes\n"
      "ProtectClock=yes\n"
      "ProtectKernelLogs=yes\n"
      "RestrictRealtime=yes\n"
      "RestrictSUIDSGID=no\n"
      "UMask=0077\n";
  if (!archive.hooks.empty() || !config.hooks.empty()) return text;
  text += fmt::format(
      "NoNewPrivileges=yes\n"
      "ProtectSystem=strict\n"
      "ReadWritePaths={} {}\n"
      "ProtectKernelModules=yes\n"
      "ProtectKernelTunables=yes\n"
      "ProtectControlGroups=yes\n"
      "RestrictNamespaces=yes\n"
      "SystemCallArchitectures=native\n",
      unit_word(archive.destination), unit_word("-" + config.state_dir.native()));
  return text + "CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE CAP_FOWNER CAP_SYS_NICE\n";
}

std::string priorities(const Config& config) {
  std::string text;
  if (config.nice) text += fmt::format("Nice={}\n", *config.nice);
  if (!config.ionice.empty()) text += fmt::format("IOSchedulingClass={}\n", config.ionice);
  return text;
}

UnitFile service(const Config& config, const ArchiveConfig& archive, const UnitProgram& program) {
  return {fmt::format("autoarchive-{}.service", archive.name),
          fmt::format("{}\n"
                      "[Unit]\n"
                      "Description=Backup of {} by AutoArchive\n"
                      "Documentation=man:aa(1)\n"
                      "After=local-fs.target remote-fs.target\n"
                      "\n"
                      "[Service]\n"
                      "Type=oneshot\n"
                      "NotifyAccess=main\n"
                      "ExecStart={}\n"
                      "# 1: done, with warnings; 75: not now.\n"
                      "SuccessExitStatus=1 75\n"
                      "TimeoutStartSec=infinity\n"
                      "{}{}",
                      kUnitMark, archive.name, exec_start(archive, program), priorities(config),
                      hardening(config, archive))};
}

UnitFile timer(const ArchiveConfig& archive) {
  return {fmt::format("autoarchive-{}.timer", archive.name),
          fmt::format("{}\n"
                      "[Unit]\n"
                      "Description=When {} is backed up by AutoArchive\n"
                      "Documentation=man:aa(1)\n"
                      "\n"
                      "[Timer]\n"
                      "OnCalendar={}\n"
                      "Persistent=true\n"
                      "\n"
                      "[Install]\n"
                      "WantedBy=timers.target\n",
                      kUnitMark, archive.name, unit_text(archive.schedule))};
}

}  // namespace

std::string unit_word(const std::string& word) {
  std::string out = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '%' || c == '$') out += c;
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return out + "\"";
}

std::vector<UnitFile> schedule_units(const Config& config, const ArchiveConfig& archive, const UnitProgram& program) {
  return {service(config, archive, program), timer(archive)};
}

}  // namespace autoarchive::host
