/// \file
/// Figures in the text format that Prometheus reads.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace autoarchive::host {

/// Gauges by name; one line for each archive that has a value. A plain value.
class PrometheusText {
 public:
  void add(const std::string& name, std::string_view help, const std::string& archive, double value);
  [[nodiscard]] std::string text() const;

 private:
  struct Gauge {
    std::string help;
    std::vector<std::string> lines;
  };
  std::map<std::string, Gauge> gauges_;
};

}  // namespace autoarchive::host
