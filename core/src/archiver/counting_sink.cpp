#include "counting_sink.hpp"

namespace autoarchive {

void CountingSink::write(ByteView bytes) {
  below_->write(bytes);
  digest_.update(bytes);
  count_ += bytes.size();
}

void CountingSink::finish() {
  below_->finish();
  sha256_ = digest_.finish();
}

}  // namespace autoarchive
