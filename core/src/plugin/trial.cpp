#include "trial.hpp"

#include <dlfcn.h>
#include <string.h>
#include <sys/wait.h>

#include <chrono>
#include <string_view>

#include "autoarchive/base/child_answer.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/plugin/abi.h"

namespace autoarchive {
namespace {

// A machine that is suspended or overloaded must not make a good plugin a bad one.
constexpr std::chrono::seconds kTimeLimit{60};
// What the child says when all is well; a library that ends the process says nothing.
constexpr std::string_view kWell = "well";

// Never gets back to the host: what a constructor throws ends the child. It says "terminate called …" to nobody.
void load(const std::filesystem::path& library, int out) {
  void* const loaded = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loaded == nullptr) {
    write_answer(out, ::dlerror());
    return;
  }
  using Entry = const autoarchive_plugin* (*)();
  const auto entry = reinterpret_cast<Entry>(::dlsym(loaded, AUTOARCHIVE_PLUGIN_ENTRY_NAME));
  if (entry != nullptr) static_cast<void>(entry());
  write_answer(out, kWell);
}

std::string end_of_child(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return "it ended the process by signal " + std::to_string(number) + " (" + ::strsignal(number) + ")";
  }
  return "it ended the process with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

std::string try_loading(const std::filesystem::path& library) {
  try {
    const auto answer = ask_in_child({[&](int out) { load(library, out); }, kTimeLimit});
    if (answer.timed_out) return "it did not come back within " + std::to_string(kTimeLimit.count()) + " s";
    if (answer.text == kWell) return {};
    return answer.text.empty() ? end_of_child(answer.status) : answer.text;
  } catch (const Error& error) {
    return "it can't be tried: " + error.message();
  }
}

}  // namespace autoarchive
