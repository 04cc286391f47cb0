#include "output/prometheus.hpp"

#include <fmt/format.h>

namespace autoarchive::host {

// An archive's name has no byte that would have to be escaped in a label.
void PrometheusText::add(const std::string& name, std::string_view help, const std::string& archive, double value) {
  auto& gauge = gauges_[name];
  gauge.help = help;
  gauge.lines.push_back(fmt::format("{}{{archive=\"{}\"}} {}", name, archive, value));
}

std::string PrometheusText::text() const {
  std::string out;
  for (const auto& [name, gauge] : gauges_) {
    out += fmt::format("# HELP {} {}\n# TYPE {} gauge\n", name, gauge.help, name);
    for (const auto& line : gauge.lines) out += line + "\n";
  }
  return out;
}

}  // namespace autoarchive::host
