/// \file
/// Names a service, and what its providers and their identifications have to be.
#pragma once

#include <string_view>
#include <typeindex>
#include <typeinfo>

#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// Tells the providers of one service apart and answers what they can do without one being made.
/// Immutable once registered, so thread-safe.
class AA_EXPORT IProviderIdentification {
 public:
  IProviderIdentification() = default;
  IProviderIdentification(const IProviderIdentification&) = delete;
  IProviderIdentification& operator=(const IProviderIdentification&) = delete;
  virtual ~IProviderIdentification();

  /// Unique among the providers of a service, e.g. "tar-internal".
  [[nodiscard]] virtual std::string_view provider_id() const noexcept = 0;
  /// Two identifications are the same if they mean the same provider; the default compares provider_id().
  [[nodiscard]] virtual bool equals(const IProviderIdentification& other) const noexcept;
};

/// Identifies a service. Implementations are stateless; two objects with the same name() mean the same service.
class AA_EXPORT IServiceIdentification {
 public:
  IServiceIdentification() = default;
  IServiceIdentification(const IServiceIdentification&) = delete;
  IServiceIdentification& operator=(const IServiceIdentification&) = delete;
  virtual ~IServiceIdentification();

  /// The registry's key, e.g. "archiver".
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  /// The class that every provider must derive from.
  [[nodiscard]] virtual std::type_index interface() const noexcept = 0;
  /// The class that every provider identification must derive from; typeid(void) for a service that has one provider
  /// and accepts no identification.
  [[nodiscard]] virtual std::type_index provider_identification_interface() const noexcept = 0;
  /// Whether the object is of provider_identification_interface().
  [[nodiscard]] virtual bool accepts(const IProviderIdentification& identification) const noexcept = 0;
};

}  // namespace autoarchive
