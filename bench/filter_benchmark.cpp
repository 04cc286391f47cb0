// What a gitignore pattern costs for each path of a walk.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/tree/filter.hpp"

namespace autoarchive {
namespace {

constexpr std::array<std::string_view, 6> kPaths{"alice/projects/autoarchive/core/src/tree/filter.cpp",
                                                 "alice/.cache/thumbnails/large/0b8e1f.png",
                                                 "bob/mail/2024/inbox.tmp",
                                                 "bob/node_modules/left-pad/index.js",
                                                 "carol/a/b/c/d/e/f/g/h/i/j/k/notes.txt",
                                                 "photos/2023/07/IMG_20230714_101500.jpg"};

std::vector<std::string> usual_patterns() {
  return {"*.tmp",     "**/.cache",    "node_modules/", "/alice/old",
          "!keep.tmp", "build/**/*.o", "[Tt]humbs.db",  "carol/**/k"};
}

std::vector<std::string> many_patterns(std::int64_t count) {
  std::vector<std::string> patterns;
  patterns.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) patterns.push_back("**/generated-" + std::to_string(i) + "/*.log");
  return patterns;
}

void decide_all(benchmark::State& state, std::vector<std::string> patterns) {
  FilterRules rules;
  rules.exclude = std::move(patterns);
  const Filter filter(std::move(rules));
  while (state.KeepRunning()) {
    for (const auto path : kPaths) benchmark::DoNotOptimize(filter.decide(path, /*is_directory=*/false));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPaths.size()));
}

void filter_decides_with_usual_patterns(benchmark::State& state) {
  decide_all(state, usual_patterns());
}
BENCHMARK(filter_decides_with_usual_patterns);

void filter_decides_with_many_patterns(benchmark::State& state) {
  decide_all(state, many_patterns(state.range(0)));
}
BENCHMARK(filter_decides_with_many_patterns)->Range(1, 512);

/// The text that makes matching by backtracking take forever; the time must grow with the length, not its power.
void filter_decides_on_a_path_that_nearly_matches(benchmark::State& state) {
  FilterRules rules;
  rules.exclude = {"*a*a*a*a*b"};
  const Filter filter(std::move(rules));
  const std::string path(static_cast<std::size_t>(state.range(0)), 'a');
  while (state.KeepRunning()) benchmark::DoNotOptimize(filter.decide(path, /*is_directory=*/false));
  state.SetComplexityN(state.range(0));
}
BENCHMARK(filter_decides_on_a_path_that_nearly_matches)->RangeMultiplier(4)->Range(16, 4096)->Complexity();

}  // namespace
}  // namespace autoarchive
