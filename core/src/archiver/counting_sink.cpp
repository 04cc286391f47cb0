#include "counting_sink.hpp"

namespace autoarchive {
namespace {

// Below this, waking the other thread costs more than it saves.
constexpr std::size_t kLargePieceBytes = 128 * 1024;

}  // namespace

/// A piece in the hands of the digesting thread: handed over at construction, taken back at destruction.
class CountingSink::Piece {
 public:
  Piece(CountingSink& sink, ByteView bytes) : sink_(sink) {
    const std::lock_guard lock(sink_.mutex_);
    sink_.piece_ = bytes;
    sink_.changed_.notify_all();
  }
  ~Piece() {
    std::unique_lock lock(sink_.mutex_);
    sink_.changed_.wait(lock, [this] { return sink_.piece_.empty(); });
  }
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;

 private:
  CountingSink& sink_;
};

CountingSink::CountingSink(std::unique_ptr<Sink> below, bool with_digest)
    : below_(std::move(below)), with_digest_(with_digest) {}

CountingSink::~CountingSink() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (digester_.joinable()) digester_.join();
}

void CountingSink::digest_pieces() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !piece_.empty(); });
    if (stopping_) return;
    const auto piece = piece_;
    lock.unlock();
    std::exception_ptr error;
    try {
      digest_.update(piece);
    } catch (...) {  // rethrown by write()
      error = std::current_exception();
    }
    lock.lock();
    error_ = error;
    piece_ = {};
    changed_.notify_all();
  }
}

void CountingSink::write(ByteView bytes) {
  count_ += bytes.size();
  if (!with_digest_) return below_->write(bytes);
  if (bytes.size() < kLargePieceBytes || std::thread::hardware_concurrency() < 2) {
    below_->write(bytes);
    return digest_.update(bytes);
  }
  if (!digester_.joinable()) digester_ = std::thread([this] { digest_pieces(); });
  {
    const Piece piece(*this, bytes);
    below_->write(bytes);
  }
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(error_);
}

void CountingSink::finish() {
  below_->finish();
  if (with_digest_) sha256_ = digest_.finish();
}

}  // namespace autoarchive
