/// \file
/// How a translation unit was built, as far as host and plugin have to agree on it: descriptor lines made by the
/// compiler.
#pragma once

#include "autoarchive/plugin/abi.h"
#include "autoarchive/plugin/headers_hash.hpp"

#define AA_STRINGIFY_EXPANDED(x) #x
#define AA_STRINGIFY(x) AA_STRINGIFY_EXPANDED(x)

#if defined(_GLIBCXX_RELEASE)
#define AA_FINGERPRINT_LIBRARY "libstdc++"
#define AA_FINGERPRINT_RELEASE AA_STRINGIFY(_GLIBCXX_RELEASE)
#define AA_FINGERPRINT_CXX11 AA_STRINGIFY(_GLIBCXX_USE_CXX11_ABI)
#else
#define AA_FINGERPRINT_LIBRARY "other"
#define AA_FINGERPRINT_RELEASE "0"
#define AA_FINGERPRINT_CXX11 "0"
#endif

#if defined(_GLIBCXX_DEBUG)
#define AA_FINGERPRINT_DEBUG "1"
#else
#define AA_FINGERPRINT_DEBUG "0"
#endif

#if defined(__cpp_rtti)
#define AA_FINGERPRINT_RTTI "1"
#else
#define AA_FINGERPRINT_RTTI "0"
#endif

#if defined(__cpp_exceptions)
#define AA_FINGERPRINT_EXCEPTIONS "1"
#else
#define AA_FINGERPRINT_EXCEPTIONS "0"
#endif

#if defined(__has_feature)
#define AA_HAS_FEATURE(x) __has_feature(x)
#else
#define AA_HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || AA_HAS_FEATURE(address_sanitizer)
#define AA_FINGERPRINT_SANITIZERS "address"
#elif defined(__SANITIZE_THREAD__) || AA_HAS_FEATURE(thread_sanitizer)
#define AA_FINGERPRINT_SANITIZERS "thread"
#else
#define AA_FINGERPRINT_SANITIZERS "none"
#endif

/// The lines "abi.…" of a descriptor.
#define AA_FINGERPRINT \
  "abi.cxx11=" AA_FINGERPRINT_CXX11 "\n"                     \
  "abi.debug_stl=" AA_FINGERPRINT_DEBUG "\n"                 \
  "abi.epoch=" AA_STRINGIFY(AUTOARCHIVE_ABI_EPOCH) "\n"      \
  "abi.exceptions=" AA_FINGERPRINT_EXCEPTIONS "\n"           \
  "abi.headers=" AUTOARCHIVE_HEADERS_HASH "\n"               \
  "abi.kind=" AA_STRINGIFY(AUTOARCHIVE_ABI_KIND_CXX) "\n"    \
  "abi.library=" AA_FINGERPRINT_LIBRARY "\n"                 \
  "abi.library_release=" AA_FINGERPRINT_RELEASE "\n"         \
  "abi.rtti=" AA_FINGERPRINT_RTTI "\n"                       \
  "abi.sanitizers=" AA_FINGERPRINT_SANITIZERS "\n"
