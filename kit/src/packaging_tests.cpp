// What a plugin is as a file.
#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <chrono>
#include <cstring>

#include "autoarchive/plugin/abi.h"
#include "tests.hpp"

namespace autoarchive::kit {
namespace {

/// Closed again: nothing of the plugin has run but its constructors.
class Library {
 public:
  explicit Library(const Subject& subject)
      : handle_(::dlopen(std::filesystem::absolute(subject.plugin).c_str(), RTLD_NOW | RTLD_LOCAL)) {
    require(handle_ != nullptr, handle_ == nullptr ? std::string(::dlerror()) : std::string());
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() { ::dlclose(handle_); }
  [[nodiscard]] const link_map& map() const {
    link_map* map = nullptr;
    require(::dlinfo(handle_, RTLD_DI_LINKMAP, &map) == 0, "the dynamic linker does not know it");
    return *map;
  }

 private:
  void* handle_;
};

struct SymbolTable {
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  std::size_t count = 0;
};

// GNU's hash table does not say how many symbols there are: the last chain's end is the last symbol.
std::size_t count_by_gnu_hash(const std::uint32_t* table) {
  const auto buckets = table[0];
  const auto first = table[1];
  const auto* bucket = table + 4 + table[2] * (sizeof(ElfW(Addr)) / sizeof(std::uint32_t));
  const auto* chain = bucket + buckets;
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < buckets; ++i) last = std::max(last, bucket[i]);
  if (last < first) return first;
  while ((chain[last - first] & 1U) == 0) ++last;
  return last + 1;
}

SymbolTable symbols_of(const link_map& map) {
  SymbolTable table;
  for (const auto* entry = map.l_ld; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_SYMTAB) table.symbols = reinterpret_cast<const ElfW(Sym)*>(entry->d_un.d_ptr);
    if (entry->d_tag == DT_STRTAB) table.names = reinterpret_cast<const char*>(entry->d_un.d_ptr);
    if (entry->d_tag == DT_HASH) table.count = reinterpret_cast<const std::uint32_t*>(entry->d_un.d_ptr)[1];
    if (entry->d_tag == DT_GNU_HASH)
      table.count = count_by_gnu_hash(reinterpret_cast<const std::uint32_t*>(entry->d_un.d_ptr));
  }
  return table;
}

}  // namespace

void passes_all_gates(Rig& rig) {
  LoadedPlugin plugin;
  PluginPolicy policy;
  policy.directories = {{rig.subject().plugin, "the test"}};
  plugin.loader.discover(policy);
  std::string text;
  for (const auto& refusal : plugin.loader.reports().front().refusals)
    text += (text.empty() ? "" : "; ") + refusal.code + " " + refusal.text + ", " + refusal.remedy;
  require(text.empty(), text);
}

void note_equals_code(Rig& rig) {
  rig.load();
}

void exports_one_symbol(Rig& rig) {
  const Library library(rig.subject());
  const auto table = symbols_of(library.map());
  require(table.symbols != nullptr && table.names != nullptr && table.count > 0, "it has no symbol table");
  std::string others;
  for (std::size_t i = 1; i < table.count; ++i) {
    const auto& symbol = table.symbols[i];
    const char* const name = table.names + symbol.st_name;
    if (symbol.st_shndx == SHN_UNDEF || std::strcmp(name, AUTOARCHIVE_PLUGIN_ENTRY_NAME) == 0) continue;
    others += std::string(others.empty() ? "" : ", ") + name;
  }
  require(others.empty(), "it exports more than its entry: " + others.substr(0, 500));
}

void loads_quickly(Rig& rig) {
  constexpr std::chrono::milliseconds kLimit{100};
  const auto start = std::chrono::steady_clock::now();
  const Library library(rig.subject());
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  require(took <= kLimit, "loading took " + std::to_string(took.count()) + " ms, and should take at most " +
                              std::to_string(kLimit.count()));
}

}  // namespace autoarchive::kit
