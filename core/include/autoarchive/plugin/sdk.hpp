/// \file
/// The contract of a plugin, on one page.
///
/// A plugin is a shared library made by aa_add_plugin(), with one component that registers providers of services, and
/// this in one of its files:
///
///     #include <autoarchive/plugin/sdk.hpp>
///
///     AA_PLUGIN(ZipComponent,
///               "provider.zip.features.zip=CompressionStrength\n"
///               "provider.zip.service=archiver\n"
///               "provider.zip.types=zip\n")
///
/// The second argument declares the providers (syntax: descriptor.hpp), sorted by key. Declared and registered
/// providers have to be the same, or the plugin is refused (AA-P605).
///
/// Rules: loading has no side effects; a component may be made any number of times, one beside another, and makes no
/// provider itself; what it throws is reported (AA-P604) and leaves nothing registered; the library is never unloaded.
/// Classes of the host are used as their headers say.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string_view>

#include "autoarchive/base/export.hpp"
#include "autoarchive/plugin/abi.h"
#include "autoarchive/plugin/descriptor.hpp"
#include "autoarchive/plugin/fingerprint.hpp"
#include "autoarchive/service/application_context.hpp"
#include "autoarchive/service/iservice_component.hpp"
#include "autoarchive/service/service_accessor.hpp"

namespace autoarchive::sdk {

inline void copy_error(std::string_view text, char* error, std::size_t error_size) noexcept {
  if (error == nullptr || error_size == 0) return;
  const auto length = std::min(text.size(), error_size - 1);
  std::memcpy(error, text.data(), length);
  error[length] = '\0';
}

/// Behind the door: no exception gets through it.
template <class Component>
void* create_component(void* application_context, void* service_accessor, char* error,
                       std::size_t error_size) noexcept {
  try {
    IServiceComponent* const component = new Component(*static_cast<ApplicationContext*>(application_context),
                                                       *static_cast<ServiceAccessor*>(service_accessor));
    return component;
  } catch (const std::exception& failure) {
    copy_error(failure.what(), error, error_size);
  } catch (...) {
    copy_error("an exception that is no std::exception", error, error_size);
  }
  return nullptr;
}

inline void destroy_component(void* component) noexcept {
  delete static_cast<IServiceComponent*>(component);
}

/// An ELF note as it lies in the file: its header, the owner's name and the descriptor, each padded to four bytes. Has
/// no constructor: with one, the compiler would put it into a section that can be written to.
template <std::size_t descriptor_bytes>
struct alignas(4) DescriptorNote {
  std::uint32_t owner_size;
  std::uint32_t descriptor_size;
  std::uint32_t type;
  char owner[4];
  char descriptor[descriptor_bytes];
};

template <std::size_t size_with_zero>
constexpr DescriptorNote<size_with_zero - 1> descriptor_note(const char (&text)[size_with_zero]) {
  static_assert(size_with_zero <= kMaxDescriptorBytes, "the descriptor is too long");
  DescriptorNote<size_with_zero - 1> note{
      sizeof(AUTOARCHIVE_NOTE_OWNER), size_with_zero - 1, AUTOARCHIVE_NOTE_TYPE, AUTOARCHIVE_NOTE_OWNER, {}};
  for (std::size_t i = 0; i + 1 < size_with_zero; ++i) note.descriptor[i] = text[i];
  return note;
}

}  // namespace autoarchive::sdk

/// AA_PLUGIN_ID, AA_PLUGIN_NAME and AA_PLUGIN_VERSION come from aa_add_plugin().
#define AA_PLUGIN(Component, provider_lines)                                                                           \
  namespace {                                                                                                          \
  [[gnu::used, gnu::section(AUTOARCHIVE_NOTE_SECTION)]] constexpr auto kAutoarchiveNote =                              \
      autoarchive::sdk::descriptor_note(AA_FINGERPRINT                                                                 \
                                        "format=1\n"                                                                   \
                                        "id=" AA_PLUGIN_ID                                                             \
                                        "\n"                                                                           \
                                        "name=" AA_PLUGIN_NAME "\n" provider_lines "version=" AA_PLUGIN_VERSION "\n"); \
  }                                                                                                                    \
  extern "C" AA_EXPORT const autoarchive_plugin* autoarchive_plugin_entry() {                                          \
    static constexpr autoarchive_plugin kPlugin{sizeof(autoarchive_plugin),                                            \
                                                AUTOARCHIVE_ABI_KIND_CXX,                                              \
                                                AUTOARCHIVE_ABI_EPOCH,                                                 \
                                                kAutoarchiveNote.descriptor_size,                                      \
                                                kAutoarchiveNote.descriptor,                                           \
                                                &autoarchive::sdk::create_component<Component>,                        \
                                                &autoarchive::sdk::destroy_component};                                 \
    return &kPlugin;                                                                                                   \
  }
