#include "process.hpp"

int main(int argc, char** argv) {
  return autoarchive::host::run_process(argc, argv);
}
