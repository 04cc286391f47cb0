// What this plugin brings in: the archiver and the reader of the type zip.
#include <autoarchive/archiver/archiver_service_component.hpp>
#include <autoarchive/plugin/sdk.hpp>

#include "zip_archiver.hpp"
#include "zip_reader.hpp"

namespace zip_plugin {

using namespace autoarchive;

class ZipComponent final : public ArchiverServiceComponent {
 public:
  ZipComponent(ApplicationContext& context, ServiceAccessor& accessor) : ArchiverServiceComponent(context, accessor) {
    add(ArchiverServiceIdentification(), provider_class<ZipArchiver, IArchiver>(), zip_identification());
    add(ArchiveReaderServiceIdentification(), provider_class<ZipReader, IArchiveReader>(), zip_reader_identification());
  }
};

}  // namespace zip_plugin

AA_PLUGIN(zip_plugin::ZipComponent,
          "provider.zip-reader.service=archive-reader\n"
          "provider.zip-reader.types=zip\n"
          "provider.zip.features.zip=CompressionStrength,Restore,Verify\n"
          "provider.zip.service=archiver\n"
          "provider.zip.types=zip\n")
