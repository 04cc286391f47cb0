// Manifests: the input as a file, and as the lines of one that is whole, so that what parses them is reached.
#include <memory>
#include <vector>

#include "autoarchive/manifest/manifest_reader.hpp"
#include "autoarchive/manifest/manifest_writer.hpp"
#include "framed_manifest.hpp"
#include "support/memory_file.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {
namespace {

struct Manifest {
  ManifestHeader header;
  std::vector<ManifestEntry> entries;
  ManifestClosing closing;
};

/// False if it is refused.
bool read(ByteView file, Manifest& manifest) {
  return accepts([&] {
    ManifestReader reader(std::make_unique<test::MemoryFile>(file));
    manifest.header = reader.header();
    for (ManifestEntry entry; reader.next(entry);) manifest.entries.push_back(entry);
    manifest.closing = reader.closing();
  });
}

/// False if one of its parts is refused.
bool read_parts(ByteView file, std::vector<ManifestEntry>& entries) {
  return accepts([&] {
    ManifestReader reader(std::make_unique<test::MemoryFile>(file));
    for (const auto& part : reader.parts()) {
      reader.read_part(part);
      for (ManifestEntry entry; reader.next(entry);) entries.push_back(entry);
    }
  });
}

void jump(ByteView file, std::string_view path) {
  static_cast<void>(accepts([&] {
    ManifestReader reader(std::make_unique<test::MemoryFile>(file));
    reader.seek(path);
    ManifestEntry entry;
    if (reader.next(entry)) expect(compare_paths(entry.entry.path, path) >= 0, "a seek ends at the path or behind it");
  }));
}

void look_at(ByteView file) {
  Manifest manifest;
  const bool is_read = read(file, manifest);
  const bool is_whole = accepts([&] { ManifestReader::check(test::MemoryFile(file)); });
  expect(is_whole || !is_read, "what is read is what was written");
  jump(file, "b/c");
  std::vector<ManifestEntry> of_parts;
  static_cast<void>(read_parts(file, of_parts));
}

/// All that a manifest says can be written again, and says the same.
void write_again(const Manifest& manifest) {
  test::MemorySink sink;
  ManifestWriter writer(sink, manifest.header);
  for (const auto& entry : manifest.entries) writer.add(entry);
  writer.finish(manifest.closing);
  Manifest again;
  expect(read(bytes_of(sink.text), again), "what is written is read");
  expect(again.entries == manifest.entries, "entries come back");
  std::vector<ManifestEntry> of_parts;
  expect(read_parts(bytes_of(sink.text), of_parts) && of_parts == manifest.entries, "and in parts");
}

}  // namespace

void take_input(ByteView input) {
  look_at(input);
  for (const std::size_t lines_a_frame : {1U, 1000U}) {
    const auto file = framed_manifest(text_of(input), lines_a_frame, nullptr);
    look_at(bytes_of(file));
    Manifest manifest;
    if (read(bytes_of(file), manifest)) write_again(manifest);
  }
}

}  // namespace autoarchive::fuzz
