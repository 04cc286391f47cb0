/// \file
/// Files that never touch a disk.
#pragma once

#include <algorithm>
#include <string>

#include "autoarchive/storage/istorage.hpp"
#include "autoarchive/storage/sink.hpp"

namespace autoarchive::test {

/// Borrows its bytes.
class MemoryFile final : public ReadableFile {
 public:
  explicit MemoryFile(ByteView bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return bytes_.size(); }
  [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
    const auto rest = bytes_.subspan(static_cast<std::size_t>(std::min<std::uint64_t>(offset, bytes_.size())));
    const auto count = std::min(buffer.size(), rest.size());
    std::copy_n(rest.begin(), count, buffer.begin());
    return count;
  }
  [[nodiscard]] std::string description() const override { return "memory"; }

 private:
  ByteView bytes_;
};

class MemorySink final : public Sink {
 public:
  void write(ByteView bytes) override { text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()); }
  void finish() override {}
  std::string text;
};

}  // namespace autoarchive::test
