#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"
#include "job/tree_difference.hpp"

namespace autoarchive::host {
namespace {

std::unique_ptr<ManifestReader> open_manifest(Session& session, const Target& target,
                                              const std::optional<std::string>& destination) {
  auto source = open_source(session, target, destination);
  auto& newest = source.levels.back();
  if (newest.manifest) return std::make_unique<ManifestReader>(std::move(newest.manifest));
  report_remarks(session, source);
  throw Error(ErrorCode::value_error,
              fmt::format("{} has no manifest that can be used, and diff compares manifests", source.description),
              ErrorCause::no_such_backup);
}

class Differences {
 public:
  explicit Differences(Session& session) : session_(session) { session_.console().begin_array("differences"); }

  void add(const TreeDifference& difference) {
    ++count_;
    if (!session_.options().json) {
      return session_.console().result(
          fmt::format("{} {}{}", difference.letter, quote(difference.path),
                      difference.what.empty() ? "" : fmt::format("  ({})", fmt::join(difference.what, ", "))));
    }
    Json::Object object;
    add_path(object, difference.path);
    object.emplace_back("change", std::string(1, difference.letter));
    object.emplace_back("what", Json::Array(difference.what.begin(), difference.what.end()));
    session_.console().element(std::move(object));
  }
  void unreadable(std::string_view path, int os_errno) {
    session_.console().problem({Severity::warning, "file.unreadable", "",
                                fmt::format("{}: {}, not compared", quote(path), errno_text(os_errno))});
    is_complete_ = false;
  }

  // Differences are what was asked for, and still worth a status of their own.
  ExitStatus finish() {
    const auto status = count_ > 0 || !is_complete_ ? ExitStatus::warnings : ExitStatus::ok;
    session_.console().document(
        {{"exit_code", static_cast<int>(status)}, {"count", count_}, {"complete", is_complete_}});
    return status;
  }

 private:
  Session& session_;
  std::uint64_t count_ = 0;
  bool is_complete_ = true;
};

}  // namespace

ExitStatus run_command(Session& session, const DiffCommand& command) {
  if (command.live == command.second.has_value()) {
    throw Error(ErrorCode::value_error, "diff: give a second backup, or --live for the tree as it is now",
                ErrorCause::usage);
  }
  auto first = open_manifest(session, command.first, command.overrides.destination);
  Differences differences(session);
  const DifferenceReport report = [&](const TreeDifference& difference) { differences.add(difference); };
  if (command.second) {
    const auto second = open_manifest(session, *command.second, command.overrides.destination);
    compare_manifests(*first, *second, report);
  } else {
    auto archive = session.archive(command.first.archive, command.overrides);
    if (archive.root.empty()) archive.root = first->header().root;
    std::optional<BackupSource> source;  // opened when it is needed, which is seldom
    const auto stored = [&](const std::string& path, Sink& out) {
      if (!source) source = open_source(session, command.first, command.overrides.destination);
      session.providers().reader_for(*source->levels.back().file)->read_content(source->levels, path, out);
    };
    compare_with_tree(
        std::move(first), archive, /*every_content=*/false, stored, report,
        [&](std::string_view path, int os_errno) { differences.unreadable(path, os_errno); }, session.process().stop);
  }
  return differences.finish();
}

}  // namespace autoarchive::host
