// What an unchanged entry costs a level: the walk of a tree, merged with the manifest of the level before.
#include <benchmark/benchmark.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "autoarchive/manifest/tree_comparison.hpp"
#include "support/memory_file.hpp"

namespace autoarchive {
namespace {

namespace fs = std::filesystem;

constexpr int kFilesOfADirectory = 50;

/// A tree of empty files on the disk, removed with this object.
class Tree {
 public:
  explicit Tree(std::int64_t files) {
    auto pattern = (fs::temp_directory_path() / "aa-bench-XXXXXX").native();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw fs::filesystem_error("mkdtemp", std::error_code(errno, std::generic_category()));
    root_ = pattern;
    for (std::int64_t i = 0; i < files; ++i) {
      const auto directory = root_ / ("directory-" + std::to_string(100'000 + i / kFilesOfADirectory));
      if (i % kFilesOfADirectory == 0) fs::create_directory(directory);
      std::ofstream(directory / ("file-" + std::to_string(100'000 + i) + ".txt"));
    }
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  ~Tree() { fs::remove_all(root_); }

  [[nodiscard]] std::unique_ptr<Walker> walk(bool with_stats) const {
    WalkOptions options;
    options.root = root_;
    options.with_stats = with_stats;
    return std::make_unique<Walker>(std::move(options), filter_);
  }
  /// As if all of it had been stored a long time ago.
  [[nodiscard]] std::string manifest() const {
    test::MemorySink sink;
    ManifestHeader header;
    header.backup_uuid = "0b8e";
    ManifestWriter writer(sink, header);
    const auto walker = walk(/*with_stats=*/true);
    for (WalkItem item; walker->next(item);) {
      ManifestEntry stored;
      stored.entry = item.entry;
      stored.offset = 33'792;
      if (item.entry.kind == EntryKind::file) stored.digest = item.entry.inode;
      writer.add(stored);
    }
    writer.finish({});
    return std::move(sink.text);
  }

 private:
  fs::path root_;
  Filter filter_{FilterRules{}};
};

void tree_is_walked(benchmark::State& state) {
  const Tree tree(state.range(0));
  std::int64_t items = 0;
  while (state.KeepRunning()) {
    const auto walker = tree.walk(/*with_stats=*/true);
    for (WalkItem item; walker->next(item);) ++items;
  }
  state.SetItemsProcessed(items);
}
BENCHMARK(tree_is_walked)->RangeMultiplier(10)->Range(1000, 100'000)->UseRealTime()->Unit(benchmark::kMillisecond);

void tree_is_compared_with_its_manifest(benchmark::State& state) {
  const Tree tree(state.range(0));
  const auto manifest = tree.manifest();
  std::int64_t items = 0;
  while (state.KeepRunning()) {
    TreeComparison comparison(
        tree.walk(/*with_stats=*/false),
        std::make_unique<ManifestReader>(std::make_unique<test::MemoryFile>(std::as_bytes(std::span(manifest)))));
    for (ComparedItem step; comparison.next(step); ++items) {
      if (step.change != TreeChange::unchanged) state.SkipWithError("something has changed");
    }
  }
  state.SetItemsProcessed(items);
}
BENCHMARK(tree_is_compared_with_its_manifest)
    ->RangeMultiplier(10)
    ->Range(1000, 100'000)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace autoarchive
