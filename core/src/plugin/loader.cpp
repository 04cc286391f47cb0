#include "autoarchive/plugin/loader.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/dll/shared_library.hpp>
#include <list>
#include <mutex>
#include <system_error>

#include "autoarchive/base/text.hpp"
#include "autoarchive/plugin/abi.h"
#include "autoarchive/service/iservice_component.hpp"
#include "elf_file.hpp"
#include "gate.hpp"
#include "trial.hpp"

namespace autoarchive {
namespace {

namespace fs = std::filesystem;
using boost::dll::shared_library;

constexpr std::size_t kErrorBytes = 1024;

/// Sorted by name. After an error the list may be incomplete.
std::vector<fs::path> plugin_files(const fs::path& directory, std::error_code& error) {
  std::vector<fs::path> files;
  for (auto entry = fs::directory_iterator(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (entry->path().extension() == ".so") files.push_back(entry->path());
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.native() < b.native(); });
  return files;
}

using FileIdentity = std::pair<dev_t, ino_t>;

FileIdentity identity_of(const fs::path& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0 ? FileIdentity(status.st_dev, status.st_ino) : FileIdentity();
}

/// Libraries are never unloaded: a provider, a type or a thread of a plugin may outlive everything else. The list is
/// never destroyed, so that the end of the process unloads none either.
struct KeptLibrary {
  FileIdentity file;
  shared_library library;
};
std::mutex kept_mutex;
std::list<KeptLibrary>& kept_libraries() {
  static auto& kept = *new std::list<KeptLibrary>;
  return kept;
}

/// Null if it is not loaded yet.
const shared_library* find_kept(const FileIdentity& file) {
  const std::lock_guard lock(kept_mutex);
  for (const auto& kept : kept_libraries()) {
    if (kept.file == file) return &kept.library;
  }
  return nullptr;
}

const shared_library* keep_loaded(const FileIdentity& file, shared_library library) {
  const std::lock_guard lock(kept_mutex);
  return &kept_libraries().emplace_back(KeptLibrary{file, std::move(library)}).library;
}

Refusal load_failure(const std::string& text) {
  // The dynamic linker's words for a library that is needed and not there; nothing has run then.
  if (text.find("cannot open shared object file") != std::string::npos)
    return {"AA-P206", "a library that it needs is missing: " + escaped(text), "install the package that has it"};
  return {"AA-P601", "it can't be loaded: " + escaped(text), "rebuild the plugin, or install what it needs"};
}

using Provider = std::pair<std::string, std::string>;  // service, id

std::set<Provider> declared_providers(const PluginDescriptor& descriptor) {
  std::set<Provider> providers;
  for (const auto& provider : descriptor.providers) providers.emplace(provider.service, provider.id);
  return providers;
}

}  // namespace

struct PluginLoader::State {
  struct Loaded {
    const autoarchive_plugin* plugin;
    IServiceComponent* component;
    std::size_t report;
  };

  State(ApplicationContext& given_context, ServiceAccessor& given_accessor)
      : context(given_context), accessor(given_accessor) {}

  void look_into(const PluginDirectory& directory);
  void report_unsearched(const PluginDirectory& directory, const std::error_code& error);
  void look_at_pins(const std::map<std::string, PluginPin>& pins, bool are_overrides);
  void look_at(const fs::path& file, const std::string& named_by, const std::string& pinned_id = {},
               bool is_override = false);
  /// All stages before loading.
  void check(PluginReport& report, const std::string& pinned_id) const;
  void check_others(PluginReport& report) const;
  void load(std::size_t index);
  const autoarchive_plugin* open(PluginReport& report) const;
  void start(const autoarchive_plugin& plugin, std::size_t index);
  static void check_registered(const ServiceAccessor::Staging& staging, PluginReport& report);

  ApplicationContext& context;
  ServiceAccessor& accessor;
  PluginPolicy policy;
  std::vector<PluginReport> reports;
  std::set<fs::path> seen;  // a file or directory that is named twice is looked at once
  std::vector<Loaded> loaded;
};

void PluginLoader::State::check(PluginReport& report, const std::string& pinned_id) const {
  auto& refusals = report.refusals;
  refusals = check_file(report.file);
  const auto elf = read_elf(report.file);
  if (refusals.empty()) refusals = check_elf(report.file, elf);
  // Read in any case: so it can be said what a refused plugin would do.
  const auto faults = check_note(report.file, elf, report.descriptor);
  if (refusals.empty()) refusals = faults;
  if (!refusals.empty()) return;
  refusals = check_policy(report.file, report.descriptor, policy);
  if (!pinned_id.empty() && report.id() != pinned_id) {
    refusals.push_back({"AA-P406", "id: file " + quote(report.id()) + ", " + report.named_by + " " + quote(pinned_id),
                        "correct the path", "id", report.id(), pinned_id});
  }
  if (refusals.empty()) refusals = check_abi(report.descriptor);
  if (refusals.empty()) check_others(report);
}

void PluginLoader::State::check_others(PluginReport& report) const {
  const auto declared = declared_providers(report.descriptor);
  for (const auto& other : reports) {
    if (!other.is_usable()) continue;
    if (other.id() == report.id()) {
      report.state = PluginState::shadowed;
      report.shadowed_by = other.file.native();
      return;
    }
    for (const auto& provider : declared_providers(other.descriptor)) {
      if (!declared.contains(provider)) continue;
      report.refusals.push_back({"AA-P606",
                                 "provider " + provider.second + " of service " + provider.first +
                                     " is there already, from " + quote(other.file.native()),
                                 "remove one of the two plugins, or deny it in plugins.deny"});
    }
  }
}

void PluginLoader::State::look_at(const fs::path& file, const std::string& named_by, const std::string& pinned_id,
                                  bool is_override) {
  PluginReport report;
  report.file = file;
  report.named_by = named_by;
  report.is_dev_override = is_override;
  check(report, pinned_id);
  if (report.refusals.empty() && report.state != PluginState::shadowed) report.state = PluginState::accepted;
  reports.push_back(std::move(report));
}

void PluginLoader::State::look_at_pins(const std::map<std::string, PluginPin>& pins, bool are_overrides) {
  for (const auto& [id, pin] : pins) {
    if (pin.file.empty()) continue;
    std::error_code error;
    const auto real = fs::canonical(pin.file, error);
    if (!error && !seen.insert(real).second) continue;
    look_at(pin.file, pin.named_by, id, are_overrides);
  }
}

void PluginLoader::State::report_unsearched(const PluginDirectory& directory, const std::error_code& error) {
  const bool is_default = directory.named_by.empty();
  if (is_default && error == std::errc::no_such_file_or_directory) return;
  PluginReport report;
  report.file = directory.path;
  report.named_by = directory.named_by;
  report.state = PluginState::unsearched;
  report.refusals.push_back({"AA-P105",
                             (is_default ? "" : "named by " + directory.named_by + ", ") +
                                 "it can't be read as a directory: " + error.message(),
                             is_default ? "make it readable" : "create it or make it readable, or don't name it"});
  reports.push_back(std::move(report));
}

void PluginLoader::State::look_into(const PluginDirectory& directory) {
  std::error_code error;
  const auto real = fs::canonical(directory.path, error);
  if (!error && !seen.insert(real).second) return;
  std::error_code ignored;  // a plugin that is missing is refused as one
  if (directory.path.extension() == ".so" && !fs::is_directory(directory.path, ignored))
    return look_at(directory.path, directory.named_by);
  std::vector<fs::path> files;
  if (!error) files = plugin_files(directory.path, error);
  if (error) report_unsearched(directory, error);
  for (const auto& file : files) {
    if (!seen.contains(fs::canonical(file, ignored)) || ignored) look_at(file, directory.named_by);
  }
}

const autoarchive_plugin* PluginLoader::State::open(PluginReport& report) const {
  const auto identity = identity_of(report.file);
  const auto* library = find_kept(identity);
  if (library == nullptr) {
    const auto failure = is_installed(report.file, policy) ? std::string() : try_loading(report.file);
    if (!failure.empty()) {
      report.refusals.push_back(load_failure(failure));
      return nullptr;
    }
    shared_library opened;
    try {
      opened.load(fs::absolute(report.file), boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    } catch (const std::exception& thrown) {
      report.refusals.push_back(load_failure(thrown.what()));
      return nullptr;
    }
    library = keep_loaded(identity, std::move(opened));
  }
  if (!library->has(AUTOARCHIVE_PLUGIN_ENTRY_NAME)) {
    report.refusals.push_back(
        {"AA-P602",
         quote(report.file.native()) + " has a plugin's note, but does not export " + AUTOARCHIVE_PLUGIN_ENTRY_NAME,
         "build it with aa_add_plugin() and AA_PLUGIN()"});
    return nullptr;
  }
  const auto* plugin = library->get<const autoarchive_plugin*()>(AUTOARCHIVE_PLUGIN_ENTRY_NAME)();
  const auto elf = read_elf(report.file);
  if (plugin == nullptr || plugin->struct_size < sizeof(autoarchive_plugin) || plugin->descriptor == nullptr ||
      plugin->create_component == nullptr || plugin->destroy_component == nullptr) {
    report.refusals.push_back({"AA-P603", "its entry returns no complete plugin", "build it with this SDK"});
  } else if (plugin->abi_kind != AUTOARCHIVE_ABI_KIND_CXX || plugin->abi_epoch != AUTOARCHIVE_ABI_EPOCH ||
             std::string_view(plugin->descriptor, plugin->descriptor_size) != elf.descriptor) {
    report.refusals.push_back({"AA-P603", "the descriptor in its code differs from the one in its note",
                               "rebuild the plugin with AA_PLUGIN(), which makes both of one text"});
  } else if (identity_of(report.file) != identity) {
    report.refusals.push_back({"AA-P603", "it was replaced while it was loaded", "start again"});
  }
  return report.refusals.empty() ? plugin : nullptr;
}

void PluginLoader::State::check_registered(const ServiceAccessor::Staging& staging, PluginReport& report) {
  const auto declared = declared_providers(report.descriptor);
  std::set<Provider> registered;
  for (const auto& provider : staging.staged()) registered.insert(provider);
  const auto complain = [&](const Provider& provider, const char* what) {
    report.refusals.push_back({"AA-P605",
                               "provider " + provider.second + " of service " + provider.first + " is " + what,
                               "make the descriptor and the component say the same"});
  };
  for (const auto& provider : declared) {
    if (!registered.contains(provider)) complain(provider, "declared, but was not registered");
  }
  for (const auto& provider : registered) {
    if (!declared.contains(provider)) complain(provider, "registered, but not declared");
  }
}

void PluginLoader::State::start(const autoarchive_plugin& plugin, std::size_t index) {
  auto& report = reports[index];
  ServiceAccessor::Staging staging(accessor);
  std::array<char, kErrorBytes> error{};
  auto* component =
      static_cast<IServiceComponent*>(plugin.create_component(&context, &accessor, error.data(), error.size()));
  if (component == nullptr) {
    report.refusals.push_back(
        {"AA-P604", "its component failed: " + escaped(error.data()), "see the plugin's documentation"});
    return;
  }
  check_registered(staging, report);
  if (report.refusals.empty()) {
    try {
      staging.commit();
    } catch (const std::exception& failure) {
      report.refusals.push_back({"AA-P606", escaped(failure.what()), "remove one of the two plugins"});
    }
  }
  if (!report.refusals.empty()) {
    plugin.destroy_component(component);
    return;
  }
  report.state = PluginState::loaded;
  loaded.push_back({&plugin, component, index});
}

void PluginLoader::State::load(std::size_t index) {
  auto& report = reports[index];
  report.state = PluginState::refused;
  try {
    if (const auto* plugin = open(report)) start(*plugin, index);
  } catch (...) {  // the plugin's code may throw anything, and must not keep the others from being looked at
    report.refusals.push_back({"AA-P604", "its entry failed with an exception", "see the plugin's documentation"});
  }
}

PluginLoader::PluginLoader(ApplicationContext& context, ServiceAccessor& accessor)
    : state_(std::make_unique<State>(context, accessor)) {}

PluginLoader::~PluginLoader() {
  destroy_services();
}

void PluginLoader::discover(const PluginPolicy& policy) {
  state_->policy = policy;
  if (!policy.safe_mode) state_->look_at_pins(policy.dev_overrides, /*are_overrides=*/true);
  state_->look_at_pins(policy.pins, /*are_overrides=*/false);
  for (const auto& directory : policy.directories) state_->look_into(directory);
}

void PluginLoader::load_providers(const ProviderQuery& wanted) {
  for (std::size_t i = 0; i < state_->reports.size(); ++i) {
    const auto& report = state_->reports[i];
    const auto& providers = report.descriptor.providers;
    const bool is_wanted =
        std::any_of(providers.begin(), providers.end(), [&](const auto& provider) { return wanted.matches(provider); });
    if (is_wanted && report.state == PluginState::accepted) state_->load(i);
  }
}

void PluginLoader::load(const PluginPolicy& policy) {
  discover(policy);
  load_providers({});
}

const std::vector<PluginReport>& PluginLoader::reports() const noexcept {
  return state_->reports;
}

void PluginLoader::destroy_services() {
  while (!state_->loaded.empty()) {
    const auto last = state_->loaded.back();
    state_->loaded.pop_back();
    auto& report = state_->reports[last.report];
    report.state = PluginState::taken_back;
    try {
      last.component->destroy_services();
    } catch (const std::exception& failure) {
      report.refusals.push_back(
          {"AA-P604", "destroy_services failed: " + escaped(failure.what()), "see the plugin's documentation"});
    } catch (...) {
      report.refusals.push_back({"AA-P604", "destroy_services failed", "see the plugin's documentation"});
    }
    last.plugin->destroy_component(last.component);
  }
}

bool ProviderQuery::matches(const ProviderDeclaration& provider) const {
  return (service.empty() || provider.service == service) && (id.empty() || provider.id == id) &&
         (type.empty() || provider.features.empty() || provider.features.contains(type));
}

std::string_view to_string(PluginState state) noexcept {
  constexpr std::array<std::string_view, 6> kWords{"accepted", "loaded",     "refused",
                                                   "shadowed", "taken back", "unsearched"};
  const auto index = static_cast<std::size_t>(state);
  return index < kWords.size() ? kWords[index] : "refused";
}

}  // namespace autoarchive
