/// \file
/// Makes one file of a restore.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "attribute_setter.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/tree/entry.hpp"
#include "member_reader.hpp"

namespace autoarchive::tar_internal {

/// What is needed of the tree to make a file in it.
struct NewFile {
  std::shared_ptr<const UniqueFd> parent;  ///< the directory, open
  std::string temporary;                   ///< what it is called there until it is complete
  Entry entry;
  RestoredOwner owner;
};

/// A file is made beside its name, with mode 0600, and takes it when it is complete. Thread-safe, as long as no two
/// files have one temporary name at the same time.
class FileMaker {
 public:
  using NextPiece = std::function<bool(ContentPiece&)>;

  /// `keep_halves`: what could be read of a file gets its name, too.
  explicit FileMaker(bool keep_halves) : keep_halves_(keep_halves) {}

  /// Whether the file is there; `bytes` counts its content. Throws what `next` throws, and Error if the disk is full.
  [[nodiscard]] bool make(const NewFile& file, const NextPiece& next, const RestoreReport& report,
                          std::uint64_t& bytes) const;

 private:
  [[nodiscard]] bool finish(UniqueFd fd, const NewFile& file, const RestoreReport& report) const;

  AttributeSetter attributes_;
  bool keep_halves_;
};

/// Last component of a path.
[[nodiscard]] std::string last_component(std::string_view path);

}  // namespace autoarchive::tar_internal
