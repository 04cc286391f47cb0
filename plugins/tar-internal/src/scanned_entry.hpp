/// \file
/// What the headers of a member say that libarchive does not show, or shows otherwise.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "autoarchive/tree/attributes.hpp"
#include "autoarchive/tree/entry.hpp"
#include "header_scanner.hpp"

namespace autoarchive::tar_internal {

/// A directory that has another name than in the archive before.
struct Rename {
  std::string from;
  std::string to;
};

/// A directory's list of names, as GNU tar writes it ("Dumpdir" in its manual).
struct Dumpdir {
  std::vector<std::string> names;     ///< sorted, each once
  std::vector<std::string> unstored;  ///< those of them, so as well, that an archive before this one has
  std::vector<Rename> renames;  ///< of any directories, in the order in which they happen; paths as they stand in it
  /// It tells of directories that went in a circle (X), or of half a rename. In two of four such levels of GNU tar 1.34
  /// that were tried the records did not lead to what was there.
  bool has_circles = false;
};

/// Each a letter (Y, N, D; R and T, or X, for renames), the name and a NUL; an empty record ends the list. Takes any
/// bytes.
[[nodiscard]] Dumpdir parse_dumpdir(std::string_view text);

/// What no owner here can have is 2^32 - 1, which stands for none: never another one.
[[nodiscard]] std::uint32_t owner_number(std::int64_t number);

/// Extended attributes and ACLs, sorted; the mode gets the mask of an ACL. An ACL that names somebody who is not here
/// stays a text, which is no ACL to the system: whoever restores it is told. `by_number`: an ACL's numbers count,
/// and names only where one has no number beside it.
void add_attributes(const ScannedMember& scanned, OwnerNames& owners, bool by_number, Entry& entry);
/// Owner and group of the records, those of a global header among them, which libarchive passes over.
void add_owner(const ScannedMember& scanned, Entry& entry);

}  // namespace autoarchive::tar_internal
