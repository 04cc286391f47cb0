// Six days of a tree, backed up by the program, for every provider and type that makes levels: each day comes back
// exactly, and other programs read all data of each day's file.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "contract/plugin_providers.hpp"
#include "support/run_program.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive {
namespace {

namespace fs = std::filesystem;
using test::ProviderAndType;
using test::read_file;
using test::shell_quote;
using test::write_file;
using ::testing::IsEmpty;

constexpr int kDays = 6;
constexpr uid_t kNobody = 65534;

/// Extracts a plain tar stream. Data only: what a level means beside its data is not Python's matter.
constexpr std::string_view kPythonExtract =
    "import os, sys, tarfile\n"
    "os.chdir(sys.argv[1])\n"
    "with tarfile.open(fileobj=sys.stdin.buffer, mode='r|') as archive:\n"
    "    for member in archive:\n"
    "        archive.extract(member, set_attrs=False)\n";

class Generations : public ::testing::TestWithParam<ProviderAndType> {
 protected:
  Generations() {
    fs::create_directories(root());
    fs::create_directory(directory_ / "destination");
    write_file(directory_ / "extract.py", kPythonExtract);
  }

  [[nodiscard]] fs::path root() const { return directory_ / "root"; }
  [[nodiscard]] fs::path at(const std::string& path) const { return root() / path; }
  [[nodiscard]] fs::path day(int number) const { return directory_ / ("day" + std::to_string(number)); }
  [[nodiscard]] fs::path file(int level) const {
    return directory_ / "destination" /
           ("docs." + (level == 0 ? "" : std::to_string(level) + ".") + GetParam().type.extension);
  }

  static std::string shell(const std::string& command, int wanted_status = 0) {
    const auto result = test::run_shell(command);
    EXPECT_EQ(result.status, wanted_status) << command << "\n" << result.output;
    return result.output;
  }
  [[nodiscard]] static bool has_program(const std::string& name) {
    return test::run_shell("command -v " + name).status == 0;
  }

  /// The program's words up to what it shall do. `before`: what starts it.
  [[nodiscard]] std::string program(const std::string& before = "") const {
    return "AA_STATE_DIR=" + shell_quote(directory_ / "state") + " XDG_CONFIG_HOME=" + shell_quote(directory_.path()) +
           " " + before + " " + shell_quote(AA_PROGRAM) + " --plugin-dir " + shell_quote(AA_PLUGIN_DIR) + " --quiet ";
  }

  /// The next level of the tree as it is, which is kept beside it. `absent`: what of it can't be read.
  void back_up(const std::string& before = "", const std::vector<std::string>& absent = {}) {
    if (!absent.empty()) incomplete_days_.insert(days_);
    const auto kept = day(days_++);
    shell("cp -a " + shell_quote(root()) + " " + shell_quote(kept));
    for (const auto& path : absent) {
      fs::remove(kept / path);
      copy_times(at(path).parent_path(), (kept / path).parent_path());
    }
    shell(program(before) + "create docs --incremental --root " + shell_quote(root()) + " --destination " +
              shell_quote(directory_ / "destination") + " --type " + GetParam().type.extension + " --provider " +
              GetParam().provider,
          absent.empty() ? 0 : 1);
    ASSERT_TRUE(fs::exists(file(days_ - 1))) << "day " << days_ - 1 << " is not a level of its own";
  }

  /// What starts the program with a clock that is that much wrong; the times of files stay as they are.
  static std::string clock(const std::string& offset) { return "NO_FAKE_STAT=1 faketime -f " + shell_quote(offset); }
  /// A sanitizer's runtime wants to be the first library, and so does faketime's.
  static bool can_set_the_clock() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#else
    return has_program("faketime");
#endif
  }

  static void copy_times(const fs::path& like, const fs::path& path) {
    struct stat status {};
    ASSERT_EQ(::lstat(like.c_str(), &status), 0) << like;
    const timespec times[2] = {status.st_atim, status.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0) << path;
  }
  void write(const std::string& path, std::string_view content) const {
    write_file(at(path), content);
  }
  /// Other content of the same size, and the time of before.
  void change_unseen(const std::string& path) const {
    struct stat before {};
    ASSERT_EQ(::lstat(at(path).c_str(), &before), 0) << path;
    auto content = read_file(at(path));
    for (auto& c : content) ++c;
    write(path, content);
    const timespec times[2] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, at(path).c_str(), times, 0), 0);
  }
  /// a becomes c, b becomes a, c becomes b.
  void rename_in_a_circle(const std::string& a, const std::string& b, const std::string& c) const {
    fs::rename(at(c), at("aside"));
    fs::rename(at(a), at(c));
    fs::rename(at(b), at(a));
    fs::rename(at("aside"), at(b));
  }

  void make_first_day() const;
  void change_names() const;
  void change_kinds() const;
  void change_links_and_times() const;
  void change_places() const;
  void change_back() const;

  void expect_exact(int number) const {
    const auto target = directory_ / ("restored" + std::to_string(number));
    shell(program() + "restore docs@" + std::to_string(number) + " --destination " +
              shell_quote(directory_ / "destination") + " --to " + shell_quote(target),
          incomplete_days_.contains(number) ? 1 : 0);  // it says what the backup lacks
    EXPECT_THAT(test::diff_trees(day(number), target), IsEmpty()) << "day " << number;
  }

  /// Regular files below `place`, and what is in them.
  [[nodiscard]] static std::map<std::string, std::string> contents(const fs::path& place) {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(place)) {
      if (entry.is_regular_file() && !entry.is_symlink())
        found[entry.path().lexically_relative(place)] = read_file(entry.path());
    }
    return found;
  }

  /// Each program extracts one day's file alone: the same files, and as they were on that day.
  void expect_readable_by_others(int number) const {
    const auto archive = shell_quote(file(number));
    const std::map<std::string, std::string> unpackers{{"tar", "cat"},
                                                       {"tar.gz", "gzip -dc"},
                                                       {"tar.bz2", "bzip2 -dc"},
                                                       {"tar.xz", "xz -dc"},
                                                       {"tar.zst", "zstd -dc"}};
    const auto& unpack = unpackers.at(GetParam().type.extension);
    const std::map<std::string, std::string> readers{
        {"gnu", "tar -xf " + archive + " -C "},
        {"bsdtar", "LC_ALL=C.UTF-8 bsdtar -xf " + archive + " -C "},
        {"python", unpack + " < " + archive + " | python3 " + shell_quote(directory_ / "extract.py") + " "}};
    const auto wanted = contents(day(number));
    std::set<std::map<std::string, std::string>> answers;
    for (const auto& [name, command] : readers) {
      const auto target = directory_.make(name + std::to_string(number));
      shell(command + shell_quote(target));
      const auto found = contents(target);
      for (const auto& [path, content] : found) {
        const auto original = wanted.find(path);
        ASSERT_TRUE(original != wanted.end()) << path << " of day " << number << " by " << name;
        EXPECT_TRUE(original->second == content) << path << " of day " << number << " by " << name;
      }
      answers.insert(found);
    }
    EXPECT_EQ(answers.size(), 1U) << "day " << number << ": not every program finds the same files";
    EXPECT_TRUE(number != 0 || answers.contains(wanted)) << "day 0 is not the whole tree";
  }

  /// The tests of all programs that know the compression and are installed.
  void expect_sound(int number) const {
    const std::map<std::string, std::vector<std::string>> testers{{"tar", {"7z t"}},
                                                                  {"tar.gz", {"gzip -t", "pigz -t", "7z t"}},
                                                                  {"tar.bz2", {"bzip2 -t", "lbzip2 -t", "7z t"}},
                                                                  {"tar.xz", {"xz -t", "7z t"}},
                                                                  {"tar.zst", {"zstd -t"}}};
    for (const auto& tester : testers.at(GetParam().type.extension)) {
      if (has_program(tester.substr(0, tester.find(' '))))
        shell(tester + " " + shell_quote(file(number)) + " < /dev/null");
    }
  }

  test::TempDir directory_;
  int days_ = 0;
  std::set<int> incomplete_days_;
};

// Everything may be read by everybody, so that one day can be somebody else's.
void Generations::make_first_day() const {
  for (const char* name : {"a", "b", "c"}) {
    write(std::string(name) + "/same name", std::string("in ") + name);
    write(std::string(name) + "/deep/er/file", std::string("far in ") + name);
  }
  for (const char* name : {"x", "y", "z"}) write(std::string("files/") + name, name);
  for (const char* name : {"kinds/file", "kinds/directory/inside", "links/one", "links/two", "later/goes"})
    write(name, name);
  fs::create_symlink("file", at("kinds/symlink"));
  fs::create_hard_link(at("links/one"), at("links/one again"));
  std::string large;
  for (int i = 0; large.size() < 2'500'000; ++i) large += "line " + std::to_string(i * 7919 % 100'003) + "\n";
  write("large", large);
  write("sparse", "begin");
  fs::resize_file(at("sparse"), 1'000'000);
  write("attributes", "has one");
  ASSERT_EQ(::lsetxattr(at("attributes").c_str(), "user.comment", "first", 5, 0), 0);
  write("names/new\nline", "1");
  const timespec old[2] = {{1'000'000'000, 5}, {1'000'000'000, 123'456'789}};
  for (const char* name : {"files/x", "files/y", "files/z", "a/same name", "b/same name", "c/same name", "a", "b"})
    ASSERT_EQ(::utimensat(AT_FDCWD, at(name).c_str(), old, 0), 0);
}

// Same names, same sizes and same times everywhere: only what is where has changed.
void Generations::change_names() const {
  rename_in_a_circle("a", "b", "c");
  rename_in_a_circle("files/x", "files/y", "files/z");
  change_unseen("links/two");
  write("names/new", "new");
}

void Generations::change_kinds() const {
  fs::remove(at("kinds/file"));
  write("kinds/file/is now a directory", "1");
  fs::remove_all(at("kinds/directory"));
  fs::create_symlink("/nowhere", at("kinds/directory"));
  fs::remove(at("kinds/symlink"));
  write("kinds/symlink", "is now a file");
  ASSERT_EQ(::mkfifo(at("kinds/fifo").c_str(), 0644), 0);
  fs::rename(at("links/one again"), at("aside"));  // the link is broken, and the file looks as before
  fs::copy_file(at("aside"), at("links/one again"));
  copy_times(at("aside"), at("links/one again"));
  fs::remove(at("aside"));
  write("secret", "not for everybody");
  ASSERT_EQ(::chmod(at("secret").c_str(), 0600), 0);
  ASSERT_EQ(::lchown(at("secret").c_str(), kNobody, kNobody), 0);
}

void Generations::change_links_and_times() const {
  change_unseen("files/x");
  change_unseen("large");
  fs::remove(at("links/two"));
  fs::create_hard_link(at("links/one"), at("links/two"));
  fs::create_hard_link(at("files/y"), at("a/second name"));
  fs::remove(at("later/goes"));
  write("later/comes", "with a time of long ago");
  const timespec old[2] = {{1, 0}, {1, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, at("later/comes").c_str(), old, 0), 0);
  fs::remove(at("kinds/fifo"));
  write("kinds/fifo", "is now a file");
}

void Generations::change_places() const {
  fs::rename(at("a"), at("b/a"));  // a directory moves into another, which takes its place
  fs::rename(at("b"), at("aside"));
  fs::rename(at("aside"), at("a"));
  ASSERT_EQ(::lsetxattr(at("attributes").c_str(), "user.comment", "other", 5, 0), 0);
  ASSERT_EQ(::chmod(at("names/new").c_str(), 0755), 0);
  const timespec old[2] = {{1, 0}, {1'000'000'000, 123'456'788}};  // a nanosecond less
  ASSERT_EQ(::utimensat(AT_FDCWD, at("files/z").c_str(), old, 0), 0);
  fs::resize_file(at("sparse"), 2'000'000);
}

void Generations::change_back() const {
  fs::rename(at("a/a"), at("b"));
  rename_in_a_circle("c", "b", "a");
  fs::remove_all(at("kinds/file"));
  write("kinds/file", "kinds/file");
  fs::remove_all(at("names"));
  fs::remove(at("links/one again"));
  fs::create_hard_link(at("links/one"), at("links/one again"));
  change_unseen("secret");
}

TEST_P(Generations, ComeBackExactlyAndAreReadByOtherPrograms) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  ::umask(022);
  const bool has_clock = can_set_the_clock();
  make_first_day();
  back_up();
  change_names();
  back_up();
  change_kinds();
  // By a root that is bound by permissions: another user might not reach the program.
  back_up("setpriv --bounding-set=-dac_override,-dac_read_search", {"secret"});
  change_links_and_times();  // and nobody touches the secret: now it is read
  back_up(has_clock ? clock("-1d") : "");
  change_places();
  back_up(has_clock ? clock("+2d") : "");
  change_back();
  back_up(has_clock ? clock("-1d") : "");
  ASSERT_EQ(days_, kDays);
  for (int number = 0; number < kDays; ++number) {
    expect_exact(number);
    expect_readable_by_others(number);
    expect_sound(number);
  }
}

std::string provider_name(const ::testing::TestParamInfo<ProviderAndType>& info) {
  auto name = info.param.provider + "_" + info.param.type.extension;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(AllArchivers, Generations, ::testing::ValuesIn(test::all_providers(/*incremental_only=*/true)),
                         provider_name);

}  // namespace
}  // namespace autoarchive
