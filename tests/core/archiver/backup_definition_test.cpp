#include "autoarchive/archiver/backup_definition.hpp"

#include <gtest/gtest.h>

#include "autoarchive/archiver/archiver_feature.hpp"
#include "autoarchive/archiver/archiver_identification.hpp"
#include "autoarchive/base/error.hpp"

namespace autoarchive {
namespace {

// contract 1.5
TEST(SeedNumbers, AreThoseOfTheSeedAndNamesAreThePrintedForms) {
  const std::vector<std::string> types{"Tar", "TarGz", "TarBz2", "TarXz"};
  for (std::size_t i = 0; i < types.size(); ++i) EXPECT_EQ(backup_type::kWellKnown[i].name, types[i]);
  EXPECT_EQ(archiver_feature::kWellKnown[0].name, "CompressionStrength");
  EXPECT_EQ(archiver_feature::kWellKnown[1].name, "Incremental");
  EXPECT_EQ(archiver_feature::kWellKnown[2].name, "RandomAccess");
  EXPECT_EQ(archiver_feature::kWellKnown[5].name, "Metadata");
  const std::vector<std::string> operations{"Unknown", "UnknownFileOperation", "Stat", "Open", "Read", "Finish"};
  for (std::size_t i = 0; i < operations.size(); ++i)
    EXPECT_EQ(to_string(static_cast<BackupSubOperation>(i)), operations[i]);
  const std::vector<std::string> errors{"UnknownError",       "UnknownOsError", "PermissionDenied", "SocketIgnored",
                                        "UnknownTypeIgnored", "FileChanged",    "SomeFilesChanged", "DirectoryRenamed"};
  for (std::size_t i = 0; i < errors.size(); ++i) EXPECT_EQ(to_string(static_cast<BackupOperationError>(i)), errors[i]);
  EXPECT_EQ(kMinCompressionStrength, 0);
  EXPECT_EQ(kMaxCompressionStrength, 9);
}

// contract 1.6
TEST(BackupDefinition, BeginsEmpty) {
  const BackupDefinition definition;
  EXPECT_TRUE(definition.backup_id.empty() && definition.destination.empty() && definition.root.empty());
  EXPECT_FALSE(definition.backup_type || definition.include_files);
  EXPECT_TRUE(definition.exclude_files.empty());
}

TEST(BackupType, IsFoundByExtensionAndByName) {
  EXPECT_EQ(well_known_backup_type("tar.gz"), backup_type::kTarGz);
  EXPECT_EQ(well_known_backup_type("TarZst"), backup_type::kTarZst);
  EXPECT_FALSE(well_known_backup_type("zip"));
}

// contract 1.4 and 2
TEST(TarArchiverProviderIdentification, AnswersWithoutAProvider) {
  const TarArchiverProviderIdentification id(
      "p", {{backup_type::kTar, {}}, {backup_type::kTarGz, {archiver_feature::kIncremental}}}, 3);
  EXPECT_EQ(id.provider_id(), "p");
  EXPECT_EQ(id.supported_backup_types().size(), 2U);
  EXPECT_TRUE(id.supported_features(backup_type::kTar).empty());
  EXPECT_EQ(id.supported_features({}).size(), 1U);
  EXPECT_TRUE(id.availability().available);
  try {
    static_cast<void>(id.supported_features(backup_type::kTarXz));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::value_error);
  }
  EXPECT_TRUE(ArchiverServiceIdentification().accepts(id));
}

}  // namespace
}  // namespace autoarchive
