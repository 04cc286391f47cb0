#include "output/secret_mask.hpp"

#include <mutex>
#include <set>
#include <utility>

#include "autoarchive/base/text.hpp"

namespace autoarchive::host {
namespace {

// One secret may be the beginning of another.
struct LongestFirst {
  bool operator()(const std::string& a, const std::string& b) const {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  }
};

struct Hidden {
  std::mutex mutex;
  std::set<std::string, LongestFirst> forms;  // guarded by mutex
};

Hidden& hidden() {
  static Hidden all;
  return all;
}

bool is_anything_hidden() {
  auto& all = hidden();
  const std::lock_guard lock(all.mutex);
  return !all.forms.empty();
}

}  // namespace

void hide_secret(const std::string& secret) {
  const auto quoted_text = quote(secret);
  const auto json = Json(secret).dump();
  auto& all = hidden();
  const std::lock_guard lock(all.mutex);
  for (const auto& form :
       {secret, escaped(secret), quoted_text.substr(1, quoted_text.size() - 2), json.substr(1, json.size() - 2)}) {
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

Json document_without_secrets(Json value) {
  if (!is_anything_hidden()) return value;
  if (const auto* text = value.as_text()) return without_secrets(std::string_view(*text));
  if (const auto* array = value.as_array()) {
    Json::Array shown;
    for (const auto& element : *array) shown.push_back(document_without_secrets(element));
    return shown;
  }
  if (const auto* object = value.as_object()) {
    Json::Object shown;
    for (const auto& [name, member] : *object) shown.emplace_back(name, document_without_secrets(member));
    return shown;
  }
  return value;
}

}  // namespace autoarchive::host
