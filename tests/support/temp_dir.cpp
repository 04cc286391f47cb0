#include "support/temp_dir.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace autoarchive::test {

namespace fs = std::filesystem;

TempDir::TempDir() {
  auto name = (fs::temp_directory_path() / "aa-test-XXXXXX").native();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(path_, error); entry != fs::recursive_directory_iterator();
       entry.increment(error)) {
    if (entry->is_directory(error) && !entry->is_symlink(error))
      fs::permissions(entry->path(), fs::perms::owner_all, fs::perm_options::add, error);
    if (error) break;
  }
  fs::remove_all(path_, error);
}

fs::path TempDir::make(std::string_view name) const {
  fs::create_directories(path_ / name);
  return path_ / name;
}

void write_file(const fs::path& file, std::string_view content) {
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  if (!out.flush()) throw std::runtime_error("can't write " + file.native());
}

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace autoarchive::test
