#include "snapshot_file.hpp"

#include <charconv>

#include "autoarchive/base/error.hpp"

namespace autoarchive::tar_external {
namespace {

[[noreturn]] void not_a_snapshot() {
  throw Error(ErrorCode::file_not_found,
              "the snapshot is not one of GNU tar's (format 2), or cut short; make a level 0", ErrorCause::state_lost);
}

std::string_view take_text(std::string_view& rest) {
  const auto end = rest.find('\0');
  if (end == std::string_view::npos) not_a_snapshot();
  const auto text = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return text;
}

}  // namespace

std::string filter_snapshot(std::string_view snapshot, const KeepDirectory& keep) {
  const auto first_line = snapshot.substr(0, snapshot.find('\n'));
  if (!first_line.starts_with("GNU tar-") || !first_line.ends_with("-2") || first_line.size() == snapshot.size())
    not_a_snapshot();
  auto rest = snapshot.substr(first_line.size() + 1);
  static_cast<void>(take_text(rest));  // seconds
  static_cast<void>(take_text(rest));  // nanoseconds
  std::string filtered(snapshot.substr(0, snapshot.size() - rest.size()));
  while (!rest.empty()) {
    const auto record = rest;
    for (int field = 0; field < 4; ++field) static_cast<void>(take_text(rest));  // nfs, seconds, nanoseconds, device
    const auto inode_text = take_text(rest);
    const auto name = take_text(rest);
    while (!take_text(rest).empty()) {
    }
    if (!take_text(rest).empty()) not_a_snapshot();
    std::uint64_t inode = 0;
    std::from_chars(inode_text.data(), inode_text.data() + inode_text.size(), inode);
    if (keep(name, inode)) filtered += record.substr(0, record.size() - rest.size());
  }
  return filtered;
}

}  // namespace autoarchive::tar_external
