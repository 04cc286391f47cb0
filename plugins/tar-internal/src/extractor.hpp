/// \file
/// Creates one member below the target, with everything that belongs to it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "attribute_setter.hpp"
#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/tree/attributes.hpp"
#include "file_maker.hpp"
#include "restore_directory.hpp"

namespace autoarchive::tar_internal {

class MemberReader;

/// Never writes through a symlink and never into a file that was there. An interrupted restore leaves no half file
/// under a name, and at most some of its own, which the next one replaces or removes. Not thread-safe.
class Extractor {
 public:
  /// The references must outlive the extractor. `keep_halves`: what could be read of a file gets its name, too.
  /// Once `stop` is requested a file in the making is given up: Error(cause cancelled).
  Extractor(RestoreDirectory& target, OwnerPolicy owner, bool keep_halves, RestoreReport report, std::stop_token stop);

  /// What a FileMaker needs to make this file, now or on another thread; none if it has no directory. The temporary
  /// name is the same for all files.
  [[nodiscard]] std::optional<NewFile> place_file(const Entry& entry);
  /// A file with the content that `reader` yields. Returns whether it is there; `bytes` counts its content. Throws what
  /// the reader throws.
  [[nodiscard]] bool make_file(const Entry& entry, MemberReader& reader, const ContentCheck& is_right,
                               std::uint64_t& bytes);
  /// Removes what stands at its path, unless it is a directory with something in it. Returns whether it is free.
  [[nodiscard]] bool make_room(const Entry& entry);
  /// The directory, or the one that is there; its attributes come later, by finish_directory().
  [[nodiscard]] bool make_directory(const Entry& entry);
  /// `only_its_own`: attributes that it has and the entry has not go.
  void finish_directory(const Entry& entry, bool only_its_own);
  /// A symlink, FIFO or device.
  [[nodiscard]] bool make_special(const Entry& entry);
  /// A second name of the file `entry.link_target`, which was made before. Where there can be none, a copy of it, and
  /// this is told.
  [[nodiscard]] bool make_hard_link(const Entry& entry);

 private:
  [[nodiscard]] std::shared_ptr<const UniqueFd> prepare_parent(const Entry& entry);
  /// Takes the place of what stands there, which stays if it can't.
  [[nodiscard]] bool name_temporary(int parent, const Entry& entry);
  [[nodiscard]] bool copy_file(int source, std::shared_ptr<const UniqueFd> parent, const Entry& entry,
                               int why_not_linked);
  [[nodiscard]] bool clear_place(int parent, const std::string& name, const Entry& entry);
  [[nodiscard]] RestoredOwner owner_of(const Entry& entry);
  void fail(const Entry& entry, const char* what, int os_errno);

  RestoreDirectory& target_;
  OwnerPolicy owner_;
  RestoreReport report_;
  std::stop_token stop_;
  OwnerNames names_;
  AttributeSetter attributes_;
  FileMaker maker_;
  bool is_root_;
  const std::string temporary_ = make_temporary_name();
};

/// Ends a restore that is to stop.
[[nodiscard]] Error stopped_restore();

}  // namespace autoarchive::tar_internal
