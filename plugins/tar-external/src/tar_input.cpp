#include "tar_input.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <string_view>
#include <utility>

#include "autoarchive/storage/local_storage.hpp"
#include "member_name.hpp"
#include "snapshot_file.hpp"

namespace autoarchive::tar_external {
namespace {

constexpr Timestamp kFarthestFuture{std::numeric_limits<std::int64_t>::max(), 0};
constexpr std::string_view kNul("\0", 1);  // ends a name
constexpr auto kNoDevice = std::numeric_limits<std::uint64_t>::max();

// A file of patterns holds one a line, and tar drops blanks at a line's end.
bool fits_into_a_line(const std::string& name) {
  return name.find('\n') == std::string::npos && !name.empty() &&
         std::isspace(static_cast<unsigned char>(name.back())) == 0;
}

// tar tells the directories of a snapshot by their names, so one form has to do for the root and all below it.
bool names_have_dot(const BackupJob& job) {
  const auto& includes = *job.request().definition.include_files;
  return job.incremental() || std::any_of(includes.begin(), includes.end(),
                                          [](const auto& include) { return normalize_path(include) == "."; });
}

/// Everything below a directory, but not itself.
std::string pattern_below(const std::string& name) {
  std::string pattern;
  for (const char c : name) {
    if (std::string_view("*?[\\").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern + "/*";
}

std::string join(const std::string& directory, const std::string& name) {
  return directory == "." ? name : directory + "/" + name;
}

// By the names after the letters.
bool is_name_before(const std::string& a, const std::string& b) {
  return std::string_view(a).substr(1) < std::string_view(b).substr(1);
}

/// A directory on the current path.
struct OpenDirectory {
  Entry entry;
  bool is_read = false;             // by tar
  std::vector<std::string> in_tar;  // the names that tar is not to store
  std::vector<std::string> in_state;
  std::vector<std::string> excluded;
};

}  // namespace

/// Makes the two snapshots and the list of directories that tar has to read: those in which something is stored or
/// gone, those that differ themselves, and all above them, because a restore of what is below changes their times.
class TarInput::Plan {
 public:
  Plan(TarInput& input, const TreeSurvey& survey, Sink& state)
      : input_(input), survey_(survey), tar_(*input.snapshot_, kFarthestFuture), state_(state, survey.started()) {}

  void take(SurveyedEntry& surveyed) {
    leave_until(surveyed.entry.path);
    if (!path_.empty()) add_name(path_.back(), surveyed);
    const bool is_here = surveyed.verdict == Verdict::added || surveyed.verdict == Verdict::modified ||
                         surveyed.verdict == Verdict::unchanged;
    if (!is_here || surveyed.entry.kind != EntryKind::directory) return;
    OpenDirectory directory;
    directory.is_read = survey_.is_wanted(surveyed) || survey_.has_lost_names(surveyed.entry.path);
    directory.entry = std::move(surveyed.entry);
    path_.push_back(std::move(directory));
  }

  void finish() {
    while (!path_.empty()) leave();
    static_cast<void>(tar_.finish());
    input_.snapshot_->finish();
    input_.state_sha256_ = state_.finish();
  }

 private:
  void add_name(OpenDirectory& parent, const SurveyedEntry& surveyed) {
    const auto name = std::string(base_name(surveyed.entry.path));
    switch (surveyed.verdict) {
      case Verdict::added:
      case Verdict::modified:
      case Verdict::unchanged:
        return add_present(parent, name, surveyed);
      case Verdict::failed:
      case Verdict::unstorable:
        return parent.in_tar.push_back("N" + name);
      case Verdict::excluded:
        return leave_out(parent, name);
      case Verdict::unseen:
        return;  // its directory could not be listed
    }
  }

  void add_present(OpenDirectory& parent, const std::string& name, const SurveyedEntry& surveyed) {
    const bool is_wanted = survey_.is_wanted(surveyed);
    if (surveyed.entry.kind == EntryKind::directory) {
      parent.in_tar.push_back("D" + name);
      parent.in_state.push_back("D" + name);
      return;
    }
    parent.is_read = parent.is_read || is_wanted;
    parent.in_state.push_back((is_wanted ? "Y" : "N") + name);
    if (!is_wanted) parent.in_tar.push_back("N" + name);
  }

  // tar does not even look at what is excluded by name, so that a file system that hangs can be left out.
  static void leave_out(OpenDirectory& parent, const std::string& name) {
    if (fits_into_a_line(name)) {
      parent.excluded.push_back(member_name(join(parent.entry.path, name), /*with_dot=*/true));
    } else {
      parent.in_tar.push_back("N" + name);
    }
  }

  void leave_until(const std::string& path) {
    while (!path_.empty() && !is_below(path, path_.back().entry.path)) leave();
  }

  void leave() {
    auto directory = std::move(path_.back());
    path_.pop_back();
    const auto& entry = directory.entry;
    for (const auto& name : survey_.neighbours(entry.path)) leave_out(directory, name);
    std::sort(directory.in_tar.begin(), directory.in_tar.end(), is_name_before);
    SnapshotDirectory record{member_name(entry.path, /*with_dot=*/true), entry.mtime, entry.device, entry.inode,
                             std::move(directory.in_state)};
    state_.add(record);
    if (!directory.is_read) return;
    if (!path_.empty()) path_.back().is_read = true;
    record.device = kNoDevice;
    record.names = std::move(directory.in_tar);
    tar_.add(record);
    input_.names_.write(record.name);
    input_.names_.write(kNul);
    for (auto& name : directory.excluded) input_.exclude(std::move(name));
  }

  TarInput& input_;
  const TreeSurvey& survey_;
  SnapshotWriter tar_;
  SnapshotWriter state_;
  std::vector<OpenDirectory> path_;
};

TarInput::TarInput(const BackupJob& job, const TreeSurvey& survey, const std::filesystem::path& scratch,
                   const std::vector<std::filesystem::path>& own_directories, const std::filesystem::path& state)
    : with_dot_(names_have_dot(job)), names_(scratch), excluded_(scratch) {
  if (job.incremental()) {
    plan_level(survey, scratch, state);
  } else {
    plan_whole(survey);
  }
  for (const auto& directory : survey.closed_directories())
    excluded_patterns_.push_back(pattern_below(member_name(directory, with_dot_)));
  for (const auto& directory : own_directories) exclude_own(job, directory);
  names_.finish();
  excluded_.finish();
}

void TarInput::exclude(std::string name) {
  if (!fits_into_a_line(name)) return excluded_names_.push_back(std::move(name));
  excluded_.write(name);
  excluded_.write("\n");
}

void TarInput::exclude_own(const BackupJob& job, const std::filesystem::path& directory) {
  std::error_code error;
  const auto root = std::filesystem::canonical(job.root(), error);
  const auto relative = std::filesystem::canonical(directory, error).lexically_relative(root);
  if (error || relative.empty() || *relative.begin() == "..") return;
  if (relative != ".") return exclude(member_name(relative.native(), with_dot_));
  // The root itself is the destination: only what is ours in it stays out.
  const auto& archive = job.request().definition.backup_id;
  for (const auto& file : LocalStorage(directory).list("")) {
    const bool is_archives = file.name.starts_with(archive + ".") || file.name.starts_with("." + archive + ".");
    if (is_archives || file.name == kMarkerName) exclude(member_name(file.name, with_dot_));
  }
}

void TarInput::plan_level(const TreeSurvey& survey, const std::filesystem::path& scratch,
                          const std::filesystem::path& state) {
  snapshot_ = std::make_unique<TemporaryFile>(scratch);
  const auto state_file = create_state_file(state);
  Plan plan(*this, survey, *state_file);
  auto entries = survey.entries();
  for (SurveyedEntry entry; entries.next(entry);) plan.take(entry);
  plan.finish();
  state_file->finish();
}

void TarInput::plan_whole(const TreeSurvey& survey) {
  for (const auto& include : survey.includes()) {
    names_.write(member_name(include, with_dot_));
    names_.write(kNul);
  }
  auto entries = survey.entries();
  for (SurveyedEntry entry; entries.next(entry);) {
    if (entry.verdict == Verdict::excluded) exclude(member_name(entry.entry.path, with_dot_));
  }
}

}  // namespace autoarchive::tar_external
