/// \file
/// What the configuration says to providers, checked against what their plugins declare.
#pragma once

#include <string>
#include <vector>

#include "autoarchive/plugin/loader.hpp"
#include "config/config.hpp"

namespace autoarchive::host {

/// One line a fault: "config.yaml:7:20: provider 'zip' has no option 'colr'; did you mean color?". Providers that no
/// usable plugin declares are left out: what they take is not known.
[[nodiscard]] std::vector<std::string> option_faults(const PluginsConfig& plugins,
                                                     const std::vector<PluginReport>& reports);

}  // namespace autoarchive::host
