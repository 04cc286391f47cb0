// What this plugin brings in: the archiver TarExternal.
#include <autoarchive/archiver/archiver_service_component.hpp>
#include <autoarchive/plugin/sdk.hpp>

#include "external_tar_archiver_provider.hpp"

namespace autoarchive::tar_external {

class TarExternalComponent final : public ArchiverServiceComponent {
 public:
  TarExternalComponent(ApplicationContext& context, ServiceAccessor& accessor)
      : ArchiverServiceComponent(context, accessor) {
    add(ArchiverServiceIdentification(), provider_class<ExternalTarArchiverProvider, IArchiver>(),
        external_identification());
  }
};

}  // namespace autoarchive::tar_external

AA_PLUGIN(autoarchive::tar_external::TarExternalComponent,
          "provider.tar-external.features.tar=Incremental,Metadata,Restore,Verify\n"
          "provider.tar-external.features.tar.bz2=CompressionStrength,Incremental,Metadata,Restore,Verify\n"
          "provider.tar-external.features.tar.gz=CompressionStrength,Incremental,Metadata,Restore,Verify\n"
          "provider.tar-external.features.tar.xz=CompressionStrength,Incremental,Metadata,Restore,Verify\n"
          "provider.tar-external.features.tar.zst=CompressionStrength,Incremental,Metadata,Restore,Verify\n"
          "provider.tar-external.needs=tar\n"
          "provider.tar-external.option.tar.default=the first of /usr/bin and /bin\n"
          "provider.tar-external.option.tar.doc=GNU tar, 1.29 or newer\n"
          "provider.tar-external.option.tar.type=path\n"
          "provider.tar-external.service=archiver\n"
          "provider.tar-external.types=tar,tar.bz2,tar.gz,tar.xz,tar.zst\n")
