#include "job/original_backups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>

#include "autoarchive/archiver/archiver_identification.hpp"
#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive::host {
namespace {

constexpr int kCurrent = -1;

void add_piece(Sha256& digest, const ReadableFile& file, std::uint64_t offset) {
  std::vector<std::byte> buffer(1U << 16U);
  digest.update(ByteView(buffer).first(file.read_at(offset, buffer)));
}

void add_text(Sha256& digest, const std::string& text) {
  digest.update(std::as_bytes(std::span(text)));
}

// In the form of a UUID that is made of a digest (version 8).
std::string id_of(const UnnamedFile& file, int level, SystemTime modified) {
  Sha256 digest;
  add_text(digest, fmt::format("{} {} {}", file.fingerprint, level, modified.time_since_epoch().count()));
  const auto hex = digest.finish();
  return fmt::format("{}-{}-8{}-a{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 3), hex.substr(15, 3),
                     hex.substr(18, 12));
}

/// Files of one archive and type by generation and level.
class Originals {
 public:
  explicit Originals(const ArchiveConfig& archive) : archive_(archive) {}

  void add(const UnnamedFile& file) {
    const std::array types{file.type};
    const auto name = parse_backup_name(file.file, archive_.name, types);
    if (!name) return;
    const int generation = name->keeping_id.empty() ? kCurrent : generation_of(name->keeping_id).value_or(kCurrent);
    FoundBackup backup{file.file, {}, file.type, file.bytes, file.modified, "", /*is_original=*/true};
    backup.identity.archive = archive_.name;
    backup.identity.level = name->level.value_or(0);
    backup.identity.backup_uuid = id_of(file, backup.identity.level, file.modified);
    backup.identity.provider = archiver_provider_id::kTarExternal;
    backup.identity.root = archive_.root.native();
    if (file.beside && is_made_for(*file.beside, file, backup)) take_over(*file.beside, backup);
    places_.try_emplace({file.type.extension, backup.identity.level, generation}, std::move(backup));
  }

  // In the order of levels, so that what a level is based on has its chain already.
  std::vector<FoundBackup> run() {
    std::vector<FoundBackup> backups;
    for (auto& [place, backup] : places_) {
      link(place, backup);
      backups.push_back(backup);
    }
    return backups;
  }

 private:
  struct Place {
    std::string type;
    int level = 0;
    int generation = kCurrent;
    auto operator<=>(const Place&) const = default;
  };

  // The time that the file had when its manifest was made is in both, so that the id shows whether it still is that
  // file.
  static bool is_made_for(const ManifestHeader& header, const UnnamedFile& file, const FoundBackup& backup) {
    const auto& identity = backup.identity;
    return header.archive == identity.archive && header.level == identity.level &&
           header.provider == identity.provider && header.backup_uuid == id_of(file, header.level, header.started);
  }

  static void take_over(const ManifestHeader& header, FoundBackup& backup) {
    backup.identity.backup_uuid = header.backup_uuid;
    backup.identity.chain_uuid = header.chain_uuid;
    backup.identity.parent_uuid = header.parent_uuid;
    backup.time = header.started;
  }

  void link(const Place& place, FoundBackup& backup) const {
    auto& identity = backup.identity;
    if (!identity.chain_uuid.empty()) return;
    identity.chain_uuid = identity.backup_uuid;
    if (place.level == 0) return;
    const auto* const base = base_of(place);
    if (base == nullptr) return;
    if (base->time > backup.time) {
      backup.chain_fault = fmt::format(
          "{} is newer, so that it is not what this level was made on: it is left over from an earlier chain. If the "
          "files were copied without their times, copy them again with cp -p",
          quote(base->file));
      return;
    }
    identity.parent_uuid = base->identity.backup_uuid;
    identity.chain_uuid = base->identity.chain_uuid;
  }

  [[nodiscard]] const FoundBackup* base_of(const Place& place) const {
    for (int generation = place.generation; generation >= kCurrent; --generation) {
      const auto found = places_.find({place.type, place.level - 1, generation});
      if (found != places_.end()) return &found->second;
    }
    return nullptr;
  }

  const ArchiveConfig& archive_;
  std::map<Place, FoundBackup> places_;
};

}  // namespace

std::string fingerprint(const ReadableFile& file) {
  constexpr std::uint64_t kPieceBytes = 1U << 16U;
  Sha256 digest;
  add_text(digest, std::to_string(file.size()));
  add_piece(digest, file, 0);
  if (file.size() > kPieceBytes) add_piece(digest, file, file.size() - kPieceBytes);
  return digest.finish();
}

std::vector<FoundBackup> name_originals(const ArchiveConfig& archive, const std::vector<UnnamedFile>& files) {
  Originals originals(archive);
  for (const auto& file : files) originals.add(file);
  return originals.run();
}

}  // namespace autoarchive::host
