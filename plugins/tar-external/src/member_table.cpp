#include "member_table.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

#include "autoarchive/base/error.hpp"

namespace autoarchive::tar_external {
namespace {

enum class RecordKind : std::uint32_t { member, link, problem };

}  // namespace

struct MemberTable::Record {
  Key path{};
  Key value{};             // member: offset and digest; link: its target's path; problem: the state
  std::uint64_t size = 0;  // of a member
  RecordKind kind = RecordKind::member;
  EntryKind entry_kind = EntryKind::file;  // of a member
  bool has_digest = false;
  bool has_names = false;  // of a member: a link leads to it
};

MemberTable::MemberTable(const std::filesystem::path& directory) : file_(directory) {}

MemberTable::~MemberTable() {
  if (!records_.empty()) ::munmap(records_.data(), records_.size_bytes());
}

// Two digests of 64 bits: of the path, and of the path and one byte more, which no path has.
MemberTable::Key MemberTable::key_of(std::string_view path) {
  digest_.reset();
  digest_.update(std::as_bytes(std::span(path)));
  const auto first = digest_.value();
  digest_.update(std::as_bytes(std::span("", 1)));
  return {first, digest_.value()};
}

void MemberTable::add(const Record& record) {
  file_.write(std::as_bytes(std::span(&record, 1)));
}

void MemberTable::add_member(const StreamMember& member) {
  Record record;
  record.path = key_of(member.path);
  if (member.link_path.empty()) {
    record.value = {member.offset, member.digest.value_or(0)};
    record.has_digest = member.digest.has_value();
    record.size = member.size;
    record.entry_kind = member.kind;
  } else {
    record.kind = RecordKind::link;
    record.value = key_of(member.link_path);
  }
  add(record);
}

void MemberTable::add_problem(std::string_view path, EntryState state) {
  Record record;
  record.path = key_of(path);
  record.kind = RecordKind::problem;
  record.value = {static_cast<std::uint64_t>(state), 0};
  add(record);
}

void MemberTable::seal() {
  file_.finish();
  const auto bytes = static_cast<std::size_t>(file_.size());
  if (bytes == 0) return;
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.fd(), 0);
  if (mapped == MAP_FAILED) throw Error::from_errno(errno, "mapping a temporary file of this run");
  records_ = {static_cast<Record*>(mapped), bytes / sizeof(Record)};
  std::sort(records_.begin(), records_.end(), [](const Record& a, const Record& b) { return a.path < b.path; });
  note_targets();
}

void MemberTable::note_targets() {
  for (const auto& link : records_) {
    if (link.kind != RecordKind::link) continue;
    for (auto& target : records_of(link.value)) target.has_names = true;
  }
}

std::span<MemberTable::Record> MemberTable::records_of(const Key& key) const {
  const auto begin = std::lower_bound(records_.begin(), records_.end(), key,
                                      [](const Record& a, const Key& wanted) { return a.path < wanted; });
  const auto end = std::find_if(begin, records_.end(), [&](const Record& record) { return record.path != key; });
  return {begin, end};
}

MemberOutcome MemberTable::find(std::string_view path) {
  return find(key_of(path), /*follow_link=*/true);
}

MemberOutcome MemberTable::find(const Key& key, bool follow_link) const {
  MemberOutcome outcome;
  for (const auto& record : records_of(key)) {
    switch (record.kind) {
      case RecordKind::problem:
        // The worst is the greatest: what failed or vanished was not stored as it is.
        outcome.problem = std::max(outcome.problem, static_cast<EntryState>(record.value[0]));
        break;
      case RecordKind::link: {
        if (!follow_link) break;
        const auto target = find(record.value, /*follow_link=*/false);
        const auto problem = std::max(outcome.problem, target.problem);
        outcome = target;
        outcome.problem = problem;
        outcome.has_names = true;
        break;
      }
      case RecordKind::member:
        outcome.is_stored = true;
        outcome.offset = record.value[0];
        if (record.has_digest) outcome.digest = record.value[1];
        outcome.size = record.size;
        outcome.kind = record.entry_kind;
        outcome.has_names = record.has_names;
        break;
    }
  }
  return outcome;
}

}  // namespace autoarchive::tar_external
