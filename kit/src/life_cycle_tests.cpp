// What a plugin does to the process that it lives in.
#include <dlfcn.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <clocale>
#include <thread>

#include "autoarchive/base/error.hpp"
#include "autoarchive/plugin/abi.h"
#include "autoarchive/service/iservice_component.hpp"
#include "tests.hpp"

namespace autoarchive::kit {
namespace {

namespace fs = std::filesystem;

std::size_t count_of(const char* directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

/// By name, all that code can leave behind in a process.
std::map<std::string, std::string> state_of_process() {
  std::map<std::string, std::string> state;
#ifndef __SANITIZE_THREAD__  // its runtime has a thread of its own as soon as there is a second one
  state["threads"] = std::to_string(count_of("/proc/self/task"));
#endif
  state["open descriptors"] = std::to_string(count_of("/proc/self/fd"));
  const auto mask = ::umask(0);
  ::umask(mask);
  state["umask"] = std::to_string(mask);
  state["current directory"] = fs::current_path();
  state["locale"] = std::setlocale(LC_ALL, nullptr);
  int status = 0;
  const auto child = ::waitpid(-1, &status, WNOHANG);
  state["child processes"] = child < 0 && errno == ECHILD ? "none" : "some";
  for (int number = 1; number < 32; ++number) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) == 0)
      state["handler of signal " + std::to_string(number)] =
          std::to_string(reinterpret_cast<std::uintptr_t>(action.sa_handler));
  }
  return state;
}

/// Empty: none. A thread that was joined is in the kernel's list a moment longer.
std::string changes_since(const std::map<std::string, std::string>& before) {
  std::string changed;
  for (const auto& [name, value] : state_of_process()) {
    if (before.at(name) != value)
      changed += (changed.empty() ? "" : "; ") + name + ": " + before.at(name) + " before, " + value + " after";
  }
  return changed;
}

}  // namespace

void made_and_destroyed_often(Rig& rig) {
  rig.load();  // from now on its code stays
  for (int i = 0; i < 100; ++i) {
    LoadedPlugin plugin;
    PluginPolicy policy;
    policy.directories = {{rig.subject().plugin, "the test"}};
    policy.installed_directory = fs::absolute(rig.subject().plugin).parent_path();
    plugin.loader.load(policy);
    const auto& report = plugin.loader.reports().front();
    require(report.state == PluginState::loaded, "time " + std::to_string(i + 1) + ": it was refused");
    plugin.loader.destroy_services();
    require(report.refusals.empty(), report.refusals.empty() ? "" : report.refusals.front().text);
  }
}

void two_at_once(Rig& rig) {
  auto& first = rig.load();
  auto& second = rig.load();
  first.loader.destroy_services();
  const auto& declared = second.loader.reports().front();
  require(declared.state == PluginState::loaded, "the second was taken back with the first");
  second.loader.destroy_services();
  require(declared.refusals.empty(), declared.refusals.empty() ? "" : declared.refusals.front().text);
}

void destroyed_twice(Rig& rig) {
  rig.load();
  void* const library = ::dlopen(fs::absolute(rig.subject().plugin).c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  require(library != nullptr, "it is not loaded");
  using Entry = const autoarchive_plugin* (*)();
  const auto entry = reinterpret_cast<Entry>(::dlsym(library, AUTOARCHIVE_PLUGIN_ENTRY_NAME));
  LoadedPlugin plugin;
  std::array<char, 256> error{};
  auto* component = static_cast<IServiceComponent*>(
      entry()->create_component(&plugin.context, &plugin.accessor, error.data(), error.size()));
  require(component != nullptr, error.data());
  component->destroy_services();
  std::string result = "nothing was thrown";
  try {
    component->destroy_services();
  } catch (const Error& thrown) {
    result = thrown.code() == ErrorCode::key_error ? "" : "it threw " + std::string(to_string(thrown.code()));
  }
  entry()->destroy_component(component);
  require(result.empty(), "a second destroy_services() has to throw Error(key_error): " + result);
}

void leaves_nothing_behind(Rig& rig) {
  rig.load().loader.destroy_services();  // what is only done once, such as opening the C library's own files
  const auto before = state_of_process();
  rig.load().loader.destroy_services();
  for (const auto& target : rig.targets()) {
    const auto root = rig.fresh("root");
    rig.write(root / "a", rig.content(1000));
    static_cast<void>(rig.archiver(target)->backup_files(rig.request(target, root, rig.fresh("destination"))));
  }
  auto changed = changes_since(before);
  for (int i = 0; i < 200 && !changed.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    changed = changes_since(before);
  }
  require(changed.empty(), changed);
}

}  // namespace autoarchive::kit
