// The scanner of tar headers: it sees the same members whatever the pieces in which a stream comes, and never fails.
#include <algorithm>

#include "header_scanner.hpp"
#include "repaired_tar.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {
namespace {

using tar_internal::HeaderScanner;

void expect_same(HeaderScanner& a, HeaderScanner& b) {
  expect(a.ended() == b.ended() && a.trailing_at() == b.trailing_at(), "the end is the same");
  expect(a.comment() == b.comment(), "the comment is the same");
  const auto is_same = [](const auto& one, const auto& other) {
    return one.path == other.path && one.offset == other.offset && one.records == other.records;
  };
  expect(std::equal(a.members().begin(), a.members().end(), b.members().begin(), b.members().end(), is_same),
         "the members are the same");
}

void scan(ByteView stream) {
  HeaderScanner whole;
  whole.feed(stream);
  HeaderScanner pieces;
  Numbers numbers(stream);
  for (auto rest = stream; !rest.empty();) {
    const auto piece = rest.first(numbers.next(0, std::min<std::size_t>(rest.size(), 700)));
    pieces.feed(piece);
    rest = rest.subspan(piece.size());
  }
  expect_same(whole, pieces);
  std::uint64_t last = 0;
  for (const auto& member : whole.members()) {
    expect(member.offset >= last && member.offset < stream.size(), "members come one after the other");
    expect(member.offset % tar_internal::kBlockBytes == 0, "a member begins with a block");
    last = member.offset;
  }
}

}  // namespace

void take_input(ByteView input) {
  scan(input);
  scan(bytes_of(with_checksums(text_of(input))));
}

}  // namespace autoarchive::fuzz
