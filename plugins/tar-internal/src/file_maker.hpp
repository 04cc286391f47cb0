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
  std::string temporary;                   ///< what it is called there until it is complete; nothing else is
  Entry entry;
  RestoredOwner owner;
};

/// Asked when all of a content was read and before the file gets its name: whether it is the right one. Empty: it is.
using ContentCheck = std::function<bool()>;

/// A file is made beside its name, with mode 0600, and takes it when it is complete. Locked until then, so that another
/// restore knows it from one that was left over. Thread-safe, as long as no two files have one temporary name at the
/// same time.
class FileMaker {
 public:
  using NextPiece = std::function<bool(ContentPiece&)>;

  /// `keep_halves`: what could be read of a file gets its name, too, and so does a wrong content.
  explicit FileMaker(bool keep_halves) : keep_halves_(keep_halves) {}

  /// Whether the file is there; `bytes` counts its content. Throws what `next` throws, and Error if the disk is full.
  [[nodiscard]] bool make(const NewFile& file, const NextPiece& next, const ContentCheck& is_right,
                          const RestoreReport& report, std::uint64_t& bytes) const;

 private:
  [[nodiscard]] bool finish(UniqueFd fd, const NewFile& file, const RestoreReport& report) const;

  AttributeSetter attributes_;
  bool keep_halves_;
};

/// Removes what is called so, unless it has got its name. Not thread-safe.
class TemporaryName {
 public:
  /// Both must outlive this object.
  TemporaryName(int parent, const std::string& name) : parent_(parent), name_(name) {}
  ~TemporaryName();
  void set_named() noexcept { is_named_ = true; }
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;

 private:
  int parent_;
  const std::string& name_;
  bool is_named_ = false;
};

/// Calls what is under the temporary name `name`, in the place of what is there, be it an empty directory. False, with
/// errno, if that has to stay. Two names of one file both stay.
[[nodiscard]] bool take_place(int parent, const std::string& temporary, const std::string& name);
/// A name for the files of one restore which no other restore has. Whoever makes several at a time adds a digit.
[[nodiscard]] std::string make_temporary_name();
[[nodiscard]] bool is_temporary_name(std::string_view name);
/// Removes what an interrupted restore has left under such a name; not what one that still runs is making.
void remove_leftover(int parent, const std::string& name);

/// Last component of a path.
[[nodiscard]] std::string last_component(std::string_view path);

}  // namespace autoarchive::tar_internal
