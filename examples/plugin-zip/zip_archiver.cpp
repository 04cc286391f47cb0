#include "zip_archiver.hpp"

#include <autoarchive/archiver/stored_entry.hpp>

#include "zip_file.hpp"

namespace zip_plugin {

using namespace autoarchive;

namespace {

/// Lets StoredEntry write into a zip's entry.
class ContentSink final : public Sink {
 public:
  explicit ContentSink(ZipWriter& zip) : zip_(zip) {}
  void write(ByteView bytes) override { zip_.write(bytes); }
  void finish() override {}

 private:
  ZipWriter& zip_;
};

void store(BackupJob& job, const WalkItem& item, ZipWriter& zip) {
  StoredEntry stored(job, item);
  if (stored.failed()) return;
  const auto kind = stored.entry().kind;
  if (kind != EntryKind::file && kind != EntryKind::directory && kind != EntryKind::symlink)
    return stored.refuse("zip holds files, directories and symbolic links only");
  if (stored.entry().path.find('\\') != std::string::npos)  // read back as a directory's name
    return stored.refuse("zip holds no name with a backslash");
  zip.begin(stored.entry(), stored.stat_mode());
  ContentSink content(zip);
  stored.copy_content(content);
  stored.finish();
}

}  // namespace

std::shared_ptr<const TarArchiverProviderIdentification> zip_identification() {
  using namespace archiver_feature;  // no Metadata: a zip has times in whole seconds, and one name a file
  static const auto identification = std::make_shared<const TarArchiverProviderIdentification>(
      "zip", TarArchiverProviderIdentification::FeaturesByType{
                 {BackupType{"Zip", "zip"}, {kCompressionStrength, kRestore, kVerify}}});
  return identification;
}

ZipArchiver::ZipArchiver(const ProviderArguments& arguments)
    : TarArchiverProviderBase(*zip_identification(), arguments) {}

void ZipArchiver::write_archive(BackupJob& job) {
  ZipWriter zip(job.archive(), job.request().compression_strength);
  const auto walk = job.walk();
  for (WalkItem item; walk->next(item);) {
    job.check_stop();
    if (item.event == WalkEvent::entry) {
      store(job, item, zip);
    } else {
      job.walk_problem(item);
    }
  }
  zip.finish();
}

}  // namespace zip_plugin
