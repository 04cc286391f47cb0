#include "autoarchive/base/version.hpp"

namespace autoarchive {

std::string_view version() noexcept {
  return AA_VERSION;
}

}  // namespace autoarchive
