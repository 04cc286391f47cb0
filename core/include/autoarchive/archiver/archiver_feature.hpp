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
/// The number of a feature is its place here: CompressionStrength 0, Incremental 1, RandomAccess 2.
inline const std::array<ArchiverFeature, 3> kWellKnown{kCompressionStrength, kIncremental, kRandomAccess};
}  // namespace archiver_feature

}  // namespace autoarchive
