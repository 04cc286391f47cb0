#include "target.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "autoarchive/base/digest.hpp"

namespace autoarchive::fuzz {

void expect(bool holds, std::string_view rule) {
  if (holds) return;
  std::fprintf(stderr, "WRONG: %.*s\n", static_cast<int>(rule.size()), rule.data());
  std::abort();
}

Numbers::Numbers(ByteView input) {
  ContentDigest digest;
  digest.update(input);
  state_ = digest.value();
}

// SplitMix64.
std::size_t Numbers::next(std::size_t least, std::size_t most) {
  state_ += 0x9E3779B97F4A7C15U;
  auto mixed = state_;
  mixed = (mixed ^ mixed >> 30U) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ mixed >> 27U) * 0x94D049BB133111EBU;
  mixed ^= mixed >> 31U;
  return least + static_cast<std::size_t>(mixed % (most - least + 1));
}

PiecewiseFile::PiecewiseFile(ByteView input)
    : input_(input), numbers_(input), most_(numbers_.next(0, 1) == 0 ? 40 : 4096) {}

std::size_t PiecewiseFile::read_at(std::uint64_t offset, std::span<std::byte> buffer) const {
  const auto rest = input_.subspan(static_cast<std::size_t>(std::min<std::uint64_t>(offset, input_.size())));
  const auto count = std::min({buffer.size(), rest.size(), numbers_.next(1, most_)});
  std::copy_n(rest.begin(), count, buffer.begin());
  return count;
}

}  // namespace autoarchive::fuzz

// The name that libFuzzer looks for.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT
  autoarchive::fuzz::take_input({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
