/// \file
/// One file of a chain, compared with what is known of it.
#pragma once

#include <string>
#include <vector>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "events/reading_progress.hpp"
#include "output/json.hpp"
#include "session.hpp"
#include "state/verify_record.hpp"

namespace autoarchive::host {

/// Something that is not as it should be, and no fault of the archive.
struct FileRemark {
  const char* problem;  ///< its id
  std::string text;
};

/// What was found of one file of a chain.
struct FileVerdict {
  std::string name;
  std::string backup_uuid;  ///< empty without a manifest
  std::vector<std::string> faults;
  std::vector<FileRemark> remarks;
  bool is_proven = true;   ///< there is a manifest to compare with
  bool is_unread = false;  ///< all that is wrong is that a part could not be read: it may be whole at another time
  VerifyResult result;
};

/// For the document of `verify`.
[[nodiscard]] Json::Object as_json(const FileVerdict& verdict);

/// Reads the file of `level` as far as `depth` wants it: the manifest, what the file says of itself, all of its
/// content, and the file for sha256sum beside it. What is wrong is in the verdict. Throws Error of the reader: cause
/// cancelled.
[[nodiscard]] FileVerdict check_file(Session& session, const ArchiveLevel& level, IArchiveReader& reader,
                                     VerifyDepth depth, ReadingProgress& progress);

}  // namespace autoarchive::host
