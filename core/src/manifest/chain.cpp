#include "autoarchive/manifest/chain.hpp"

#include <algorithm>

#include "autoarchive/base/text.hpp"

namespace autoarchive {
namespace {

// A kept file may be a copy of a plain one (by hard link, until the plain name is taken by the new backup): any of them
// will do.
std::size_t find_backup(const std::vector<ChainLink>& links, const std::string& uuid) {
  const auto found =
      std::find_if(links.begin(), links.end(), [&](const auto& link) { return link.header.backup_uuid == uuid; });
  return static_cast<std::size_t>(found - links.begin());
}

std::string gap_text(const ManifestHeader& header, const std::string& file_name) {
  return "level " + std::to_string(header.level - 1) + " (id " + header.parent_uuid + "), which " + quote(file_name) +
         " is based on, is missing";
}

}  // namespace

ResolvedChain resolve_chain(const std::vector<ChainLink>& links, std::size_t target) {
  ResolvedChain chain;
  std::size_t current = target;
  for (;;) {
    chain.links.push_back(current);
    const auto& header = links[current].header;
    if (header.level == 0) break;
    const auto parent = find_backup(links, header.parent_uuid);
    if (parent == links.size()) {
      chain.gap = gap_text(header, links[current].file_name);
      break;
    }
    const auto& found = links[parent];
    if (found.header.level != header.level - 1 || found.header.chain_uuid != header.chain_uuid) {
      chain.gap = quote(found.file_name) + " is level " + std::to_string(found.header.level) + " of chain " +
                  found.header.chain_uuid + ", and not what " + quote(links[current].file_name) + " is based on";
      break;
    }
    const auto& sha256 = found.closing.archive_sha256;
    if (!header.parent_sha256.empty() && !sha256.empty() && sha256 != header.parent_sha256) {
      chain.gap = quote(found.file_name) + " is not the file that " + quote(links[current].file_name) +
                  " is based on (its SHA-256 differs)";
      break;
    }
    current = parent;
  }
  std::reverse(chain.links.begin(), chain.links.end());
  return chain;
}

std::vector<std::size_t> dependants_of(const std::vector<ChainLink>& links, std::size_t target) {
  std::vector<std::size_t> dependants;
  const auto& id = links[target].header.backup_uuid;
  const auto copies =
      std::count_if(links.begin(), links.end(), [&](const auto& link) { return link.header.backup_uuid == id; });
  if (copies > 1) return dependants;
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (i == target) continue;
    const auto chain = resolve_chain(links, i);
    if (std::find(chain.links.begin(), chain.links.end(), target) != chain.links.end()) dependants.push_back(i);
  }
  return dependants;
}

}  // namespace autoarchive
