#include "providers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <span>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "config/secret.hpp"
#include "guarded_archiver.hpp"
#include "guarded_reader.hpp"
#include "output/secret_mask.hpp"
#include "plugin_options.hpp"

namespace autoarchive::host {
namespace {

constexpr std::size_t kHeadBytes = 4096;

/// How a whole file begins that has such a name: RFC 1952, RFC 8878, the formats of bzip2 and xz, and a tar without
/// members.
std::optional<std::string> head_by_name(std::string_view name) {
  static const std::array<std::pair<std::string_view, std::string>, 5> heads{{{".tar", std::string(kHeadBytes, '\0')},
                                                                              {".tar.gz", "\x1f\x8b\x08"},
                                                                              {".tar.bz2", "BZh9"},
                                                                              {".tar.xz", std::string("\xfd"
                                                                                                      "7zXZ\0",
                                                                                                      6)},
                                                                              {".tar.zst", "\x28\xb5\x2f\xfd"}}};
  const auto found =
      std::find_if(heads.begin(), heads.end(), [&](const auto& head) { return name.ends_with(head.first); });
  return found == heads.end() ? std::nullopt : std::optional(found->second);
}

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
  if (!search.user_directory.empty()) policy.directories.push_back({search.user_directory, ""});
  policy.directories.push_back({search.installed_directory, ""});
  policy.denied = config.plugins.deny;
  policy.allowed = config.plugins.allow;
  for (const auto& [id, pin] : config.plugins.pins) policy.pins[id] = {pin.file, pin.sha256, pin.origin.text()};
  for (const auto& [id, file] : config.plugins.dev_overrides)
    policy.dev_overrides[id] = {file.path, "", file.origin.text()};
  policy.safe_mode = search.safe_mode;
  policy.installed_directory = search.installed_directory;
  return policy;
}

// What the note says of a provider whose code must not run, and why it must not.
RouteCandidate candidate_as_declared(const ProviderDeclaration& provider, std::string why) {
  RouteCandidate candidate;
  candidate.provider_id = provider.id;
  for (const auto& [extension, names] : provider.features) {
    auto& features = candidate.features[BackupType{extension, extension}];
    for (const auto& name : names) features.insert(ArchiverFeature{name});
  }
  candidate.availability = {false, std::move(why)};
  return candidate;
}

// The state tells which files there are and where: nobody else's business.
void make_state_directory(const std::filesystem::path& directory) {
  std::error_code error;
  if (std::filesystem::is_directory(directory, error)) return;
  std::filesystem::create_directories(directory.parent_path(), error);  // what can't be made is told below
  if (::mkdir(directory.c_str(), 0700) == 0) return;
  const int os_errno = errno;
  if (std::filesystem::is_directory(directory, error)) return;  // another run was faster
  throw Error(ErrorCode::os_error,
              fmt::format("state_dir {}: {}; make it a directory that this user may write to, or name another with "
                          "state_dir in the configuration or AA_STATE_DIR",
                          quote(directory.native()), os_errno == EEXIST ? "not a directory" : errno_text(os_errno)),
              ErrorCause::unspecified, os_errno);
}

}  // namespace

std::string refusal_text(const PluginReport& report) {
  auto text = fmt::format("plugin {} was refused:", quote(report.file.native()));
  for (const auto& refusal : report.refusals)
    text += fmt::format(" {} {}; fix: {};", refusal.code, refusal.text, refusal.remedy);
  text.pop_back();
  return text;
}

Providers::Providers(const Config& config, const PluginSearch& search, AppEnvironment environment, TakeReport tell)
    : config_(config),
      tell_(std::move(tell)),
      context_(std::move(environment), nullptr, nullptr),
      loader_(context_, accessor_) {
  loader_.discover(plugin_policy(config, search));
  tell_news();
}

Providers::~Providers() = default;

void Providers::tell_news() {
  const auto& reports = loader_.reports();
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const auto& report = reports[i];
    const bool is_new = i == told_.size();
    if (is_new) told_.push_back(report.state);
    const bool has_news = !report.is_usable() && (is_new || told_[i] != report.state);
    if (has_news || (is_new && report.is_dev_override)) tell_(report);
    told_[i] = report.state;
  }
}

void Providers::load(const ProviderQuery& wanted) {
  loader_.load_providers(wanted);
  tell_news();
}

void Providers::load_all() {
  load({});
}

void Providers::check_settings() {
  const auto faults = option_faults(config_.plugins, reports());
  if (!faults.empty())
    throw Error(ErrorCode::value_error, fmt::format("{}", fmt::join(faults, "\n")), ErrorCause::configuration);
  for (const auto& [id, settings] : config_.plugins.settings) {
    if (!settings.required) continue;
    const ProviderQuery wanted{"", "", id};
    load(wanted);
    const auto is_loaded = [&](const PluginReport& report) {
      const auto& providers = report.descriptor.providers;
      return report.state == PluginState::loaded &&
             std::any_of(providers.begin(), providers.end(),
                         [&](const auto& provider) { return wanted.matches(provider); });
    };
    if (std::any_of(reports().begin(), reports().end(), is_loaded)) continue;
    const auto* refused = find_refused(wanted);
    throw Error(ErrorCode::key_error,
                fmt::format("{}: provider {} is required, {}", settings.origin.text(), quote(id),
                            refused != nullptr ? "but " + refusal_text(*refused)
                                               : "and no plugin declares it; see aa plugins list"),
                ErrorCause::unavailable);
  }
}

const std::vector<PluginReport>& Providers::reports() const noexcept {
  return loader_.reports();
}

// The first one, as it would have been used.
const PluginReport* Providers::find_refused(const ProviderQuery& wanted) const {
  for (const auto& report : reports()) {
    const auto& providers = report.descriptor.providers;
    if (report.state == PluginState::refused &&
        std::any_of(providers.begin(), providers.end(), [&](const auto& provider) { return wanted.matches(provider); }))
      return &report;
  }
  return nullptr;
}

bool Providers::is_denied(std::string_view provider_id) const {
  const std::string id(provider_id);
  const auto settings = config_.plugins.settings.find(id);
  return config_.plugins.deny.contains(id) || (settings != config_.plugins.settings.end() && !settings->second.enabled);
}

// By what plugins declare: none is loaded for it.
bool Providers::has_reader(const BackupType& type) const {
  const ProviderQuery wanted{"archive-reader", type.extension, ""};
  return std::any_of(reports().begin(), reports().end(), [&](const auto& report) {
    const auto& providers = report.descriptor.providers;
    return report.is_usable() && std::any_of(providers.begin(), providers.end(), [&](const auto& provider) {
             return wanted.matches(provider) && !is_denied(provider.id);
           });
  });
}

RouteCandidate Providers::candidate_of(const IArchiverProviderIdentification& identification) {
  const std::string id(identification.provider_id());
  auto fault = health_.fault(id);
  RouteCandidate candidate;
  try {
    if (fault.empty()) candidate = health_.guarded(id, [&] { return route_candidate(identification); });
  } catch (const Error& error) {
    fault = error.message();
  }
  if (!fault.empty()) candidate = candidate_as_declared(declaration_of(id), std::move(fault));
  for (auto& [type, features] : candidate.features) {
    if (has_reader(type)) continue;
    features.erase(archiver_feature::kRestore);
    features.erase(archiver_feature::kVerify);
  }
  return candidate;
}

// Of an archiver that is registered: the loader takes none that is not declared.
const ProviderDeclaration& Providers::declaration_of(const std::string& archiver) const {
  const ProviderQuery wanted{"archiver", "", archiver};
  for (const auto& report : reports()) {
    if (report.state != PluginState::loaded) continue;
    for (const auto& provider : report.descriptor.providers) {
      if (wanted.matches(provider)) return provider;
    }
  }
  throw Error(ErrorCode::runtime_error, "provider " + quote(archiver) + " is not declared", ErrorCause::internal);
}

std::vector<RouteCandidate> Providers::candidates(std::string_view type) {
  const ProviderQuery wanted{"archiver", std::string(type), ""};
  load(wanted);
  std::vector<RouteCandidate> found;
  std::set<std::string> ids;
  for (const auto& id : identifications<IArchiverProviderIdentification>(accessor_, ArchiverServiceIdentification()))
    ids.insert(found.emplace_back(candidate_of(*id)).provider_id);
  for (const auto& report : reports()) {
    if (report.state != PluginState::refused) continue;
    for (const auto& provider : report.descriptor.providers) {
      if (wanted.matches(provider) && ids.insert(provider.id).second)
        found.push_back(candidate_as_declared(provider, refusal_text(report)));
    }
  }
  return found;
}

RoutePolicy Providers::policy() const {
  RoutePolicy policy;
  policy.denied = config_.plugins.deny;
  for (const auto& [id, settings] : config_.plugins.settings) {
    policy.priority[id] = settings.priority;
    if (!settings.enabled) policy.denied.insert(id);
  }
  return policy;
}

std::vector<BackupType> Providers::types() const {
  std::set<BackupType> types(backup_type::kWellKnown.begin(), backup_type::kWellKnown.end());
  for (const auto& report : reports()) {
    if (!report.is_usable()) continue;
    for (const auto& provider : report.descriptor.providers) {
      if (provider.service != "archiver") continue;
      for (const auto& [extension, features] : provider.features) types.insert(BackupType{extension, extension});
    }
  }
  return {types.begin(), types.end()};
}

BackupType Providers::type(const std::string& extension) const {
  std::vector<std::string> known;
  for (const auto& type : types()) {
    if (type.extension == extension) return type;
    known.push_back(type.extension);
  }
  if (const auto* refused = find_refused({"archiver", extension, ""})) {
    throw Error(ErrorCode::value_error,
                fmt::format("type {}: a plugin would make it, but {}", quote(extension), refusal_text(*refused)),
                ErrorCause::unavailable);
  }
  const auto suggestion = nearest(extension, known);
  throw Error(ErrorCode::value_error,
              fmt::format("type {}: no plugin makes it; there are {}{}", quote(extension), fmt::join(known, ", "),
                          suggestion.empty() ? "" : "; did you mean " + suggestion + "?"),
              ErrorCause::unsupported);
}

std::string Providers::fault_of_feature(const std::string& name) const {
  std::set<std::string> known;
  for (const auto& feature : archiver_feature::kWellKnown) known.insert(feature.name);
  for (const auto& report : reports()) {
    for (const auto& provider : report.descriptor.providers) {
      for (const auto& [type, features] : provider.features) known.insert(features.begin(), features.end());
    }
  }
  if (known.contains(name)) return {};
  const auto suggestion = nearest(name, {known.begin(), known.end()});
  return fmt::format("no plugin declares the feature {}; there are {}{}", quote(name), fmt::join(known, ", "),
                     suggestion.empty() ? "" : "; did you mean " + suggestion + "?");
}

ProviderArguments Providers::arguments(std::string_view provider_id) const {
  make_state_directory(config_.state_dir);
  ProviderArguments arguments{config_.state_dir, {}};
  const auto settings = config_.plugins.settings.find(std::string(provider_id));
  if (settings == config_.plugins.settings.end()) return arguments;
  arguments.options = settings->second.options;
  for (auto& [name, value] : arguments.options) {
    if (!is_secret_reference(value)) continue;
    value = resolve_secret(value, settings->second.option_origins.at(name));
    hide_secret(value);
  }
  return arguments;
}

std::shared_ptr<IArchiver> Providers::archiver(std::string_view provider_id) {
  const ArchiverServiceIdentification service;
  load({"archiver", "", std::string(provider_id)});
  for (const auto& id : identifications<IArchiverProviderIdentification>(accessor_, service)) {
    if (id->provider_id() != provider_id) continue;
    const std::string name(provider_id);
    const auto given = arguments(name);
    auto archiver = health_.guarded(name, [&] { return accessor_.get_or_create(service, id.get(), given); });
    return std::make_shared<GuardedArchiver>(name, std::move(archiver), health_);
  }
  throw Error(ErrorCode::key_error, fmt::format("provider {} is not there; see aa plugins list", quote(provider_id)),
              ErrorCause::unavailable);
}

std::optional<RecognisedFile> Providers::recognise(const ReadableFile& file) {
  std::vector<std::byte> head(kHeadBytes);
  head.resize(file.read_at(0, head));
  return recognise(file.description(), head);
}

std::optional<RecognisedFile> Providers::recognise(const std::string& name_of_file, ByteView head) {
  const ArchiveReaderServiceIdentification service;
  load({"archive-reader", "", ""});
  std::string faults;
  for (const auto& id : identifications<IArchiveReaderIdentification>(accessor_, service)) {
    const std::string name(id->provider_id());
    if (is_denied(name)) continue;
    std::optional<std::string> format;
    try {
      format = health_.guarded(name, [&] { return id->recognise(head); });
    } catch (const Error& error) {  // who can't tell does not keep the others from it
      faults += "; " + error.message();
      continue;
    }
    if (!format) continue;
    if (const auto fault = health_.fault(name); !fault.empty()) {
      faults += fmt::format("; {}: {}", name, fault);
      continue;
    }
    const auto given = arguments(name);
    auto reader = health_.guarded(name, [&] { return accessor_.get_or_create(service, id.get(), given); });
    return RecognisedFile{std::make_shared<GuardedReader>(name, std::move(reader), health_), std::move(*format)};
  }
  if (faults.empty()) return std::nullopt;
  throw Error(
      ErrorCode::value_error,
      fmt::format("{}: not an archive that any plugin reads{}; see aa plugins list", quote(name_of_file), faults),
      ErrorCause::unavailable);
}

std::shared_ptr<IArchiveReader> Providers::reader_for(const ReadableFile& file) {
  std::optional<Error> unreadable;
  try {
    if (auto found = recognise(file)) return std::move(found->reader);
  } catch (const Error& error) {
    if (!error.is_os_error()) throw;
    unreadable = error;
  }
  // Its beginning may be what is damaged: who reads other files of that name says what can be had of it.
  if (const auto head = head_by_name(file.description())) {
    if (auto found = recognise(file.description(), std::as_bytes(std::span(*head)))) return std::move(found->reader);
  }
  if (unreadable) throw Error(*unreadable);
  throw Error(ErrorCode::value_error,
              fmt::format("{}: not an archive that any plugin reads; see aa plugins list", quote(file.description())),
              ErrorCause::unsupported);
}

}  // namespace autoarchive::host
