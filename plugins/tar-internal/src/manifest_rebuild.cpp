#include "manifest_rebuild.hpp"

#include <utility>

#include "autoarchive/base/text.hpp"
#include "borrowed_file.hpp"
#include "file_digest.hpp"
#include "member_path.hpp"
#include "member_reader.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr Bytes kDecoderMemory{128ULL << 20U};

/// A further name of a file, until it is known what the file is: the sorter has a target for files only then.
bool is_further_name(const Entry& entry) {
  return entry.kind == EntryKind::file && !entry.link_target.empty();
}

}  // namespace

ManifestRebuild::ManifestRebuild(const ReadableFile& file, const ReadableFile* parent, std::filesystem::path directory,
                                 std::stop_token stop)
    : file_(file), directory_(std::move(directory)), stop_(std::move(stop)) {
  if (parent != nullptr) parent_ = std::make_unique<ManifestReader>(std::make_unique<BorrowedFile>(*parent));
}

ManifestClosing ManifestRebuild::run(const ManifestHeader& header, Sink& out) {
  FileDigest digest(file_, stop_);
  EntrySorter members(directory_, header.level);
  read_members(members, header.level);
  find_originals(members);
  ManifestWriter writer(out, header);
  write_entries(members, writer);
  auto& closing = closing_;
  closing.archive_bytes = file_.size();
  closing.archive_sha256 = digest.finish();
  // One part is the whole file: nothing is gained by its place, and members out of order would each decode it anew.
  if (blocks_.size() > 1) closing.blocks = std::move(blocks_);
  closing.finished = header.started;
  return writer.finish(std::move(closing));
}

Error ManifestRebuild::damage(std::string_view path, std::string_view text) const {
  return {ErrorCode::value_error,
          "archive " + quote(file_.description()) + ", member " + quote(path) + ": " + std::string(text),
          ErrorCause::damaged};
}

void ManifestRebuild::read_members(EntrySorter& members, int level) {
  MemberReader reader(file_, kDecoderMemory, &blocks_);
  for (ArchiveMember member; reader.next(member);) {
    const auto& path = member.entry.path;
    if (safe_member_path(path).empty())
      throw damage(path, "its name leads out of any target, or is longer than 64 KiB");
    if (!reader.renames().empty()) {
      throw Error(ErrorCode::value_error,
                  "it tells of renamed directories, of which no manifest is made; restore it with tar --extract "
                  "--listed-incremental=/dev/null",
                  ErrorCause::unsupported);
    }
    if (member.dumpdir && parent_) {
      lists_.insert(hash_of(path));
      const auto place = path == "." ? std::string() : path + "/";
      for (const auto& name : *member.dumpdir) listed_.insert(hash_of(std::string(place).append(name)));
    }
    const bool has_content = member.entry.kind == EntryKind::file && !member.hard_link;
    if (member.hard_link) {
      further_names_.try_emplace(member.entry.link_target, 0);
      if (member.entry.link_target == path) continue;  // GNU tar stores so what it was told to store twice
      member.entry.kind = EntryKind::file;
    }
    ManifestEntry line;
    line.entry = std::move(member.entry);
    line.stored_level = level;
    line.offset = reader.member_offset();
    for (ContentPiece piece; reader.next_piece(piece);) {
      if (stop_.stop_requested()) throw Error(ErrorCode::runtime_error, "stopped on request", ErrorCause::cancelled);
    }
    if (has_content) line.digest = reader.content_digest();
    members.add(std::move(line));
  }
  reader.drain();
}

void ManifestRebuild::find_originals(EntrySorter& members) {
  if (further_names_.empty()) return;
  members.rewind();
  for (ManifestEntry line; members.next(line);) {
    if (is_further_name(line.entry)) ++further_names_[line.entry.link_target];
    if (further_names_.contains(line.entry.path)) originals_[line.entry.path] = std::move(line);
  }
  for (const auto& [path, names] : further_names_) {
    const auto original = originals_.find(path);
    if (original != originals_.end()) {
      original->second.entry.link_count = names + 1;
    } else if (names == 0) {
      throw damage(path, "it is another name of itself, and no file in it");
    }
  }
}

void ManifestRebuild::complete_names(ManifestEntry& line) const {
  const bool is_further = is_further_name(line.entry);
  const auto original = originals_.find(is_further ? line.entry.link_target : line.entry.path);
  if (!is_further && original == originals_.end()) return;
  if (original == originals_.end() || is_further_name(original->second.entry))
    throw damage(line.entry.path,
                 "it is another name of " + quote(line.entry.link_target) + ", which is no file in it");
  auto path = std::move(line.entry.path);
  line = original->second;
  line.entry.path = std::move(path);
}

// Entries come in walk order: what is below a directory follows it.
bool ManifestRebuild::stays(const Entry& old) {
  const bool is_below_gone = gone_ && is_below(old.path, *gone_);
  const bool is_listed =
      old.path == "." || !lists_.contains(hash_of(directory_of(old.path))) || listed_.contains(hash_of(old.path));
  if (is_listed && !is_below_gone) return true;
  if (!is_below_gone) gone_ = old.path;
  add_removed(closing_, old.path);
  return false;
}

// What is below a path follows it at once. Whoever restores, or removes what a level takes away, would go through what
// stands in the place of the directory.
void ManifestRebuild::check_place(const ManifestEntry& line) {
  const auto& path = line.entry.path;
  if (no_directory_ && is_below(path, *no_directory_)) {
    const auto where = line.offset ? "at byte " + std::to_string(*line.offset) + " of its tar stream " : std::string();
    throw damage(path, where + "it lies below " + quote(*no_directory_) + ", which is no directory");
  }
  no_directory_.reset();
  if (line.entry.kind != EntryKind::directory) no_directory_ = path;
}

void ManifestRebuild::write_entries(EntrySorter& members, ManifestWriter& writer) {
  members.rewind();
  ManifestEntry fresh;
  ManifestEntry old;
  bool has_fresh = members.next(fresh);
  bool has_old = parent_ && parent_->next(old);
  while (has_fresh || has_old) {
    const auto order = !has_old     ? std::strong_ordering::less
                       : !has_fresh ? std::strong_ordering::greater
                                    : compare_paths(fresh.entry.path, old.entry.path);
    if (order > 0) {
      if (stays(old.entry)) {
        check_place(old);
        writer.add(old);
      }
      has_old = parent_->next(old);
      continue;
    }
    if (order == 0) {
      if (fresh.entry.kind != EntryKind::directory) gone_ = old.entry.path;
      has_old = parent_->next(old);
    }
    check_place(fresh);
    complete_names(fresh);
    writer.add(fresh);
    has_fresh = members.next(fresh);
  }
}

}  // namespace autoarchive::tar_internal
