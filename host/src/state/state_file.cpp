#include "state/state_file.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <span>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/private_file.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/storage/istorage.hpp"

namespace autoarchive::host {
namespace {

constexpr std::uint64_t kMaxBytes = 1U << 20U;

ByteView bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string read_all(const std::filesystem::path& file) {
  const auto opened = open_local_file(file.native());
  if (opened->size() > kMaxBytes) throw Error(ErrorCode::value_error, "it has more than 1 MiB");
  std::string text(static_cast<std::size_t>(opened->size()), '\0');
  text.resize(opened->read_at(0, std::as_writable_bytes(std::span(text))));
  return text;
}

}  // namespace

StateFile read_state_file(const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::symlink_status(file, error).type() == std::filesystem::file_type::not_found) return {};
  try {
    const auto text = read_all(file);
    const auto end = text.find('\n');
    if (end != std::string::npos && text.substr(end + 1) == sha256_of(bytes_of(text.substr(0, end))) + "\n") {
      if (auto document = Json::parse(text.substr(0, end))) return {std::move(document), {}};
    }
  } catch (const Error& unreadable) {
    return {{}, quote(file.native()) + " can't be read: " + unreadable.message()};
  }
  return {{}, quote(file.native()) + " is damaged: it is not what its digest says"};
}

void write_state_file(const std::filesystem::path& file, const Json& document) {
  std::error_code ignored;  // the file that can't be made tells why
  std::filesystem::create_directories(file.parent_path().parent_path(), ignored);
  if (::mkdir(file.parent_path().c_str(), 0700) != 0 && errno != EEXIST)
    throw Error::from_errno(errno, "state directory " + quote(file.parent_path().native()));
  auto text = document.dump();
  text += "\n" + sha256_of(bytes_of(text)) + "\n";
  write_private_file(file, bytes_of(text));
}

}  // namespace autoarchive::host
