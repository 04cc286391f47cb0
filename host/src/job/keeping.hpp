/// \file
/// Which older backups move to which generation when a new one takes its name, and which go. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/storage/transaction.hpp"

namespace autoarchive::host {

/// A backup file of the archive that lies in the destination, with what lies beside it.
struct KeptFile {
  BackupName name;
  bool has_manifest = false;
  bool has_sha256 = false;
  std::string sha256{};    ///< 64 hexadecimal digits, if known: the ".sha256" of a kept file is written anew
  std::string backup{};    ///< its id; empty without a manifest
  std::string parent{};    ///< id of the backup that it is based on; empty for a level 0 and without a manifest
  std::string held{};      ///< why it must not go, e.g. "pinned"; empty: the rules decide
  bool is_pinned = false;  ///< held by the user: its generation is not counted
};

/// What the plan depends on.
struct KeepQuestion {
  std::vector<KeptFile> files;
  std::optional<BackupName> made;  ///< the new backup, without a keeping id; none: only what is too much goes
  int generations = 1;             ///< that stay beside the current one, 0..676; pinned ones do not count
  bool remove_surplus = false;     ///< also what an earlier, larger number has left
  /// Names in the destination that belong to none of the files: nothing is moved to where one of them stands.
  std::set<std::string> foreign{};
};

/// What happens to one file, and why.
struct KeepVerdict {
  enum class Fate : std::uint8_t { stays, moves, goes };
  std::string file;
  Fate fate = Fate::stays;
  std::string to;      ///< where it moves
  std::string reason;  ///< e.g. "generation 1 of 2", "beyond keep.generations 2"
};

struct Keeping {
  CommitPlan plan;
  std::vector<KeepVerdict> verdicts;  ///< one a file, current generation first
};

/// For a new backup, plain levels at or above its level become generation "aa", "aa" becomes "ab" … as whole
/// generations, until one finds a free place or falls off as the last one too many. Level none is level 0, and every
/// type counts, so that a change of type leaves no second plain chain. With 0 generations the plain ones go. A
/// generation with a held file in it never goes, and one with a pinned file is not counted. What can't be restored any
/// more without a file that goes, goes too, unless it is held; whoever holds a file holds its chain. Throws
/// Error(runtime_error) if all 676 places are held.
[[nodiscard]] Keeping plan_keeping(const KeepQuestion& question);

}  // namespace autoarchive::host
