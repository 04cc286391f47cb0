# aa_add_plugin(NAME tar-internal ID org.autoarchive.tar-internal VERSION 1.0.0 SOURCES … [LINK …] [OUTPUT_DIRECTORY dir])
#
# A shared library that the host loads at run time: NAME.so, exporting one function, bound at load time, with its own copy of
# nothing that could mix with another plugin's. Installed to where the host looks, unless OUTPUT_DIRECTORY says that it is only
# built (a test's fixture). Outside of this project it is also a test: ctest runs aa plugins validate on it. Works in this project and from the installed package, where a sanitizer comes in CMAKE_CXX_FLAGS.
set(_AA_PLUGIN_MAP ${CMAKE_CURRENT_LIST_DIR}/plugin.map)

function(aa_add_plugin)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;ID;VERSION;OUTPUT_DIRECTORY" "SOURCES;LINK")
  foreach(required NAME ID VERSION SOURCES)
    if(NOT arg_${required})
      message(FATAL_ERROR "aa_add_plugin: ${required} is missing")
    endif()
  endforeach()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "aa_add_plugin(${arg_NAME}): unknown argument ${arg_UNPARSED_ARGUMENTS}")
  endif()

  add_library(${arg_NAME} MODULE ${arg_SOURCES})
  target_link_libraries(${arg_NAME} PRIVATE AutoArchive::sdk $<TARGET_NAME_IF_EXISTS:aa_options> ${arg_LINK})
  target_compile_definitions(${arg_NAME} PRIVATE
    AA_PLUGIN_NAME="${arg_NAME}" AA_PLUGIN_ID="${arg_ID}" AA_PLUGIN_VERSION="${arg_VERSION}")
  # Unique symbols (static data of templates) would be shared between plugins in spite of RTLD_LOCAL.
  target_compile_options(${arg_NAME} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
  target_link_options(${arg_NAME} PRIVATE
    -Wl,-z,now,-z,relro -Wl,-z,noexecstack -Wl,--exclude-libs,ALL -Wl,--version-script=${_AA_PLUGIN_MAP})
  if(NOT "${AA_SANITIZE}${CMAKE_CXX_FLAGS}" MATCHES "address|undefined|thread")  # a sanitizer's runtime comes with the program
    target_link_options(${arg_NAME} PRIVATE -Wl,-z,defs)
  endif()
  # No RUNPATH: the core library is the one that the host has loaded.
  set_target_properties(${arg_NAME} PROPERTIES
    PREFIX "" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS ${_AA_PLUGIN_MAP}
    BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "")

  if(arg_OUTPUT_DIRECTORY)
    set_target_properties(${arg_NAME} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${arg_OUTPUT_DIRECTORY})
  else()
    set_target_properties(${arg_NAME} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${AA_PLUGIN_BUILD_DIR})
    install(TARGETS ${arg_NAME} LIBRARY DESTINATION ${AA_PLUGIN_INSTALL_DIR})
  endif()
  if(AutoArchive_PROGRAM)  # from the installed package
    add_test(NAME ${arg_NAME}.validate COMMAND ${AutoArchive_PROGRAM} plugins validate $<TARGET_FILE:${arg_NAME}>)
  endif()
endfunction()
