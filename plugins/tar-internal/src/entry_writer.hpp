/// \file
/// Puts the entries of a walk into the archive, and tells what became of each.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "autoarchive/archiver/backup_job.hpp"
#include "autoarchive/base/digest.hpp"
#include "autoarchive/tree/attributes.hpp"
#include "tar_writer.hpp"

namespace autoarchive::tar_internal {

/// One backup's writer. Files are opened once, read once, never followed, and stored with exactly the size that their
/// header says: what has shrunk is filled up with zeros, what has grown is cut, and both are reported. Not thread-safe.
class EntryWriter {
 public:
  /// Both must outlive the writer.
  EntryWriter(BackupJob& job, TarWriter& tar);

  /// Any item of the walk: stores an entry, reports everything else.
  void add(WalkItem& item);

 private:
  struct Stored {
    std::string path;
    std::optional<std::uint64_t> digest;
  };
  struct Content {
    std::optional<std::uint64_t> digest;
    EntryState state = EntryState::ok;
  };

  void add_entry(WalkItem& item);
  void add_file(WalkItem& item);
  void add_other(WalkItem& item);
  [[nodiscard]] bool add_as_hard_link(const Entry& entry);
  void write_header(const Entry& entry, std::string_view hard_link_to, std::uint64_t stored_size,
                    bool is_sparse = false);
  [[nodiscard]] Content write_content(int fd, const Entry& entry);
  [[nodiscard]] Content write_sparse(int fd, const Entry& entry);
  [[nodiscard]] bool copy(int fd, std::uint64_t offset, std::uint64_t count, const Entry& entry, Content& content);
  void check_unchanged(int fd, const Entry& entry, Content& content);
  void read_attributes(WalkItem& item, int fd);
  void record(const Entry& entry, const Content& content, std::optional<std::uint64_t> offset);

  BackupJob& job_;
  TarWriter& tar_;
  const MetadataOptions& metadata_;
  OwnerNames owners_;
  ContentDigest digest_;
  // First names of files that have several; grows with those only.
  std::map<std::pair<std::uint64_t, std::uint64_t>, Stored> linked_;
};

}  // namespace autoarchive::tar_internal
