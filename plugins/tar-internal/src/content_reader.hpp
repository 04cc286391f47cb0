/// \file
/// One file's content out of a chain.
#pragma once

#include <string_view>
#include <vector>

#include "autoarchive/archiver/iarchive_reader.hpp"
#include "autoarchive/storage/sink.hpp"

namespace autoarchive::tar_internal {

/// As IArchiveReader::read_content().
void write_content(const std::vector<ArchiveLevel>& levels, std::string_view path, Sink& out);

}  // namespace autoarchive::tar_internal
