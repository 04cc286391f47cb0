// What a manifest costs for each entry: written, read as a stream, and jumped into.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "support/memory_file.hpp"

namespace autoarchive {
namespace {

constexpr int kEntries = 50'000;
constexpr int kFilesOfADirectory = 50;
constexpr std::uint64_t kScatter = 0x9E3779B97F4A7C15U;  // digests are as good as random

std::string directory_name(int number) {
  return "directory-" + std::to_string(100'000 + number);
}
std::string file_name(int number) {
  return "file-" + std::to_string(100'000 + number) + ".txt";
}

ManifestEntry make_entry(int number) {
  const bool is_directory = number % kFilesOfADirectory == 0;
  ManifestEntry made;
  made.entry.path = directory_name(number / kFilesOfADirectory);
  if (!is_directory) made.entry.path += "/" + file_name(number);
  made.entry.kind = is_directory ? EntryKind::directory : EntryKind::file;
  made.entry.mode = is_directory ? 0755 : 0644;
  made.entry.user = made.entry.group = "alice";
  made.entry.size = is_directory ? 0 : static_cast<std::uint64_t>(number) * 7919 % 65'536;
  made.entry.mtime =
      made.entry.ctime = {1'700'000'000 + number, static_cast<std::uint32_t>(number) * 19'937 % 1'000'000'000};
  made.entry.device = 2049;
  made.entry.inode = 1'000'000 + static_cast<std::uint64_t>(number);
  made.offset = static_cast<std::uint64_t>(number) * 33'792;
  if (!is_directory) made.digest = static_cast<std::uint64_t>(number) * kScatter;
  return made;
}

const std::vector<ManifestEntry>& entries() {
  static const auto made = [] {
    std::vector<ManifestEntry> list;
    list.reserve(kEntries);
    for (int i = 0; i < kEntries; ++i) list.push_back(make_entry(i));
    return list;
  }();
  return made;
}

std::string written() {
  test::MemorySink sink;
  ManifestHeader header;
  header.backup_uuid = "0b8e";
  ManifestWriter writer(sink, header);
  for (const auto& entry : entries()) writer.add(entry);
  writer.finish({});
  return std::move(sink.text);
}

void manifest_is_written(benchmark::State& state) {
  static_cast<void>(entries());
  std::size_t bytes = 0;
  while (state.KeepRunning()) bytes = written().size();
  state.SetItemsProcessed(state.iterations() * kEntries);
  state.counters["bytes_an_entry"] = static_cast<double>(bytes) / kEntries;
}
BENCHMARK(manifest_is_written)->Unit(benchmark::kMillisecond);

void manifest_is_read(benchmark::State& state) {
  const auto text = written();
  while (state.KeepRunning()) {
    ManifestReader reader(std::make_unique<test::MemoryFile>(std::as_bytes(std::span(text))));
    for (ManifestEntry entry; reader.next(entry);) benchmark::DoNotOptimize(entry.entry.size);
  }
  state.SetItemsProcessed(state.iterations() * kEntries);
}
BENCHMARK(manifest_is_read)->Unit(benchmark::kMillisecond);

void manifest_finds_a_path(benchmark::State& state) {
  const auto text = written();
  const auto& wanted = entries()[kEntries / 2 + 1].entry.path;
  while (state.KeepRunning()) {
    ManifestReader reader(std::make_unique<test::MemoryFile>(std::as_bytes(std::span(text))));
    reader.seek(wanted);
    ManifestEntry entry;
    if (!reader.next(entry) || entry.entry.path != wanted) state.SkipWithError("not found");
  }
}
BENCHMARK(manifest_finds_a_path)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace autoarchive
