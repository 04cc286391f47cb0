#include "provider_health.hpp"

#include <fmt/format.h>

#include "autoarchive/base/text.hpp"

namespace autoarchive::host {

Error ProviderHealth::failed(const std::string& provider_id, const std::string& text) {
  auto& failures = failures_[provider_id];
  ++failures.in_a_row;
  failures.last = text;
  return {ErrorCode::runtime_error,
          fmt::format("provider {} has failed with {}, which is a fault of its plugin; tell its author, or use another "
                      "provider",
                      quote(provider_id), quote(text))};
}

void ProviderHealth::succeeded(const std::string& provider_id) {
  failures_.erase(provider_id);
}

std::string ProviderHealth::fault(const std::string& provider_id) const {
  const auto found = failures_.find(provider_id);
  if (found == failures_.end() || found->second.in_a_row < kFaultyAfter) return {};
  return fmt::format("AA-P704 it has failed {} times in a row, last with {}", found->second.in_a_row,
                     quote(found->second.last));
}

}  // namespace autoarchive::host
