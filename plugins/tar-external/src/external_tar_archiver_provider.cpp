#include "external_tar_archiver_provider.hpp"

#include <fcntl.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/private_file.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "brought_snapshot.hpp"
#include "compressor_process.hpp"
#include "gnu_tar.hpp"
#include "level_manifest.hpp"
#include "member_table.hpp"
#include "tar_input.hpp"
#include "tar_run.hpp"
#include "tree_survey.hpp"

namespace autoarchive::tar_external {
namespace {

constexpr const char* kSnapshotSuffix = ".snar";
constexpr const char* kSnapshotIdSuffix = ".snar.id";
constexpr const char* kManifestSuffix = ".snar.manifest";

class Identification final : public TarArchiverProviderIdentification {
 public:
  using TarArchiverProviderIdentification::TarArchiverProviderIdentification;
  [[nodiscard]] Availability availability() const override {
    static const auto known = check_tar("");
    return known;
  }
};

std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string sha256_of_path(const std::filesystem::path& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return fd ? sha256_of_file(fd.get()) : std::string();
}

std::string owner_line(const std::string& backup_uuid, const std::string& sha256) {
  return backup_uuid + " " + sha256 + "\n";
}

// gzip, bzip2 and zstd have no level 0.
int program_strength(std::string_view program, int strength) {
  return program == "xz" ? strength : std::max(1, strength);
}

}  // namespace

std::shared_ptr<const TarArchiverProviderIdentification> external_identification() {
  using namespace archiver_feature;
  static const auto identification = [] {
    TarArchiverProviderIdentification::FeaturesByType features;
    for (const auto& type : backup_type::kWellKnown) {
      const auto program = compressor_of(type.extension);
      if (type == backup_type::kTarZst && find_program(program).empty()) continue;
      features[type] = {kIncremental, kMetadata, kRestore, kVerify};
      if (!program.empty()) features[type].insert(kCompressionStrength);
    }
    return std::make_shared<const Identification>(std::string(archiver_provider_id::kTarExternal), std::move(features));
  }();
  return identification;
}

ExternalTarArchiverProvider::ExternalTarArchiverProvider(const ProviderArguments& arguments)
    : TarArchiverProviderBase(*external_identification(), arguments,
                              {{kSnapshotSuffix, kSnapshotIdSuffix, kManifestSuffix}, kManifestSuffix}) {
  for (const auto& [key, value] : arguments.options) {
    if (key != "tar")
      throw Error(ErrorCode::value_error, "tar-external has no option " + quote(key) + ", only tar",
                  ErrorCause::configuration);
    tar_ = value;
  }
  if (tar_.empty()) tar_ = find_program("tar");
  const auto availability = check_tar(tar_);
  if (!availability.available)
    throw Error(ErrorCode::os_error, "tar-external: " + availability.reason, ErrorCause::unavailable);
}

std::vector<std::string> ExternalTarArchiverProvider::compressor(const BackupRequest& request) {
  const auto name = compressor_of(request.definition.backup_type->extension);
  if (name.empty()) return {};
  const auto program = find_program(name);
  if (program.empty()) {
    throw Error(ErrorCode::os_error,
                std::string(name) + " was not found in " + std::string(kProgramPath) + "; install it",
                ErrorCause::unavailable);
  }
  std::vector<std::string> command{program, "-c"};
  if (name == "zstd") command.emplace_back("-q");
  if (request.compression_strength)
    command.push_back("-" + std::to_string(program_strength(name, *request.compression_strength)));
  return command;
}

void ExternalTarArchiverProvider::check_parent_snapshot(const BackupJob& job) const {
  if (!job.incremental() || job.level() == 0) return;
  const auto& id = job.request().definition.backup_id;
  const auto file = snapshots_dir() / state_name(id, job.level() - 1, kSnapshotSuffix);
  const auto owner = read_text(snapshots_dir() / state_name(id, job.level() - 1, kSnapshotIdSuffix));
  if (owner == owner_line(job.identity().parent_uuid, sha256_of_path(file))) return;
  std::string fault;
  if (const auto parent = owner.empty() ? job.parent_manifest() : nullptr) fault = fault_of_snapshot(file, *parent);
  throw Error(ErrorCode::file_not_found,
              "snapshot " + quote(file.native()) + " does not belong to the backup of level " +
                  std::to_string(job.level() - 1) + (fault.empty() ? "" : ": " + fault) + "; make a level 0",
              ErrorCause::state_lost);
}

std::filesystem::path ExternalTarArchiverProvider::put_snapshot(BackupJob& job) {
  if (!job.incremental()) return {};
  return job.put_state(state_name(job.request().definition.backup_id, job.level(), kSnapshotSuffix));
}

void ExternalTarArchiverProvider::put_owner(BackupJob& job, const std::string& sha256) {
  if (!job.incremental()) return;
  const auto file = job.put_state(state_name(job.request().definition.backup_id, job.level(), kSnapshotIdSuffix));
  const auto line = owner_line(job.identity().backup_uuid, sha256);
  const auto sink = create_state_file(file);
  sink->write(std::as_bytes(std::span(line)));
  sink->finish();
}

void ExternalTarArchiverProvider::recover_state(const BackupDefinition& definition, const IStorage& storage) {
  TarArchiverProviderBase::recover_state(definition, storage);
  for (int level = 0;; ++level) {
    const auto snapshot = snapshots_dir() / state_name(definition.backup_id, level, kSnapshotSuffix);
    std::error_code error;
    if (!std::filesystem::exists(snapshot, error)) return;
    if (std::filesystem::exists(snapshots_dir() / state_name(definition.backup_id, level, kSnapshotIdSuffix), error))
      continue;
    const BackupName name{definition.backup_id, *definition.backup_type, level, {}};
    const auto manifest = manifest_name(name.file_name());
    if (!storage.stat(manifest)) return;
    try {
      adopt(snapshot, storage, manifest);
    } catch (const Error& fault) {  // nothing is built on a backup whose manifest is damaged
      if (fault.cause() != ErrorCause::damaged) throw;
    }
  }
}

// The owner comes last: it makes the state whole.
void ExternalTarArchiverProvider::adopt(const std::filesystem::path& snapshot, const IStorage& storage,
                                        const std::string& manifest) const {
  ManifestReader reader(storage.open(manifest));
  if (!fault_of_snapshot(snapshot, reader).empty()) return;  // told when a level is to build on it
  const auto stem = snapshot.native().substr(0, snapshot.native().size() - std::string_view(kSnapshotSuffix).size());
  const auto file = storage.open(manifest);
  PrivateFile copy(stem + kManifestSuffix);
  std::vector<std::byte> buffer(1U << 18U);
  for (std::uint64_t offset = 0; offset < file->size();) {
    const auto got = file->read_at(offset, buffer);
    if (got == 0) throw Error(ErrorCode::os_error, quote(file->description()) + " has become shorter");
    copy.write(ByteView(buffer).first(got));
    offset += got;
  }
  copy.commit();
  const auto owner = owner_line(reader.header().backup_uuid, sha256_of_path(snapshot));
  write_private_file(stem + kSnapshotIdSuffix, std::as_bytes(std::span(owner)));
}

void ExternalTarArchiverProvider::write_archive(BackupJob& job) {
  check_parent_snapshot(job);
  TreeSurvey survey(job, snapshots_dir());
  const TarInput input(job, survey, snapshots_dir(), {job.request().definition.destination, work_dir()},
                       put_snapshot(job));
  put_owner(job, input.state_sha256());

  // What flows where: tar -> stream -> compressor -> destination.
  MemberTable members(snapshots_dir());
  std::optional<CompressorProcess> compressing;
  if (const auto command = compressor(job.request()); !command.empty())
    compressing.emplace(command, job.archive(), [&job] { job.check_stop(); });
  Sink& archive = compressing ? static_cast<Sink&>(*compressing) : job.archive();
  run_tar({tar_, input, survey.reported(), survey.dumpdirs(), archive, members}, job);
  if (compressing) compressing->finish();

  members.seal();
  write_level_manifest(job, survey, members);
}

}  // namespace autoarchive::tar_external
