/// \file
/// Every provider and type that the built plugins bring in: found at run time, so that a new plugin is tested without
/// an edit here.
#pragma once

#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "autoarchive/archiver/archiver_identification.hpp"
#include "autoarchive/archiver/iarchive_reader.hpp"

namespace autoarchive::test {

struct ProviderAndType {
  std::string provider;
  BackupType type;
};
std::ostream& operator<<(std::ostream& out, const ProviderAndType& value);
/// Ends the test program if one of the two providers that ship is missing.
[[nodiscard]] std::vector<ProviderAndType> all_providers(bool incremental_only);
[[nodiscard]] const IArchiverProviderIdentification& identification(const std::string& provider);
/// A new instance with that work directory.
[[nodiscard]] std::shared_ptr<IArchiver> make_archiver(const std::string& provider,
                                                       const std::filesystem::path& work_dir);
[[nodiscard]] std::shared_ptr<IArchiveReader> make_reader();

}  // namespace autoarchive::test
