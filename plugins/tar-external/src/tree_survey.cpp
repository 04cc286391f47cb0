#include "tree_survey.hpp"

#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "autoarchive/tree/attributes.hpp"

namespace autoarchive::tar_external {
namespace {

/// Walks through the parent's manifest beside the new one: both are in the same order.
class ParentLevels {
 public:
  explicit ParentLevels(std::unique_ptr<ManifestReader> reader) : reader_(std::move(reader)) { advance(); }

  /// The level that holds the content of `path`, or -1 if the parent does not know it.
  int level_of(const std::string& path) {
    while (has_entry_ && compare_paths(entry_.entry.path, path) < 0) advance();
    return has_entry_ && entry_.entry.path == path ? entry_.stored_level : -1;
  }

 private:
  void advance() { has_entry_ = reader_ != nullptr && reader_->next(entry_); }

  std::unique_ptr<ManifestReader> reader_;
  ManifestEntry entry_;
  bool has_entry_ = false;
};

}  // namespace

TreeSurvey::TreeSurvey(BackupJob& job, const std::vector<std::filesystem::path>& own_directories)
    : whole_tree_(job.request().definition.include_files->contains(".")) {
  OwnerNames owners;
  const bool names = job.request().metadata.owner_names;
  const auto walker = job.walk();
  for (WalkItem item; walker->next(item);) {
    job.check_stop();
    auto& entry = item.entry;
    if (item.event == WalkEvent::excluded) {
      excluded_.push_back(tar_name(entry.path));
      job.entry_done(entry, EntryStatus::excluded, item.rule);
    }
    if (item.event != WalkEvent::entry) continue;  // tar itself reports what it can't store
    if (entry.kind == EntryKind::directory) directories_.emplace(tar_name(entry.path), entry.inode);
    if (names) {
      entry.user = owners.user(entry.uid);
      entry.group = owners.group(entry.gid);
    }
    ManifestEntry line;
    line.entry = std::move(entry);
    line.state = item.listed ? EntryState::ok : EntryState::failed;
    entries_.push_back(std::move(line));
  }
  for (const auto& directory : own_directories) exclude_own(job.root(), directory, job.request().definition.backup_id);
}

std::string TreeSurvey::tar_name(const std::string& path) const {
  if (!whole_tree_ || path == ".") return path;
  return "./" + path;
}

void TreeSurvey::exclude_own(const std::filesystem::path& root, const std::filesystem::path& directory,
                             const std::string& archive) {
  std::error_code error;
  const auto relative =
      std::filesystem::canonical(directory, error).lexically_relative(std::filesystem::canonical(root, error));
  if (error || relative.empty() || *relative.begin() == "..") return;
  if (relative != ".") return excluded_.push_back(tar_name(relative));
  // The root itself is the destination: only what is ours in it stays out.
  for (const auto& file : LocalStorage(directory).list("")) {
    const bool is_archives = file.name.starts_with(archive + ".") || file.name.starts_with("." + archive + ".");
    if (is_archives || file.name == kMarkerName) excluded_.push_back(tar_name(file.name));
  }
}

bool TreeSurvey::has_directory(std::string_view name, std::uint64_t inode) const {
  const auto found = directories_.find(std::string(name));
  return found != directories_.end() && found->second == inode;
}

void TreeSurvey::write_manifest(BackupJob& job, const std::unordered_set<std::string>& stored) {
  ParentLevels parent(job.parent_manifest());
  for (auto& line : entries_) {
    const bool is_stored = stored.contains(tar_name(line.entry.path)) || stored.contains(line.entry.path);
    line.stored_level = is_stored ? job.level() : parent.level_of(line.entry.path);
    job.add_to_manifest(line);
    if (is_stored) job.content_stored(line.entry.size);
    const auto status = is_stored                ? EntryStatus::added
                        : line.stored_level >= 0 ? EntryStatus::unchanged
                                                 : EntryStatus::failed;
    job.entry_done(line.entry, status);
  }
}

}  // namespace autoarchive::tar_external
