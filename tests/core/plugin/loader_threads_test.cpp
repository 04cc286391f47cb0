// Plugins that come and go while many threads use them.
#include <atomic>
#include <thread>

#include "autoarchive/base/error.hpp"
#include "loader_fixture.hpp"

namespace autoarchive {
namespace {

namespace fs = std::filesystem;
using test::LoaderTest;
using test::text_of;

class LoaderThreadsTest : public LoaderTest {};

/// Makes an archiver of the plugin as often as it is there, and keeps the last one for good.
void ask_for_the_fixture(ServiceAccessor& accessor, const fs::path& state, const std::atomic<bool>& stop) {
  const ArchiverServiceIdentification service;
  std::shared_ptr<IArchiver> lease;
  while (!stop) {
    try {
      for (const auto& id : accessor.providers_identifications(service))
        lease = accessor.get_or_create(service, id.get(), {state, {}});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::key_error);  // taken back meanwhile
    }
    EXPECT_EQ(lease == nullptr ? 1U : lease->supported_backup_types().size(), 1U);
  }
}

TEST_F(LoaderThreadsTest, ServesThreadsThatAskWhileThePluginComesAndGoes) {
  put("good");
  auto policy = here();
  policy.installed_directory = plugins_;  // no trial: a process with many threads is not to be forked
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back(
        [&, state = directory_.make("state" + std::to_string(i))] { ask_for_the_fixture(accessor_, state, stop); });
  }
  for (int round = 0; round < 100; ++round) {
    PluginLoader loader(context_, accessor_);
    loader.load(policy);
    EXPECT_EQ(loader.reports().front().state, PluginState::loaded) << text_of(loader.reports());
    std::this_thread::yield();
    loader.destroy_services();
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(accessor_.is_registered(ArchiverServiceIdentification()));
}

TEST_F(LoaderThreadsTest, LoadsOnePluginForManyThreadsEachWithItsOwnRegistry) {
  put("good");
  auto policy = here();
  policy.installed_directory = plugins_;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      ApplicationContext context{{"test", {}, {}}, nullptr, nullptr};
      ServiceAccessor accessor;
      for (int round = 0; round < 20; ++round) {
        PluginLoader loader(context, accessor);
        loader.load(policy);
        EXPECT_TRUE(accessor.is_registered(ArchiverServiceIdentification()));
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace autoarchive
