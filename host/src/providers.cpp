#include "providers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive::host {
namespace {

constexpr std::size_t kHeadBytes = 4096;

/// The identifications of a service, or none if no plugin has brought one in.
template <class Interface>
std::vector<std::shared_ptr<const Interface>> identifications(const ServiceAccessor& accessor,
                                                              const IServiceIdentification& service) {
  std::vector<std::shared_ptr<const Interface>> found;
  if (!accessor.is_registered(service)) return found;
  for (const auto& identification : accessor.providers_identifications(service)) {
    if (auto typed = std::dynamic_pointer_cast<const Interface>(identification)) found.push_back(std::move(typed));
  }
  return found;
}

PluginPolicy plugin_policy(const Config& config, const PluginSearch& search) {
  PluginPolicy policy;
  policy.directories = search.first;
  for (const auto& directory : config.plugins.directories)
    policy.directories.push_back({directory.path, directory.origin.text()});
  policy.directories.push_back({search.installed_directory, ""});
  policy.denied = config.plugins.deny;
  policy.safe_mode = search.safe_mode;
  policy.installed_directory = search.installed_directory;
  return policy;
}

// The state tells which files there are and where: nobody else's business.
void make_private_directory(const std::filesystem::path& directory) {
  if (std::filesystem::is_directory(directory)) return;
  std::error_code error;
  std::filesystem::create_directories(directory.parent_path(), error);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    throw Error::from_errno(errno, "state_dir " + quote(directory.native()));
  }
}

}  // namespace

Providers::Providers(const Config& config, const PluginSearch& search, AppEnvironment environment)
    : config_(config), context_(std::move(environment), nullptr, nullptr), loader_(context_, accessor_) {
  loader_.load(plugin_policy(config, search));
}

Providers::~Providers() = default;

const std::vector<PluginReport>& Providers::reports() const noexcept {
  return loader_.reports();
}

std::vector<RouteCandidate> Providers::candidates() const {
  std::vector<RouteCandidate> found;
  for (const auto& id : identifications<IArchiverProviderIdentification>(accessor_, ArchiverServiceIdentification())) {
    found.push_back(route_candidate(*id));
  }
  return found;
}

RoutePolicy Providers::policy() const {
  RoutePolicy policy;
  policy.denied = config_.plugins.deny;
  for (const auto& [id, settings] : config_.plugins.settings) policy.priority[id] = settings.priority;
  return policy;
}

std::vector<BackupType> Providers::types() const {
  std::set<BackupType> types(backup_type::kWellKnown.begin(), backup_type::kWellKnown.end());
  for (const auto& candidate : candidates()) {
    for (const auto& [type, features] : candidate.features) types.insert(type);
  }
  return {types.begin(), types.end()};
}

BackupType Providers::type(const std::string& extension) const {
  std::vector<std::string> known;
  for (const auto& type : types()) {
    if (type.extension == extension) return type;
    known.push_back(type.extension);
  }
  const auto suggestion = nearest(extension, known);
  throw Error(ErrorCode::value_error,
              fmt::format("type {}: no plugin makes it; there are {}{}", quote(extension), fmt::join(known, ", "),
                          suggestion.empty() ? "" : "; did you mean " + suggestion + "?"),
              ErrorCause::unsupported);
}

ProviderArguments Providers::arguments(std::string_view provider_id) const {
  make_private_directory(config_.state_dir);
  ProviderArguments arguments{config_.state_dir, {}};
  const auto settings = config_.plugins.settings.find(std::string(provider_id));
  if (settings != config_.plugins.settings.end()) arguments.options = settings->second.options;
  return arguments;
}

std::shared_ptr<IArchiver> Providers::archiver(std::string_view provider_id) {
  const ArchiverServiceIdentification service;
  for (const auto& id : identifications<IArchiverProviderIdentification>(accessor_, service)) {
    if (id->provider_id() == provider_id) return accessor_.get_or_create(service, id.get(), arguments(provider_id));
  }
  throw Error(ErrorCode::key_error, fmt::format("provider {} is not there; see aa plugins list", quote(provider_id)),
              ErrorCause::unavailable);
}

std::shared_ptr<IArchiveReader> Providers::reader_for(const ReadableFile& file) {
  std::vector<std::byte> head(kHeadBytes);
  head.resize(file.read_at(0, head));
  const ArchiveReaderServiceIdentification service;
  for (const auto& id : identifications<IArchiveReaderIdentification>(accessor_, service)) {
    if (id->recognise(head)) return accessor_.get_or_create(service, id.get(), arguments(id->provider_id()));
  }
  throw Error(ErrorCode::value_error,
              fmt::format("{}: not an archive that any plugin reads; see aa plugins list", quote(file.description())),
              ErrorCause::unsupported);
}

}  // namespace autoarchive::host
