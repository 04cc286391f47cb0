/// \file
/// The pages of the manual, for man(1), made from what reads the command line and the configuration.
#pragma once

#include <string>
#include <string_view>

#include "command_line.hpp"

namespace autoarchive::host {

/// aa(1).
[[nodiscard]] std::string program_manual(const VerbDescription& commands);
/// aa.yaml(5).
[[nodiscard]] std::string configuration_manual();

/// Text as troff takes it: no byte of it is a request or an escape, and "-" stays what it is.
[[nodiscard]] std::string roff(std::string_view text);
/// Our reference pages as troff: headings, paragraphs, tables and `code` of Markdown. The title is left out.
[[nodiscard]] std::string roff_of_markdown(std::string_view markdown);

}  // namespace autoarchive::host
