#include "internal_tar_archiver_provider.hpp"

#include <algorithm>
#include <thread>

#include "block_pipeline.hpp"
#include "codec.hpp"
#include "entry_writer.hpp"
#include "tar_writer.hpp"

namespace autoarchive::tar_internal {
namespace {

// Above GNU tar's provider, so that a plain request comes here.
constexpr int kRank = 10;

unsigned thread_count(unsigned wanted) {
  constexpr unsigned kMaxThreads = 256;
  return std::clamp(wanted != 0 ? wanted : std::thread::hardware_concurrency(), 1U, kMaxThreads);
}

void write_tar(BackupJob& job, Sink& out) {
  TarWriter tar(out);
  tar.add_comment(job.archive_comment());
  EntryWriter writer(job, tar);
  const auto walker = job.walk();
  for (WalkItem item; walker->next(item);) writer.add(item);
  tar.finish();
}

}  // namespace

std::shared_ptr<const TarArchiverProviderIdentification> internal_identification() {
  const std::set<ArchiverFeature> compressed{archiver_feature::kCompressionStrength};
  static const auto identification = std::make_shared<const TarArchiverProviderIdentification>(
      std::string(archiver_provider_id::kTarInternal),
      TarArchiverProviderIdentification::FeaturesByType{{backup_type::kTar, {}},
                                                        {backup_type::kTarGz, compressed},
                                                        {backup_type::kTarBz2, compressed},
                                                        {backup_type::kTarXz, compressed},
                                                        {backup_type::kTarZst, compressed}},
      kRank);
  return identification;
}

InternalTarArchiverProvider::InternalTarArchiverProvider(const ProviderArguments& arguments)
    : TarArchiverProviderBase(*internal_identification(), arguments) {}

void InternalTarArchiverProvider::write_archive(BackupJob& job) {
  const auto& request = job.request();
  const auto format = make_format(request.definition.backup_type->extension, request.compression_strength);
  if (!format) return write_tar(job, job.archive());
  BlockPipeline pipeline(job.archive(), *format, thread_count(request.threads),
                         [&job](ArchiveBlock block) { job.add_block(block); });
  write_tar(job, pipeline);
  pipeline.finish();
}

}  // namespace autoarchive::tar_internal
