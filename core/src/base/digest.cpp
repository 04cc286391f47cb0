#include "autoarchive/base/digest.hpp"

#include <openssl/evp.h>
#include <unistd.h>
#ifdef AA_HAS_XXHASH_DISPATCH
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#include <array>
#include <cerrno>
#include <new>
#include <span>
#include <vector>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;

struct DigestContextDeleter {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
struct XxhashDeleter {
  void operator()(XXH3_state_t* state) const noexcept { XXH3_freeState(state); }
};

// The library chooses its functions when it is first used, which two threads must not do at once: it is done when this
// library is loaded, with more than it treats in a special way.
[[maybe_unused]] const auto kChosen = []() noexcept {
  const std::array<std::byte, 2048> bytes{};
  const std::unique_ptr<XXH3_state_t, XxhashDeleter> state(XXH3_createState());
  if (state == nullptr) return std::uint64_t{0};
  XXH3_64bits_reset(state.get());
  XXH3_64bits_update(state.get(), bytes.data(), bytes.size());
  return XXH3_64bits(bytes.data(), bytes.size()) ^ XXH3_64bits_digest(state.get());
}();

void require(bool ok) {
  if (!ok) throw Error(ErrorCode::runtime_error, "libcrypto can't compute SHA-256", ErrorCause::internal);
}

}  // namespace

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, DigestContextDeleter> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  require(state_->context && EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1);
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(ByteView bytes) {
  require(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::finish() {
  std::array<std::byte, 32> digest{};
  unsigned size = 0;
  require(EVP_DigestFinal_ex(state_->context.get(), reinterpret_cast<unsigned char*>(digest.data()), &size) == 1);
  return to_hex(digest);
}

struct ContentDigest::State {
  std::unique_ptr<XXH3_state_t, XxhashDeleter> xxhash{XXH3_createState()};
};

ContentDigest::ContentDigest() : state_(std::make_unique<State>()) {
  if (!state_->xxhash) throw std::bad_alloc();
  reset();
}
ContentDigest::ContentDigest(ContentDigest&&) noexcept = default;
ContentDigest& ContentDigest::operator=(ContentDigest&&) noexcept = default;
ContentDigest::~ContentDigest() = default;

void ContentDigest::reset() {
  XXH3_64bits_reset(state_->xxhash.get());
}
void ContentDigest::update(ByteView bytes) {
  XXH3_64bits_update(state_->xxhash.get(), bytes.data(), bytes.size());
}
std::uint64_t ContentDigest::value() const {
  return XXH3_64bits_digest(state_->xxhash.get());
}

std::uint64_t content_digest_of(ByteView bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::string sha256_of(ByteView bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.finish();
}

std::string sha256_of_file(int fd) {
  Sha256 digest;
  std::vector<std::byte> buffer(kReadBytes);
  for (off_t offset = 0;;) {
    const auto got = ::pread(fd, buffer.data(), buffer.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error::from_errno(errno, "reading for its SHA-256");
    if (got == 0) return digest.finish();
    digest.update(std::span(buffer).first(static_cast<std::size_t>(got)));
    offset += got;
  }
}

}  // namespace autoarchive
