#include "autoarchive/manifest/chain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace autoarchive {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ChainLink link(const std::string& uuid, int level, const std::string& parent, const std::string& chain,
               const std::string& parent_sha256) {
  ChainLink made;
  made.header.backup_uuid = uuid;
  made.header.level = level;
  made.header.parent_uuid = parent;
  made.header.chain_uuid = chain;
  made.header.parent_sha256 = parent_sha256;
  made.closing.archive_sha256 = "sha of " + uuid;
  made.file_name = uuid + ".tar";
  return made;
}

std::vector<ChainLink> chain() {
  return {link("c", 2, "b", "a", "sha of b"), link("a", 0, "", "a", ""), link("b", 1, "a", "a", "sha of a"),
          link("x", 0, "", "x", "")};
}

TEST(Chain, IsResolvedByIdsWhateverTheOrderAndTheNames) {
  EXPECT_THAT(resolve_chain(chain(), 0).links, ElementsAre(1, 2, 0));
}

TEST(Chain, NamesTheGap) {
  auto links = chain();
  links[2].header.backup_uuid = "another";
  EXPECT_THAT(resolve_chain(links, 0).gap, HasSubstr("level 1 (id b), which 'c.tar' is based on, is missing"));
}

TEST(Chain, RefusesAParentThatWasReplaced) {
  auto links = chain();
  links[1].closing.archive_sha256 = "other content";
  EXPECT_THAT(resolve_chain(links, 0).gap, HasSubstr("SHA-256 differs"));
}

TEST(Chain, RefusesALevelOfAnotherChainAndACircle) {
  auto links = chain();
  links[2].header.chain_uuid = "x";
  EXPECT_THAT(resolve_chain(links, 0).gap, HasSubstr("chain x"));
  links = chain();
  links[2].header.parent_uuid = "b";
  EXPECT_FALSE(resolve_chain(links, 0).gap.empty());
}

TEST(Chain, KnowsWhatDependsOnABackup) {
  EXPECT_THAT(dependants_of(chain(), 1), ElementsAre(0, 2));
  EXPECT_THAT(dependants_of(chain(), 3), ElementsAre());
  auto links = chain();
  links.push_back(links[1]);
  EXPECT_THAT(dependants_of(links, 1), ElementsAre());  // there is a copy
}

}  // namespace
}  // namespace autoarchive
