/// \file
/// Which metadata a backup was made without: what its manifest's definition says behind the digest.
#pragma once

#include <string>
#include <string_view>

#include "autoarchive/base/export.hpp"
#include "autoarchive/tree/attributes.hpp"

namespace autoarchive {

/// ManifestHeader::definition_digest with the names of the options that are off, all but sparse, e.g. "9f2c… xattrs
/// acls".
[[nodiscard]] AA_EXPORT std::string with_metadata_off(std::string definition, const MetadataOptions& options);

/// An option that is on now and that a backup with this definition was made without, e.g. "xattrs": what has not
/// changed since is in it without that. Empty: none, or not known, as in a manifest of an older program.
[[nodiscard]] AA_EXPORT std::string_view added_metadata(std::string_view definition, const MetadataOptions& now);

}  // namespace autoarchive
