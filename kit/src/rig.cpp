#include "rig.hpp"

#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive::kit {
namespace fs = std::filesystem;

void require(bool good, const std::string& text) {
  if (!good) throw Ended{Outcome::fail, text};
}

void skip(const std::string& text) {
  throw Ended{Outcome::skip, text};
}

std::string Target::name() const {
  return std::string(identification->provider_id()) + " " + type.extension;
}

bool Target::has(const ArchiverFeature& feature) const {
  return identification->supported_features(type).contains(feature);
}

int run_program(const std::string& command, std::string* output) {
  FILE* const pipe = ::popen((command + " 2>/dev/null").c_str(), "re");
  require(pipe != nullptr, "no process for " + command);
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    if (output != nullptr) output->append(buffer.data(), got);
  }
  const int status = ::pclose(pipe);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

TreePicture picture_of(const fs::path& root) {
  TreePicture picture;
  for (const auto& file : fs::recursive_directory_iterator(root)) {
    auto& line = picture[file.path().lexically_relative(root).native()];
    struct stat status {};
    require(::lstat(file.path().c_str(), &status) == 0, "can't stat " + quote(file.path().native()));
    if (S_ISLNK(status.st_mode)) {
      line = "link " + fs::read_symlink(file.path()).native();
    } else if (S_ISREG(status.st_mode)) {
      std::ifstream in(file.path(), std::ios::binary);
      line = "file " + std::to_string(status.st_mode & 0777U) + " " +
             std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    } else {
      line = "kind " + std::to_string(status.st_mode & static_cast<unsigned>(S_IFMT));
    }
  }
  return picture;
}

std::string difference(const TreePicture& expected, const TreePicture& found) {
  std::string text;
  int count = 0;
  const auto add = [&](const std::string& path, const char* what) {
    if (++count > 5) return;
    text += (text.empty() ? "" : "; ") + quote(path) + " " + what;
  };
  for (const auto& [path, line] : expected) {
    const auto other = found.find(path);
    if (other == found.end()) {
      add(path, "is missing");
    } else if (other->second != line) {
      add(path, "differs");
    }
  }
  for (const auto& [path, line] : found) {
    if (!expected.contains(path)) add(path, "is too much");
  }
  return text;
}

Rig::Rig(const Subject& subject, fs::path scratch)
    : subject_(subject), scratch_(std::move(scratch)), random_(subject.seed) {}

fs::path Rig::fresh(const std::string& name) {
  auto directory = scratch_ / (std::to_string(++made_) + "-" + name);
  fs::create_directories(directory);
  return directory;
}

std::string Rig::content(std::size_t size) {
  std::string bytes(size, '\0');
  for (auto& byte : bytes) {
    random_ = random_ * 1'664'525 + 1'013'904'223;
    byte = static_cast<char>(random_ >> 28U);  // four bits: compressible, and not text
  }
  return bytes;
}

void Rig::write(const fs::path& file, const std::string& bytes) const {
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << bytes << std::flush;
  require(out.good(), "can't write " + quote(file.native()));
}

LoadedPlugin& Rig::load() {
  auto& plugin = loaded_.emplace_back();
  PluginPolicy policy;
  policy.directories.push_back({subject_.plugin, "the test"});
  // This is a process of its own: what the plugin does to it is the test's result.
  policy.installed_directory = fs::absolute(subject_.plugin).parent_path();
  for (const auto& companion : subject_.companions) policy.directories.push_back({companion, ""});
  plugin.loader.load(policy);
  const auto& report = plugin.loader.reports().front();
  std::string text;
  for (const auto& refusal : report.refusals) text += refusal.code + " " + refusal.text + "; " + refusal.remedy + ". ";
  require(report.state == PluginState::loaded, text);
  return plugin;
}

std::vector<Target> Rig::targets() {
  auto& plugin = load();
  std::vector<Target> targets;
  std::string why = "it brings in no archiver";
  const ArchiverServiceIdentification service;
  if (!plugin.accessor.is_registered(service)) skip(why);
  for (const auto& declared : plugin.loader.reports().front().descriptor.providers) {
    for (const auto& each : plugin.accessor.providers_identifications(service)) {
      auto id = std::dynamic_pointer_cast<const IArchiverProviderIdentification>(each);
      if (declared.service != service.name() || id->provider_id() != declared.id) continue;
      const auto availability = id->availability();
      if (!availability.available) why = declared.id + " is not available: " + availability.reason;
      if (!availability.available) continue;
      for (const auto& type : id->supported_backup_types()) targets.push_back({id, type});
    }
  }
  if (targets.empty()) skip(why);
  return targets;
}

std::shared_ptr<IArchiver> Rig::archiver(const Target& target) {
  return load().accessor.get_or_create(ArchiverServiceIdentification(), target.identification.get(),
                                       {fresh("state"), {}});
}

BackupRequest Rig::request(const Target& target, const fs::path& root, const fs::path& destination) const {
  BackupRequest request;
  request.definition.backup_id = "x";
  request.definition.backup_type = target.type;
  request.definition.destination = destination;
  request.definition.root = root;
  request.definition.include_files = {"."};
  return request;
}

std::shared_ptr<IArchiveReader> Rig::reader_for(const std::string& archive) {
  auto& plugin = load();
  const ArchiveReaderServiceIdentification service;
  if (!plugin.accessor.is_registered(service)) return nullptr;
  std::vector<std::byte> head(4096);
  head.resize(open_local_file(archive)->read_at(0, head));
  for (const auto& each : plugin.accessor.providers_identifications(service)) {
    const auto id = std::dynamic_pointer_cast<const IArchiveReaderIdentification>(each);
    if (id->recognise(head)) return plugin.accessor.get_or_create(service, id.get(), {fresh("state"), {}});
  }
  return nullptr;
}

bool Rig::bring_back(const std::string& archive, const fs::path& to) {
  if (const auto reader = reader_for(archive)) {
    RestoreRequest request;
    request.levels.push_back({open_local_file(archive), nullptr});
    request.target = to;
    const auto result = reader->restore(request);
    require(result.problems == 0, "the reader had " + std::to_string(result.problems) + " problems with it");
    return true;
  }
  if (run_program("command -v bsdtar") != 0) return false;
  if (run_program("bsdtar -tf " + shell_quoted(archive)) != 0) return false;
  require(run_program("bsdtar -xpf " + shell_quoted(archive) + " -C " + shell_quoted(to)) == 0,
          "bsdtar can't restore " + quote(archive));
  return true;
}

// Whether somebody here can read the type at all.
bool Rig::reads_another(const Target& target) {
  const auto root = fresh("root");
  write(root / "a", "four");
  const auto result = archiver(target)->backup_files(request(target, root, fresh("destination")));
  return bring_back(result.path, fresh("restored"));
}

void Rig::round_trip(const fs::path& root, bool allow_empty) {
  const auto expected = picture_of(root);
  std::string unread;
  for (const auto& target : targets()) {
    auto wanted = request(target, root, fresh("destination"));
    wanted.allow_empty = allow_empty;
    const auto result = archiver(target)->backup_files(wanted);
    const auto to = fresh("restored");
    if (!bring_back(result.path, to)) {
      require(!reads_another(target), target.name() + ": nobody can read this one, but others of the type");
      unread += (unread.empty() ? "" : ", ") + target.name();
      continue;
    }
    const auto differs = difference(expected, picture_of(to));
    require(differs.empty(), target.name() + ": " + differs);
  }
  if (!unread.empty()) skip("nobody here can read " + unread);
}

}  // namespace autoarchive::kit
