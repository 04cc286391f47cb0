/// \file
/// What every fuzz target is made of. A target is one function that takes any bytes; libFuzzer calls it, or replay.cpp
/// where there is no libFuzzer. It ends the process at the first wrong answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/storage/istorage.hpp"

namespace autoarchive::fuzz {

/// The target. Defined once in each executable. Must not keep anything from call to call.
void take_input(ByteView input);

/// Prints `rule` and ends the process unless it holds.
void expect(bool holds, std::string_view rule);

[[nodiscard]] inline std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// Numbers that follow from an input, so that a seed is a plain file of its format and a fault can be repeated.
class Numbers {
 public:
  explicit Numbers(ByteView input);
  /// From `least` to `most`.
  [[nodiscard]] std::size_t next(std::size_t least, std::size_t most);

 private:
  std::uint64_t state_;
};

/// The input as a file that gives no more than some bytes with each call: 1 to 40, or any number up to 4096.
class PiecewiseFile final : public ReadableFile {
 public:
  /// `input` must outlive it.
  explicit PiecewiseFile(ByteView input);
  [[nodiscard]] std::uint64_t size() const noexcept override { return input_.size(); }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override;
  [[nodiscard]] std::string description() const override { return "input"; }

 private:
  ByteView input_;
  mutable Numbers numbers_;
  std::size_t most_;
};

/// Calls `call`; false if it has thrown an Error that says that the input is damaged or of an unknown kind. Anything
/// else that it throws ends the process.
template <class Call>
[[nodiscard]] bool accepts(const Call& call) {
  try {
    call();
    return true;
  } catch (const Error& error) {
    const bool is_expected = error.cause() == ErrorCause::damaged || error.cause() == ErrorCause::unsupported;
    expect(is_expected, error.message());
    return false;
  }
}

}  // namespace autoarchive::fuzz
