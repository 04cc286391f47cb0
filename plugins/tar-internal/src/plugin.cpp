// What this plugin brings in: the archiver TarInternal, and the reader of all tar types.
#include <autoarchive/archiver/archiver_service_component.hpp>
#include <autoarchive/plugin/sdk.hpp>

#include "internal_tar_archiver_provider.hpp"
#include "tar_archive_reader.hpp"

namespace autoarchive::tar_internal {

class TarInternalComponent final : public ArchiverServiceComponent {
 public:
  TarInternalComponent(ApplicationContext& context, ServiceAccessor& accessor)
      : ArchiverServiceComponent(context, accessor) {
    add(ArchiverServiceIdentification(), provider_class<InternalTarArchiverProvider, IArchiver>(),
        internal_identification());
    add(ArchiveReaderServiceIdentification(), provider_class<TarArchiveReader, IArchiveReader>(),
        reader_identification());
  }
};

}  // namespace autoarchive::tar_internal

AA_PLUGIN(
    autoarchive::tar_internal::TarInternalComponent,
    "provider.tar-internal.features.tar=Incremental,Metadata,RandomAccess,Restore,Verify\n"
    "provider.tar-internal.features.tar.bz2=CompressionStrength,Incremental,Metadata,RandomAccess,Restore,Verify\n"
    "provider.tar-internal.features.tar.gz=CompressionStrength,Incremental,Metadata,RandomAccess,Restore,Verify\n"
    "provider.tar-internal.features.tar.xz=CompressionStrength,Incremental,Metadata,RandomAccess,Restore,Verify\n"
    "provider.tar-internal.features.tar.zst=CompressionStrength,Incremental,Metadata,RandomAccess,Restore,Verify\n"
    "provider.tar-internal.service=archiver\n"
    "provider.tar-internal.types=tar,tar.bz2,tar.gz,tar.xz,tar.zst\n"
    "provider.tar-reader.service=archive-reader\n"
    "provider.tar-reader.types=tar,tar.bz2,tar.gz,tar.xz,tar.zst\n")
