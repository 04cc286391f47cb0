// Whether what goes in comes out.
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <set>

#include "autoarchive/archiver/backup_observer.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "tests.hpp"

namespace autoarchive::kit {

namespace fs = std::filesystem;

void empty_tree(Rig& rig) {
  rig.round_trip(rig.fresh("root"), /*allow_empty=*/true);
}

void sizes_around_blocks(Rig& rig) {
  const auto root = rig.fresh("root");
  for (const std::size_t size : {0U, 1U, 511U, 512U, 513U, 10'240U, 65'536U, 1'048'577U})
    rig.write(root / std::to_string(size), rig.content(size));
  ::chmod((root / "513").c_str(), 0751);
  fs::create_directories(root / "empty/empty");
  rig.round_trip(root);
}

void long_and_odd_names(Rig& rig) {
  const auto root = rig.fresh("root");
  const std::string longest(200, 'n');
  for (const std::string name :
       {" ", "-rf", "--", "a b", "a'b\"c", "a*?[x]", "%s", "TRAILER!!!", ".hidden", "käse", "\xF0\x9F\xA7\x80"})
    rig.write(root / name, name);
  rig.write(root / longest, "longest");
  rig.write(root / ("d" + longest) / longest / longest / "end", "deep");
  rig.round_trip(root);
}

void names_that_are_no_text(Rig& rig) {
  const auto root = rig.fresh("root");
  for (const std::string name : {"a\\b", "a\nb", "a\tb", "\x01", "\xFF\xFE", "\xC3", "latin \xE9"})
    rig.write(root / name, name);
  rig.round_trip(root);
}

void links(Rig& rig) {
  const auto root = rig.fresh("root");
  rig.write(root / "file", rig.content(2000));
  fs::create_hard_link(root / "file", root / "second name");
  rig.write(root / "d/third", "x");
  fs::create_hard_link(root / "d/third", root / "a name before");
  fs::create_symlink("file", root / "link");
  fs::create_symlink("../nowhere", root / "d/dangling");
  fs::create_symlink(".", root / "d/circle");
  rig.round_trip(root);
}

void holes(Rig& rig) {
  const auto root = rig.fresh("root");
  const auto end = rig.content(10);
  for (const auto& [name, size] : {std::pair("only a hole", 3'000'000), std::pair("data at the end", 3'000'010)}) {
    const UniqueFd fd(::open((root / name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    require(::ftruncate(fd.get(), size) == 0, "can't make a hole");
    if (size == 3'000'010) require(::pwrite(fd.get(), end.data(), end.size(), 3'000'000) == 10, "can't write");
  }
  rig.round_trip(root);
}

namespace {

/// Counts what is reported, and does something at the first entry.
class Reports final : public IBackupObserver {
 public:
  void file_add(std::string_view /*name*/) override {
    if (at_first) at_first();
    at_first = nullptr;
  }
  void backup_operation_error(BackupSubOperation /*operation*/, BackupOperationError /*error*/,
                              std::optional<std::string_view> name,
                              std::optional<std::string_view> /*error_text*/) override {
    if (name) names.insert(normalize_path(*name));  // GNU tar says "./secret"
  }
  std::function<void()> at_first;
  std::set<std::string> names;
};

/// From now on, in this process; the directories from `top` on are nobody's then, the files stay as they are.
void become_nobody(const fs::path& top) {
  constexpr uid_t kNobody = 65'534;
  require(::chown(top.c_str(), kNobody, kNobody) == 0, "can't give the directory away");
  for (const auto& entry : fs::recursive_directory_iterator(top)) {
    if (entry.is_directory() && !entry.is_symlink())
      require(::chown(entry.path().c_str(), kNobody, kNobody) == 0, "can't give the directory away");
  }
  require(::setgroups(0, nullptr) == 0 && ::setresgid(kNobody, kNobody, kNobody) == 0 &&
              ::setresuid(kNobody, kNobody, kNobody) == 0,
          "can't become nobody");
}

}  // namespace

void unreadable_files(Rig& rig) {
  const auto root = rig.fresh("root");
  rig.write(root / "good", "good");
  rig.write(root / "secret", "secret");
  ::chmod((root / "good").c_str(), 0644);
  ::chmod((root / "secret").c_str(), ::geteuid() == 0 ? 0600 : 0);
  // All is loaded and made before the rights are given up: nobody need not be able to read the plugin.
  struct Prepared {
    Target target;
    std::shared_ptr<IArchiver> archiver;
    fs::path destination;
  };
  std::vector<Prepared> all;
  for (const auto& target : rig.targets()) all.push_back({target, rig.archiver(target), rig.fresh("destination")});
  if (::geteuid() == 0) become_nobody(root.parent_path());
  for (const auto& [target, archiver, destination] : all) {
    Reports reports;
    auto wanted = rig.request(target, root, destination);
    wanted.observer = &reports;
    const auto result = archiver->backup_files(wanted);
    require(fs::exists(result.path), target.name() + ": one file that can't be read has to leave the others");
    std::string names;
    for (const auto& name : reports.names) names += " '" + name + "'";
    require(reports.names == std::set<std::string>{"secret"},
            target.name() + ": 'secret' can't be read and has to be reported, and no other; reported are" + names);
  }
}

void changing_files(Rig& rig) {
  for (const auto& target : rig.targets()) {
    const auto root = rig.fresh("root");
    rig.write(root / "a first", "first");
    rig.write(root / "grows", rig.content(1'000'000));
    rig.write(root / "shrinks", rig.content(1'000'000));
    rig.write(root / "stays", rig.content(1000));
    Reports reports;
    reports.at_first = [&] {
      fs::resize_file(root / "grows", 1'500'000);
      fs::resize_file(root / "shrinks", 100);
    };
    auto wanted = rig.request(target, root, rig.fresh("destination"));
    wanted.observer = &reports;
    const auto result = rig.archiver(target)->backup_files(wanted);
    const auto to = rig.fresh("restored");
    if (!rig.bring_back(result.path, to)) skip("nobody here can read " + target.name());
    const auto restored = picture_of(to);
    require(restored.count("stays") == 1 && restored.at("stays") == picture_of(root).at("stays"),
            target.name() + ": a file after those that change has to be whole");
    require(restored.count("grows") == 1 && restored.count("shrinks") == 1,
            target.name() + ": files that change have to be stored all the same");
  }
}

}  // namespace autoarchive::kit
