/* The door between the host and a plugin: C, and frozen.
 *
 * A plugin is a shared library that exports exactly one function, autoarchive_plugin_entry(). What stands behind it is
 * C++ (the "room") and is entered only when kind, epoch and fingerprint are the host's own. */
#ifndef AUTOARCHIVE_PLUGIN_ABI_H
#define AUTOARCHIVE_PLUGIN_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What create_component() makes. A pure C room would be another kind. */
#define AUTOARCHIVE_ABI_KIND_CXX 1u
/* Raised when an interface of the room changes. 0: the interfaces have not settled, and the hash of the public headers
 * is compared as well. */
#define AUTOARCHIVE_ABI_EPOCH 1u
#define AUTOARCHIVE_PLUGIN_ENTRY_NAME "autoarchive_plugin_entry"

/* The descriptor lies in an ELF note of this section, owner and type, so that it is read without loading the plugin. */
#define AUTOARCHIVE_NOTE_SECTION ".note.autoarchive"
#define AUTOARCHIVE_NOTE_OWNER "AA"
#define AUTOARCHIVE_NOTE_TYPE 1u

/* Static data of the plugin; valid while it is loaded, which is for as long as the process lives. New members are only
 * ever added at the end; struct_size tells which are there. */
typedef struct autoarchive_plugin {
  uint32_t struct_size; /* sizeof(autoarchive_plugin) as the plugin was built */
  uint32_t abi_kind;    /* AUTOARCHIVE_ABI_KIND_CXX */
  uint32_t abi_epoch;   /* AUTOARCHIVE_ABI_EPOCH */
  /* Sorted "key=value\n" lines, plain characters, no terminating zero: id, version, providers, fingerprint … The very
   * bytes of the note. The keys are in autoarchive/plugin/descriptor.hpp. */
  uint32_t descriptor_size;
  const char* descriptor;
  /* Makes the component: arguments are ApplicationContext* and ServiceAccessor*, the result is an IServiceComponent*.
   * Throws nothing: on failure it returns NULL and leaves a text, cut to error_size and ended by a zero, in error.
   * Called any number of times and on any thread, for one accessor by one thread at a time; components of several
   * accessors may be there at once. */
  void* (*create_component)(void* application_context, void* service_accessor, char* error, size_t error_size);
  /* Destroys it, before its context and accessor end. Throws nothing. NULL is fine. */
  void (*destroy_component)(void* component);
} autoarchive_plugin;

/* Has no side effects. */
const autoarchive_plugin* autoarchive_plugin_entry(void);

#ifdef __cplusplus
}
#endif
#endif
