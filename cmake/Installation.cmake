# Program, core library, headers, and the package that find_package(AutoArchive) finds. aa_add_plugin() installs plugins,
# config/ what it ships.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/AutoArchive)

install(TARGETS aa RUNTIME)
install(TARGETS autoarchive_core autoarchive_sdk EXPORT AutoArchiveTargets LIBRARY FILE_SET HEADERS)
install(EXPORT AutoArchiveTargets NAMESPACE AutoArchive:: DESTINATION ${package_dir})
configure_package_config_file(cmake/AutoArchiveConfig.cmake.in AutoArchiveConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(AutoArchiveConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/AutoArchiveConfig.cmake ${PROJECT_BINARY_DIR}/AutoArchiveConfigVersion.cmake
  cmake/AutoArchivePlugin.cmake cmake/plugin.map
  DESTINATION ${package_dir})
