/// \file
/// What a plugin says of itself, as text: sorted "key=value" lines.
///
///     abi.…=…                                        fingerprint, written by the SDK (fingerprint.hpp)
///     format=1
///     id=org.autoarchive.tar-internal                reverse DNS
///     name=tar-internal
///     provider.tar-internal.features.tar.gz=CompressionStrength,Incremental
///     provider.tar-internal.needs=tar                executables that have to be there
///     provider.tar-internal.option.tar.doc=The program
///     provider.tar-internal.option.tar.type=path     text, path, boolean, integer
///     provider.tar-internal.option.width.range=1..64 for an integer; optional
///     provider.tar-internal.option.width.type=integer
///     provider.tar-internal.service=archiver
///     provider.tar-internal.types=tar,tar.gz
///     version=1.0.0
///
/// Keys that are not known are kept and ignored.
#pragma once

#include <cstddef>

namespace autoarchive {

inline constexpr int kDescriptorFormat = 1;
inline constexpr std::size_t kMaxDescriptorBytes = 16 * 1024;

}  // namespace autoarchive
