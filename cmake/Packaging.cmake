# `cpack` in a build directory makes a Debian package of it: program, library, plugins, headers, manual, completion. What only
# a package has (configuration, copyright, change log) is added by package/add_files.cmake.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME autoarchive)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGE_DESCRIPTION
  "The program aa makes backups from a timer or by hand: full or by levels,
compressed by several threads, each with a manifest and a digest. It keeps
older generations, verifies and restores, and tells whether all is well.
Any tar reads its files.")
if(NOT CPACK_PACKAGE_CONTACT)  # whoever gives the package to others names himself
  set(CPACK_PACKAGE_CONTACT "AutoArchive maintainers <maintainers@autoarchive.invalid>")
endif()
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/package/add_files.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "g++, cmake")  # to build plugins
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(package ${PROJECT_SOURCE_DIR}/cmake/package)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${package}/conffiles ${package}/triggers ${package}/postinst ${package}/prerm
  ${package}/postrm)
set(CPACK_AA_SOURCE_DIR ${PROJECT_SOURCE_DIR})  # CPACK_…: only those reach the script
include(CPack)
