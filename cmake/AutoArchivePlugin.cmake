# aa_add_plugin(NAME tar-internal ID org.autoarchive.tar-internal VERSION 1.0.0 SOURCES … [LINK …])
#
# A shared library that the host loads at run time: NAME.so, exporting one function, bound at load time, with its own copy of
# nothing that could mix with another plugin's. Works in this project and from the installed package.
set(_AA_PLUGIN_MAP ${CMAKE_CURRENT_LIST_DIR}/plugin.map)

function(aa_add_plugin)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;ID;VERSION" "SOURCES;LINK")
  foreach(required NAME ID VERSION SOURCES)
    if(NOT arg_${required})
      message(FATAL_ERROR "aa_add_plugin: ${required} is missing")
    endif()
  endforeach()
  add_library(${arg_NAME} MODULE ${arg_SOURCES})
  if(TARGET autoarchive_core)
    target_link_libraries(${arg_NAME} PRIVATE autoarchive_core aa_options ${arg_LINK})
  else()
    target_link_libraries(${arg_NAME} PRIVATE AutoArchive::sdk ${arg_LINK})
    set_target_properties(${arg_NAME} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  target_compile_definitions(${arg_NAME} PRIVATE
    AA_PLUGIN_NAME="${arg_NAME}" AA_PLUGIN_ID="${arg_ID}" AA_PLUGIN_VERSION="${arg_VERSION}")
  # Unique symbols (static data of templates) would be shared between plugins in spite of RTLD_LOCAL.
  target_compile_options(${arg_NAME} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
  target_link_options(${arg_NAME} PRIVATE -Wl,-z,now,-z,relro -Wl,--exclude-libs,ALL -Wl,--version-script=${_AA_PLUGIN_MAP})
  if(NOT AA_SANITIZE)  # a sanitizer's runtime comes with the program
    target_link_options(${arg_NAME} PRIVATE -Wl,-z,defs)
  endif()
  set_target_properties(${arg_NAME} PROPERTIES
    PREFIX "" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS ${_AA_PLUGIN_MAP})
  if(TARGET autoarchive_core)
    set_target_properties(${arg_NAME} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${AA_PLUGIN_INSTALL_DIR} INSTALL_RPATH "$ORIGIN/../..")
  endif()
endfunction()
