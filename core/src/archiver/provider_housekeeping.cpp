// Keeping, removing and asking: everything of the base class but the making of a backup.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <span>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/archiver/tar_archiver_provider_base.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/private_file.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "request_check.hpp"

namespace autoarchive {
namespace {

constexpr std::size_t kMaxLevelDigits = 6;
constexpr std::size_t kSha256Digits = 64;

/// "home.2" and ".snar" of "home.2.snar": the archive's name and its level.
std::optional<int> parse_state_level(std::string_view middle) {
  if (middle.empty()) return 0;
  if (middle.front() != '.' || middle.size() > kMaxLevelDigits + 1 || middle.size() < 2 || middle[1] == '0')
    return std::nullopt;
  int level = 0;
  const auto* end = middle.data() + middle.size();
  const auto parsed = std::from_chars(middle.data() + 1, end, level);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(level) : std::nullopt;
}

void require_level(int level) {
  if (level >= 0) return;
  throw Error(ErrorCode::value_error, "level " + std::to_string(level) + ": give 0 or more", ErrorCause::usage);
}

std::unique_ptr<ITransaction> begin(LocalStorage& storage, const BackupDefinition& definition) {
  check_archive_name(definition.backup_id);
  TransactionOptions options;
  options.archive = definition.backup_id;
  return storage.begin(options);
}

Error no_such_file(const BackupName& name, const BackupDefinition& definition) {
  return {ErrorCode::file_not_found, "backup " + quote(name.path(definition.destination)) + " does not exist",
          ErrorCause::no_such_backup};
}

void retire(const IStorage& storage, const std::string& name, CommitPlan& plan) {
  for (const auto& file : {name, manifest_name(name), sha256_name(name)}) {
    if (storage.stat(file)) plan.steps.push_back({CommitStep::Action::retire, file, ""});
  }
}

// The line in a ".sha256" holds the file's name, so that a renamed file needs a new one.
void move_sha256(const IStorage& storage, const std::string& from, const std::string& to, CommitPlan& plan) {
  if (!storage.stat(sha256_name(from))) return;
  std::string digest(kSha256Digits, '\0');
  const auto read = storage.open(sha256_name(from))->read_at(0, std::as_writable_bytes(std::span(digest)));
  if (read != kSha256Digits) {
    plan.steps.push_back({CommitStep::Action::move, sha256_name(from), sha256_name(to)});
    return;
  }
  plan.steps.push_back({CommitStep::Action::retire, sha256_name(from), ""});
  plan.texts.push_back({sha256_name(to), digest + "  " + to + "\n"});
}

/// None if the manifest is missing or can't be read.
std::optional<ManifestHeader> read_header(const IStorage& storage, const std::string& manifest) {
  if (!storage.stat(manifest)) return std::nullopt;
  try {
    return ManifestReader(storage.open(manifest)).header();
  } catch (const Error& error) {
    if (error.cause() != ErrorCause::damaged && error.cause() != ErrorCause::unsupported) throw;
    return std::nullopt;
  }
}

bool is_copy_of(const std::filesystem::path& state, const ManifestHeader& header) {
  std::error_code error;
  if (!std::filesystem::exists(state, error)) return false;
  try {
    auto file = open_local_file(state.native());
    ManifestReader::check(*file);
    return ManifestReader(std::move(file)).header() == header;
  } catch (const Error&) {  // whatever is wrong with it, it is replaced
    return false;
  }
}

void copy_file(const ReadableFile& from, const std::filesystem::path& to) {
  PrivateFile copy(to);
  std::vector<std::byte> buffer(1U << 18U);
  for (std::uint64_t offset = 0; offset < from.size();) {
    const auto got = from.read_at(offset, buffer);
    if (got == 0) throw Error(ErrorCode::os_error, "reading " + quote(from.description()) + ": it has become shorter");
    copy.write(ByteView(buffer).first(got));
    offset += got;
  }
  copy.commit();
}

}  // namespace

std::string TarArchiverProviderBase::state_name(std::string_view backup_id, int level, std::string_view suffix) {
  std::string name(backup_id);
  if (level > 0) name += "." + std::to_string(level);
  return name.append(suffix);
}

void TarArchiverProviderBase::require_incremental(const char* call) const {
  if (!level_state_.suffixes.empty()) return;
  throw Error(ErrorCode::not_implemented,
              std::string(call) + ": provider " + std::string(identification_.provider_id()) + " makes no levels",
              ErrorCause::unsupported);
}

std::vector<TarArchiverProviderBase::StoredState> TarArchiverProviderBase::stored_states(
    std::string_view backup_id) const {
  std::vector<StoredState> states;
  if (level_state_.suffixes.empty() || backup_id.empty()) return states;
  std::error_code error;
  std::filesystem::directory_iterator files(snapshots_dir(), error);
  if (error) throw Error::from_errno(error.value(), "state directory " + quote(snapshots_dir().native()));
  for (const auto& file : files) {
    const auto name = file.path().filename().native();
    if (!name.starts_with(backup_id)) continue;
    for (const auto& suffix : level_state_.suffixes) {
      if (name.size() < backup_id.size() + suffix.size() || !name.ends_with(suffix)) continue;
      const auto middle =
          std::string_view(name).substr(backup_id.size(), name.size() - backup_id.size() - suffix.size());
      if (const auto level = parse_state_level(middle))
        states.push_back({file.path(), *level, suffix == level_state_.suffixes.front()});
    }
  }
  return states;
}

void TarArchiverProviderBase::check_state(std::string_view backup_id, int level, bool incremental) const {
  if (!incremental || level == 0) return;
  const auto states = stored_states(backup_id);
  const bool known = std::any_of(states.begin(), states.end(),
                                 [&](const auto& state) { return state.primary && state.level == level - 1; });
  if (known) return;
  throw Error(ErrorCode::file_not_found,
              "level " + std::to_string(level) + ": the state of level " + std::to_string(level - 1) +
                  " is missing in " + quote(snapshots_dir().native()) + "; make a level 0",
              ErrorCause::state_lost);
}

int TarArchiverProviderBase::max_backup_level(std::string_view backup_id) const {
  require_incremental("max_backup_level");
  int next = 0;
  for (const auto& state : stored_states(backup_id)) {
    if (state.primary) next = std::max(next, state.level + 1);
  }
  return next;
}

// Only where the manifest is all of the state. What is there and whole stays, so that this costs a stat and one line a
// level.
void TarArchiverProviderBase::recover_state(const BackupDefinition& definition, const IStorage& storage) {
  if (level_state_.suffixes.empty() || level_state_.manifest_suffix != level_state_.suffixes.front()) return;
  check_type(definition, identification_);
  std::string chain;
  for (int level = 0;; ++level) {
    const BackupName name{definition.backup_id, *definition.backup_type, level, {}};
    const auto header = read_header(storage, manifest_name(name.file_name()));
    if (!header || header->provider != identification_.provider_id() || header->level != level) return;
    if (level == 0) chain = header->backup_uuid;
    if (header->chain_uuid != chain) return;
    const auto state = snapshots_dir() / state_name(definition.backup_id, level, level_state_.manifest_suffix);
    if (!is_copy_of(state, *header)) copy_file(*storage.open(manifest_name(name.file_name())), state);
  }
}

bool TarArchiverProviderBase::does_backup_exist(const BackupDefinition& definition, std::optional<int> level,
                                                std::string_view keeping_id) const {
  check_type(definition, identification_);
  const BackupName name{definition.backup_id, *definition.backup_type, level, std::string(keeping_id)};
  return LocalStorage(definition.destination).stat(name.file_name()).has_value();
}

bool TarArchiverProviderBase::does_any_backup_level_exist(const BackupDefinition& definition, int from_level,
                                                          std::string_view keeping_id) const {
  require_incremental("does_any_backup_level_exist");
  check_type(definition, identification_);
  require_level(from_level);
  const std::string ending =
      (keeping_id.empty() ? "." : "." + std::string(keeping_id) + ".") + definition.backup_type->extension;
  for (const auto& file : LocalStorage(definition.destination).list(definition.backup_id)) {
    const auto rest = std::string_view(file.name).substr(definition.backup_id.size());
    if (!rest.ends_with(ending)) continue;
    const auto level = parse_state_level(rest.substr(0, rest.size() - ending.size()));
    if (level && *level >= from_level) return true;
  }
  return false;
}

void TarArchiverProviderBase::keep_backup(const BackupDefinition& definition, std::string_view keeping_id,
                                          std::string_view new_keeping_id, std::optional<int> level) {
  check_type(definition, identification_);
  check_keeping_id(new_keeping_id);
  const BackupName from{definition.backup_id, *definition.backup_type, level, std::string(keeping_id)};
  const BackupName to{definition.backup_id, *definition.backup_type, level, std::string(new_keeping_id)};
  LocalStorage storage(definition.destination);
  if (storage.stat(to.file_name())) {
    throw Error(ErrorCode::file_exists,
                "backup " + quote(to.path(definition.destination)) + " exists already; keep it under another id");
  }
  if (!storage.stat(from.file_name())) throw no_such_file(from, definition);
  const auto transaction = begin(storage, definition);
  CommitPlan plan;
  plan.steps.push_back({CommitStep::Action::move, from.file_name(), to.file_name()});
  if (storage.stat(manifest_name(from.file_name()))) {
    plan.steps.push_back({CommitStep::Action::move, manifest_name(from.file_name()), manifest_name(to.file_name())});
  }
  move_sha256(storage, from.file_name(), to.file_name(), plan);
  transaction->commit(plan);
}

void TarArchiverProviderBase::remove_backup(const BackupDefinition& definition, std::string_view keeping_id) {
  check_type(definition, identification_);
  const BackupName name{definition.backup_id, *definition.backup_type, {}, std::string(keeping_id)};
  LocalStorage storage(definition.destination);
  if (!storage.stat(name.file_name())) throw no_such_file(name, definition);
  const auto transaction = begin(storage, definition);
  CommitPlan plan;
  retire(storage, name.file_name(), plan);
  transaction->commit(plan);
}

void TarArchiverProviderBase::remove_backup_increments(const BackupDefinition& definition, std::optional<int> level,
                                                       std::string_view keeping_id) {
  require_incremental("remove_backup_increments");
  check_type(definition, identification_);
  const int first = level.value_or(max_backup_level(definition.backup_id));
  require_level(first);
  LocalStorage storage(definition.destination);
  const auto transaction = begin(storage, definition);
  CommitPlan plan;
  for (int current = first;; ++current) {
    const BackupName name{definition.backup_id, *definition.backup_type, current, std::string(keeping_id)};
    if (!storage.stat(name.file_name())) break;
    retire(storage, name.file_name(), plan);
  }
  if (keeping_id.empty()) {
    for (const auto& state : stored_states(definition.backup_id)) {
      if (state.level >= first) transaction->remove_state(state.file);
    }
  }
  transaction->commit(plan);
}

std::vector<std::string> TarArchiverProviderBase::stored_backup_ids() const {
  std::set<std::string> ids;
  if (level_state_.suffixes.empty()) return {};
  std::error_code error;
  std::filesystem::directory_iterator files(snapshots_dir(), error);
  if (error) throw Error::from_errno(error.value(), "state directory " + quote(snapshots_dir().native()));
  for (const auto& file : files) {
    const auto name = file.path().filename().native();
    const auto& suffix = level_state_.suffixes.front();
    if (!name.ends_with(suffix)) continue;
    auto id = name.substr(0, name.size() - suffix.size());
    // An archive's name never ends in a dot and digits, so that such an end is a level.
    const auto dot = id.rfind('.');
    if (dot != std::string::npos && parse_state_level(std::string_view(id).substr(dot)).value_or(0) > 0) id.resize(dot);
    ids.insert(std::move(id));
  }
  return {ids.begin(), ids.end()};
}

void TarArchiverProviderBase::purge_stored_backup_data(std::string_view backup_id) {
  for (const auto& state : stored_states(backup_id)) {
    std::error_code error;
    std::filesystem::remove(state.file, error);
    if (error) throw Error::from_errno(error.value(), "state " + quote(state.file.native()));
  }
}

}  // namespace autoarchive
