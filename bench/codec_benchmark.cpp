// What a codec costs at each strength, on one thread: bytes a second of the uncompressed data, and the size that is
// left in percent. AA_BENCH_FILE names the data (its first 64 MiB are taken); without it, they are made text, which
// tells the speeds apart but not the sizes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>

#include "autoarchive/storage/istorage.hpp"
#include "codec.hpp"

namespace autoarchive::tar_internal {
namespace {

Buffer made_text() {
  constexpr std::size_t kTextBytes = std::size_t{16} << 20U;
  std::mt19937 random(1);
  std::string text;
  while (text.size() < kTextBytes) {
    text += "  if (value_" + std::to_string(random() % 1000) + " != nullptr) return call(" +
            std::to_string(random() % 100'000) + ");\n";
  }
  Buffer bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

Buffer read_sample() {
  const char* path = std::getenv("AA_BENCH_FILE");
  if (path == nullptr) return made_text();
  const auto file = open_local_file(path);
  Buffer bytes(std::min<std::size_t>(file->size(), std::size_t{64} << 20U));
  bytes.resize(file->read_at(0, bytes));
  return bytes;
}

const Buffer& sample() {
  static const Buffer bytes = read_sample();
  return bytes;
}

void compress_into(Buffer& out, CompressedFormat& format, BlockCompressor& compressor) {
  const ByteView all(sample());
  format.append_start(out);
  for (std::size_t begin = 0; begin < all.size();) {
    const auto block = all.subspan(begin, std::min(format.block_bytes_at(begin), all.size() - begin));
    const auto start = out.size();
    compressor.compress(block, out);
    format.block_written(ByteView(out).subspan(start), block.size());
    begin += block.size();
  }
  format.append_end(out);
}

class MemoryFile final : public ReadableFile {
 public:
  explicit MemoryFile(Buffer bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const noexcept override { return bytes_.size(); }
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> buffer) const override {
    const auto count = std::min<std::size_t>(buffer.size(), bytes_.size() - offset);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), count, buffer.begin());
    return count;
  }
  std::string description() const override { return "memory"; }

 private:
  Buffer bytes_;
};

void tell(benchmark::State& state, std::size_t compressed_bytes) {
  const auto bytes = static_cast<double>(sample().size());
  state.SetBytesProcessed(static_cast<std::int64_t>(sample().size()) * state.iterations());
  state.counters["size_percent"] = 100 * static_cast<double>(compressed_bytes) / bytes;
}

void codec_compresses(benchmark::State& state, const char* type) {
  const auto strength = static_cast<int>(state.range(0));
  const auto compressor = make_format(type, strength)->make_compressor();
  Buffer out;
  while (state.KeepRunning()) {
    out.clear();
    compress_into(out, *make_format(type, strength), *compressor);
  }
  tell(state, out.size());
}

void codec_decompresses(benchmark::State& state, const char* type) {
  const auto format = make_format(type, {});
  Buffer compressed;
  compress_into(compressed, *format, *format->make_compressor());
  const MemoryFile file(std::move(compressed));
  Buffer chunk(std::size_t{256} << 10U);
  while (state.KeepRunning()) {
    FileInput input(file);
    const auto decoder = make_decoder(type, input, Bytes{std::uint64_t{1} << 30U});
    while (decoder->read(chunk) != 0) benchmark::DoNotOptimize(chunk.data());
  }
  tell(state, file.size());
}

BENCHMARK_CAPTURE(codec_compresses, gz, "tar.gz")->DenseRange(0, 9)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(codec_compresses, bz2, "tar.bz2")->DenseRange(0, 9)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(codec_compresses, xz, "tar.xz")->DenseRange(0, 9)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(codec_compresses, zst, "tar.zst")->DenseRange(0, 9)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(codec_decompresses, gz, "tar.gz")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(codec_decompresses, bz2, "tar.bz2")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(codec_decompresses, xz, "tar.xz")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(codec_decompresses, zst, "tar.zst")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace autoarchive::tar_internal
