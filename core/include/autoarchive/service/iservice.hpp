/// \file
/// The marker that every provider of a service derives from.
#pragma once

#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// A provider of some service. Made by the ServiceAccessor, destroyed when the last user lets go of it.
class AA_EXPORT IService {
 public:
  IService() = default;
  IService(const IService&) = delete;
  IService& operator=(const IService&) = delete;
  virtual ~IService();
};

}  // namespace autoarchive
