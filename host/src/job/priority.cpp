#include "job/priority.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace autoarchive::host {
namespace {

// linux/ioprio.h, which Debian 12's headers have only in part.
constexpr int kWhoProcess = 1;
constexpr int kClassShift = 13;
constexpr int kClassBestEffort = 2;
constexpr int kClassIdle = 3;
constexpr int kLowestOfClass = 7;

}  // namespace

void lower_priority(std::optional<int> nice, const std::string& io_class) {
  if (nice) ::setpriority(PRIO_PROCESS, 0, *nice);
  if (io_class.empty()) return;
  const int value = io_class == "idle" ? kClassIdle << kClassShift : (kClassBestEffort << kClassShift) | kLowestOfClass;
  ::syscall(SYS_ioprio_set, kWhoProcess, 0, value);
}

}  // namespace autoarchive::host
