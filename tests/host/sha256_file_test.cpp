// The file for sha256sum beside an archive, in all the ways in which it can be wrong.
#include "job/sha256_file.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <functional>

#include "autoarchive/storage/local_storage.hpp"
#include "chains_fixture.hpp"

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using State = Sha256File::State;

const std::string kDigest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

TEST(Sha256File, IsOneLineOfADigestAndAName) {
  const test::TempDir directory;
  const auto read = [&](const std::string& text) {
    test::write_file(directory / "a.tar.sha256", text);
    return read_sha256_file(LocalStorage(directory.path()), "a.tar");
  };
  for (const auto& text :
       {kDigest + "  a b.tar\n", kDigest + " *a b.tar", "0123456789ABCDEF" + kDigest.substr(16) + "  a b.tar\n"}) {
    const auto found = read(text);
    EXPECT_EQ(found.state, State::good) << text;
    EXPECT_EQ(found.sha256, kDigest);
    EXPECT_EQ(found.name, "a b.tar");
  }
  for (const auto& text : {std::string(), std::string("\n"), kDigest, kDigest + "\n", kDigest + "  ",
                           kDigest + " a.tar\n", kDigest + "  a.tar\nmore\n", "x" + kDigest.substr(1) + "  a.tar\n",
                           kDigest + std::string("  a\0b", 5), std::string(10'000, 'a')}) {
    const auto found = read(text);
    EXPECT_EQ(found.state, State::bad) << text;
    EXPECT_THAT(found.fault, HasSubstr("a.tar.sha256' is no line \"DIGEST  a.tar\""));
    EXPECT_THAT(found.sha256, IsEmpty());
  }
  EXPECT_EQ(read(sha256_text(kDigest, "a.tar")).name, "a.tar");
  EXPECT_EQ(read_sha256_file(LocalStorage(directory.path()), "b.tar").state, State::absent);
  fs::create_symlink("c.tar.sha256", directory / "c.tar.sha256");
  EXPECT_EQ(read_sha256_file(LocalStorage(directory.path()), "c.tar").state, State::unreadable);
}

class Sha256FileTest : public ChainsTest {
 protected:
  /// What can be wrong with it, and a part of what is said.
  struct Fault {
    std::string said;
    std::function<void(const fs::path&)> make;
  };
  static std::vector<Fault> faults() {
    return {
        {"is not a regular file: move it away", [](const auto& file) { fs::create_directory(file); }},
        {"is not a regular file: move it away", [](const auto& file) { EXPECT_EQ(::mkfifo(file.c_str(), 0600), 0); }},
        {"is no line", [](const auto& file) { test::write_file(file, ""); }},
        {"is no line", [](const auto& file) { test::write_file(file, "nonsense\n"); }}};
  }
  [[nodiscard]] fs::path sidecar() const { return backup("home.3.tar.gz.sha256"); }
};

TEST_F(Sha256FileTest, ThatSaysNothingLeavesAnArchiveProvenThatItsManifestProves) {
  make_chain();
  configure_home("");
  const auto good = test::read_file(sidecar());
  auto all = faults();
  all.push_back({"is of 'hame.3.tar.gz', and not of 'home.3.tar.gz'",
                 [&](const auto& file) { test::write_file(file, good.substr(0, 66) + "hame.3.tar.gz\n"); }});
  all.push_back({"is of 'home.2.tar.gz', and not of 'home.3.tar.gz'",
                 [&](const auto& file) { test::write_file(file, good.substr(0, 66) + "home.2.tar.gz\n"); }});
  for (const auto& fault : all) {
    fs::remove_all(sidecar());
    fault.make(sidecar());
    EXPECT_EQ(verify("data"), 1);
    EXPECT_THAT(err_, AllOf(HasSubstr("warning: '" + backup("home.3.tar.gz").native() + "': "), HasSubstr(fault.said),
                            HasSubstr("; its manifest proves it (archive.unproven)")));
    EXPECT_THAT(out_, HasSubstr("whole"));
    EXPECT_EQ(run({"list", "home"}), 0);
    EXPECT_THAT(out_, Not(HasSubstr("DAMAGED")));
    EXPECT_EQ(run({"create", "home", "-n"}), 0) << err_;
    EXPECT_THAT(out_, HasSubstr("level 4")) << "the chain goes on";
  }
}

// The manifest has a digest of its own, and the archive fits to it: a third one is wrong.
TEST_F(Sha256FileTest, WithAnotherDigestIsWhatIsWrongWhereTheManifestProvesTheArchive) {
  make_chain();
  configure_home("");
  test::write_file(sidecar(), kDigest + "  home.3.tar.gz\n");
  EXPECT_EQ(verify("data"), 1);
  EXPECT_THAT(err_, AllOf(HasSubstr("says " + kDigest + ": remove that, and aa rescan writes it anew"),
                          HasSubstr("its manifest proves it (archive.damaged)")));
  EXPECT_EQ(run({"create", "home", "-n"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("level 4"));
  damage("home.3.tar.gz");
  EXPECT_EQ(verify("data"), 2);
}

TEST_F(Sha256FileTest, ProvesNothingOfAnArchiveWithoutAManifest) {
  make_chain();
  fs::remove(backup("home.3.tar.gz.manifest.zst"));
  const auto good = test::read_file(sidecar());
  for (const auto& fault : faults()) {
    fs::remove_all(sidecar());
    fault.make(sidecar());
    EXPECT_EQ(verify("data"), 1);
    EXPECT_THAT(err_, AllOf(HasSubstr(fault.said), HasSubstr("; nothing proves it (archive.unproven)")));
  }
  fs::remove_all(sidecar());
  test::write_file(sidecar(), good);
  EXPECT_EQ(verify("data"), 1);
  EXPECT_THAT(err_, Not(HasSubstr("nothing proves it")));
  test::write_file(sidecar(), kDigest + "  home.3.tar.gz\n");
  EXPECT_EQ(verify("data"), 2);
  EXPECT_THAT(err_, HasSubstr("(archive.damaged)"));
}

TEST_F(Sha256FileTest, KeepsTheNameThatTheArchiveHadBeforeItWasRenamed) {
  make_chain();
  for (const std::string end : {"", ".manifest.zst", ".sha256"}) {
    fs::copy_file(backup("home.tar.gz" + end), backup("before the update.tar.gz" + end));
    fs::copy_file(backup("home.tar.gz" + end), backup("home.ab.tar.gz" + end));
  }
  for (const char* name : {"before the update.tar.gz", "home.ab.tar.gz"}) {
    EXPECT_EQ(run({"verify", backup(name)}), 0) << err_;
    EXPECT_THAT(err_, IsEmpty());
  }
}

TEST_F(Sha256FileTest, IsWrittenAnewByARescanUnlessItIsInTheWay) {
  make_chain();
  const auto good = test::read_file(sidecar());
  for (const auto& fault : faults()) {
    fs::remove_all(sidecar());
    fault.make(sidecar());
    fs::remove(backup("home.1.tar.gz.manifest.zst"));
    const bool is_file = fs::is_regular_file(sidecar());
    EXPECT_EQ(run({"rescan", destination()}), is_file ? 0 : 1) << err_;
    EXPECT_TRUE(fs::exists(backup("home.1.tar.gz.manifest.zst"))) << "the others get what they lack";
    if (is_file) {
      EXPECT_EQ(test::read_file(sidecar()), good);
    } else {
      EXPECT_THAT(err_, HasSubstr("'home.3.tar.gz.sha256' is in the way: it is not a regular file; move it away"));
    }
  }
  // A digest that is one stays: it may be the archive that has changed.
  test::write_file(sidecar(), kDigest + "  home.3.tar.gz\n");
  EXPECT_EQ(run({"rescan", destination()}), 2);
  EXPECT_THAT(test::read_file(sidecar()), HasSubstr(kDigest));
}

}  // namespace
}  // namespace autoarchive::host
