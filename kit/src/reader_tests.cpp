// Whether what a plugin writes comes back as its features promise: Restore, Verify, Metadata.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>

#include "autoarchive/archiver/backup_name.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/storage/istorage.hpp"
#include "tests.hpp"

namespace autoarchive::kit {
namespace {

namespace fs = std::filesystem;

/// The targets that declare it; ends the test as skipped if none does.
std::vector<Target> targets_with(Rig& rig, const ArchiverFeature& feature) {
  auto targets = rig.targets();
  std::erase_if(targets, [&](const Target& target) { return !target.has(feature); });
  if (targets.empty()) skip("it does not declare " + feature.name);
  return targets;
}

std::shared_ptr<IArchiveReader> reader_of(Rig& rig, const Target& target, const std::string& archive) {
  auto reader = rig.reader_for(archive);
  require(reader != nullptr, target.name() + ": no reader here knows what it makes");
  return reader;
}

std::unique_ptr<ReadableFile> manifest_of(const std::string& archive) {
  const auto name = manifest_name(archive);
  return fs::exists(name) ? open_local_file(name) : nullptr;
}

fs::path restored_from(Rig& rig, const Target& target, const std::vector<std::string>& archives) {
  RestoreRequest request;
  for (const auto& archive : archives) request.levels.push_back({open_local_file(archive), manifest_of(archive)});
  request.target = rig.fresh("restored");
  const auto result = reader_of(rig, target, archives.back())->restore(request);
  require(result.problems == 0, target.name() + ": " + std::to_string(result.problems) + " problems when it came back");
  return request.target;
}

void compare(const Target& target, const TreePicture& expected, const TreePicture& found) {
  const auto differs = difference(expected, found);
  require(differs.empty(), target.name() + ": " + differs);
}

/// The names of attributes with their values, of the file itself.
std::string attributes_of(const fs::path& file) {
  std::array<char, 4096> names{};
  const auto size = ::llistxattr(file.c_str(), names.data(), names.size());
  std::string text;
  for (const char* name = names.data(); size > 0 && name < names.data() + size; name += std::string(name).size() + 1) {
    std::array<char, 4096> value{};
    const auto length = ::lgetxattr(file.c_str(), name, value.data(), value.size());
    text +=
        std::string(name) + "=" + std::string(value.data(), length < 0 ? 0 : static_cast<std::size_t>(length)) + ";";
  }
  return text;
}

/// All that the feature Metadata speaks of, a line a path.
TreePicture metadata_of(const fs::path& root) {
  TreePicture picture;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names;
  for (const auto& [path, line] : picture_of(root)) {
    struct stat status {};
    require(::lstat((root / path).c_str(), &status) == 0, "can't stat " + path);
    const auto& first = first_names.try_emplace({status.st_dev, status.st_ino}, path).first->second;
    const bool has_holes = S_ISREG(status.st_mode) && status.st_blocks * 512 < status.st_size;
    std::ostringstream text;
    text << line << '|' << status.st_mode << ' ' << status.st_uid << ' ' << status.st_gid << ' '
         << status.st_mtim.tv_sec << '.' << status.st_mtim.tv_nsec << ' ' << status.st_rdev << ' ' << first << ' '
         << (has_holes ? "holes " : "") << attributes_of(root / path);
    picture[path] = text.str();
  }
  return picture;
}

/// An access control list as the kernel has it: user 1234 may read what the others may not.
std::string acl_for_another_user() {
  constexpr std::uint32_t kNobody = 0xFFFFFFFF;
  struct AclEntry {
    std::uint16_t tag;
    std::uint16_t rights;
    std::uint32_t id;
  };
  std::string bytes{"\x02\0\0\0", 4};  // the version
  for (const auto& entry : {AclEntry{0x01, 6, kNobody}, AclEntry{0x02, 4, 1234}, AclEntry{0x04, 4, kNobody},
                            AclEntry{0x10, 4, kNobody}, AclEntry{0x20, 0, kNobody}})
    bytes.append(reinterpret_cast<const char*>(&entry), sizeof entry);
  return bytes;
}

void set_attribute(const fs::path& file, const char* name, const std::string& value) {
  const bool done = ::lsetxattr(file.c_str(), name, value.data(), value.size(), 0) == 0;
  require(done || errno == ENOTSUP, std::string("can't set ") + name);  // a file system that has none proves nothing
}

/// One of each; what only root can make, only as root.
void make_rich_tree(Rig& rig, const fs::path& root) {
  rig.write(root / "file", rig.content(2000));
  fs::create_hard_link(root / "file", root / "d second name");
  set_attribute(root / "file", "user.kit", "some value");
  rig.write(root / "shared", "shared");
  set_attribute(root / "shared", "system.posix_acl_access", acl_for_another_user());
  rig.write(root / "program", "program");
  rig.write(root / "holes", "begin");
  fs::resize_file(root / "holes", 4'000'000);
  fs::create_symlink("file", root / "link");
  fs::create_directories(root / "directory");
  require(::mkfifo((root / "fifo").c_str(), 0640) == 0, "can't make a FIFO");
  if (::geteuid() == 0) {
    require(::lchown((root / "link").c_str(), 1234, 2345) == 0 && ::chown((root / "program").c_str(), 1234, 2345) == 0,
            "can't give files away");
    // Where devices can't be made, as in some containers, they prove nothing.
    static_cast<void>(::mknod((root / "device").c_str(), S_IFCHR | 0600U, makedev(1, 3)));
  }
  ::chmod((root / "program").c_str(), 06755);
  ::chmod((root / "directory").c_str(), 01777);
  for (const char* name : {"file", "shared", "program", "holes", "link", "fifo", "directory"}) {
    const std::array<timespec, 2> times{timespec{1'234'567'890, 123'456'789}, timespec{1'234'567'890, 987'654'321}};
    require(::utimensat(AT_FDCWD, (root / name).c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0, "can't set times");
  }
}

/// Whether a reader notices that the file is not what was written.
bool notices(IArchiveReader& reader, const std::string& archive, const std::string& manifest,
             const std::string& sha256) {
  try {
    const auto file = open_local_file(archive);
    const auto kept = fs::exists(manifest) ? open_local_file(manifest) : nullptr;
    const auto result = reader.verify(*file, kept.get(), {});
    return !result.faults.empty() || result.sha256 != sha256;
  } catch (const Error& error) {
    return error.cause() == ErrorCause::damaged || error.cause() == ErrorCause::unsupported;
  }
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

void archives_come_back_as_declared(Rig& rig) {
  for (const auto& target : targets_with(rig, archiver_feature::kRestore)) {
    const auto root = rig.fresh("root");
    rig.write(root / "goes", rig.content(3000));
    rig.write(root / "d/changes", rig.content(500));
    rig.write(root / "d/stays", rig.content(70'000));
    const auto archiver = rig.archiver(target);
    const auto wanted = rig.request(target, root, rig.fresh("destination"));
    if (!target.has(archiver_feature::kIncremental)) {
      compare(target, picture_of(root), picture_of(restored_from(rig, target, {archiver->backup_files(wanted).path})));
      continue;
    }
    const auto first = archiver->backup_files_incrementally(wanted).path;
    const auto before = picture_of(root);
    fs::remove(root / "goes");
    rig.write(root / "d/changes", rig.content(501));
    rig.write(root / "new/comes", rig.content(100));
    const auto second = archiver->backup_files_incrementally(wanted).path;
    compare(target, before, picture_of(restored_from(rig, target, {first})));
    compare(target, picture_of(root), picture_of(restored_from(rig, target, {first, second})));
  }
}

void damage_is_found_as_declared(Rig& rig) {
  const auto root = rig.fresh("root");
  rig.write(root / "a", rig.content(100));
  rig.write(root / "b", rig.content(200'000));
  for (const auto& target : targets_with(rig, archiver_feature::kVerify)) {
    const auto result = rig.archiver(target)->backup_files(rig.request(target, root, rig.fresh("destination")));
    const auto reader = reader_of(rig, target, result.path);
    const auto manifest = manifest_name(result.path);
    const auto& sha256 = result.summary.archive_sha256;
    require(!notices(*reader, result.path, manifest, sha256), target.name() + ": damage is found where there is none");
    const auto good = bytes_of(result.path);
    const auto bad = rig.fresh("damaged") / fs::path(result.path).filename();
    constexpr std::size_t kPlaces = 40;
    for (std::size_t i = 0; i <= kPlaces; ++i) {
      auto bytes = good;
      const auto at = (good.size() - 1) * i / kPlaces;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << (i % 8)));
      rig.write(bad, bytes);
      require(notices(*reader, bad, manifest, sha256),
              target.name() + ": a bit is another in byte " + std::to_string(at) + ", and nobody notices");
    }
    rig.write(bad, good.substr(0, good.size() - 1));
    require(notices(*reader, bad, manifest, sha256), target.name() + ": the last byte is missing, and nobody notices");
  }
}

void metadata_come_back_as_declared(Rig& rig) {
  const auto root = rig.fresh("root");
  make_rich_tree(rig, root);
  const auto expected = metadata_of(root);
  for (const auto& target : targets_with(rig, archiver_feature::kMetadata)) {
    const auto result = rig.archiver(target)->backup_files(rig.request(target, root, rig.fresh("destination")));
    compare(target, expected, metadata_of(restored_from(rig, target, {result.path})));
  }
}

}  // namespace autoarchive::kit
