// Whether other programs read what a plugin writes.
#include "autoarchive/base/text.hpp"
#include "tests.hpp"

namespace autoarchive::kit {
namespace {

namespace fs = std::filesystem;

void read_by(Rig& rig, const std::string& program) {
  if (run_program("command -v " + program) != 0) skip(program + " is not installed");
  const auto root = rig.fresh("root");
  rig.write(root / "a", rig.content(3000));
  rig.write(root / "d/long" / std::string(150, 'n'), rig.content(70'000));
  fs::create_symlink("a", root / "link");
  const auto expected = picture_of(root);
  bool tried = false;
  for (const auto& target : rig.targets()) {
    if (target.type.extension != "tar" && !target.type.extension.starts_with("tar.")) continue;
    tried = true;
    const auto result = rig.archiver(target)->backup_files(rig.request(target, root, rig.fresh("destination")));
    const auto to = rig.fresh("restored");
    require(run_program(program + " -xpf " + shell_quoted(result.path) + " -C " + shell_quoted(to)) == 0,
            program + " can't read " + target.name());
    const auto differs = difference(expected, picture_of(to));
    require(differs.empty(), target.name() + " by " + program + ": " + differs);
  }
  if (!tried) skip("it makes no tar");
}

}  // namespace

void read_by_gnu_tar(Rig& rig) {
  read_by(rig, "tar");
}

void read_by_bsdtar(Rig& rig) {
  read_by(rig, "bsdtar");
}

}  // namespace autoarchive::kit
