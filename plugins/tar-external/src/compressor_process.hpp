/// \file
/// A compressor as a sink: what is written to it goes through a program, and its output to another sink.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "autoarchive/base/child_process.hpp"
#include "autoarchive/storage/sink.hpp"

namespace autoarchive::tar_external {

/// Runs from its construction to finish(); destroyed earlier, it is ended. Not thread-safe.
class CompressorProcess final : public Sink {
 public:
  /// `command` is program and arguments, e.g. {"/usr/bin/gzip", "-6"}. `out` must outlive it, and is not finished by
  /// it. `check_stop` is called at least twice a second while something is waited for; what it throws ends the work.
  /// Throws Error(os_error) if the program can't be started.
  CompressorProcess(const std::vector<std::string>& command, Sink& out, std::function<void()> check_stop);

  /// Throws Error(runtime_error) if the program ends early, and what `out` and `check_stop` throw.
  void write(ByteView bytes) override;
  /// All output has been written to `out`. Throws as write(), and if the program's end was not a good one.
  void finish() override;

 private:
  void exchange(ByteView& bytes);
  bool read_output();
  bool read_messages();
  [[noreturn]] void fail();
  [[noreturn]] void fail_with(int status) const;

  std::string program_;
  Sink& out_;
  std::function<void()> check_stop_;
  ChildProcess process_;
  std::vector<std::byte> buffer_;
  std::string messages_;
  bool has_output_ = true;
  bool has_messages_ = true;
};

}  // namespace autoarchive::tar_external
