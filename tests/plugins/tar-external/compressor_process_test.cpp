#include "compressor_process.hpp"

#include <gtest/gtest.h>

#include "autoarchive/base/error.hpp"

namespace autoarchive::tar_external {
namespace {

class StringSink final : public Sink {
 public:
  void write(ByteView bytes) override { text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size()); }
  void finish() override {}
  std::string text;
};

std::string failure_of(const std::string& script, std::size_t bytes) {
  StringSink out;
  try {
    CompressorProcess process({"/bin/sh", "-c", script}, out, [] {});
    const std::string text(bytes, 'x');
    process.write(std::as_bytes(std::span(text)));
    process.finish();
  } catch (const Error& error) {
    return error.message();
  }
  return {};
}

TEST(CompressorProcess, PassesEverythingThrough) {
  std::string text;
  for (int i = 0; i < 1'000'000; ++i) text += std::to_string(i);
  StringSink out;
  CompressorProcess process({"/bin/cat"}, out, [] {});
  process.write(std::as_bytes(std::span(text).first(10)));
  process.write(std::as_bytes(std::span(text).subspan(10)));
  process.finish();
  EXPECT_EQ(out.text, text);
}

TEST(CompressorProcess, FailsWithTheProgramsOwnWords) {
  EXPECT_EQ(failure_of("/bin/cat", 10'000'000), "");
  EXPECT_EQ(failure_of("/bin/cat > /dev/null; echo 'no room' >&2; exit 3", 10),
            "'/bin/sh' ended with status 3: no room");
  EXPECT_EQ(failure_of("echo 'not today' >&2; exit 4", 10'000'000), "'/bin/sh' ended with status 4: not today");
  EXPECT_EQ(failure_of("kill -9 $$", 10'000'000), "'/bin/sh' ended with signal 9");
  EXPECT_NE(failure_of("exec 0<&- 1>&-; exec sleep 100", 10'000'000), "");  // does not wait for it
}

TEST(CompressorProcess, CanBeStoppedWhileItWaits) {
  StringSink out;
  int calls = 0;
  CompressorProcess process({"/bin/sleep", "100"}, out, [&] {
    if (++calls > 2) throw Error(ErrorCode::runtime_error, "stopped", ErrorCause::cancelled);
  });
  const std::string text(10'000'000, 'x');
  EXPECT_THROW(process.write(std::as_bytes(std::span(text))), Error);
}

}  // namespace
}  // namespace autoarchive::tar_external
