#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "autoarchive/manifest/metadata_off.hpp"
#include "manifest/header_line.hpp"

namespace autoarchive {
namespace {

class StringSink final : public Sink {
 public:
  void write(ByteView bytes) override { text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()); }
  void finish() override {}
  std::string text;
};

class StringFile final : public ReadableFile {
 public:
  explicit StringFile(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return text_.size(); }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
    if (offset >= text_.size()) return 0;
    const auto count = std::min<std::size_t>(buffer.size(), text_.size() - static_cast<std::size_t>(offset));
    std::memcpy(buffer.data(), text_.data() + offset, count);
    return count;
  }
  [[nodiscard]] std::string description() const override { return "test.manifest.zst"; }

 private:
  std::string text_;
};

ManifestHeader header() {
  ManifestHeader header;
  header.backup_uuid = "0b8e";
  header.archive = "home";
  header.type = "tar.gz";
  header.level = 2;
  header.chain_uuid = "1111";
  header.parent_uuid = "2222";
  header.parent_sha256 = "3333";
  header.root = "/home/\xff";
  header.provider = "tar-internal";
  header.definition_digest = "4444";
  header.started = SystemTime(std::chrono::seconds(1'700'000'000));
  return header;
}

ManifestEntry entry(const std::string& path, EntryKind kind = EntryKind::file) {
  ManifestEntry made;
  made.entry.path = path;
  made.entry.kind = kind;
  made.entry.mode = 0644;
  made.entry.inode = 7;
  made.stored_level = 2;
  return made;
}

/// Everything that an entry can have, at its limits.
std::vector<ManifestEntry> odd_entries() {
  std::vector<ManifestEntry> entries{
      entry(".", EntryKind::directory),   entry("a", EntryKind::directory), entry("a/new\nline"),
      entry("a/\xff\xfe \"quoted\"\\"),   entry("b/without its directory"), entry("c", EntryKind::symlink),
      entry("d", EntryKind::block_device)};
  entries[2].entry.size = UINT64_MAX;
  entries[2].entry.mtime = {-5, 999'999'999};
  entries[2].entry.ctime = {INT64_MIN, 1};
  entries[2].digest = 0x0123456789ABCDEFULL;
  entries[2].offset = UINT64_MAX;
  entries[2].entry.user = "someone";
  entries[2].entry.group = "not utf-8 \xff";
  entries[3].entry.size = 999'999'999'999'999'999;
  entries[3].entry.inode = 1'000'000'000'000'000'000;
  entries[3].entry.uid = UINT32_MAX;
  entries[3].entry.xattrs = {{"user.x", std::string("\0\1=", 3)}, {"user.y", ""}};
  entries[3].state = EntryState::changed;
  entries[3].stored_level = 0;
  entries[4].entry.link_count = 3;
  entries[4].stored_level = -1;
  entries[4].state = EntryState::vanished;
  entries[5].entry.link_target = "/target \xff";
  entries[6].entry.rdev_major = 4095;
  entries[6].entry.rdev_minor = 1'000'000;
  return entries;
}

std::string written(const std::vector<ManifestEntry>& entries) {
  StringSink sink;
  ManifestWriter writer(sink, header());
  for (const auto& line : entries) writer.add(line);
  ManifestClosing closing;
  closing.archive_bytes = 99;
  closing.archive_sha256 = "5555";
  closing.blocks = {{0, 0}, {50, 1'048'576}};
  for (const char* path : {"a", "a/b", "a b", "c\n/d", "c\n/d/e"}) add_removed(closing, path);
  writer.finish(closing);
  return sink.text;
}

std::vector<ManifestEntry> read(const std::string& text) {
  ManifestReader reader(std::make_unique<StringFile>(text));
  std::vector<ManifestEntry> entries;
  for (ManifestEntry line; reader.next(line);) entries.push_back(line);
  return entries;
}

TEST(Manifest, BringsBackEverythingThatWasWritten) {
  const auto text = written(odd_entries());
  EXPECT_EQ(read(text), odd_entries());
  ManifestReader reader(std::make_unique<StringFile>(text));
  EXPECT_EQ(reader.header(), header());
}

TEST(Manifest, CountsItsEntries) {
  const auto text = written(odd_entries());
  ManifestReader reader(std::make_unique<StringFile>(text));
  const auto& closing = reader.closing();  // without reading the entries
  EXPECT_EQ(closing.entries, 7U);
  EXPECT_EQ(closing.files, 3U);
  EXPECT_EQ(closing.problems, 2U);
  EXPECT_EQ(closing.archive_sha256, "5555");
  EXPECT_EQ(closing.blocks.size(), 2U);
  EXPECT_EQ(closing.removed, (std::vector<std::string>{"a", "a b", "c\n/d"}));
  EXPECT_FALSE(closing.more_removed);
  ManifestEntry first;
  EXPECT_TRUE(reader.next(first));
  EXPECT_EQ(first.entry.path, ".");
}

TEST(Manifest, DoesNotKnowWhatALevelTookAwayWhereItDoesNotSay) {
  auto line = closing_line({});
  line.pop_back();  // its end
  const std::string nothing = "\"removed\":[],";
  ASSERT_NE(line.find(nothing), std::string::npos) << line;
  EXPECT_FALSE(parse_closing_line(line).closing.more_removed);
  line.erase(line.find(nothing), nothing.size());
  EXPECT_TRUE(parse_closing_line(line).closing.more_removed);
}

TEST(Manifest, MayHaveNoEntries) {
  EXPECT_TRUE(read(written({})).empty());
}

TEST(Manifest, NoticesEveryFlippedBit) {
  const auto text = written(odd_entries());
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      auto flipped = text;
      flipped[i] = static_cast<char>(flipped[i] ^ 1 << bit);
      try {
        static_cast<void>(read(flipped));
        ADD_FAILURE() << "byte " << i << " bit " << bit;
      } catch (const Error& error) {
        EXPECT_EQ(error.cause(), ErrorCause::damaged) << error.what();
      }
    }
  }
}

TEST(Manifest, NoticesEveryTruncationAndEveryAppendedByte) {
  const auto text = written(odd_entries());
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_THROW(static_cast<void>(read(text.substr(0, length))), Error) << length;
  EXPECT_THROW(static_cast<void>(read(text + "x")), Error);
}

TEST(Manifest, JumpsToAPathInAnyFrame) {
  std::vector<ManifestEntry> many{entry(".", EntryKind::directory)};
  for (int i = 10'000; i < 40'000; ++i) {
    many.push_back(entry("d" + std::to_string(i), EntryKind::directory));
    many.push_back(entry("d" + std::to_string(i) + "/file"));
  }
  const auto text = written(many);
  EXPECT_EQ(read(text), many);
  ManifestReader reader(std::make_unique<StringFile>(text));
  const std::pair<const char*, const char*> cases[] = {{"d25000/file", "d25000/file"},
                                                       {".", "."},
                                                       {"d39999/file", "d39999/file"},
                                                       {"d20000.5", "d20001"},
                                                       {"a", "d10000"}};
  for (const auto& [wanted, found] : cases) {
    reader.seek(wanted);
    ManifestEntry line;
    ASSERT_TRUE(reader.next(line)) << wanted;
    EXPECT_EQ(line.entry.path, found);
  }
  reader.seek("e");
  ManifestEntry line;
  EXPECT_FALSE(reader.next(line));
}

TEST(Manifest, IsReadInPartsByReadersOfTheirOwn) {
  std::vector<ManifestEntry> many{entry(".", EntryKind::directory)};
  for (int i = 10'000; i < 60'000; ++i) many.push_back(entry("file-with-a-long-name-" + std::to_string(i)));
  const auto text = written(many);
  std::vector<ManifestEntry> all;
  ManifestReader first(std::make_unique<StringFile>(text));
  const auto parts = first.parts();
  ASSERT_GE(parts.size(), 3U);
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {  // in whatever order
    ManifestReader reader(std::make_unique<StringFile>(text));
    reader.read_part(*part);
    std::vector<ManifestEntry> entries;
    for (ManifestEntry line; reader.next(line);) entries.push_back(line);
    EXPECT_FALSE(entries.empty());
    all.insert(all.begin(), entries.begin(), entries.end());
  }
  EXPECT_EQ(all, many);
  // One reader may go from one to the other, and back to all of it.
  first.read_part(parts[2]);
  first.read_part(parts[0]);
  ManifestEntry line;
  ASSERT_TRUE(first.next(line));
  EXPECT_EQ(line.entry.path, ".");
  first.seek("file-with-a-long-name-59998");
  EXPECT_TRUE(first.next(line));
  EXPECT_TRUE(first.next(line));
  EXPECT_FALSE(first.next(line));
  StringSink sink;
  ManifestWriter(sink, header()).finish({});
  EXPECT_EQ(ManifestReader(std::make_unique<StringFile>(sink.text)).parts().size(), 0U);
}

TEST(Manifest, RefusesAPartThatIsNone) {
  std::vector<ManifestEntry> many{entry(".", EntryKind::directory)};
  for (int i = 10'000; i < 60'000; ++i) many.push_back(entry("file-with-a-long-name-" + std::to_string(i)));
  ManifestReader reader(std::make_unique<StringFile>(written(many)));
  const auto parts = reader.parts();
  const auto refuses = [&](const ManifestPart& part) {
    EXPECT_THROW(
        {
          reader.read_part(part);
          for (ManifestEntry line; reader.next(line);) {
          }
        },
        Error);
  };
  auto other = parts[1];
  other.first_path += "x";
  refuses(other);
  other = parts[1];
  other.next_path = other.first_path;
  refuses(other);
  other = parts[1];
  other.end = other.begin;
  refuses(other);
  other = parts.back();
  other.end = std::numeric_limits<std::uint64_t>::max();
  refuses(other);
}

TEST(Manifest, RefusesANewerVersionByName) {
  StringSink sink;
  auto newer = header();
  newer.version = kManifestVersion + 1;
  ManifestWriter writer(sink, newer);
  writer.finish({});
  try {
    ManifestReader reader(std::make_unique<StringFile>(sink.text));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), ErrorCause::unsupported);
  }
}

// Readers have a table of all levels, and it must not be as large as a stranger says.
TEST(Manifest, RefusesLevelsThatCanNotBe) {
  for (const int level : {-1, 1'000'000, INT32_MAX}) {
    StringSink sink;
    auto wrong = header();
    wrong.level = level;
    ManifestWriter(sink, wrong).finish({});
    EXPECT_THROW(ManifestReader(std::make_unique<StringFile>(sink.text)), Error) << level;
  }
  for (const int level : {-2, 1'000'000, INT32_MAX}) {
    auto wrong = entry("a");
    wrong.stored_level = level;
    EXPECT_THROW(static_cast<void>(read(written({wrong}))), Error) << level;
  }
}

TEST(Manifest, SurvivesArbitraryBytesInsteadOfItself) {
  std::string noise = written(odd_entries());
  std::uint32_t state = 1;
  for (int round = 0; round < 500; ++round) {
    auto mutated = noise;
    for (int i = 0; i < 8; ++i) {
      state = state * 1'664'525 + 1'013'904'223;
      mutated[state % mutated.size()] = static_cast<char>(state >> 24U);
    }
    if (mutated == noise) continue;
    EXPECT_THROW(static_cast<void>(read(mutated)), Error);
  }
}

TEST(MetadataOff, TellsWhatALevelWouldHaveThatTheOneBeforeWasMadeWithout) {
  MetadataOptions none;
  none.xattrs = none.acls = none.selinux = none.owner_names = none.nanoseconds = none.sparse = false;
  MetadataOptions some = none;
  some.owner_names = true;
  const auto definition = definition_digest("/home", "tar", "tar-internal");
  EXPECT_EQ(with_metadata_off(definition, {}), definition);
  EXPECT_EQ(with_metadata_off(definition, none), definition + " xattrs acls selinux owner_names nanoseconds");
  EXPECT_EQ(added_metadata(definition, {}), "");
  EXPECT_EQ(added_metadata(with_metadata_off(definition, none), none), "");
  EXPECT_EQ(added_metadata(with_metadata_off(definition, none), some), "owner_names");
  EXPECT_EQ(added_metadata(with_metadata_off(definition, some), {}), "xattrs");
  EXPECT_EQ(added_metadata(definition + " what comes later ", {}), "");
}

}  // namespace
}  // namespace autoarchive
