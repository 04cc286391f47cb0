// A specification of the original's: it is refused with a place, or becomes keys that our own reader takes.
#include <sys/mman.h>
#include <unistd.h>

#include "autoarchive/base/text.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "config/yaml_tree.hpp"
#include "import/archive_import.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {
namespace {

void expect_one_line(const std::string& text) {
  expect(is_utf8(text), "a message is UTF-8");
  for (const char c : text)
    expect(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F, "a message is one line, safe on a terminal");
}

void import(const std::filesystem::path& file) {
  const std::vector<host::IniFile> none;
  host::SpecFiles specs("/no/such/folder");
  host::ImportSources sources;
  sources.home = "/home/alice";
  sources.working_directory = "/work";
  try {
    const auto archive = host::import_archive(file, specs, host::OriginalValues(none, specs, file), sources);
    std::string yaml = "archive:\n";
    for (const auto& text : archive.doubts) {
      expect_one_line(text);
      yaml += "  # " + text + "\n";
    }
    yaml += host::yaml_mapping(archive.keys, "  ");
    const auto tree = host::parse_yaml(yaml, "imported.yaml");
    expect(tree.members.size() == 1 && tree.members.front().value.members.size() <= archive.keys.size(),
           "what is written is read again as what it is");
  } catch (const Error& error) {
    expect(error.cause() == ErrorCause::configuration, error.message());
    expect_one_line(error.message());
  }
}

}  // namespace

void take_input(ByteView input) {
  const UniqueFd file(::memfd_create("specification", MFD_CLOEXEC));
  expect(file && ::write(file.get(), input.data(), input.size()) == static_cast<ssize_t>(input.size()),
         "it is written");
  import("/proc/self/fd/" + std::to_string(file.get()));
}

}  // namespace autoarchive::fuzz
