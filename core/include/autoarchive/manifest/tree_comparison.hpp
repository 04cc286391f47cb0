/// \file
/// What has changed since a level: the walk of the tree and that level's manifest, merged as two sorted streams.
///
/// Nothing is read here but names and stats, and no table of all files is held. Where names and stats can't tell, the
/// answer is "touched", and whoever stores the entry reads and compares its content.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "autoarchive/base/export.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/tree/walker.hpp"

namespace autoarchive {

enum class TreeChange : std::uint8_t {
  added,      ///< the parent does not have it, or no backup holds its content; or this is no entry but another event
  modified,   ///< type, size, mtime, mode, owner, target or device differ; an entry without content or with several
              ///< names whose ctime or inode differs; anything below a directory that stood elsewhere before
  touched,    ///< a file of which only ctime or inode differ, or which the parent wants to be looked at again
  unchanged,  ///< exactly as it was, attributes included: nothing has to be read
  gone,       ///< the parent has it, the tree or the rules do not
  unseen,     ///< the parent has it, and what became of it could not be seen: it stays, marked `unseen_state`
};

/// Size, mtime, mode, owner, target or device: what a user sees of an entry, without its attributes and content.
[[nodiscard]] AA_EXPORT bool differs_visibly(const Entry& now, const Entry& was) noexcept;

/// One step of the comparison.
struct ComparedItem {
  TreeChange change = TreeChange::added;
  WalkItem item;            ///< gone and unseen: only item.entry is set, and is the parent's
  bool has_parent = false;  ///< `parent` is the entry of this path in the parent's manifest
  ManifestEntry parent;
  EntryState unseen_state = EntryState::failed;  ///< failed, or vanished
};

/// Pull-style, in walk order. Walk and manifest are read ahead by a thread each, from the first next() on until this
/// object ends; stats are made on the walk's thread or the caller's, whoever has time. Not thread-safe, but the items
/// may be used on any thread.
class AA_EXPORT TreeComparison {
 public:
  /// `parent` null: a level 0, in which everything is added.
  TreeComparison(std::unique_ptr<Walker> walker, std::unique_ptr<ManifestReader> parent);
  ~TreeComparison();
  TreeComparison(const TreeComparison&) = delete;
  TreeComparison& operator=(const TreeComparison&) = delete;

  /// The next step into `step`. False at the end. Throws what the manifest's reader throws.
  [[nodiscard]] bool next(ComparedItem& step);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace autoarchive
