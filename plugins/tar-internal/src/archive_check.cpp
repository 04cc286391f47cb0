#include "archive_check.hpp"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "borrowed_file.hpp"
#include "codec.hpp"
#include "file_digest.hpp"
#include "member_reader.hpp"
#include "parallel_decoder.hpp"
#include "restore_job.hpp"
#include "salvage.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr Bytes kDecoderMemory{128ULL << 20U};
constexpr std::size_t kMaxNamed = 1000;

Error cancelled() {
  return {ErrorCode::runtime_error, "stopped on request", ErrorCause::cancelled};
}

/// Writes down which members are lost.
class LostMembers final : public IRestoreObserver {
 public:
  explicit LostMembers(VerifyResult& result) : result_(result) {}
  void damaged(std::string_view path, std::string_view /*text*/) override {
    if (path.empty() || path == last_) return;
    last_ = path;
    ++result_.lost_members;
    if (result_.lost.size() < kMaxNamed) result_.lost.emplace_back(path);
  }

 private:
  VerifyResult& result_;
  std::string last_;
};

}  // namespace

ArchiveCheck::ArchiveCheck(const ReadableFile& file, const ReadableFile* manifest, std::stop_token stop)
    : file_(file), manifest_(manifest), stop_(std::move(stop)) {}

void ArchiveCheck::check_stop() const {
  if (stop_.stop_requested()) throw cancelled();
}

VerifyResult ArchiveCheck::run() {
  FileDigest digest(file_, stop_);
  load_manifest();
  try {
    check_identity();
    read_members();
  } catch (const Error& error) {  // what was proven before it still counts
    if (!is_damage(error)) throw;
    result_.faults.push_back(error.message() + (last_.empty() ? "" : "; the last member before it is " + quote(last_)));
  }
  try {
    result_.sha256 = digest.finish();
  } catch (const Error& error) {  // of a file that can't be read whole there is none
    if (!is_damage(error)) throw;
    if (result_.faults.empty()) result_.faults.push_back(error.message());
  }
  if (!header_) return std::move(result_);
  if (!result_.sha256.empty() && !closing_.archive_sha256.empty() && closing_.archive_sha256 != result_.sha256)
    result_.faults.push_back("its SHA-256 is " + result_.sha256 + ", and the manifest says " + closing_.archive_sha256);
  if (!result_.faults.empty()) find_lost_members();
  return std::move(result_);
}

void ArchiveCheck::load_manifest() {
  if (manifest_ == nullptr) return;
  try {
    ManifestReader reader(std::make_unique<BorrowedFile>(*manifest_));
    const int level = reader.header().level;
    for (ManifestEntry line; reader.next(line);) {
      if (line.stored_level == level) needed_.add(line);
    }
    closing_ = reader.closing();
    header_ = reader.header();
    needed_.seal();
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged) throw;
    needed_ = NeededMembers();
    closing_ = ManifestClosing();
    result_.faults.push_back(error.message());
  }
}

// Another backup's manifest says nothing of this file.
void ArchiveCheck::check_identity() {
  if (!header_) return;
  MemberReader reader(file_, kDecoderMemory);
  ArchiveMember first;
  static_cast<void>(reader.next(first));
  const auto identity = parse_comment(reader.comment());
  if (identity && identity->backup_uuid != header_->backup_uuid) {
    result_.faults.push_back("it is the backup " + identity->backup_uuid + " (level " +
                             std::to_string(identity->level) + " of " + quote(identity->archive) +
                             "), and the manifest is that of " + header_->backup_uuid);
    header_.reset();
    closing_ = ManifestClosing();
  } else if (closing_.archive_bytes != file_.size()) {
    result_.faults.push_back("it has " + std::to_string(file_.size()) + " bytes, and the manifest says " +
                             std::to_string(closing_.archive_bytes));
  }
}

void ArchiveCheck::read_members() {
  const bool is_from_beginning = !closing_.blocks.empty() && closing_.blocks.front().stream_offset == 0;
  auto decoder = is_from_beginning ? ParallelDecoder::make(file_, format_of(file_), closing_.blocks, kDecoderMemory,
                                                           std::thread::hardware_concurrency())
                                   : nullptr;
  MemberReader reader = decoder ? MemberReader(file_, std::move(decoder), 0, 0) : MemberReader(file_, kDecoderMemory);
  for (ArchiveMember member; reader.next(member);) {
    last_ = member.entry.path;
    check_member(reader, member);
    ++result_.members;
  }
  reader.drain();
  const auto missing = header_ ? needed_.count(header_->level) - found_ : 0;
  if (missing > 0)
    result_.faults.push_back(std::to_string(missing) + " members that the manifest names are not where it says");
}

void ArchiveCheck::check_member(MemberReader& reader, const ArchiveMember& member) {
  for (ContentPiece piece; reader.next_piece(piece);) {
    check_stop();
    result_.content_bytes += piece.bytes.size();
  }
  if (!header_) return;
  const auto* place = needed_.find(header_->level, reader.member_offset());
  if (place == nullptr) return;
  ++found_;
  std::string fault;
  if (!place->fits(member)) {
    fault = "the member " + quote(member.entry.path) + " is not the one that the manifest has at its place";
  } else if (place->kind == EntryKind::file && place->digest && reader.content_digest() != *place->digest) {
    fault = "the content of " + quote(member.entry.path) + " is not what was stored";
  }
  if (!fault.empty() && result_.faults.size() < kMaxNamed) result_.faults.push_back(std::move(fault));
}

// Member by member, so that those behind the damage are found to be whole.
void ArchiveCheck::find_lost_members() {
  LostMembers lost(result_);
  RestoreRequest request;
  request.levels.resize(static_cast<std::size_t>(header_->level) + 1);
  request.levels.back().file = std::make_unique<BorrowedFile>(file_);
  request.levels.back().manifest = std::make_unique<BorrowedFile>(*manifest_);
  request.stop = stop_;
  request.salvage = true;
  request.observer = &lost;
  try {
    result_.whole_members = RestoreJob(request, {RestoreAim::Kind::prove, header_->level}).run().entries;
  } catch (const Error& error) {  // no archive any more, by its content and by its name; that has been told
    if (error.cause() != ErrorCause::unsupported) throw;
  }
}

}  // namespace autoarchive::tar_internal
