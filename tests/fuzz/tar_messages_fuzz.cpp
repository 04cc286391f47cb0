// What GNU tar prints on standard error and in its index: any bytes are some message, in whatever pieces they come.
#include <algorithm>
#include <vector>

#include "line_buffer.hpp"
#include "tar_messages.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {
namespace {

std::vector<std::string> lines_of(std::string_view text, std::size_t largest) {
  std::vector<std::string> lines;
  const auto add = [&](std::string_view line) { lines.emplace_back(line); };
  tar_external::LineBuffer buffer;
  Numbers numbers(bytes_of(text));
  while (!text.empty()) {
    const auto piece = text.substr(0, numbers.next(1, largest));
    buffer.feed(piece, add);
    text.remove_prefix(piece.size());
  }
  buffer.finish(add);
  return lines;
}

bool lies_in(std::string_view part, std::string_view line) {
  return part.data() >= line.data() && part.data() + part.size() <= line.data() + line.size();
}

void parse(const std::string& line) {
  const auto message = tar_external::parse_tar_message(line);
  expect(!message.name || lies_in(*message.name, line), "a name is a part of the line");
  expect(!message.text || lies_in(*message.text, line), "a text is a part of the line");
  if (message.name) expect(tar_external::unescape_name(*message.name).size() <= message.name->size(), "it shrinks");
  const auto trouble = tar_external::parse_entry_trouble(line);
  expect(!trouble || lies_in(trouble->name, line), "a name is a part of the line");
}

}  // namespace

void take_input(ByteView input) {
  const auto lines = lines_of(text_of(input), std::max<std::size_t>(1, input.size()));
  expect(lines_of(text_of(input), 10) == lines, "the pieces make no difference");
  for (const auto& line : lines) parse(line);
}

}  // namespace autoarchive::fuzz
