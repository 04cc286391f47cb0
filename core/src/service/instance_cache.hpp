/// \file
/// The one instance of each provider class: there, being made, or waited for.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <typeinfo>

#include "autoarchive/service/service_accessor.hpp"

namespace autoarchive {

/// Guarded by its owner's mutex, which is never held while a provider's code runs: every call REQUIRES that lock, and
/// those that are given it let go of it meanwhile.
class InstanceCache {
 public:
  using Class = const std::type_info*;

  /// Null: it is not there yet.
  [[nodiscard]] std::shared_ptr<IService> find(Class type) const;
  [[nodiscard]] bool is_being_made(Class type) const { return being_made_.contains(type); }
  /// Whether the one who makes it waits, over any number of others, for this very thread.
  [[nodiscard]] bool waits_for_this_thread(Class type) const;
  void wait_until_made(std::unique_lock<std::mutex>& lock, Class type);
  /// Makes and keeps it; the lock is gone on return. What the constructor throws passes through, and nothing is kept.
  [[nodiscard]] std::shared_ptr<IService> make(std::unique_lock<std::mutex>& lock, const ProviderClass& provider,
                                               const ProviderArguments& arguments);
  /// Forgets it, or what is being made of it. Destroy the result without the lock: that is a plugin's code.
  [[nodiscard]] std::shared_ptr<IService> drop(Class type);

 private:
  struct Making {
    std::thread::id thread;
    bool taken_back = false;  // meanwhile: what comes out is not kept
  };
  std::map<Class, std::shared_ptr<IService>> instances_;
  std::map<Class, Making> being_made_;
  std::map<std::thread::id, Class> waiting_;  // who waits for what to be made
  std::condition_variable made_;
};

}  // namespace autoarchive
