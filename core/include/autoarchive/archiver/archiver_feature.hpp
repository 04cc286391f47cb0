/// \file
/// What an archiver can do beyond making a backup. An open set: a plugin may bring its own.
#pragma once

#include <array>
#include <compare>
#include <string>

namespace autoarchive {

/// A named ability. A plain value.
struct ArchiverFeature {
  std::string name;  ///< printed form, e.g. "Incremental"
  friend auto operator<=>(const ArchiverFeature&, const ArchiverFeature&) = default;
};

namespace archiver_feature {
inline const ArchiverFeature kCompressionStrength{"CompressionStrength"};  ///< takes a strength 0..9
inline const ArchiverFeature kIncremental{"Incremental"};                  ///< makes levels
inline const ArchiverFeature kRandomAccess{"RandomAccess"};  ///< one file comes out without reading all before it
/// A reader brings back what it makes, levels included. Counts only where a plugin with such a reader is there.
inline const ArchiverFeature kRestore{"Restore"};
/// A reader tells, with the manifest, when any byte of it has changed. Counts only where such a reader is there.
inline const ArchiverFeature kVerify{"Verify"};
/// Nothing of an entry is lost: nanoseconds, owners, all bits of the mode, ACLs, extended attributes, holes, hard
/// links, devices and FIFOs come back.
inline const ArchiverFeature kMetadata{"Metadata"};
/// The number of a feature is its place here, e.g. CompressionStrength 0, Incremental 1.
inline const std::array<ArchiverFeature, 6> kWellKnown{
    kCompressionStrength, kIncremental, kRandomAccess, kRestore, kVerify, kMetadata};
}  // namespace archiver_feature

}  // namespace autoarchive
