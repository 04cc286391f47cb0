// A shared library before it is loaded: its headers, what it needs, its note and the descriptor in it. Nothing is made
// up that is not in the file, and whatever is wrong is said.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "autoarchive/base/unique_fd.hpp"
#include "plugin/gate.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {
namespace {

ElfFile read_all(ByteView input) {
  const UniqueFd file(::memfd_create("plugin", MFD_CLOEXEC));
  expect(file && ::write(file.get(), input.data(), input.size()) == static_cast<ssize_t>(input.size()),
         "the input can be written");
  return read_elf(file.get());
}

void check_refusals(const std::vector<Refusal>& refusals) {
  for (const auto& refusal : refusals) {
    const bool is_complete = refusal.code.starts_with("AA-P") && !refusal.text.empty() && !refusal.remedy.empty();
    expect(is_complete, "a refusal has a code, a text and what to do");
  }
}

std::string lines_of(const PluginDescriptor& descriptor) {
  std::string text;
  for (const auto& [key, value] : descriptor.lines) text += key + "=" + value + "\n";
  return text;
}

}  // namespace

void take_input(ByteView input) {
  const auto bytes = text_of(input);
  const auto elf = read_all(input);
  expect(elf.file_bytes == input.size(), "the size is the file's");
  expect(elf.headers_fit || (elf.needed.empty() && elf.run_paths.empty() && !elf.descriptor),
         "nothing is read where the headers can't be");
  const auto is_there = [&](const std::string& text) { return bytes.find(text) != std::string_view::npos; };
  expect(std::all_of(elf.needed.begin(), elf.needed.end(), is_there), "a library that is needed is named in the file");
  expect(!elf.descriptor || is_there(*elf.descriptor), "the note lies in the file as it was read");

  PluginDescriptor descriptor;
  const auto refusals = check_note("plugin.so", elf, descriptor);
  check_refusals(check_elf("plugin.so", elf));
  check_refusals(refusals);
  if (!refusals.empty()) return;
  expect(lines_of(descriptor) == elf.descriptor, "every line of a good descriptor is known");
  expect(!descriptor.id.empty() && !descriptor.providers.empty(), "a good descriptor has an id and a provider");
  check_refusals(check_abi(descriptor));
}

}  // namespace autoarchive::fuzz
