#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "output/console.hpp"
#include "output/table.hpp"

namespace autoarchive::host {
namespace {

using ::testing::ElementsAre;

TEST(Json, KeepsTheOrderAndEscapes) {
  const Json json(Json::Object{{"b", 1}, {"a", Json::Array{"x\n", true, Json()}}, {"bad", "\xff"}});
  Json::Object bytes;
  add_path(bytes, "\xff", "target");
  EXPECT_EQ(Json(bytes).dump(), "{\"target\":\"\xef\xbf\xbd\",\"target_b64\":\"/w==\"}");
  EXPECT_EQ(json.dump(), "{\"b\":1,\"a\":[\"x\\n\",true,null],\"bad\":\"\xef\xbf\xbd\"}");
}

TEST(Table, AlignsColumns) {
  Table table({"NAME", "SIZE"});
  table.align_right(1);
  table.add({"ä", "10"});
  table.add({"long name", "7"});
  EXPECT_THAT(table.lines(), ElementsAre("NAME       SIZE", "ä            10", "long name     7"));
}

TEST(Console, PutsResultsAndProblemsOnTheirStreams) {
  std::ostringstream out;
  std::ostringstream err;
  Console console(out, err, {});
  console.result("result");
  console.problem({Severity::warning, "file.changed", "home", "'x' changed"});
  EXPECT_EQ(out.str(), "result\n");
  EXPECT_EQ(err.str(), "aa: [home] warning: 'x' changed (file.changed)\n");
}

TEST(Console, PrintsOneDocumentAndNothingElseWithJson) {
  std::ostringstream out;
  std::ostringstream err;
  ConsoleOptions options;
  options.json = true;
  Console console(out, err, options);
  console.result("text");
  console.problem({Severity::error, "id", "", "bad"});
  console.document({{"x", 1}});
  console.document({{"x", 2}});
  EXPECT_EQ(out.str(), "{\"x\":1,\"problems\":[{\"severity\":\"error\",\"id\":\"id\",\"message\":\"bad\"}]}\n");
}

TEST(Console, ShowsOnlyProblemsWhenQuiet) {
  std::ostringstream out;
  std::ostringstream err;
  Console console(out, err, {Verbosity::quiet, false, false});
  console.info("done");
  console.problem({Severity::notice, "", "", "by the way"});
  console.problem({Severity::error, "", "", "bad"});
  EXPECT_EQ(out.str() + err.str(), "aa: error: bad\n");
}

}  // namespace
}  // namespace autoarchive::host
