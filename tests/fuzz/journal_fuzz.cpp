// The journal of a commit, with the digest that it has to have: what is read is exactly what would be written.
#include "autoarchive/base/digest.hpp"
#include "storage/journal.hpp"
#include "target.hpp"

namespace autoarchive::fuzz {
namespace {

/// The lines with their digest behind them, in the place of another one.
std::string sealed(std::string_view text) {
  const auto lines = std::string(text.substr(0, text.rfind("sha256 ")));
  return lines + "sha256 " + sha256_of(bytes_of(lines)) + "\n";
}

}  // namespace

void take_input(ByteView input) {
  static_cast<void>(Journal::parse(text_of(input)));
  const auto journal = Journal::parse(sealed(text_of(input)));
  if (!journal) return;
  const auto again = Journal::parse(journal->text());
  expect(again.has_value() && again->text() == journal->text(), "a journal comes back");
  for (const auto& step : journal->steps)
    expect(step.action <= JournalStep::Action::unstate, "a step is one that is known");
}

}  // namespace autoarchive::fuzz
