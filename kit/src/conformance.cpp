#include "autoarchive/kit/conformance.hpp"

#include <array>

#include "tests.hpp"

namespace autoarchive::kit {

std::span<const ConformanceTest> conformance_tests() {
  constexpr bool kMust = true;
  constexpr bool kShould = false;
  static constexpr std::array kTests{
      ConformanceTest{"packaging", "passes-all-gates", "O-1", kMust, passes_all_gates},
      ConformanceTest{"packaging", "note-equals-code", "O-2", kMust, note_equals_code},
      ConformanceTest{"packaging", "exports-one-symbol", "O-3", kMust, exports_one_symbol},
      ConformanceTest{"packaging", "loads-quickly", "O-4", kShould, loads_quickly},
      ConformanceTest{"life-cycle", "made-and-destroyed-often", "O-5", kMust, made_and_destroyed_often},
      ConformanceTest{"life-cycle", "two-at-once", "O-6", kMust, two_at_once},
      ConformanceTest{"life-cycle", "destroyed-twice", "O-7", kMust, destroyed_twice},
      ConformanceTest{"life-cycle", "leaves-nothing-behind", "O-8", kMust, leaves_nothing_behind},
      ConformanceTest{"truth", "types-are-as-declared", "O-9", kMust, types_are_as_declared},
      ConformanceTest{"truth", "foreign-types-are-refused", "O-10", kMust, foreign_types_are_refused},
      ConformanceTest{"truth", "strengths-are-as-declared", "O-11", kMust, strengths_are_as_declared},
      ConformanceTest{"truth", "levels-are-as-declared", "O-12", kMust, levels_are_as_declared},
      ConformanceTest{"truth", "archives-come-back-as-declared", "O-25", kMust, archives_come_back_as_declared},
      ConformanceTest{"truth", "damage-is-found-as-declared", "O-26", kMust, damage_is_found_as_declared},
      ConformanceTest{"truth", "metadata-come-back-as-declared", "O-27", kMust, metadata_come_back_as_declared},
      ConformanceTest{"content", "empty-tree", "O-13", kMust, empty_tree},
      ConformanceTest{"content", "sizes-around-blocks", "O-14", kMust, sizes_around_blocks},
      ConformanceTest{"content", "long-and-odd-names", "O-15", kMust, long_and_odd_names},
      ConformanceTest{"content", "names-that-are-no-text", "O-15", kShould, names_that_are_no_text},
      ConformanceTest{"content", "links", "O-16", kMust, links},
      ConformanceTest{"content", "holes", "O-17", kMust, holes},
      ConformanceTest{"content", "unreadable-files", "O-18", kMust, unreadable_files},
      ConformanceTest{"content", "changing-files", "O-19", kMust, changing_files},
      ConformanceTest{"faults", "full-disk", "O-20", kMust, full_disk},
      ConformanceTest{"faults", "failing-writes", "O-20", kMust, failing_writes},
      ConformanceTest{"faults", "cancelled", "O-21", kMust, cancelled},
      ConformanceTest{"faults", "throwing-observer", "O-22", kMust, throwing_observer},
      ConformanceTest{"interop", "read-by-gnu-tar", "O-23", kMust, read_by_gnu_tar},
      ConformanceTest{"interop", "read-by-bsdtar", "O-23", kMust, read_by_bsdtar}};
  return kTests;
}

}  // namespace autoarchive::kit
