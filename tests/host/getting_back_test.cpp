// Restoring, as a user does it.
#include <filesystem>

#include "application_fixture.hpp"
#include "support/run_program.hpp"

namespace autoarchive::host {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class GettingBackTest : public ApplicationTest {};

TEST_F(GettingBackTest, RemovesNoBackups) {
  const auto inside = directory_ / "root/backups";
  std::filesystem::create_directory(inside);
  ASSERT_EQ(run({"create", "home", "--root", directory_ / "root", "--destination", inside}), 0) << err_;
  const auto file = inside / "home.tar.gz";
  const auto restore = [&](const std::string& target, const std::string& to, const std::string& path) {
    return run({"restore", target, path, "--to", to, "--destination", inside, "--delete"});
  };
  for (const char* path : {".", "backups"}) EXPECT_EQ(restore("home", directory_ / "root", path), 64) << path;
  EXPECT_THAT(err_, HasSubstr("holds backups or their state"));
  EXPECT_EQ(run({"restore", file, "--to", inside, "--delete"}), 64);
  EXPECT_EQ(restore("home", inside, "d"), 0) << err_;
  test::write_file(directory_ / "root/d/other", "x");
  EXPECT_EQ(restore("home", directory_ / "root", ""), 64) << "a variable that is not set";
  EXPECT_EQ(restore("home", directory_ / "root", "d"), 0) << err_;
  EXPECT_FALSE(std::filesystem::exists(directory_ / "root/d/other"));
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST_F(GettingBackTest, UsesTheManifestAndTheChainThatLieBesideAFile) {
  EXPECT_EQ(create({"--incremental"}), 0) << err_;
  test::write_file(directory_ / "root/new", "new");
  EXPECT_EQ(create({"--incremental"}), 0) << err_;
  const auto level = [&](int n) {
    return (directory_ / "backups").native() + (n == 0 ? "/home.tar.gz" : "/home.1.tar.gz");
  };
  EXPECT_EQ(run({"restore", level(1), "--to", directory_ / "restored"}), 0) << err_;
  EXPECT_THAT(test::diff_trees(directory_ / "root", directory_ / "restored"), IsEmpty());
  EXPECT_THAT(err_, IsEmpty());

  const auto manifest = test::read_file(level(0) + ".manifest.zst");
  std::filesystem::copy(level(1), directory_ / "alone.tar.gz");
  std::filesystem::copy(level(1) + ".manifest.zst", directory_ / "alone.tar.gz.manifest.zst");
  EXPECT_EQ(run({"ls", directory_ / "alone.tar.gz"}), 0);
  EXPECT_THAT(err_, HasSubstr("is level 1 of a chain, and is read without the levels"));
  EXPECT_EQ(run({"restore", directory_ / "alone.tar.gz", "--to", directory_ / "restored", "--delete"}), 2);
  EXPECT_THAT(err_, HasSubstr("leave out --delete"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "restored/d/b"));  // of level 0
  EXPECT_EQ(run({"restore", directory_ / "alone.tar.gz", "--to", directory_ / "alone"}), 1);
  EXPECT_TRUE(std::filesystem::exists(directory_ / "alone/new"));
  std::filesystem::remove(directory_ / "alone.tar.gz.manifest.zst");  // the archive says it, too
  EXPECT_EQ(run({"restore", directory_ / "alone.tar.gz", "--to", directory_ / "restored", "--delete"}), 2);
  std::filesystem::copy(level(0), directory_ / "other.tar.gz");
  test::write_file(directory_ / "other.tar.gz.manifest.zst", test::read_file(level(1) + ".manifest.zst"));
  EXPECT_EQ(run({"restore", directory_ / "other.tar.gz", "--to", directory_ / "other"}), 0);
  EXPECT_THAT(err_, HasSubstr("is that of another backup, and is not used"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "other/d/b"));
  test::write_file(directory_ / "other.tar.gz.manifest.zst", manifest.substr(0, manifest.size() / 2));
  EXPECT_EQ(run({"ls", directory_ / "other.tar.gz"}), 0);
  EXPECT_THAT(err_, HasSubstr("is damaged"));
}

TEST_F(GettingBackTest, SaysWhatARestoreWouldNeedAndRemove) {
  EXPECT_EQ(create(), 0) << err_;
  test::write_file(directory_ / "target/other", "x");
  const std::vector<std::string> words{
      "restore", "home", "--destination", destination(), "--to", directory_ / "target", "--delete", "-n"};
  EXPECT_EQ(run(words), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("would restore 4 entries, 13 B, into "));
  EXPECT_THAT(out_, HasSubstr("would remove 1; "));
  EXPECT_THAT(out_, HasSubstr("are free there"));
  EXPECT_THAT(out_, HasSubstr("D 'other'"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "target/other"));
}

TEST_F(GettingBackTest, EndsWithDamageWhenAMemberIsNotWhatWasStored) {
  EXPECT_EQ(create({"--type", "tar"}), 0) << err_;
  const auto file = directory_ / "backups/home.tar";
  auto bytes = test::read_file(file);
  const auto at = bytes.find("content of a");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = 'C';
  test::write_file(file, bytes);
  EXPECT_EQ(run({"restore", "home", "--destination", destination(), "--to", directory_ / "restored"}), 2);
  EXPECT_THAT(err_, HasSubstr("'a': its content is not what was stored"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "restored/d/b"));
}

TEST_F(GettingBackTest, BringsWhatLiesBehindADamagedBeginning) {
  const auto large = test::noise(3'000'000, 2);
  for (unsigned i = 0; i < 3; ++i)
    test::write_file(directory_ / ("root/large" + std::to_string(i)), test::noise(3'000'000, i));
  for (const std::string type : {"tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"}) {
    const auto name = "home" + std::to_string(type.size()) + type.back();
    ASSERT_EQ(run({"create", name, "--root", directory_ / "root", "--destination", destination(), "--type", type}), 0);
    const auto file = directory_ / "backups" / (name + "." + type);
    auto bytes = test::read_file(file);
    bytes[0] = static_cast<char>(bytes[0] ^ 1);
    test::write_file(file, bytes);
    EXPECT_EQ(run({"verify", name, "--destination", destination()}), 2) << type;
    EXPECT_THAT(err_, HasSubstr("of its members can still be restored")) << type;
    const auto status = run({"restore", name, "--destination", destination(), "--to", directory_ / name});
    EXPECT_EQ(status, test::diff_trees(directory_ / "root", directory_ / name).empty() ? 0 : 2) << type;
    EXPECT_EQ(test::read_file(directory_ / name / "large2"), large) << type;
    std::filesystem::create_directories(directory_ / "alone");
    std::filesystem::rename(file, directory_ / "alone" / ("x." + type));
    const auto salvaged = directory_ / ("salvaged." + name);
    EXPECT_EQ(run({"restore", directory_ / "alone" / ("x." + type), "--salvage", "--to", salvaged}), 2) << err_;
    EXPECT_EQ(test::read_file(salvaged / "large2"), large) << type;
  }
}

TEST_F(GettingBackTest, VerifiesAChainAndRemembersIt) {
  EXPECT_EQ(create({"--incremental"}), 0) << err_;
  test::write_file(directory_ / "root/new", "new");
  EXPECT_EQ(create({"--incremental"}), 0) << err_;
  const auto verify = [&](const std::string& level) {
    return run({"verify", "home", "--destination", destination(), "--level", level});
  };
  for (const char* level : {"quick", "data", "restore"}) {
    EXPECT_EQ(verify(level), 0) << err_;
    EXPECT_THAT(out_, HasSubstr(std::string(": whole (") + level + ")"));
    EXPECT_EQ(run({"list", "home", "--destination", destination()}), 0);
    EXPECT_THAT(out_, HasSubstr(std::string(" ") + level + " "));
  }
  auto bytes = test::read_file(directory_ / "backups/home.tar.gz");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  test::write_file(directory_ / "backups/home.tar.gz", bytes);
  EXPECT_EQ(verify("data"), 2);
  EXPECT_THAT(err_, HasSubstr("SHA-256"));
  EXPECT_THAT(err_, HasSubstr("of its members can still be restored"));
  EXPECT_EQ(run({"list", "home", "--destination", destination()}), 0);
  EXPECT_THAT(out_, HasSubstr("data DAMAGED"));
}

TEST_F(GettingBackTest, NamesTheLevelThatIsMissingSwappedOrForeign) {
  for (int level = 0; level < 3; ++level) {
    test::write_file(directory_ / "root/a", std::string(static_cast<std::size_t>(level) + 1, 'x'));
    EXPECT_EQ(create({"--incremental"}), 0) << err_;
  }
  const auto verify = [&] {
    const int status = run({"verify", "home", "--destination", destination(), "--level", "quick"});
    return std::pair(status, err_);
  };
  const auto backup = [&](const std::string& name) { return directory_ / ("backups/" + name); };
  const auto level1 = test::read_file(backup("home.1.tar.gz"));
  const auto level2 = test::read_file(backup("home.2.tar.gz"));
  const auto manifest1 = test::read_file(backup("home.1.tar.gz.manifest.zst"));
  EXPECT_EQ(verify().first, 0) << err_;
  test::write_file(backup("home.1.tar.gz"), level2);  // swapped, with the manifest of the other
  test::write_file(backup("home.1.tar.gz.sha256"), "");
  EXPECT_EQ(verify().first, 2);
  EXPECT_THAT(err_, HasSubstr("home.1.tar.gz"));
  test::write_file(backup("home.1.tar.gz.manifest.zst"), test::read_file(backup("home.2.tar.gz.manifest.zst")));
  EXPECT_EQ(verify().first, 2);
  EXPECT_THAT(err_, HasSubstr("is missing"));
  test::write_file(backup("home.1.tar.gz"), level1);
  test::write_file(backup("home.1.tar.gz.manifest.zst"), manifest1);
  EXPECT_EQ(verify().first, 0) << err_;
  std::filesystem::remove(backup("home.1.tar.gz"));
  EXPECT_EQ(verify().first, 2);
  EXPECT_THAT(err_, HasSubstr("level 1"));
}

TEST_F(GettingBackTest, SaysWhatOfAForeignArchiveCouldNotBeChecked) {
  EXPECT_EQ(create(), 0) << err_;
  std::filesystem::rename(directory_ / "backups/home.tar.gz", directory_ / "wrong.suffix");
  EXPECT_EQ(run({"verify", directory_ / "wrong.suffix", "--json"}), 1);
  EXPECT_THAT(out_, HasSubstr("has no manifest beside it"));
  EXPECT_THAT(out_, HasSubstr("\"proven\":false"));
  test::write_file(directory_ / "wrong.suffix", test::read_file(directory_ / "wrong.suffix") + "tail");
  EXPECT_EQ(run({"verify", directory_ / "wrong.suffix"}), 2);
}

TEST_F(GettingBackTest, TakesForeignArchivesOfEveryKindWithAWarning) {
  const auto root = test::shell_quote(directory_ / "root");
  const auto shell = [](const std::string& command) {
    const auto result = test::run_shell(command);
    EXPECT_EQ(result.status, 0) << command << result.output;
  };
  const std::vector<std::pair<std::string, std::string>> kinds{
      {"tar", "cat"}, {"gz", "gzip"}, {"bz2", "bzip2"}, {"xz", "xz"}, {"zst", "zstd -q"}};
  for (const auto& [kind, compressor] : kinds) {
    // Every compressed one is cut into many members; the name of none says what it is.
    const auto file = directory_ / (kind + ".backup of somebody");
    const auto quoted = test::shell_quote(file);
    const auto split = kind == "tar" ? "cat" : "split --bytes=1000 --filter='" + compressor + "'";
    shell("tar -C " + root + " -cf - . | " + split + " > " + quoted);
    EXPECT_EQ(run({"ls", file}), 0) << err_;
    EXPECT_THAT(out_, HasSubstr("d/b"));
    EXPECT_THAT(err_, HasSubstr("has no manifest beside it"));
    EXPECT_EQ(run({"verify", file}), 1) << err_;
    EXPECT_THAT(err_, HasSubstr("checked only as far as the format itself does"));
    const auto target = directory_ / (kind + ".target");
    EXPECT_EQ(run({"restore", file, "--to", target}), 0) << err_;
    EXPECT_THAT(err_, HasSubstr("has no manifest beside it"));
    shell("find " + root + " " + test::shell_quote(target) + " -exec touch -d 2020-01-01 {} +");
    EXPECT_THAT(test::diff_trees(directory_ / "root", target), IsEmpty()) << kind;
    auto bytes = test::read_file(file);
    bytes.resize(bytes.size() / 3);
    test::write_file(file, bytes);
    EXPECT_EQ(run({"verify", file}), 2) << kind;
  }
}

TEST_F(GettingBackTest, LooksInsideOfBackupsByTheirManifests) {
  const auto make = [&] { return create({"--incremental"}); };
  const auto look = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--destination", destination()});
    return run(words);
  };
  EXPECT_EQ(make(), 0) << err_;
  test::write_file(directory_ / "root/a", "other content");
  std::filesystem::remove(directory_ / "root/d/b");
  test::write_file(directory_ / "root/d/new\x1b[31m", "n");
  EXPECT_EQ(make(), 0) << err_;

  EXPECT_EQ(look({"cat", "home@0", "a"}), 0) << err_;
  EXPECT_EQ(out_, "content of a");
  EXPECT_EQ(look({"cat", "home", "a", "a"}), 0) << err_;
  EXPECT_EQ(out_, "other contentother content");
  EXPECT_EQ(look({"cat", "home", "d/b"}), 66);
  EXPECT_EQ(look({"cat", "home", "d"}), 64);

  EXPECT_EQ(look({"find", "new*", "home"}), 0);
  EXPECT_THAT(out_, HasSubstr("home@1 "));
  EXPECT_THAT(out_, ::testing::Not(HasSubstr("\x1b")));
  EXPECT_EQ(look({"find", "d/?", "home", "--all", "--json"}), 0);
  EXPECT_THAT(out_, HasSubstr("\"backup\":\"home@0\""));
  EXPECT_THAT(out_, HasSubstr("\"count\":1"));

  EXPECT_EQ(look({"versions", "home", "a"}), 0);
  EXPECT_THAT(out_, HasSubstr("size, mtime"));
  EXPECT_EQ(look({"versions", "home", "nothing"}), 66);

  EXPECT_EQ(look({"diff", "home@0", "home@1"}), 1);
  EXPECT_THAT(out_, HasSubstr("M 'a'  (size, mtime)"));
  EXPECT_THAT(out_, HasSubstr("D 'd/b'"));
  EXPECT_THAT(out_, HasSubstr("A 'd/new"));
  EXPECT_EQ(look({"diff", "home", "--live"}), 0) << out_ << err_;
  EXPECT_EQ(look({"diff", "home@1", "home@1", "--json"}), 0);
  EXPECT_THAT(out_, HasSubstr("\"count\":0"));
  EXPECT_EQ(look({"diff", "home"}), 64);

  EXPECT_EQ(look({"explain", "home"}), 0);
  EXPECT_THAT(out_, HasSubstr("restored from  home.tar.gz  home.1.tar.gz"));
  EXPECT_THAT(out_, HasSubstr("without home.tar.gz, lost too: home.1.tar.gz"));
  std::filesystem::remove(directory_ / "backups/home.tar.gz");
  EXPECT_EQ(look({"explain", "home"}), 2);
  EXPECT_THAT(out_, HasSubstr("can't be restored"));
}

TEST_F(GettingBackTest, ListsOnlyWhatIsAskedForAndReadsNoMore) {
  std::filesystem::remove(directory_ / "root/d/b");
  for (const char* name : {"d/b/x", "d-e", "d/b.c", "z/1"}) test::write_file(directory_ / "root" / name, "x");
  EXPECT_EQ(create(), 0) << err_;
  const auto archive = destination() + "/home.tar.gz";
  const auto listed = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"ls", archive});
    EXPECT_EQ(run(words), 0) << err_;
    std::vector<std::string> paths;
    std::istringstream lines(out_);
    for (std::string line; std::getline(lines, line);) {
      auto path = line.substr(line.find('\'') + 1);
      path.pop_back();
      paths.push_back(std::move(path));
    }
    return paths;
  };
  EXPECT_THAT(listed({"z", "d/b"}), ::testing::ElementsAre("d/b", "d/b/x", "z", "z/1"));
  EXPECT_THAT(listed({"d/b", "d", "d/b/x"}), ::testing::ElementsAre("d", "d/b", "d/b/x", "d/b.c"));
  EXPECT_THAT(listed({"."}), ::testing::ElementsAre(".", "a", "d", "d/b", "d/b/x", "d/b.c", "d-e", "z", "z/1"));
  EXPECT_EQ(run({"ls", archive, "d/c", "a"}), 66);
  EXPECT_THAT(err_, HasSubstr("'d/c' is not in this backup"));
  auto bytes = test::read_file(archive + ".manifest.zst");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  test::write_file(archive + ".manifest.zst", bytes);
  EXPECT_EQ(run({"ls", archive, "a"}), 2) << "whatever part is damaged";
}

TEST_F(GettingBackTest, ComparesWithTheLiveTreeByContentWhereTimesCannotTell) {
  EXPECT_EQ(create(), 0) << err_;
  const auto file = directory_ / "root/a";
  const auto time = std::filesystem::last_write_time(file);
  test::write_file(file, "CONTENT OF A");
  std::filesystem::last_write_time(file, time);
  const std::vector<std::string> diff{"diff", "home", "--live", "--destination", destination()};
  EXPECT_EQ(run(diff), 1);
  EXPECT_THAT(out_, HasSubstr("M 'a'  (content)"));
  const std::vector<std::string> verify{"verify", "home", "--level", "source", "--destination", destination()};
  EXPECT_EQ(run(verify), 1);
  EXPECT_THAT(err_, HasSubstr("'a' is not as in the backup: content"));
  test::write_file(file, "content of a");
  std::filesystem::last_write_time(file, time);
  EXPECT_EQ(run(verify), 0) << err_;
}

}  // namespace
}  // namespace autoarchive::host
