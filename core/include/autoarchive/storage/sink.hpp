/// \file
/// Byte streams: what the archive writer, the compressors and the destination have in common.
#pragma once

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/export.hpp"

namespace autoarchive {

/// Takes a stream of bytes: write() any number of times, then finish() once. A sink on top of another does not finish
/// that one: whoever made it does. Destroyed before finish(), it discards what it was given. Not thread-safe.
class AA_EXPORT Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink();

  /// Takes all of `bytes`, or throws Error (os_error; cause no_space when full); after a throw only destruction is
  /// allowed.
  virtual void write(ByteView bytes) = 0;

  /// Ends the stream. For a storage's sink: on return everything written is durable, under its temporary name.
  /// REQUIRES: not finished before, and no write() has thrown.
  virtual void finish() = 0;
};

}  // namespace autoarchive
