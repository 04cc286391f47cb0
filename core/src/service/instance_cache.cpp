#include "instance_cache.hpp"

#include <exception>
#include <utility>

namespace autoarchive {

std::shared_ptr<IService> InstanceCache::find(Class type) const {
  const auto found = instances_.find(type);
  return found == instances_.end() ? nullptr : found->second;
}

bool InstanceCache::waits_for_this_thread(Class type) const {
  for (auto making = being_made_.find(type); making != being_made_.end(); making = being_made_.find(type)) {
    if (making->second.thread == std::this_thread::get_id()) return true;
    const auto next = waiting_.find(making->second.thread);
    if (next == waiting_.end()) return false;
    type = next->second;
  }
  return false;
}

void InstanceCache::wait_until_made(std::unique_lock<std::mutex>& lock, Class type) {
  waiting_[std::this_thread::get_id()] = type;
  made_.wait(lock, [&] { return !being_made_.contains(type); });
  waiting_.erase(std::this_thread::get_id());
}

std::shared_ptr<IService> InstanceCache::make(std::unique_lock<std::mutex>& lock, const ProviderClass& provider,
                                              const ProviderArguments& arguments) {
  being_made_[provider.type] = {std::this_thread::get_id()};
  lock.unlock();
  std::shared_ptr<IService> instance;
  std::exception_ptr failure;
  try {
    instance = provider.create(arguments);
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  const auto making = being_made_.find(provider.type);
  if (!failure && !making->second.taken_back) instances_[provider.type] = instance;
  being_made_.erase(making);
  lock.unlock();
  made_.notify_all();
  if (failure) std::rethrow_exception(failure);
  return instance;
}

std::shared_ptr<IService> InstanceCache::drop(Class type) {
  if (const auto making = being_made_.find(type); making != being_made_.end()) making->second.taken_back = true;
  const auto found = instances_.find(type);
  if (found == instances_.end()) return nullptr;
  auto instance = std::move(found->second);
  instances_.erase(found);
  return instance;
}

}  // namespace autoarchive
