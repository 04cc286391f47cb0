#include "request_check.hpp"

#include <dirent.h>

#include <cerrno>
#include <memory>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

struct DirDeleter {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

void check_strength_feature(const BackupRequest& request, const IArchiverProviderIdentification& provider) {
  if (!request.compression_strength) return;
  const auto& type = *request.definition.backup_type;
  if (provider.supported_features(type).contains(archiver_feature::kCompressionStrength)) return;
  throw Error(ErrorCode::runtime_error,
              "provider " + std::string(provider.provider_id()) + " takes no compression strength for " +
                  type.extension + ", and " + std::to_string(*request.compression_strength) + " is given; leave it out",
              ErrorCause::unsupported);
}

// NAME.held is no archive, but what the caller makes in the transaction of NAME when it does not trust the source.
void check_name(const BackupRequest& request) {
  constexpr std::string_view kHeld = ".held";
  std::string_view name = request.definition.backup_id;
  if (request.transaction != nullptr && name.ends_with(kHeld)) name.remove_suffix(kHeld.size());
  check_archive_name(name);
}

}  // namespace

void check_type(const BackupDefinition& definition, const IArchiverProviderIdentification& provider) {
  const auto types = provider.supported_backup_types();
  if (definition.backup_type && types.contains(*definition.backup_type)) return;
  std::string known;
  for (const auto& type : types) known += (known.empty() ? "" : ", ") + type.extension;
  const auto found = definition.backup_type ? quote(definition.backup_type->extension) : std::string("none");
  throw Error(
      ErrorCode::value_error,
      "provider " + std::string(provider.provider_id()) + " does not support the type " + found + ", but " + known,
      ErrorCause::unsupported);
}

void check_request(const BackupRequest& request, const IArchiverProviderIdentification& provider) {
  const auto& definition = request.definition;
  check_type(definition, provider);
  check_strength_feature(request, provider);
  if (!definition.include_files || definition.include_files->empty()) {
    throw Error(ErrorCode::runtime_error,
                "archive " + quote(definition.backup_id) + ": nothing to back up, no file is included",
                ErrorCause::source);
  }
  const auto strength = request.compression_strength;
  if (strength && (*strength < kMinCompressionStrength || *strength > kMaxCompressionStrength)) {
    throw Error(ErrorCode::value_error, "compression strength " + std::to_string(*strength) + ": give 0 to 9",
                ErrorCause::usage);
  }
  check_name(request);
  for (const auto& include : *definition.include_files) static_cast<void>(normalize_path(include));
}

void check_root(const std::filesystem::path& root, bool allow_empty) {
  const std::unique_ptr<DIR, DirDeleter> directory(::opendir(root.c_str()));
  if (!directory) throw Error::from_errno(errno, "root " + quote(root.native()), ErrorCause::source);
  if (allow_empty) return;
  while (const auto* record = ::readdir(directory.get())) {
    const std::string_view name(record->d_name);
    if (name != "." && name != "..") return;
  }
  throw Error(
      ErrorCode::runtime_error,
      "root " + quote(root.native()) + " is empty: is something not mounted? If it may be empty, say allow_empty: true",
      ErrorCause::source);
}

}  // namespace autoarchive
