/// \file
/// Reads one archive to its very end and compares it with its manifest.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/manifest/entry.hpp"
#include "needed_members.hpp"

namespace autoarchive::tar_internal {

class MemberReader;

/// One check. The SHA-256 is computed by a thread of its own, blocks are decoded by several. 40 bytes of memory a
/// member. Not thread-safe.
class ArchiveCheck {
 public:
  /// The references must outlive the check; `manifest` may be null.
  ArchiveCheck(const ReadableFile& file, const ReadableFile* manifest, std::stop_token stop);
  VerifyResult run();

 private:
  void load_manifest();
  void check_identity();
  void read_members();
  void check_member(MemberReader& reader, const ArchiveMember& member);
  void find_lost_members();
  void check_stop() const;

  const ReadableFile& file_;
  const ReadableFile* manifest_;
  std::stop_token stop_;
  VerifyResult result_;
  std::optional<ManifestHeader> header_;
  ManifestClosing closing_;
  NeededMembers needed_;     // of this file
  std::uint64_t found_ = 0;  // of needed_
  std::string last_;         // member
};

}  // namespace autoarchive::tar_internal
