/// \file
/// Creates one member below the target, with everything that belongs to it.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/tree/attributes.hpp"
#include "restore_directory.hpp"

namespace autoarchive::tar_internal {

class MemberReader;

/// Never writes through a symlink and never into a file that was there. A file is made beside its name, with mode 0600,
/// and takes it when it is complete: an interrupted restore leaves no half file under a name, and at most one of its
/// own, which the next one replaces. Order: data, owner, mode and ACL, attributes, times. Not thread-safe.
class Extractor {
 public:
  /// Reports one thing that could not be done exactly.
  using Report = std::function<void(std::string_view path, std::string_view text)>;

  /// The references must outlive the extractor. `keep_halves`: what could be read of a file gets its name, too.
  Extractor(RestoreDirectory& target, OwnerPolicy owner, bool keep_halves, Report report);

  /// A file with the content that `reader` yields. Returns whether it is there; `bytes` counts its content. Throws what
  /// the reader throws.
  [[nodiscard]] bool make_file(const Entry& entry, MemberReader& reader, std::uint64_t& bytes);
  /// The directory, or the one that is there; its attributes come later, by finish_directory().
  [[nodiscard]] bool make_directory(const Entry& entry);
  void finish_directory(const Entry& entry);
  /// A symlink, FIFO or device.
  [[nodiscard]] bool make_special(const Entry& entry);
  /// A second name of the file `entry.link_target`, which was made before.
  [[nodiscard]] bool make_hard_link(const Entry& entry);

 private:
  [[nodiscard]] int prepare_parent(const Entry& entry);
  [[nodiscard]] std::string temporary_name(std::string_view path) const;
  [[nodiscard]] bool write_content(int fd, const Entry& entry, MemberReader& reader, std::uint64_t& bytes);
  [[nodiscard]] bool finish_file(UniqueFd fd, int parent, const std::string& temporary, const Entry& entry);
  [[nodiscard]] bool clear_place(int parent, const std::string& name, const Entry& entry);
  void apply_to_descriptor(int fd, const Entry& entry);
  void apply_xattrs(int fd, const Entry& entry, bool acls);
  void apply_to_name(int parent, const std::string& name, const Entry& entry);
  [[nodiscard]] std::pair<uid_t, gid_t> owner_of(const Entry& entry);
  void fail(const Entry& entry, const char* what, int os_errno);

  RestoreDirectory& target_;
  OwnerPolicy owner_;
  Report report_;
  OwnerNames names_;
  bool is_root_;
  bool keep_halves_;
  std::set<std::string, std::less<>> odd_names_;  // members that are called as our temporary files are
};

/// Last component of a path.
[[nodiscard]] std::string last_component(std::string_view path);

}  // namespace autoarchive::tar_internal
