#include "output/secret_mask.hpp"

#include <mutex>
#include <set>

#include "autoarchive/base/text.hpp"
#include "output/json.hpp"

namespace autoarchive::host {
namespace {

struct Hidden {
  std::mutex mutex;
  std::set<std::string> forms;  // guarded by mutex
};

Hidden& hidden() {
  static Hidden all;
  return all;
}

}  // namespace

void hide_secret(const std::string& secret) {
  const auto json = Json(secret).dump();
  auto& all = hidden();
  const std::lock_guard lock(all.mutex);
  for (const auto& form : {secret, escaped(secret), json.substr(1, json.size() - 2)}) {
    if (!form.empty()) all.forms.insert(form);
  }
}

std::string without_secrets(std::string_view text) {
  constexpr std::string_view kShown = "(secret)";
  std::string out(text);
  auto& all = hidden();
  const std::lock_guard lock(all.mutex);
  for (const auto& secret : all.forms) {
    for (auto at = out.find(secret); at != std::string::npos; at = out.find(secret, at + kShown.size()))
      out.replace(at, secret.size(), kShown);
  }
  return out;
}

}  // namespace autoarchive::host
