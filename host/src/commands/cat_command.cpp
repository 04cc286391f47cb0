#include <fmt/format.h>

#include <stop_token>
#include <utility>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/storage/sink.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"

namespace autoarchive::host {
namespace {

/// Standard output, as raw bytes, until somebody wants to stop.
class OutputSink final : public Sink {
 public:
  OutputSink(std::ostream& out, std::stop_token stop) : out_(out), stop_(std::move(stop)) {}
  void write(ByteView bytes) override {
    if (stop_.stop_requested()) throw Error(ErrorCode::runtime_error, "stopped on request", ErrorCause::cancelled);
    out_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    check();
  }
  void finish() override {
    out_.flush();
    check();
  }

 private:
  void check() const {
    if (!out_) throw Error(ErrorCode::os_error, "standard output can't be written to");
  }
  std::ostream& out_;
  std::stop_token stop_;
};

}  // namespace

ExitStatus run_command(Session& session, const CatCommand& command) {
  if (session.options().json) {
    throw Error(ErrorCode::value_error, "cat writes the file as it is; leave out --json, or use ls --json",
                ErrorCause::usage);
  }
  const auto source = open_source(session, command.target, command.destination);
  report_remarks(session, source);
  const auto reader = session.providers().reader_for(*source.levels.back().file);
  OutputSink out(session.process().out, session.process().stop);
  for (const auto& path : command.paths) reader->read_content(source.levels, normalize_path(path), out);
  out.finish();
  return ExitStatus::ok;
}

}  // namespace autoarchive::host
