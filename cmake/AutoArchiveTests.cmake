# aa_add_test(NAME core_base SOURCES … [LINK …] [LABELS unit])
#
# One executable with GoogleTest cases, core_base_test, one executable a folder; each case is a test of ctest. The core library
# and the helpers of tests/support come with it, and the paths of what a test may start or load.
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
  set(test ${arg_NAME}_test)
  add_executable(${test} ${arg_SOURCES})
  target_link_libraries(${test} PRIVATE
    aa_options $<TARGET_NAME_IF_EXISTS:aa_test_support> AutoArchive::core ${arg_LINK} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${test} PRIVATE
    AA_PROGRAM="$<TARGET_FILE:aa>" AA_PLUGIN_DIR="${PROJECT_BINARY_DIR}/${AA_PLUGIN_INSTALL_DIR}"
    AA_FIXTURE_DIR="${PROJECT_BINARY_DIR}/tests/fixtures" AA_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # GoogleTest's templates take twice as long to compile when they are optimised, and a test spends its time in what it tests.
  target_compile_options(${test} PRIVATE -O0)
  set_target_properties(${test} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  string(REPLACE ";" "\\;" labels "${arg_LABELS}")
  # A parameter's value may be printed with addresses in it; each has a name.
  gtest_discover_tests(${test} NO_PRETTY_VALUES DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${labels}" TIMEOUT 300)
endfunction()

# aa_add_internals(tar-internal)
#
# Makes tar-internal-internals: the object files of a library or plugin once more, for tests of what it does not export. What the
# core library exports still comes from the library, because a test links that first.
function(aa_add_internals target)
  add_library(${target}-internals STATIC $<TARGET_OBJECTS:${target}>)
  set_target_properties(${target}-internals PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(${target}-internals INTERFACE $<TARGET_PROPERTY:${target},SOURCE_DIR>/src)
  target_link_libraries(${target}-internals INTERFACE
    $<TARGET_GENEX_EVAL:${target},$<TARGET_PROPERTY:${target},LINK_LIBRARIES>>)
endfunction()
