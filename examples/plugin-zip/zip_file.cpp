#include "zip_file.hpp"

#include <algorithm>
#include <autoarchive/base/error.hpp>
#include <autoarchive/base/text.hpp>
#include <cerrno>
#include <cstdio>
#include <new>

namespace zip_plugin {

using namespace autoarchive;

namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;

std::string text_of(archive* handle) {
  const char* const text = archive_error_string(handle);
  return text == nullptr ? "it does not say why" : escaped(text);
}

}  // namespace

ZipWriter::ZipWriter(Sink& out, std::optional<int> strength) : out_(out), handle_(archive_write_new()) {
  if (handle_ == nullptr) throw std::bad_alloc();
  archive_write_set_format_zip(handle_);
  if (strength) archive_write_set_options(handle_, ("zip:compression-level=" + std::to_string(*strength)).c_str());
  archive_write_set_bytes_per_block(handle_, 0);  // the sink takes any size
  archive_write_open(handle_, this, nullptr, take, nullptr);
}

ZipWriter::~ZipWriter() {
  archive_write_fail(handle_);  // nothing more is written by the destructor
  archive_write_free(handle_);
}

la_ssize_t ZipWriter::take(archive* handle, void* self, const void* bytes, std::size_t size) noexcept {
  auto& writer = *static_cast<ZipWriter*>(self);
  try {
    writer.out_.write({static_cast<const std::byte*>(bytes), size});
    return static_cast<la_ssize_t>(size);
  } catch (...) {
    writer.failure_ = std::current_exception();
    archive_set_error(handle, EIO, "the destination failed");
    return ARCHIVE_FATAL;
  }
}

void ZipWriter::check(la_ssize_t result) {
  if (failure_) std::rethrow_exception(failure_);
  if (result < ARCHIVE_WARN) throw Error(ErrorCode::runtime_error, "zip: " + text_of(handle_));
}

void ZipWriter::begin(const Entry& entry, std::uint32_t stat_mode) {
  const EntryPtr header(archive_entry_new());
  archive_entry_copy_pathname(header.get(), entry.path.c_str());
  archive_entry_set_mode(header.get(), stat_mode);
  archive_entry_set_uid(header.get(), entry.uid);
  archive_entry_set_gid(header.get(), entry.gid);
  archive_entry_set_mtime(header.get(), entry.mtime.seconds, 0);
  archive_entry_set_size(header.get(), static_cast<la_int64_t>(entry.size));
  if (entry.kind == EntryKind::symlink) archive_entry_copy_symlink(header.get(), entry.link_target.c_str());
  check(archive_write_header(handle_, header.get()));
}

void ZipWriter::write(ByteView bytes) {
  while (!bytes.empty()) {
    const auto written = archive_write_data(handle_, bytes.data(), bytes.size());
    check(written);
    if (written == 0) throw Error(ErrorCode::runtime_error, "zip: more content than the entry's size");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void ZipWriter::finish() {
  check(archive_write_close(handle_));
}

ZipInput::ZipInput(const ReadableFile& file) : file_(file), handle_(archive_read_new()), buffer_(kBufferBytes) {
  if (handle_ == nullptr) throw std::bad_alloc();
  archive_read_support_format_zip_seekable(handle_);
  archive_read_set_callback_data(handle_, this);
  archive_read_set_read_callback(handle_, give);
  archive_read_set_seek_callback(handle_, seek);
  try {
    check(archive_read_open1(handle_));
  } catch (...) {
    archive_read_free(handle_);
    throw;
  }
}

ZipInput::~ZipInput() {
  archive_read_free(handle_);
}

la_ssize_t ZipInput::give(archive* handle, void* self, const void** bytes) noexcept {
  auto& input = *static_cast<ZipInput*>(self);
  try {
    const auto got = input.file_.read_at(input.position_, input.buffer_);
    input.position_ += got;
    *bytes = input.buffer_.data();
    return static_cast<la_ssize_t>(got);
  } catch (...) {
    input.failure_ = std::current_exception();
    archive_set_error(handle, EIO, "the file can't be read");
    return ARCHIVE_FATAL;
  }
}

la_int64_t ZipInput::seek(archive* /*handle*/, void* self, la_int64_t offset, int whence) noexcept {
  auto& input = *static_cast<ZipInput*>(self);
  auto from = static_cast<la_int64_t>(input.position_);
  if (whence == SEEK_SET) from = 0;
  if (whence == SEEK_END) from = static_cast<la_int64_t>(input.file_.size());
  la_int64_t place = 0;
  if (__builtin_add_overflow(from, offset, &place) || place < 0) return ARCHIVE_FATAL;
  input.position_ = static_cast<std::uint64_t>(place);
  return place;
}

std::string ZipInput::problem() const {
  return quote(file_.description()) + ": " + text_of(handle_);
}

void ZipInput::check(int result) {
  if (failure_) std::rethrow_exception(failure_);
  if (result < ARCHIVE_WARN) throw Error(ErrorCode::value_error, problem(), ErrorCause::damaged);
}

archive_entry* ZipInput::next() {
  archive_entry* entry = nullptr;
  const int result = archive_read_next_header(handle_, &entry);
  if (result == ARCHIVE_EOF) return nullptr;
  check(result);
  return entry;
}

std::size_t ZipInput::read(std::span<std::byte> buffer) {
  const auto got = archive_read_data(handle_, buffer.data(), buffer.size());
  check(static_cast<int>(std::min<la_ssize_t>(got, 0)));
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

Entry entry_of(archive_entry* from) {
  Entry entry;
  const char* const path = archive_entry_pathname(from);
  try {
    entry.path = normalize_path(path == nullptr ? "" : path);
  } catch (const Error& error) {
    throw Error(ErrorCode::value_error, "zip: " + error.message(), ErrorCause::damaged);
  }
  entry.kind = kind_of(archive_entry_mode(from));
  entry.mode = archive_entry_mode(from) & 07777U;
  entry.mtime.seconds = archive_entry_mtime(from);
  if (archive_entry_size_is_set(from) != 0) entry.size = static_cast<std::uint64_t>(archive_entry_size(from));
  if (const char* const target = archive_entry_symlink(from)) entry.link_target = target;
  return entry;
}

}  // namespace zip_plugin
