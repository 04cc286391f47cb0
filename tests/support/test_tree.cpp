#include "support/test_tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "autoarchive/base/text.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "autoarchive/tree/attributes.hpp"
#include "support/temp_dir.hpp"

namespace autoarchive::test {
namespace {

namespace fs = std::filesystem;

std::string xattr_text(const fs::path& directory, const std::string& name) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  int os_errno = 0;
  std::string text;
  for (const auto& xattr : read_xattrs_at(fd.get(), name, MetadataOptions(), &os_errno)) {
    text += " " + xattr.name + "=" + to_base64(xattr.value);
  }
  return text;
}

/// Path -> everything about it as one line. Files with several names carry the first of them.
std::map<std::string, std::string> describe(const fs::path& root) {
  std::map<std::string, std::string> lines;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(root)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) continue;
    const auto name = path.lexically_relative(root).native();
    std::string line = "type " + std::to_string(status.st_mode & S_IFMT) + " owner " + std::to_string(status.st_uid) +
                       ":" + std::to_string(status.st_gid) + " mtime " + std::to_string(status.st_mtim.tv_sec) + "." +
                       std::to_string(status.st_mtim.tv_nsec) + " mode " + std::to_string(status.st_mode & 07777U);
    if (S_ISREG(status.st_mode))
      line += " size " + std::to_string(status.st_size) + " content " +
              std::to_string(std::hash<std::string>()(read_file(path)));
    if (S_ISLNK(status.st_mode)) line += " target " + fs::read_symlink(path).native();
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) line += " device " + std::to_string(status.st_rdev);
    if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
      line += " same as " + quote(first_names.try_emplace({status.st_dev, status.st_ino}, name).first->second);
    }
    lines[name] = line + xattr_text(path.parent_path(), path.filename());
  }
  return lines;
}

void set_time(const fs::path& path, time_t seconds, long nanoseconds) {
  const timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
  ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

}  // namespace

void make_nasty_tree(const fs::path& root) {
  write_file(root / "empty", "");
  for (const std::size_t size : {1U, 511U, 512U, 513U})
    write_file(root / ("size-" + std::to_string(size)), std::string(size, 'x'));
  write_file(root / "a" / "b" / "file", "content\n");
  fs::create_directories(root / "a" / "empty directory");
  write_file(root / "names" / "new\nline", "1");
  write_file(root / "names" / "not utf-8 \xff\xfe", "2");
  write_file(root / "names" / "back\\slash 'and' \"quotes\"", "3");
  write_file(root / "names" / "-rf", "4");
  write_file(root / "names" / "trailing blank ", "5");
  write_file(root / "names" / std::string(255, 'n'), "6");
  fs::path deep = root / "deep";
  for (int i = 0; i < 6; ++i) deep /= std::string(60, static_cast<char>('a' + i));
  write_file(deep / "bottom", "deep\n");
  fs::create_hard_link(root / "size-513", root / "names" / "hard link");
  fs::create_symlink("../a/b/file", root / "names" / "symlink");
  fs::create_symlink("/nonexistent/" + std::string(200, 't'), root / "names" / "broken symlink");
  ::mkfifo((root / "fifo").c_str(), 0640);
  write_file(root / "sparse", "begin");
  fs::resize_file(root / "sparse", 3'000'000);
  write_file(root / "attributes", "has some");
  ::lsetxattr((root / "attributes").c_str(), "user.comment", "a=b\0c", 5, 0);
  ::chmod((root / "size-1").c_str(), 0400);
  ::chmod((root / "a" / "b").c_str(), 01777);
  if (::geteuid() == 0) {
    ::mknod((root / "null").c_str(), S_IFCHR | 0666, makedev(1, 3));
    ::lchown((root / "size-512").c_str(), 12345, 3'000'000'000U);
    ::chmod((root / "size-511").c_str(), 06755);
  }
  set_time(root / "size-513", 1'000'000'000, 123'456'789);
  set_time(root / "empty", -86'400, 500'000'000);
  set_time(root / "names" / "symlink", 1'111'111'111, 1);
  set_time(root / "a" / "empty directory", 5, 0);
}

std::vector<std::string> diff_trees(const fs::path& a, const fs::path& b) {
  const auto left = describe(a);
  const auto right = describe(b);
  std::vector<std::string> differences;
  for (const auto& [name, line] : left) {
    const auto other = right.find(name);
    if (other == right.end()) {
      differences.push_back(quote(name) + " is missing in the second");
    } else if (other->second != line) {
      differences.push_back(quote(name) + ": " + line + " | " + other->second);
    }
  }
  for (const auto& [name, line] : right) {
    if (!left.contains(name)) differences.push_back(quote(name) + " is missing in the first");
  }
  return differences;
}

std::string noise(std::size_t size, std::uint32_t seed) {
  std::string text(size, '\0');
  for (auto& c : text) {
    seed = seed * 1'664'525 + 1'013'904'223;
    c = static_cast<char>(seed >> 24U);
  }
  return text;
}

}  // namespace autoarchive::test
