// A configuration file: it is read, or refused with the place of every fault in one printable line each.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "autoarchive/base/text.hpp"
#include "autoarchive/base/unique_fd.hpp"
#include "config/config.hpp"
#include "config/yaml_tree.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {
namespace {

template <class Call>
void read(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    expect(error.cause() == ErrorCause::configuration, error.message());
    expect(is_utf8(error.message()), "a message is UTF-8");
    for (const char c : error.message())
      expect(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F), "a message is safe on a terminal");
  }
}

void expect_origins(const host::YamlNode& node) {
  expect(node.kind == host::YamlKind::null || node.origin.line > 0, "a value has its place");
  for (const auto& item : node.items) expect_origins(item);
  for (const auto& member : node.members) expect_origins(member.value);
}

}  // namespace

void take_input(ByteView input) {
  read([&] { expect_origins(host::parse_yaml(text_of(input), "config.yaml")); });
  const UniqueFd file(::memfd_create("configuration", MFD_CLOEXEC));
  expect(file && ::write(file.get(), input.data(), input.size()) == static_cast<ssize_t>(input.size()),
         "it is written");
  host::ConfigSources sources;
  sources.file = "/proc/self/fd/" + std::to_string(file.get());
  sources.environment = {{"HOME", "/home/alice"}};
  read([&] {
    const auto config = host::read_config(sources);
    for (const auto& [name, archive] : config.archives) {
      expect(archive.name == name, "an archive knows its name");
      for (const auto& shown : host::show_archive(archive)) expect(!shown.origin.file.empty(), "a value has its place");
    }
  });
}

}  // namespace autoarchive::fuzz
