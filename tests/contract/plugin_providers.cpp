#include "plugin_providers.hpp"

#include <cstdlib>
#include <iostream>

#include "autoarchive/plugin/loader.hpp"

namespace autoarchive::test {
namespace {

/// The plugins of the build tree, loaded once. A new registry for each instance, as one keeps one instance a class.
struct Plugins {
  Plugins() : context({"test", {}, {}}, nullptr, nullptr), loader(context, accessor) {
    PluginPolicy policy;
    policy.directories = {{AA_PLUGIN_DIR, ""}};
    loader.load(policy);
    for (const auto& report : loader.reports()) {
      for (const auto& refusal : report.refusals)
        std::cerr << report.file << ": " << refusal.code << " " << refusal.text << "\n";
    }
  }
  ApplicationContext context;
  ServiceAccessor accessor;
  PluginLoader loader;
};

std::vector<std::shared_ptr<const IArchiverProviderIdentification>> identifications(const Plugins& plugins) {
  std::vector<std::shared_ptr<const IArchiverProviderIdentification>> found;
  for (const auto& id : plugins.accessor.providers_identifications(ArchiverServiceIdentification())) {
    found.push_back(std::dynamic_pointer_cast<const IArchiverProviderIdentification>(id));
  }
  return found;
}

const Plugins& shared_plugins() {
  static const Plugins plugins;
  return plugins;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const ProviderAndType& value) {
  return out << value.provider << " " << value.type.extension;
}

const IArchiverProviderIdentification& identification(const std::string& provider) {
  for (const auto& id : identifications(shared_plugins())) {
    if (id->provider_id() == provider) return *id;
  }
  std::cerr << "provider " << provider << " was not built or not loaded\n";
  std::exit(1);
}

std::vector<ProviderAndType> all_providers(bool incremental_only) {
  for (const auto shipped : {archiver_provider_id::kTarInternal, archiver_provider_id::kTarExternal})
    static_cast<void>(identification(std::string(shipped)));
  std::vector<ProviderAndType> all;
  for (const auto& id : identifications(shared_plugins())) {
    for (const auto& type : id->supported_backup_types()) {
      const bool incremental = id->supported_features(type).contains(archiver_feature::kIncremental);
      if (incremental || !incremental_only) all.push_back({std::string(id->provider_id()), type});
    }
  }
  return all;
}

std::shared_ptr<IArchiver> make_archiver(const std::string& provider, const std::filesystem::path& work_dir) {
  Plugins plugins;
  return plugins.accessor.get_or_create(ArchiverServiceIdentification(), &identification(provider), {work_dir, {}});
}

std::shared_ptr<IArchiveReader> make_reader() {
  Plugins plugins;
  const ArchiveReaderServiceIdentification service;
  return plugins.accessor.get_or_create(service, plugins.accessor.providers_identifications(service).front().get(), {});
}

}  // namespace autoarchive::test
