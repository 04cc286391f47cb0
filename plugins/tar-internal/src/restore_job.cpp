#include "restore_job.hpp"

#include <algorithm>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "borrowed_file.hpp"
#include "chain_reader.hpp"
#include "codec.hpp"
#include "member_reader.hpp"
#include "salvage.hpp"

namespace autoarchive::tar_internal {
namespace {

ManifestReader open_manifest(const ArchiveLevel& level) {
  return ManifestReader(std::make_unique<BorrowedFile>(*level.manifest));
}

bool is_plain(const ReadableFile& file) {
  try {
    return format_of(file) == "tar";
  } catch (const Error& error) {  // it comes out again where the file is read
    if (error.cause() != ErrorCause::unsupported) throw;
    return false;
  }
}

/// Whether its members can be reached without decoding all that lies before them.
bool has_places(const ArchiveLevel& level) {
  if (!has_file(level)) return true;  // nothing can be read, or is asked for
  if (!level.manifest) return is_plain(*level.file);
  auto reader = open_manifest(level);
  return reader.header().type == "tar" || !reader.closing().blocks.empty();
}

}  // namespace

RestoreJob::RestoreJob(const RestoreRequest& request, RestoreAim aim)
    : request_(request),
      aim_(aim),
      tree_(request, /*makes=*/!request.dry_run && aim.kind == RestoreAim::Kind::make, result_,
            [this](std::string_view path, std::string_view text) { problem(path, text); }),
      found_(request.paths.size(), false) {}

void RestoreJob::problem(std::string_view path, std::string_view text) {
  ++result_.problems;
  if (request_.observer != nullptr) request_.observer->problem(path, text);
}

void RestoreJob::damage(std::string_view path, std::string_view text) {
  ++result_.problems;
  ++result_.damaged;
  if (request_.observer != nullptr) request_.observer->damaged(path, text);
}

RestoreResult RestoreJob::run() {
  try {
    return run_to_the_end();
  } catch (const Error& error) {
    // What has been read whole before is there, too, with its links and attributes.
    if (error.cause() != ErrorCause::no_space) finish_what_is_there();
    throw;
  }
}

bool RestoreJob::has_file_of(int level) const {
  const auto index = static_cast<std::size_t>(level);
  return level >= 0 && index < request_.levels.size() && has_file(request_.levels[index]);
}

void RestoreJob::tell_missing_files(Way way) {
  // The last level's manifest knows what has been replaced; without it, what is older comes back.
  const std::string consequence =
      std::string(" missing or empty; what no other level has is not restored") +
      (way == Way::by_level ? ", and what was changed there may come back as it was before" : "");
  const int levels = static_cast<int>(request_.levels.size());
  for (int level = 0; level < levels; ++level) {
    if (has_file_of(level)) continue;
    const int first = level;
    while (level + 1 < levels && !has_file_of(level + 1)) ++level;
    const auto last = std::to_string(level);
    std::string text = first == level ? "the file of level " + last + " is" : "the files of the levels ";
    if (first != level) text.append(std::to_string(first)).append(" to ").append(last).append(" are");
    damage("", text.append(consequence));
  }
}

RestoreResult RestoreJob::run_to_the_end() {
  const auto way = choose_way();
  if (request_.salvage && aim_.only_level < 0) tell_missing_files(way);
  if (makes() && way != Way::by_level) note_ways();
  if (way == Way::by_level) {
    restore_by_level();
  } else if (request_.dry_run) {
    plan_by_manifest(way == Way::by_member);
  } else if (way == Way::by_entry) {
    restore_by_entry();
  } else {
    restore_by_member();
  }
  if (makes()) tree_.make_late();
  // What could not be read of a damaged archive may be what is there.
  if (request_.delete_others && result_.damaged == 0 && !is_increment_) {
    tree_.remove_others([this](auto path) { return is_in_place_of_found(path); },
                        [this](auto path) { return is_above(path); });
  }
  if (makes()) tree_.finish();
  for (std::size_t i = 0; i < found_.size(); ++i) {
    if (!found_[i]) result_.not_found.push_back(request_.paths[i]);
  }
  return result_;
}

void RestoreJob::finish_what_is_there() {
  if (!makes()) return;
  try {
    tree_.make_late();
    tree_.finish();
  } catch (const Error& error) {
    problem("", error.message());  // what ended the restore is what is told
  }
}

// Places are needed: a manifest whose entries have none is that of a provider that does not know them.
RestoreJob::Way RestoreJob::choose_way() {
  if (request_.levels.empty() || !request_.levels.back().manifest) return Way::by_level;
  try {
    ManifestReader::check(BorrowedFile(*request_.levels.back().manifest));
    auto reader = open_manifest(request_.levels.back());
    for (ManifestEntry line; reader.next(line);) {
      if (line.stored_level < 0) continue;
      if (!line.offset) return Way::by_level;
      break;
    }
    const bool all = std::all_of(request_.levels.begin(), request_.levels.end(), has_places);
    return all ? Way::by_entry : Way::by_member;
  } catch (const Error& error) {  // the archives speak for themselves
    if (error.cause() != ErrorCause::damaged) throw;
    damage("", error.message() + "; the archives are restored without it");
    return Way::by_level;
  }
}

void RestoreJob::for_each_wanted(const std::function<void(const ManifestEntry&)>& call) {
  auto manifest = open_manifest(request_.levels.back());
  auto paths = request_.paths;
  if (paths.empty()) paths.emplace_back(".");
  std::sort(paths.begin(), paths.end(), [](const auto& a, const auto& b) { return compare_paths(a, b) < 0; });
  std::string done;  // the last one that was restored with all below it
  for (const auto& path : paths) {
    if (!done.empty() && is_below(path, done)) continue;
    done = path;
    if (path != ".") manifest.seek(path);
    for (ManifestEntry line; manifest.next(line) && is_below(line.entry.path, path);) {
      check_stop();
      if (aim_.only_level >= 0 && line.stored_level != aim_.only_level) continue;
      static_cast<void>(is_wanted(line.entry.path));
      tree_.keep(line.entry.path);
      if (is_problem(line.state)) tree_.leave_contents(line.entry.path);
      call(line);
    }
  }
}

void RestoreJob::note_ways() {
  std::set<std::string> ways;
  for (const auto& path : request_.paths) {
    for (auto way = path; way != ".";) {
      const auto slash = way.rfind('/');
      way = slash == std::string::npos ? "." : way.substr(0, slash);
      if (!ways.insert(way).second) break;
    }
  }
  auto manifest = open_manifest(request_.levels.back());
  ManifestEntry line;
  for (const auto& way : ways) {
    manifest.seek(way);
    if (manifest.next(line) && line.entry.path == way && line.entry.kind == EntryKind::directory)
      tree_.note_way(line.entry);
  }
}

/// Reports what is wrong with the entry already in the backup.
bool RestoreJob::can_restore(const ManifestEntry& line) {
  const auto& path = line.entry.path;
  if (safe_member_path(path).empty()) {
    problem(path, kUnsafeName);
    return false;
  }
  if (line.stored_level < 0) {
    problem(path, "it could not be read when this backup was made");
    return false;
  }
  const bool is_earlier = line.stored_level + 1 < static_cast<int>(request_.levels.size());
  if (is_problem(line.state) && is_earlier)
    problem(path, "it could not be read at this level; it is as in level " + std::to_string(line.stored_level));
  if (is_problem(line.state) && !is_earlier) problem(path, "it changed or could not be read while it was stored");
  return true;
}

void RestoreJob::plan_by_manifest(bool is_by_member) {
  for_each_wanted([&](const ManifestEntry& line) {
    if (!can_restore(line) || !tree_.may_replace(line.entry)) return;
    const bool is_further_name = has_further_names(line.entry) && first_name_of(line) != nullptr;
    const bool is_read = !is_further_name && (is_by_member || line.entry.kind == EntryKind::file);
    if (is_read && !has_file_of(line.stored_level)) return tell_missing(line);
    count({line.entry, is_further_name, {}});
    if (has_further_names(line.entry) && !is_further_name) note_first_name(line);
  });
}

void RestoreJob::restore_by_entry() {
  std::optional<ChainReader> chain;
  chain.emplace(request_.levels, request_.decoder_memory, /*ahead=*/request_.paths.empty());
  for_each_wanted([&](const ManifestEntry& line) {
    if (!can_restore(line) || (!is_proof() && !tree_.may_replace(line.entry))) return;
    restore_entry(line, *chain);
    tell_progress();
  });
  chain.reset();  // with what it has decoded ahead
  if (!missed_paths_.empty()) restore_missed();
}

void RestoreJob::restore_entry(const ManifestEntry& line, ChainReader& chain) {
  const auto& path = line.entry.path;
  ArchiveMember member{line.entry, false, {}};
  const bool has_names = has_further_names(line.entry);
  if (has_names) {
    const auto* first = first_name_of(line);
    if (first != nullptr) tree_.settle();  // it may be in the making, and fail
    if (first != nullptr && !is_proof() && !tree_.was_restored(*first)) first = nullptr;
    member.hard_link = first != nullptr;
    if (member.hard_link) member.entry.link_target = *first;
  }
  // Others have no content; to prove them is to find them where they should be.
  const bool is_read = line.entry.kind == EntryKind::file || (is_proof() && line.offset);
  if (member.hard_link || !is_read) {
    extract(member, nullptr);
  } else if (!line.offset) {
    problem(path, "the manifest does not say where it is");
  } else {
    restore_content(line, member, chain);
  }
  if (has_names && tree_.was_restored(path)) note_first_name(line);
}

const std::string* RestoreJob::first_name_of(const ManifestEntry& line) const {
  if (line.offset) {
    const auto found = first_names_by_place_.find({line.stored_level, *line.offset});
    if (found != first_names_by_place_.end()) return &found->second;
  }
  if (line.entry.inode == 0) return nullptr;  // not known, as after a rescan
  const auto found = first_names_by_identity_.find(identity_of(line));
  return found == first_names_by_identity_.end() ? nullptr : &found->second;
}

void RestoreJob::note_first_name(const ManifestEntry& line) {
  if (line.offset) first_names_by_place_.insert_or_assign({line.stored_level, *line.offset}, line.entry.path);
  first_names_by_identity_.insert_or_assign(identity_of(line), line.entry.path);
}

void RestoreJob::restore_content(const ManifestEntry& line, const ArchiveMember& member, ChainReader& chain) {
  const auto& path = line.entry.path;
  bool is_there = false;
  try {
    ArchiveMember stored;
    auto* reader = &chain.seek(line.stored_level, *line.offset, stored);
    is_there = NeededMembers::Place::of(line).fits(stored) && (line.entry.link_count != 1 || stored.entry.path == path);
    // Under another name it may be another file, which would be brought as it is.
    if (is_there && request_.salvage && line.digest && stored.entry.path != path) {
      is_there = has_content(*reader, *line.digest);
      if (is_there) reader = &chain.seek(line.stored_level, *line.offset, stored);
    }
    if (!is_there) return miss(line, "the member at its place is another one: the manifest is not that of the archive");
    make(member, *reader, line.digest);
  } catch (const Error& error) {
    if (!is_damage(error)) throw;
    if (chain.forget(line.stored_level, *line.offset)) return restore_content(line, member, chain);
    is_there ? damage(path, error.message()) : miss(line, error.message());
  }
}

bool RestoreJob::has_content(MemberReader& reader, std::uint64_t digest) const {
  for (ContentPiece piece; reader.next_piece(piece);) check_stop();
  return reader.content_digest() == digest;
}

void RestoreJob::extract(const ArchiveMember& member, MemberReader* reader, const ContentCheck& is_right) {
  if (request_.dry_run) return count(member);
  if (!is_proof()) return tree_.extract(member, reader, is_right);
  const bool has_content = reader != nullptr && member.entry.kind == EntryKind::file && !member.hard_link;
  ContentPiece piece;
  while (has_content && reader->next_piece(piece)) {
    check_stop();
    result_.content_bytes += piece.bytes.size();
  }
  if (!is_right || is_right()) ++result_.entries;
}

bool RestoreJob::make(const ArchiveMember& member, MemberReader& reader, std::optional<std::uint64_t> digest) {
  const bool has_content = member.entry.kind == EntryKind::file && !member.hard_link;
  bool is_wrong = false;
  const auto is_right = [&] {
    is_wrong = has_content && digest && reader.content_digest() != *digest;
    return !is_wrong;
  };
  extract(member, &reader, is_right);
  if (!is_wrong) return true;
  const std::string consequence = is_proof()         ? ""
                                  : request_.salvage ? "; it is restored as it is"
                                                     : "; it is not restored: --salvage brings it as it is";
  damage(member.entry.path, "its content is not what was stored: its digest differs from the manifest's" + consequence);
  return false;
}

void RestoreJob::count(const ArchiveMember& member) {
  ++result_.entries;
  if (!member.hard_link) result_.content_bytes += member.entry.size;
  if (request_.observer != nullptr) request_.observer->restored(member);
}

void RestoreJob::tell_progress() {
  if (request_.observer != nullptr) request_.observer->progress(result_.entries, result_.content_bytes);
}

void RestoreJob::check_stop() const {
  if (!request_.stop.stop_requested()) return;
  if (makes()) throw stopped_restore();
  throw Error(ErrorCode::runtime_error, "stopped on request", ErrorCause::cancelled);
}

bool RestoreJob::is_asked_for(std::string_view path) const {
  return request_.paths.empty() || std::any_of(request_.paths.begin(), request_.paths.end(),
                                               [&](const auto& wanted) { return is_below(path, wanted); });
}

bool RestoreJob::is_wanted(std::string_view path) {
  for (std::size_t i = 0; i < request_.paths.size(); ++i) {
    if (is_below(path, request_.paths[i])) found_[i] = true;
  }
  return is_asked_for(path);
}

// What the backup does not have at all may be a mistake in the path: nothing is removed there.
bool RestoreJob::is_in_place_of_found(std::string_view path) const {
  if (request_.paths.empty()) return true;
  for (std::size_t i = 0; i < request_.paths.size(); ++i) {
    if (found_[i] && is_below(path, request_.paths[i])) return true;
  }
  return false;
}

bool RestoreJob::is_above(std::string_view path) const {
  return std::any_of(request_.paths.begin(), request_.paths.end(),
                     [&](const auto& wanted) { return is_below(wanted, path); });
}

void RestoreJob::damage_of_file(const Error& error) {
  if (!request_.salvage) throw error;
  damage("", error.message());
}

}  // namespace autoarchive::tar_internal
