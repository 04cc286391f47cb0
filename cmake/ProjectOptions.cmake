# aa_options: what every target of this project is compiled with. Linked PRIVATE, so that it never reaches an installed target.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

add_library(aa_options INTERFACE)
target_compile_features(aa_options INTERFACE cxx_std_20)
target_compile_definitions(aa_options INTERFACE _FILE_OFFSET_BITS=64)
target_compile_options(aa_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast
  -Wcast-qual -Wformat=2 -Wundef)
# GCC 12 sees overflows in inlined standard library code that are not there (GCC bugs 105329, 105651).
target_compile_options(aa_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-stringop-overflow;-Wno-array-bounds>)

# Hardening. Not -z,nodlopen: it would make plugins unloadable.
target_compile_options(aa_options INTERFACE -fstack-protector-strong)
target_compile_definitions(aa_options INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(aa_options INTERFACE -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
if(AA_SANITIZE)
  target_compile_options(aa_options INTERFACE -fsanitize=${AA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(aa_options INTERFACE -fsanitize=${AA_SANITIZE})
endif()

# First values of the properties of every target. A packager with a newer compiler: cmake --compile-no-warning-as-error.
set(CMAKE_COMPILE_WARNING_AS_ERROR ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
