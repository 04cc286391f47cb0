/// \file
/// The tests, one function each, by group. Their names are their functions' with "-" for "_".
#pragma once

#include "rig.hpp"

namespace autoarchive::kit {

// packaging
void passes_all_gates(Rig& rig);
void note_equals_code(Rig& rig);
void exports_one_symbol(Rig& rig);
void loads_quickly(Rig& rig);
// life-cycle
void made_and_destroyed_often(Rig& rig);
void two_at_once(Rig& rig);
void destroyed_twice(Rig& rig);
void leaves_nothing_behind(Rig& rig);
// truth
void types_are_as_declared(Rig& rig);
void foreign_types_are_refused(Rig& rig);
void strengths_are_as_declared(Rig& rig);
void levels_are_as_declared(Rig& rig);
void archives_come_back_as_declared(Rig& rig);
void damage_is_found_as_declared(Rig& rig);
void metadata_come_back_as_declared(Rig& rig);
// content
void empty_tree(Rig& rig);
void sizes_around_blocks(Rig& rig);
void long_and_odd_names(Rig& rig);
void names_that_are_no_text(Rig& rig);
void links(Rig& rig);
void holes(Rig& rig);
void unreadable_files(Rig& rig);
void changing_files(Rig& rig);
// faults
void full_disk(Rig& rig);
void failing_writes(Rig& rig);
void cancelled(Rig& rig);
void throwing_observer(Rig& rig);
// interop
void read_by_gnu_tar(Rig& rig);
void read_by_bsdtar(Rig& rig);

}  // namespace autoarchive::kit
