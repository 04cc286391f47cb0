#include <fmt/format.h>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/storage/sink.hpp"
#include "commands/backup_source.hpp"
#include "commands/commands.hpp"

namespace autoarchive::host {
namespace {

/// Standard output, as raw bytes.
class OutputSink final : public Sink {
 public:
  explicit OutputSink(std::ostream& out) : out_(out) {}
  void write(ByteView bytes) override {
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
  OutputSink out(session.process().out);
  for (const auto& path : command.paths) reader->read_content(source.levels, normalize_path(path), out);
  out.finish();
  return ExitStatus::ok;
}

}  // namespace autoarchive::host
