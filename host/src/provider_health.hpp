/// \file
/// How the code of providers behaves, and the boundary behind which it runs.
#pragma once

#include <exception>
#include <map>
#include <string>

#include "autoarchive/base/error.hpp"

namespace autoarchive::host {

/// How often providers have broken their contract in this run. Not thread-safe.
class ProviderHealth {
 public:
  /// So many times in a row, and a provider is not asked any more.
  static constexpr int kFaultyAfter = 3;

  /// Calls `call`, which is the provider's code. What it throws that is no Error becomes one, with its text copied
  /// here, and is counted.
  template <class Call>
  auto guarded(const std::string& provider_id, const Call& call) {
    std::string text;
    try {
      return call();
    } catch (const Error&) {
      throw;
    } catch (const std::exception& failure) {
      text = failure.what();
    } catch (...) {
      text = "an exception that is no std::exception";
    }
    throw failed(provider_id, text);
  }

  /// The provider has done what it is there for: what was counted is forgotten.
  void succeeded(const std::string& provider_id);
  /// Why it is not asked any more, e.g. "AA-P704 it has failed 3 times in a row, last with 'no memory'"; empty: it is.
  [[nodiscard]] std::string fault(const std::string& provider_id) const;

 private:
  /// Counts, and returns what to throw.
  [[nodiscard]] Error failed(const std::string& provider_id, const std::string& text);

  struct Failures {
    int in_a_row = 0;
    std::string last;
  };
  std::map<std::string, Failures> failures_;
};

}  // namespace autoarchive::host
