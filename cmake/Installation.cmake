# Program, core library, headers, and the package that find_package(AutoArchive) finds. aa_add_plugin() installs plugins,
# config/ what it ships.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/AutoArchive)

install(TARGETS aa RUNTIME)
install(TARGETS autoarchive_core autoarchive_sdk autoarchive_kit EXPORT AutoArchiveTargets LIBRARY ARCHIVE FILE_SET HEADERS)
install(EXPORT AutoArchiveTargets NAMESPACE AutoArchive:: DESTINATION ${package_dir})
configure_package_config_file(cmake/AutoArchiveConfig.cmake.in AutoArchiveConfig.cmake INSTALL_DESTINATION ${package_dir}
  PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(AutoArchiveConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/AutoArchiveConfig.cmake ${PROJECT_BINARY_DIR}/AutoArchiveConfigVersion.cmake
  cmake/AutoArchivePlugin.cmake cmake/plugin.map
  DESTINATION ${package_dir})

# The same for builds without CMake: pkg-config --cflags --libs autoarchive, with the flags of aa_add_plugin().
file(RELATIVE_PATH prefix_from_pkgconfig /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/autoarchive.pc.in autoarchive.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/autoarchive.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
