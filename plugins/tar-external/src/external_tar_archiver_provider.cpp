#include "external_tar_archiver_provider.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "gnu_tar.hpp"
#include "snapshot_file.hpp"
#include "tar_run.hpp"
#include "tree_survey.hpp"

namespace autoarchive::tar_external {
namespace {

constexpr const char* kSnapshotSuffix = ".snar";
constexpr const char* kSnapshotIdSuffix = ".snar.id";

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

void write_text(const std::filesystem::path& file, const std::string& text) {
  const auto what = "state " + quote(file.native());
  UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) throw Error::from_errno(errno, what);
  for (std::size_t done = 0; done < text.size();) {
    const auto written = ::write(fd.get(), text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw Error::from_errno(errno, what);
    done += static_cast<std::size_t>(written);
  }
  fd.close(what.c_str());
}

std::string digest_of(const std::string& text) {
  return sha256_of(std::as_bytes(std::span(text)));
}

Error lost(const std::string& text) {
  return {ErrorCode::file_not_found, text + "; make a level 0", ErrorCause::state_lost};
}

// gzip and bzip2 have no level 0.
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
      if (program.empty()) {
        features[type] = {kIncremental};
      } else if (type != backup_type::kTarZst || !find_program(program).empty()) {
        features[type] = {kCompressionStrength, kIncremental};
      }
    }
    return std::make_shared<const Identification>(std::string(archiver_provider_id::kTarExternal), std::move(features));
  }();
  return identification;
}

ExternalTarArchiverProvider::ExternalTarArchiverProvider(const ProviderArguments& arguments)
    : TarArchiverProviderBase(*external_identification(), arguments, {{kSnapshotSuffix, kSnapshotIdSuffix}, {}}) {
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

std::string ExternalTarArchiverProvider::compressor(const BackupRequest& request) const {
  const auto name = compressor_of(request.definition.backup_type->extension);
  if (name.empty()) return {};
  const auto program = find_program(name);
  if (program.empty()) {
    throw Error(ErrorCode::os_error,
                std::string(name) + " was not found in " + std::string(kProgramPath) + "; install it",
                ErrorCause::unavailable);
  }
  auto command = program;
  if (name == "zstd") command += " -q";
  if (request.compression_strength)
    command += " -" + std::to_string(program_strength(name, *request.compression_strength));
  return command;
}

std::string ExternalTarArchiverProvider::read_parent_snapshot(const BackupJob& job) const {
  const auto& id = job.request().definition.backup_id;
  const auto file = snapshots_dir() / state_name(id, job.level() - 1, kSnapshotSuffix);
  auto snapshot = read_text(file);
  const auto owner = read_text(snapshots_dir() / state_name(id, job.level() - 1, kSnapshotIdSuffix));
  if (owner != job.identity().parent_uuid + " " + digest_of(snapshot) + "\n") {
    throw lost("snapshot " + quote(file.native()) + " does not belong to the backup of level " +
               std::to_string(job.level() - 1));
  }
  return snapshot;
}

// tar works on a copy. Directories that are not what they were under their name are taken out of it, so that tar dumps
// them in full and never writes a rename.
std::filesystem::path ExternalTarArchiverProvider::prepare_snapshot(BackupJob& job, const TreeSurvey& survey) const {
  auto file = job.put_state(state_name(job.request().definition.backup_id, job.level(), kSnapshotSuffix));
  if (job.level() == 0) return file;
  write_text(file, filter_snapshot(read_parent_snapshot(job), [&](std::string_view name, std::uint64_t inode) {
               return survey.has_directory(name, inode);
             }));
  return file;
}

void ExternalTarArchiverProvider::finish_snapshot(BackupJob& job, const std::filesystem::path& snapshot) const {
  const auto owner = job.put_state(state_name(job.request().definition.backup_id, job.level(), kSnapshotIdSuffix));
  write_text(owner, job.identity().backup_uuid + " " + digest_of(read_text(snapshot)) + "\n");
}

void ExternalTarArchiverProvider::write_archive(BackupJob& job) {
  const auto& request = job.request();
  TarCommand command{tar_, compressor(request), {}, {}};
  TreeSurvey survey(job, {request.definition.destination, work_dir()});
  command.excluded = survey.excluded();
  if (job.incremental()) command.snapshot = prepare_snapshot(job, survey);
  const auto stored = run_tar(command, job);
  if (job.incremental()) finish_snapshot(job, command.snapshot);
  survey.write_manifest(job, stored);
}

}  // namespace autoarchive::tar_external
