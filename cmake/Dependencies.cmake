# Every third-party library under one name, as system headers.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(LibArchive REQUIRED)
find_package(ZLIB REQUIRED)
find_package(BZip2 REQUIRED)
find_package(LibLZMA REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(deflate REQUIRED IMPORTED_TARGET libdeflate)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)

# yaml-cpp 0.7 exports the plain name, 0.8 the one with the namespace.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()

# Boost.DLL is header-only with the standard's filesystem library; the definition has to be the same everywhere.
add_library(aa_boost INTERFACE)
target_link_libraries(aa_boost INTERFACE Boost::headers ${CMAKE_DL_LIBS})
target_compile_definitions(aa_boost INTERFACE BOOST_DLL_USE_STD_FS)
