// An author's own test program, as autoarchive/kit/gtest.hpp shows it: usage: conformance PLUGIN [ARGUMENT OF
// GoogleTest…]
#include <autoarchive/kit/gtest.hpp>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) return 2;
  autoarchive::kit::register_conformance_tests({argv[1]});
  return RUN_ALL_TESTS();
}
