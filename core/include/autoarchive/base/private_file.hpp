/// \file
/// Files of our own: written whole and durable, or not at all, and for nobody else's eyes.
#pragma once

#include <filesystem>
#include <string>

#include "autoarchive/base/bytes.hpp"
#include "autoarchive/base/export.hpp"
#include "autoarchive/base/unique_fd.hpp"

namespace autoarchive {

/// A file that is being written: temporary, with mode 0600, until commit() puts it under its name; then sync, rename,
/// sync of the directory. What was there stays until then, and if it never comes. A second writer of the same file
/// waits for the first. Not thread-safe. Every call throws Error(os_error) that names the file; nothing but the end may
/// come after.
class AA_EXPORT PrivateFile {
 public:
  explicit PrivateFile(std::filesystem::path file);
  PrivateFile(const PrivateFile&) = delete;
  PrivateFile& operator=(const PrivateFile&) = delete;
  ~PrivateFile();
  void write(ByteView content);
  /// REQUIRES: called once, and nothing after it.
  void commit();

 private:
  std::filesystem::path file_;
  std::string temporary_;
  std::string what_;  // for messages
  UniqueFd fd_;       // empty: committed, or never opened
};

/// All of it in one call.
AA_EXPORT void write_private_file(const std::filesystem::path& file, ByteView content);

}  // namespace autoarchive
