#include "brought_snapshot.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "autoarchive/base/text.hpp"
#include "member_name.hpp"

namespace autoarchive::tar_external {
namespace {

constexpr std::size_t kMaxFieldBytes = 1U << 16U;  // no name is as long
constexpr std::string_view kFirstLineBegin = "GNU tar-";
constexpr std::string_view kFirstLineEnd = "-2";

bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.size() <= 20 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::size_t hash_of(std::string_view path) {
  return std::hash<std::string_view>()(path);
}

/// Of a snapshot in format 2 (snapshot_file.hpp), which paths it knows. Hashes, as a tree can have millions.
class KnownPaths {
 public:
  /// False if the file is not a whole snapshot.
  bool read(std::istream& in) {
    std::string line;
    if (!get(in, line, '\n') || !line.starts_with(kFirstLineBegin) || !line.ends_with(kFirstLineEnd)) return false;
    if (!get_numbers(in, 2)) return false;
    while (in.peek() != std::istream::traits_type::eof()) {
      if (!read_directory(in)) return false;
    }
    return !in.bad() && !directories_.empty();
  }

  [[nodiscard]] bool has_directory(std::string_view path) const { return directories_.contains(hash_of(path)); }
  [[nodiscard]] bool has_name(std::string_view path) const { return names_.contains(hash_of(path)); }

 private:
  // "nfs sec nsec dev ino name", the names in it, and an empty one; then the record is over.
  bool read_directory(std::istream& in) {
    std::string name;
    if (!get_numbers(in, 5) || !get(in, name) || name.empty()) return false;
    const auto directory = path_of_member(name);
    directories_.insert(hash_of(directory));
    for (std::string entry; get(in, entry);) {
      if (entry.empty()) return get(in, entry) && entry.empty();
      if (std::string_view("YND").find(entry.front()) == std::string_view::npos || entry.size() < 2) return false;
      names_.insert(hash_of((directory == "." ? std::string() : directory + "/").append(entry, 1)));
    }
    return false;
  }

  static bool get_numbers(std::istream& in, int count) {
    for (std::string number; count > 0; --count) {
      if (!get(in, number) || !is_number(number)) return false;
    }
    return true;
  }

  /// False if there is no end where one has to be.
  static bool get(std::istream& in, std::string& field, char end = '\0') {
    field.clear();
    for (int c = in.get(); c != std::istream::traits_type::eof(); c = in.get()) {
      if (c == end) return true;
      if (field.size() == kMaxFieldBytes) return false;
      field += static_cast<char>(c);
    }
    return false;
  }

  std::unordered_set<std::size_t> directories_;
  std::unordered_set<std::size_t> names_;
};

}  // namespace

// Names are enough to tell the snapshots of two trees apart. Whether it is of the same minute decides nothing: what is
// stored is what differs from the manifest (tar_input.hpp).
std::string fault_of_snapshot(const std::filesystem::path& snapshot, ManifestReader& manifest) {
  std::ifstream in(snapshot, std::ios::binary);
  KnownPaths known;
  if (!in) return "it can't be read";
  if (!known.read(in)) return "it is damaged, or not in format 2 of GNU tar's snapshots";
  std::unordered_set<std::size_t> directories;
  for (ManifestEntry line; manifest.next(line);) {
    const auto& path = line.entry.path;
    const bool is_directory = line.entry.kind == EntryKind::directory;
    if (is_directory) directories.insert(hash_of(path));
    const bool is_in_directory = path != "." && directories.contains(hash_of(parent_of(path)));
    const bool is_known = (!is_directory || known.has_directory(path)) && (!is_in_directory || known.has_name(path));
    if (!is_known) return "it does not know " + quote(path) + ", which the backup has";
  }
  return {};
}

}  // namespace autoarchive::tar_external
