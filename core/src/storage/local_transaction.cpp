#include "local_transaction.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <span>

#include "autoarchive/base/text.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "file_sink.hpp"
#include "restore_sections.hpp"

namespace autoarchive {
namespace {

constexpr std::string_view kRestoreText = "RESTORE.txt";
// Notes in the lock file: what kind of temporary file, then its name.
constexpr char kStoredNote = 'P';
constexpr char kStateNote = 'S';

std::string partial(std::string_view name) {
  return std::string(name) + std::string(kPartialSuffix);
}

/// At most `limit` bytes; empty if there is no such file. What can't be read is an error: it might be a journal.
std::string read_text(const Directory& directory, const std::string& name, std::size_t limit) {
  const UniqueFd fd(::openat(directory.fd(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!fd && errno == ENOENT) return {};
  std::string text;
  std::array<char, 4096> buffer{};
  while (fd && text.size() < limit) {
    const auto got = ::read(fd.get(), buffer.data(), std::min(buffer.size(), limit - text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (text.size() == limit) return text;
  throw Error::from_errno(errno, "reading " + directory.description(name), ErrorCause::destination);
}

constexpr std::size_t kMaxRestoreTextBytes = 16U << 20U;
constexpr std::size_t kMaxJournalBytes = 64U << 20U;

std::unique_ptr<LockFile> lock_state(const TransactionOptions& options) {
  if (options.state_lock_dir.empty()) return nullptr;
  const auto& directory = options.state_lock_dir;
  std::error_code error;
  std::filesystem::create_directories(directory.parent_path(), error);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    throw Error::from_errno(errno, "state directory " + quote(directory.native()));
  }
  return std::make_unique<LockFile>(directory / (options.archive + ".lock"), options.lock_wait, options.stop);
}

void require_flat(std::string_view name) {
  if (name.empty() || name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos) {
    throw Error(ErrorCode::value_error, "storage: " + quote(name) + " is not a file name", ErrorCause::internal);
  }
}

}  // namespace

LocalTransaction::LocalTransaction(const std::filesystem::path& directory, const TransactionOptions& options)
    : archive_((require_flat(options.archive), options.archive)),
      sync_(options.sync),
      state_dir_(options.state_lock_dir.parent_path().lexically_normal()),
      directory_(directory, ErrorCause::destination),
      lock_(directory / ("." + options.archive + ".lock"), options.lock_wait, options.stop),
      state_lock_(lock_state(options)) {
  check_marker(options);
  recover();
}

LocalTransaction::~LocalTransaction() {
  if (journal_written_) return;  // the next begin() finishes it
  try {
    remove_temporaries();
    lock_.clear();
  } catch (
      const Error&) {  // NOLINT(bugprone-empty-catch): they are noted in the lock file; the next begin() removes them
  }
}

void LocalTransaction::recover() {
  const auto text = read_text(directory_, journal_name(), kMaxJournalBytes);
  if (const auto journal = Journal::parse(text)) {
    recovered_.emplace_back("a commit that was interrupted has been finished");
    finish(*journal);
  } else if (!text.empty()) {
    recovered_.emplace_back("a commit that was interrupted before it began has been cleared");
    directory_.remove(journal_name());
  }
  for (const auto& note : lock_.notes()) {
    if (note.size() < 2) continue;
    const auto name = note.substr(1);
    if (note.front() == kStoredNote && name.find('/') == std::string::npos) puts_.push_back(name);
    if (note.front() == kStateNote) states_.emplace_back(name);
  }
  remove_temporaries();
  lock_.clear();
}

// Manifests before their archives: one without it is that of a file that has its name already.
void LocalTransaction::remove_temporaries() {
  for (auto name = puts_.rbegin(); name != puts_.rend(); ++name) directory_.remove(partial(*name));
  for (const auto& target : states_) {
    std::error_code error;
    std::filesystem::remove(partial(target.native()), error);
  }
  directory_.remove(partial(journal_name()));
  directory_.remove(marker_temporary());
  puts_.clear();
  states_.clear();
}

void LocalTransaction::check_marker(const TransactionOptions& options) {
  const std::string name(kMarkerName);
  marker_ = read_text(directory_, name, 36);
  if (options.expected_marker && !options.new_destination && marker_ != *options.expected_marker) {
    throw Error(ErrorCode::os_error,
                "destination " + quote(directory_.path().native()) + " is not the one of the last backup of " +
                    archive_ + (marker_.empty() ? " (it has no marker " : " (it has another marker ") + name +
                    "): is it mounted? If it is a new one, say --new-destination",
                ErrorCause::destination);
  }
  if (!marker_.empty()) return;
  marker_ = make_uuid();
  write_small(marker_temporary(), marker_ + "\n");
  try {
    directory_.rename_new(marker_temporary(), name);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::file_exists) throw;
    // Another archive's run was quicker: there is one marker, and it never changes.
    directory_.remove(marker_temporary());
    marker_ = read_text(directory_, name, 36);
  }
  if (sync_) directory_.sync();
}

std::string LocalTransaction::marker_temporary() const {
  return partial("." + archive_ + ".marker");
}

void LocalTransaction::write_small(const std::string& name, std::string_view text) {
  directory_.remove(name);
  FileSink sink(directory_.create(name), directory_.description(name), sync_);
  sink.write(std::as_bytes(std::span(text)));
  sink.finish();
}

std::unique_ptr<Sink> LocalTransaction::put(std::string_view given) {
  require_flat(given);
  const std::string name(given);
  if (name == kRestoreText && !restore_text_lock_) {
    restore_text_lock_ =
        std::make_unique<LockFile>(directory_.path() / ".destination.lock", std::chrono::minutes(1), std::stop_token());
  }
  if (std::find(puts_.begin(), puts_.end(), name) == puts_.end()) {
    lock_.note(kStoredNote + name);
    puts_.push_back(name);
  }
  directory_.remove(partial(name));
  return std::make_unique<FileSink>(directory_.create(partial(name)), directory_.description(partial(name)), sync_);
}

std::unique_ptr<ReadableFile> LocalTransaction::read_back(std::string_view name) const {
  return open_local_file(directory_.path() / partial(name));
}

void LocalTransaction::discard(std::string_view name) {
  directory_.remove(partial(name));
  std::erase(puts_, name);
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> LocalTransaction::own_files() const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> files;
  const auto add = [&](int directory, const char* name, int flags) {
    struct stat status {};
    if (::fstatat(directory, name, &status, flags) == 0) files.emplace_back(status.st_dev, status.st_ino);
  };
  add(directory_.fd(), "", AT_EMPTY_PATH);
  for (const auto& file : LocalStorage(directory_.path()).list("")) {
    const bool is_archives = file.name.starts_with(archive_ + ".") || file.name.starts_with("." + archive_ + ".");
    if (is_archives || file.name == kMarkerName) files.emplace_back(file.device, file.inode);
  }
  for (const auto& target : states_) add(AT_FDCWD, partial(target.native()).c_str(), AT_SYMLINK_NOFOLLOW);
  return files;
}

std::filesystem::path LocalTransaction::put_state(const std::filesystem::path& target) {
  const auto temporary = partial(target.native());
  if (std::find(states_.begin(), states_.end(), target) == states_.end()) {
    lock_.note(kStateNote + target.native());
    states_.push_back(target);
  }
  std::error_code error;
  std::filesystem::remove(temporary, error);
  return temporary;
}

void LocalTransaction::remove_state(const std::filesystem::path& target) {
  removed_states_.push_back(target);
}

void LocalTransaction::remove_now(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    require_flat(name);
    directory_.remove(name);
  }
  if (sync_) directory_.sync();
}

void LocalTransaction::prepare() {
  for (const auto& target : states_) {
    const auto temporary = partial(target.native());
    const UniqueFd fd(::open(temporary.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd || (sync_ && ::fsync(fd.get()) != 0)) throw Error::from_errno(errno, "state " + quote(temporary));
  }
  if (sync_) directory_.sync();
}

void LocalTransaction::add_old_files(const CommitPlan& plan, Journal& journal) const {
  // Where several steps touch one name (aa becomes ab, the plain one aa), each file keeps the identity that it has now.
  for (const auto& step : plan.steps) {
    const auto identity = directory_.identify(step.from);
    if (!identity) {
      throw Error(ErrorCode::file_not_found, "commit: " + directory_.description(step.from) + " is not there",
                  ErrorCause::no_such_backup);
    }
    const bool retire = step.action == CommitStep::Action::retire;
    const auto action = retire                                    ? JournalStep::Action::retire
                        : step.action == CommitStep::Action::keep ? JournalStep::Action::keep
                                                                  : JournalStep::Action::move;
    journal.steps.push_back({action, step.from, retire ? step.from + std::string(kOldSuffix) : step.to, *identity, {}});
  }
}

void LocalTransaction::add_puts(Journal& journal) const {
  for (const auto& name : puts_) {
    const auto identity = directory_.identify(partial(name));
    if (!identity)
      throw Error(ErrorCode::file_not_found, "commit: " + directory_.description(partial(name)) + " is gone");
    journal.steps.push_back({JournalStep::Action::publish, partial(name), name, *identity, directory_.identify(name)});
  }
}

void LocalTransaction::add_states(Journal& journal) const {
  for (const auto& target : states_) {
    const Directory directory(target.parent_path(), ErrorCause::unspecified);
    const auto temporary = std::filesystem::path(partial(target.native()));
    const auto identity = directory.identify(temporary.filename());
    if (!identity) throw Error(ErrorCode::file_not_found, "commit: state " + quote(temporary.native()) + " is gone");
    journal.steps.push_back({JournalStep::Action::state, temporary, target, *identity, {}});
  }
  for (const auto& target : removed_states_) {
    journal.steps.push_back({JournalStep::Action::unstate, target, {}, {}, {}});
  }
}

// Found now, nothing has changed; found later, the journal could never be finished.
void LocalTransaction::check_targets(const Journal& journal) const {
  std::set<std::string> vacated;
  for (const auto& step : journal.steps) {
    const bool stays_inside = step.action <= JournalStep::Action::publish;
    const bool may_replace = step.replaced.has_value();
    if (stays_inside && !may_replace && !vacated.contains(step.to) && directory_.exists(step.to)) {
      throw Error(ErrorCode::file_exists,
                  "commit: " + directory_.description(step.to) +
                      " is in the way and belongs to no backup; move it out of the destination");
    }
    vacated.insert(step.from);
  }
}

Journal LocalTransaction::make_journal(const CommitPlan& plan) const {
  Journal journal;
  add_old_files(plan, journal);
  add_puts(journal);
  add_states(journal);
  check_targets(journal);
  if (!plan.only_if_absent) return journal;
  for (const auto& name : puts_) {
    const bool moved =
        std::any_of(plan.steps.begin(), plan.steps.end(), [&](const auto& step) { return step.from == name; });
    if (!moved && directory_.exists(name)) {
      throw Error(ErrorCode::file_exists, "commit: " + directory_.description(name) + " is there already");
    }
  }
  return journal;
}

void LocalTransaction::write_journal(const Journal& journal) {
  const auto temporary = partial(journal_name());
  write_small(temporary, journal.text());
  directory_.rename(temporary, journal_name());
  journal_written_ = true;
  if (sync_) directory_.sync();
}

void LocalTransaction::finish(const Journal& journal) {
  for (auto& remark : journal.run(directory_, sync_, state_dir_)) recovered_.push_back(std::move(remark));
  directory_.remove(journal_name());
  if (sync_) directory_.sync();
}

std::string LocalTransaction::restore_text() const {
  auto text = read_text(directory_, std::string(kRestoreText), kMaxRestoreTextBytes);
  if (text.size() == kMaxRestoreTextBytes) text.clear();  // not one of ours
  return text;
}

void LocalTransaction::commit(const CommitPlan& plan) {
  for (const auto& text : plan.texts) {
    auto sink = put(text.name);  // with the lock, if it is the text of all archives
    const auto content =
        text.name == kRestoreText ? merge_sections(restore_text(), archive_, text.content) : text.content;
    sink->write(std::as_bytes(std::span(content)));
    sink->finish();
  }
  prepare();
  const auto journal = make_journal(plan);
  write_journal(journal);
  finish(journal);
  journal_written_ = false;
  puts_.clear();
  states_.clear();
  removed_states_.clear();
  lock_.clear();
}

}  // namespace autoarchive
