# aa_add_test(NAME core_base_test SOURCES … [LINK …] [LABELS unit])
#
# One executable with GoogleTest cases, one executable a folder; each case is a test of ctest. The helpers of tests/support
# come with it: #include "support/temp_dir.hpp".
include(GoogleTest)

function(aa_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;LINK;LABELS")
  foreach(required NAME SOURCES)
    if(NOT arg_${required})
      message(FATAL_ERROR "aa_add_test: ${required} is missing")
    endif()
  endforeach()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "aa_add_test(${arg_NAME}): unknown argument ${arg_UNPARSED_ARGUMENTS}")
  endif()
  add_executable(${arg_NAME} ${arg_SOURCES})
  target_link_libraries(${arg_NAME} PRIVATE aa_options aa_test_support ${arg_LINK} GTest::gmock GTest::gtest_main)
  set_target_properties(${arg_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  string(REPLACE ";" "\\;" labels "${arg_LABELS}")
  gtest_discover_tests(${arg_NAME} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${labels}")
endfunction()

# aa_add_internals(autoarchive_core)
#
# Makes autoarchive_core-internals: the same object files, for tests of what the library does not export. A test links this or
# the library, never both: there would be two of everything.
function(aa_add_internals target)
  add_library(${target}-internals STATIC $<TARGET_OBJECTS:${target}>)
  set_target_properties(${target}-internals PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(${target}-internals INTERFACE
    $<TARGET_PROPERTY:${target},SOURCE_DIR>/src $<TARGET_PROPERTY:${target},INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_features(${target}-internals INTERFACE cxx_std_20)
  target_link_libraries(${target}-internals INTERFACE $<TARGET_PROPERTY:${target},LINK_LIBRARIES>)
endfunction()
