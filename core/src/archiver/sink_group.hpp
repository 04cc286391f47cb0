/// \file
/// Writes the same bytes to several places.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "autoarchive/storage/sink.hpp"

namespace autoarchive {

/// Owns its sinks and finishes them; the first one that fails ends the writing. Not thread-safe.
class SinkGroup final : public Sink {
 public:
  void add(std::unique_ptr<Sink> sink) { sinks_.push_back(std::move(sink)); }
  void write(ByteView bytes) override {
    for (const auto& sink : sinks_) sink->write(bytes);
  }
  void finish() override {
    for (const auto& sink : sinks_) sink->finish();
  }

 private:
  std::vector<std::unique_ptr<Sink>> sinks_;
};

}  // namespace autoarchive
