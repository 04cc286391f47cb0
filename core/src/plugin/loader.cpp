#include "autoarchive/plugin/loader.hpp"

#include <algorithm>
#include <array>
#include <boost/dll/shared_library.hpp>
#include <list>
#include <mutex>
#include <system_error>

#include "autoarchive/base/text.hpp"
#include "autoarchive/plugin/abi.h"
#include "autoarchive/plugin/descriptor.hpp"
#include "autoarchive/service/iservice_component.hpp"
#include "gate.hpp"

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

// Never unloaded: a provider, a type or a thread of the plugin may outlive everything else. The list is never
// destroyed, so that the end of the process unloads none either.
const shared_library& keep_loaded(shared_library library) {
  static std::mutex mutex;
  static auto& kept = *new std::list<shared_library>;
  const std::lock_guard lock(mutex);
  return kept.emplace_back(std::move(library));
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

  void report_unsearched(const PluginDirectory& directory, const std::error_code& error);
  void consider(const fs::path& file, const PluginPolicy& policy);
  /// Null, with the refusals in the report, if it must not be used.
  const autoarchive_plugin* open(const fs::path& file, const PluginPolicy& policy, PluginReport& report);
  bool is_shadowed(PluginReport& report) const;
  void start(const autoarchive_plugin& plugin, const PluginDescriptor& descriptor, PluginReport& report);
  bool check_registered(const std::set<Provider>& declared, const ServiceAccessor::Staging& staging,
                        PluginReport& report) const;

  ApplicationContext& context;
  ServiceAccessor& accessor;
  std::vector<PluginReport> reports;
  std::vector<Loaded> loaded;
  std::set<Provider> providers;
  PluginDescriptor descriptor;  // of the plugin that is being considered
};

const autoarchive_plugin* PluginLoader::State::open(const fs::path& file, const PluginPolicy& policy,
                                                    PluginReport& report) {
  report.refusals = check_file(file);
  if (report.refusals.empty()) report.refusals = check_elf(file);
  if (report.refusals.empty()) report.refusals = check_place(file, policy);  // before any of its code runs
  if (!report.refusals.empty()) return nullptr;

  boost::dll::fs::error_code error;
  shared_library opened(file, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local, error);
  if (error) {
    try {  // only the throwing form has dlopen's text
      opened.load(file, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    } catch (const std::exception& failure) {
      report.refusals.push_back({"AA-P601", escaped(failure.what()), "rebuild the plugin, or install what it needs"});
      return nullptr;
    }
  }
  const auto& library = keep_loaded(std::move(opened));
  if (!library.has(AUTOARCHIVE_PLUGIN_ENTRY_NAME)) {
    report.refusals.push_back({"AA-P602",
                               quote(file.native()) + " is a shared library, but not an AutoArchive plugin (no " +
                                   AUTOARCHIVE_PLUGIN_ENTRY_NAME + ")",
                               "build it with aa_add_plugin() and AA_PLUGIN()"});
    return nullptr;
  }
  const auto* plugin = library.get<const autoarchive_plugin*()>(AUTOARCHIVE_PLUGIN_ENTRY_NAME)();
  if (plugin == nullptr || plugin->struct_size < sizeof(autoarchive_plugin) || plugin->descriptor == nullptr ||
      plugin->create_component == nullptr || plugin->destroy_component == nullptr) {
    report.refusals.push_back(
        {"AA-P302", quote(file.native()) + ": the entry returns no complete plugin", "build it with this SDK"});
    return nullptr;
  }
  auto parsed = parse_descriptor({plugin->descriptor, plugin->descriptor_size});
  descriptor = std::move(parsed.descriptor);
  report.id = descriptor.id;
  report.version = descriptor.version;
  for (const auto& provider : descriptor.providers) report.providers.push_back(provider.id);
  for (auto& fault : parsed.faults) report.refusals.push_back({fault.code, fault.text, fault.remedy});
  if (report.refusals.empty()) report.refusals = check_policy(descriptor, policy);
  if (report.refusals.empty()) report.refusals = check_abi(descriptor);
  if (report.refusals.empty() &&
      (plugin->abi_kind != AUTOARCHIVE_ABI_KIND_CXX || plugin->abi_epoch != AUTOARCHIVE_ABI_EPOCH)) {
    report.refusals.push_back({"AA-P603", "the descriptor says another ABI than the entry", "rebuild the plugin"});
  }
  return report.refusals.empty() ? plugin : nullptr;
}

bool PluginLoader::State::is_shadowed(PluginReport& report) const {
  const auto first = std::find_if(reports.begin(), reports.end(), [&](const auto& other) {
    return other.state == PluginState::loaded && other.id == report.id;
  });
  if (first == reports.end()) return false;
  report.state = PluginState::shadowed;
  report.shadowed_by = first->file;
  return true;
}

bool PluginLoader::State::check_registered(const std::set<Provider>& declared, const ServiceAccessor::Staging& staging,
                                           PluginReport& report) const {
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
  return report.refusals.empty();
}

void PluginLoader::State::start(const autoarchive_plugin& plugin, const PluginDescriptor& plugin_descriptor,
                                PluginReport& report) {
  const auto declared = declared_providers(plugin_descriptor);
  for (const auto& provider : declared) {
    if (!providers.contains(provider)) continue;
    report.refusals.push_back({"AA-P606",
                               "provider " + provider.second + " of service " + provider.first + " is there already",
                               "remove one of the two plugins, or deny it in plugins.deny"});
  }
  if (!report.refusals.empty()) return;
  ServiceAccessor::Staging staging(accessor);
  std::array<char, kErrorBytes> error{};
  auto* component =
      static_cast<IServiceComponent*>(plugin.create_component(&context, &accessor, error.data(), error.size()));
  if (component == nullptr) {
    report.refusals.push_back(
        {"AA-P604", "its component failed: " + escaped(error.data()), "see the plugin's documentation"});
    return;
  }
  if (!check_registered(declared, staging, report)) {
    plugin.destroy_component(component);
    return;
  }
  try {
    staging.commit();
  } catch (const std::exception& failure) {
    report.refusals.push_back({"AA-P606", escaped(failure.what()), "remove one of the two plugins"});
    plugin.destroy_component(component);
    return;
  }
  providers.insert(declared.begin(), declared.end());
  report.state = PluginState::loaded;
  loaded.push_back({&plugin, component, reports.size()});
}

void PluginLoader::State::consider(const fs::path& file, const PluginPolicy& policy) {
  PluginReport report;
  report.file = file;
  try {
    const auto* plugin = open(file, policy, report);
    if (plugin != nullptr && !is_shadowed(report)) start(*plugin, descriptor, report);
  } catch (...) {  // the plugin's code may throw anything, and must not keep the others from being looked at
    report.refusals.push_back({"AA-P604", "its entry failed with an exception", "see the plugin's documentation"});
  }
  reports.push_back(std::move(report));
}

void PluginLoader::State::report_unsearched(const PluginDirectory& directory, const std::error_code& error) {
  const bool is_default = directory.named_by.empty();
  if (is_default && error == std::errc::no_such_file_or_directory) return;
  PluginReport report;
  report.file = directory.path;
  report.state = PluginState::unsearched;
  report.refusals.push_back({"AA-P105",
                             (is_default ? "" : "named by " + directory.named_by + ", ") +
                                 "it can't be read as a directory: " + error.message(),
                             is_default ? "make it readable" : "create it or make it readable, or don't name it"});
  reports.push_back(std::move(report));
}

PluginLoader::PluginLoader(ApplicationContext& context, ServiceAccessor& accessor)
    : state_(std::make_unique<State>(context, accessor)) {}

PluginLoader::~PluginLoader() {
  destroy_services();
}

void PluginLoader::load(const PluginPolicy& policy) {
  std::set<fs::path> seen;  // a directory that is given twice is looked at once
  for (const auto& directory : policy.directories) {
    std::error_code error;
    const auto real = fs::canonical(directory.path, error);
    if (!error && !seen.insert(real).second) continue;
    std::vector<fs::path> files;
    if (!error) files = plugin_files(directory.path, error);
    if (error) state_->report_unsearched(directory, error);
    for (const auto& file : files) state_->consider(file, policy);
  }
}

const std::vector<PluginReport>& PluginLoader::reports() const noexcept {
  return state_->reports;
}

void PluginLoader::destroy_services() {
  while (!state_->loaded.empty()) {
    const auto last = state_->loaded.back();
    state_->loaded.pop_back();
    try {
      last.component->destroy_services();
    } catch (const std::exception& failure) {
      state_->reports[last.report].refusals.push_back(
          {"AA-P604", "destroy_services failed: " + escaped(failure.what()), "see the plugin's documentation"});
    } catch (...) {
      state_->reports[last.report].refusals.push_back(
          {"AA-P604", "destroy_services failed", "see the plugin's documentation"});
    }
    last.plugin->destroy_component(last.component);
  }
}

}  // namespace autoarchive
