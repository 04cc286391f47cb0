// Values that the configuration names and does not hold: they reach their provider, and nobody's eyes.
#include <sys/stat.h>

#include "application_fixture.hpp"
#include "autoarchive/base/text.hpp"
#include "output/secret_mask.hpp"

namespace autoarchive::host {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SecretTest : public ApplicationTest {
 protected:
  SecretTest() {
    const auto plugins = directory_.make("plugins");
    std::filesystem::copy_file(std::filesystem::path(AA_FIXTURE_DIR) / "telltale.so", plugins / "telltale.so");
    test::write_file(directory_ / "key", kSecret + std::string("\n"));
    ::chmod((directory_ / "key").c_str(), 0600);
  }
  void configure_with(const std::string& password) const {
    configure("version: 1\nplugins:\n  directories: [" + (directory_ / "plugins").native() +
              "]\n  settings: {fixture: {options: {password: " + password + "}}}\narchives:\n  home: {root: " +
              (directory_ / "root").native() + ", destination: " + destination() + ", type: fixture}\n");
  }
  [[nodiscard]] std::string in_file() const { return "\"${file:" + (directory_ / "key").native() + "}\""; }
  static constexpr const char* kSecret = "swordfish\"7";
};

TEST_F(SecretTest, ReachesItsProviderAndIsNeverShown) {
  ::setenv("AA_TEST_KEY", kSecret, 1);
  for (const auto& reference : {in_file(), std::string("\"${env:AA_TEST_KEY}\"")}) {
    configure_with(reference);
    EXPECT_EQ(run({"create", "home", "-vv", "--events", directory_ / "events"}), 2);
    EXPECT_THAT(err_, HasSubstr("nobody lets in (secret)"));
    EXPECT_THAT(test::read_file(directory_ / "events"), HasSubstr("nobody lets in (secret)"));
    EXPECT_THAT(test::read_file(directory_ / "events"), HasSubstr("trying (secret)"));
    EXPECT_THAT(out_ + err_ + test::read_file(directory_ / "events"), Not(HasSubstr("swordfish")));
    EXPECT_EQ(run({"create", "home", "--json"}), 2);
    EXPECT_THAT(out_, HasSubstr("nobody lets in (secret)"));
    EXPECT_THAT(out_ + err_, Not(HasSubstr("swordfish")));
    EXPECT_THAT(test::read_file(directory_ / "state/archives/home.json"), Not(HasSubstr("swordfish")));
  }
  ::unsetenv("AA_TEST_KEY");
}

TEST_F(SecretTest, IsRefusedInTheConfigurationItself) {
  configure_with("swordfish");
  EXPECT_EQ(run({"create", "home"}), 78);
  EXPECT_THAT(err_,
              HasSubstr("config.yaml:4:34: option 'password' of provider 'fixture' is a secret: say where it is"));
  EXPECT_THAT(out_ + err_, Not(HasSubstr("swordfish")));
}

TEST_F(SecretTest, HasToBeWhereItIsSaidToBeAndForNobodyElse) {
  configure_with("\"${env:NO_SUCH_KEY}\"");
  EXPECT_EQ(run({"create", "home"}), 69);
  EXPECT_THAT(err_, HasSubstr("config.yaml:4:34: environment variable 'NO_SUCH_KEY' is not set"));
  configure_with("\"${file:key}\"");
  EXPECT_EQ(run({"create", "home"}), 69);
  EXPECT_THAT(err_, HasSubstr("secret file 'key': its path has to be absolute"));
  configure_with(in_file());
  ::chmod((directory_ / "key").c_str(), 0640);
  EXPECT_EQ(run({"create", "home"}), 69);
  EXPECT_THAT(err_, HasSubstr("': others may read it; chmod 600 it"));
  std::filesystem::remove(directory_ / "key");
  ASSERT_EQ(::mkfifo((directory_ / "key").c_str(), 0600), 0);
  EXPECT_EQ(run({"create", "home"}), 69);
  EXPECT_THAT(err_, HasSubstr("': it is no regular file"));
  std::filesystem::remove(directory_ / "key");
  test::write_file(directory_ / "key", "abc\n");
  ::chmod((directory_ / "key").c_str(), 0600);
  EXPECT_EQ(run({"create", "home"}), 69);
  EXPECT_THAT(err_, HasSubstr("is shorter than 4 bytes"));
  EXPECT_EQ(run({"config", "check"}), 2);
  EXPECT_THAT(err_, HasSubstr("is shorter than 4 bytes"));
}

TEST(SecretMask, HidesItInEveryFormThatIsWritten) {
  EXPECT_EQ(without_secrets("trout\"b"), "trout\"b");
  hide_secret("trout\"b\n");
  EXPECT_EQ(without_secrets("trout\"b\n, trout\"b\\n and \"trout\\\"b\\n\""), "(secret), (secret) and \"(secret)\"");
}

TEST(SecretMask, KnowsEachFormAndLeavesDocumentsWhole) {
  hide_secret("it's-me-42");
  hide_secret("hunter2");
  hide_secret("hunter2-prod-9f3");
  hide_secret("back\\slash");
  hide_secret("20261127");
  EXPECT_EQ(without_secrets("login " + quote("it's-me-42")), "login '(secret)'");
  EXPECT_EQ(without_secrets("hunter2-prod-9f3 hunter2"), "(secret) (secret)");
  const Json::Object object{{"bytes", std::int64_t{20261127}}, {"20261127", escaped("back\\slash")}};
  const auto shown = document_without_secrets(Json(object)).dump();
  EXPECT_EQ(shown, "{\"bytes\":20261127,\"20261127\":\"(secret)\"}");
}

}  // namespace
}  // namespace autoarchive::host
