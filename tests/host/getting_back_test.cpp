// Restoring, as a user does it.
#include <filesystem>

#include "application_fixture.hpp"

namespace autoarchive::host {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class GettingBackTest : public ApplicationTest {};

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

}  // namespace
}  // namespace autoarchive::host
