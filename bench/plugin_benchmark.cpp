// What plugins cost that are there: reading one descriptor, 100 that nobody needs, a routed request, an event.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "autoarchive/archiver/router.hpp"
#include "autoarchive/plugin/loader.hpp"
#include "events/backup_events.hpp"
#include "plugin/elf_file.hpp"

namespace autoarchive {
namespace {

namespace fs = std::filesystem;

const fs::path kPlugin = fs::path(AA_PLUGIN_DIR) / "tar-internal.so";

/// Every `old` becomes `fresh`, which has the same length.
void replace_all(std::string& bytes, const std::string& old, const std::string& fresh) {
  for (auto at = bytes.find(old); at != std::string::npos; at = bytes.find(old, at))
    bytes.replace(at, old.size(), fresh);
}

/// A directory of its own with so many plugins, each with an id and providers of its own.
class PluginFolder {
 public:
  explicit PluginFolder(std::int64_t count) {
    // Beside the plugin, so that links and the path's owners are as where plugins are installed.
    std::string pattern = kPlugin.parent_path() / "benchmark-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
    std::ifstream in(kPlugin, std::ios::binary);
    const std::string original{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    for (std::int64_t i = 0; i < count; ++i) {
      const auto number = std::to_string(1000 + i);
      auto bytes = original;
      replace_all(bytes, "tar-internal", "tar-" + number + "-int");
      replace_all(bytes, "tar-reader", "tar-rd" + number);
      std::ofstream(path_ / (number + ".so"), std::ios::binary) << bytes;
    }
  }
  PluginFolder(const PluginFolder&) = delete;
  PluginFolder& operator=(const PluginFolder&) = delete;
  ~PluginFolder() { fs::remove_all(path_); }
  [[nodiscard]] const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

void descriptor_is_read_and_parsed(benchmark::State& state) {
  while (state.KeepRunning()) {
    const auto elf = read_elf(kPlugin);
    if (!elf.descriptor) return state.SkipWithError("no note");
    benchmark::DoNotOptimize(parse_descriptor(*elf.descriptor));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(descriptor_is_read_and_parsed);

// The difference between 100 and 0 is what plugins cost that nobody needs.
void plugins_are_found_and_none_is_needed(benchmark::State& state) {
  const PluginFolder folder(state.range(0));
  while (state.KeepRunning()) {
    ApplicationContext context({"benchmark", {}, {}}, nullptr, nullptr);
    ServiceAccessor accessor;
    PluginLoader loader(context, accessor);
    PluginPolicy policy;
    policy.directories = {{folder.path(), "the benchmark"}};
    loader.discover(policy);
    for (const auto& report : loader.reports()) {
      if (report.state != PluginState::accepted) return state.SkipWithError(report.refusals.front().text.c_str());
    }
    benchmark::DoNotOptimize(loader.reports().size());
  }
}
BENCHMARK(plugins_are_found_and_none_is_needed)->Arg(0)->Arg(100)->Unit(benchmark::kMillisecond);

void request_is_routed(benchmark::State& state) {
  std::vector<RouteCandidate> candidates;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    RouteCandidate candidate;
    candidate.provider_id = "provider-" + std::to_string(i);
    candidate.rank = static_cast<int>(i % 7);
    for (const auto& type : backup_type::kWellKnown)
      candidate.features[type] = {archiver_feature::kCompressionStrength, archiver_feature::kIncremental};
    candidates.push_back(std::move(candidate));
  }
  RouteRequest request;
  request.type = backup_type::kTarGz;
  request.required = {archiver_feature::kIncremental};
  while (state.KeepRunning()) benchmark::DoNotOptimize(route(request, {}, candidates));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(request_is_routed)->Arg(2)->Arg(100)->Unit(benchmark::kMicrosecond);

class Listener final : public IBackupObserver {
 public:
  void file_add(std::string_view name) override { bytes += name.size(); }
  std::size_t bytes = 0;
};

void event_reaches_one_subscriber(benchmark::State& state) {
  host::BackupEvents events;
  Listener listener;
  events.subscribe(listener);
  while (state.KeepRunning()) events.file_add("drivers/net/ethernet");
  benchmark::DoNotOptimize(listener.bytes);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(event_reaches_one_subscriber);

}  // namespace
}  // namespace autoarchive
