// What GNU tar writes, on its way through tar-external: the pieces make no difference, and what has been passed on
// passes again unchanged.
#include <algorithm>
#include <optional>
#include <vector>

#include "repaired_tar.hpp"
#include "support/memory_file.hpp"
#include "tar_stream.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {
namespace {

struct Passed {
  std::string stream;
  std::vector<std::string> members;  // all that is told of each
  std::uint64_t content_bytes = 0;
  friend bool operator==(const Passed&, const Passed&) = default;
};

/// None if the stream is refused, which is the end of a backup and no damage. Directories keep the list of names that
/// `dumpdir` is.
std::optional<Passed> pass(ByteView stream, std::size_t largest, const std::optional<std::string>& dumpdir) {
  Passed passed;
  test::MemorySink out;
  tar_external::StreamCalls calls;
  calls.dumpdir = [&](const std::string&) { return dumpdir; };
  calls.content = [&](std::uint64_t bytes) { passed.content_bytes += bytes; };
  calls.member = [&](const tar_external::StreamMember& member) {
    passed.members.push_back(member.path + '\n' + member.link_path + '\n' + std::to_string(member.offset) + ' ' +
                             std::to_string(member.digest.value_or(0)));
  };
  try {
    tar_external::TarStream passing(out, std::move(calls));
    Numbers numbers(stream);
    while (!stream.empty()) {
      const auto piece = stream.first(numbers.next(1, std::min(stream.size(), largest)));
      passing.write(piece);
      stream = stream.subspan(piece.size());
    }
    passing.finish();
  } catch (const Error& error) {
    expect(error.code() == ErrorCode::runtime_error, error.message());
    return std::nullopt;
  }
  passed.stream = std::move(out.text);
  return passed;
}

void pass_in_every_way(ByteView stream, const std::optional<std::string>& dumpdir) {
  const auto passed = pass(stream, stream.size(), dumpdir);
  expect(pass(stream, 700, dumpdir) == passed, "the pieces make no difference");
  if (!passed) return;
  expect(pass(bytes_of(passed->stream), 700, dumpdir) == passed, "what has been passed on passes unchanged");
}

}  // namespace

void take_input(ByteView input) {
  pass_in_every_way(input, {});
  const auto repaired = with_checksums(text_of(input));
  pass_in_every_way(bytes_of(repaired), {});
  using namespace std::string_literals;
  pass_in_every_way(bytes_of(repaired), "Ya name\0Dother\0\0"s);
}

}  // namespace autoarchive::fuzz
