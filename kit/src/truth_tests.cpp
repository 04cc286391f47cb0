// Whether a plugin can do what it says, and says so when it can't.
#include <algorithm>
#include <set>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "tests.hpp"

namespace autoarchive::kit {
namespace {

namespace fs = std::filesystem;

/// Ends the test unless the call throws this.
template <class Call>
void require_error(ErrorCode code, const std::string& what, const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return require(error.code() == code, what + ": has to be refused with " + std::string(to_string(code)) +
                                             ", and was with " + std::string(to_string(error.code())) + " (" +
                                             error.message() + ")");
  }
  require(false, what + ": has to be refused with " + std::string(to_string(code)) + ", and was done");
}

fs::path small_tree(Rig& rig) {
  auto root = rig.fresh("root");
  rig.write(root / "a", rig.content(3000));
  rig.write(root / "d/b", rig.content(100));
  return root;
}

std::set<std::string> names_of(const std::set<ArchiverFeature>& features) {
  std::set<std::string> names;
  for (const auto& feature : features) names.insert(feature.name);
  return names;
}

}  // namespace

void types_are_as_declared(Rig& rig) {
  auto& plugin = rig.load();
  for (const auto& declared : plugin.loader.reports().front().descriptor.providers) {
    if (declared.service != "archiver") continue;
    std::map<std::string, std::set<std::string>> promised;
    for (const auto& [type, features] : declared.features) promised[type].insert(features.begin(), features.end());
    for (const auto& target : rig.targets()) {
      if (target.identification->provider_id() != declared.id) continue;
      const auto found = promised.find(target.type.extension);
      require(found != promised.end(), target.name() + " is not declared in the note");
      const auto features = names_of(target.identification->supported_features(target.type));
      require(found->second == features, target.name() + ": other features than the note declares");
      const auto all = names_of(target.identification->supported_features());
      require(std::includes(all.begin(), all.end(), features.begin(), features.end()),
              target.name() + ": features that are not among all of the provider");
      const auto made = names_of(rig.archiver(target)->supported_features(target.type));
      require(made == features, target.name() + ": the provider says other features than its identification");
      promised.erase(found);
    }
    require(promised.empty(), declared.id + ": declares the type " +
                                  (promised.empty() ? std::string() : quote(promised.begin()->first)) +
                                  " and does not have it");
  }
}

void foreign_types_are_refused(Rig& rig) {
  const auto root = small_tree(rig);
  for (auto target : rig.targets()) {
    const auto archiver = rig.archiver(target);
    target.type = BackupType{"Foreign", "no-such-type"};
    const auto destination = rig.fresh("destination");
    require_error(ErrorCode::value_error, target.name(),
                  [&] { archiver->backup_files(rig.request(target, root, destination)); });
    require(fs::is_empty(destination), "a refused backup has left files");
    require_error(ErrorCode::value_error, target.name(),
                  [&] { static_cast<void>(target.identification->supported_features(target.type)); });
  }
}

void strengths_are_as_declared(Rig& rig) {
  const auto root = small_tree(rig);
  for (const auto& target : rig.targets()) {
    auto wanted = rig.request(target, root, rig.fresh("destination"));
    const bool declared = target.has(archiver_feature::kCompressionStrength);
    for (const int strength : {kMinCompressionStrength, kMaxCompressionStrength}) {
      wanted.compression_strength = strength;
      const auto what = target.name() + " with strength " + std::to_string(strength);
      if (!declared) {
        require_error(ErrorCode::runtime_error, what, [&] { rig.archiver(target)->backup_files(wanted); });
        continue;
      }
      const auto result = rig.archiver(target)->backup_files(wanted);
      require(fs::file_size(result.path) > 0, what + ": an empty file");
    }
    wanted.compression_strength = kMaxCompressionStrength + 1;
    if (declared) {
      require_error(ErrorCode::value_error, target.name() + " with strength 10",
                    [&] { rig.archiver(target)->backup_files(wanted); });
    }
  }
}

void levels_are_as_declared(Rig& rig) {
  const auto root = small_tree(rig);
  for (const auto& target : rig.targets()) {
    const auto archiver = rig.archiver(target);
    const auto wanted = rig.request(target, root, rig.fresh("destination"));
    if (!target.has(archiver_feature::kIncremental)) {
      require_error(ErrorCode::not_implemented, target.name() + " by levels",
                    [&] { archiver->backup_files_incrementally(wanted); });
      require_error(ErrorCode::not_implemented, target.name() + ": the highest level",
                    [&] { static_cast<void>(archiver->max_backup_level("x")); });
      continue;
    }
    for (int level = 0; level < 3; ++level) {
      require(archiver->max_backup_level("x") == level, target.name() + ": the next level has to be " +
                                                            std::to_string(level) + ", and is " +
                                                            std::to_string(archiver->max_backup_level("x")));
      const auto result = archiver->backup_files_incrementally(wanted);
      require(result.level == level, target.name() + ": made level " + std::to_string(result.level));
      require(fs::exists(result.path), target.name() + ": level without a file");
      rig.write(root / ("new" + std::to_string(level)), rig.content(100));
    }
    require(archiver->stored_backup_ids() == std::vector<std::string>{"x"},
            target.name() + ": state of other archives");
    archiver->purge_stored_backup_data("x");
    require(archiver->max_backup_level("x") == 0, target.name() + ": state is left after the purge");
  }
}

}  // namespace autoarchive::kit
