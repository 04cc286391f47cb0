#include "internal_tar_archiver_provider.hpp"

#include <algorithm>
#include <thread>

#include "codec.hpp"
#include "segment_pipeline.hpp"

namespace autoarchive::tar_internal {
namespace {

// Above GNU tar's provider, so that a plain request comes here.
constexpr int kRank = 10;
// The state of a level is its manifest.
constexpr const char* kManifestSuffix = ".manifest.zst";

unsigned thread_count(unsigned wanted) {
  constexpr unsigned kMaxThreads = 256;
  return std::clamp(wanted != 0 ? wanted : std::thread::hardware_concurrency(), 1U, kMaxThreads);
}

}  // namespace

std::shared_ptr<const TarArchiverProviderIdentification> internal_identification() {
  using namespace archiver_feature;
  const std::set<ArchiverFeature> plain{kIncremental, kMetadata, kRandomAccess, kRestore, kVerify};
  auto compressed = plain;
  compressed.insert(kCompressionStrength);
  static const auto identification = std::make_shared<const TarArchiverProviderIdentification>(
      std::string(archiver_provider_id::kTarInternal),
      TarArchiverProviderIdentification::FeaturesByType{{backup_type::kTar, plain},
                                                        {backup_type::kTarGz, compressed},
                                                        {backup_type::kTarBz2, compressed},
                                                        {backup_type::kTarXz, compressed},
                                                        {backup_type::kTarZst, compressed}},
      kRank);
  return identification;
}

InternalTarArchiverProvider::InternalTarArchiverProvider(const ProviderArguments& arguments)
    : TarArchiverProviderBase(*internal_identification(), arguments, {{kManifestSuffix}, kManifestSuffix}) {}

void InternalTarArchiverProvider::write_archive(BackupJob& job) {
  const auto& request = job.request();
  const auto format = make_format(request.definition.backup_type->extension, request.compression_strength);
  SegmentPipeline(job, format.get(), thread_count(request.threads)).run();
}

}  // namespace autoarchive::tar_internal
