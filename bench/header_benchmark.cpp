// What a tar header costs for each entry, apart from the system calls.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "tar_header.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::string_view kPath = "drivers/net/ethernet/mellanox/mlx5/core/steering/dr_types.h";

UstarFields fields_of(std::string_view path) {
  UstarFields fields;
  static_cast<void>(split_name(path, fields));
  fields.mode = 0644;
  fields.uid = 1000;
  fields.gid = 1000;
  fields.size = 45'678;
  fields.mtime = 1'700'000'000;
  fields.uname = "alice";
  fields.gname = "users";
  return fields;
}

void header_is_formatted(benchmark::State& state) {
  const auto fields = fields_of(kPath);
  std::array<std::byte, kBlockBytes> block{};
  while (state.KeepRunning()) {
    format_header(fields, block);
    benchmark::DoNotOptimize(block);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(header_is_formatted);

void header_is_checked_and_parsed(benchmark::State& state) {
  std::array<std::byte, kBlockBytes> block{};
  format_header(fields_of(kPath), block);
  const HeaderView view(block);
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(has_valid_checksum(view));
    benchmark::DoNotOptimize(parse_number(view.subspan<124, 12>()));
    benchmark::DoNotOptimize(parse_string(view.subspan<0, kMaxName>()));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(header_is_checked_and_parsed);

}  // namespace
}  // namespace autoarchive::tar_internal
