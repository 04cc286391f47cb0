#include "tar_writer.hpp"

#include <algorithm>
#include <cstring>

#include "autoarchive/base/text.hpp"

namespace autoarchive::tar_internal {
namespace {

constexpr std::size_t kRecordBytes = 20 * kBlockBytes;

TypeFlag type_flag(EntryKind kind) {
  switch (kind) {
    case EntryKind::directory:
      return TypeFlag::directory;
    case EntryKind::symlink:
      return TypeFlag::symlink;
    case EntryKind::fifo:
      return TypeFlag::fifo;
    case EntryKind::character_device:
      return TypeFlag::character_device;
    case EntryKind::block_device:
      return TypeFlag::block_device;
    case EntryKind::file:
    case EntryKind::socket:
    case EntryKind::unknown:
      break;
  }
  return TypeFlag::file;
}

std::string_view base_name(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path.substr(path.rfind('/') + 1);
}

/// Puts what fits into the header and what does not into records.
class HeaderBuilder {
 public:
  HeaderBuilder(UstarFields& fields, PaxRecords& records) : fields_(fields), records_(records) {}

  void set_name(std::string_view name) {
    if (split_name(name, fields_)) return;
    add_text("path", name);
    fields_.name = base_name(name).substr(0, kMaxName);
  }
  void set_link(std::string_view target) {
    fields_.linkname = target.substr(0, kMaxName);
    if (target.size() > kMaxName) add_text("linkpath", target);
  }
  void set_number(std::string_view key, std::uint64_t value, std::uint64_t limit, std::uint64_t& field) {
    if (value > limit) records_.add(key, value);
    field = value > limit ? 0 : value;
  }
  void set_owner_name(std::string_view key, std::string_view name, std::string_view& field) {
    field = name.substr(0, kMaxOwner);
    if (name.size() > kMaxOwner) add_text(key, name);
  }
  void set_time(const Timestamp& time, bool nanoseconds) {
    const bool in_range = time.seconds >= 0 && static_cast<std::uint64_t>(time.seconds) <= kMaxTime;
    if (!in_range || (nanoseconds && time.nanoseconds != 0))
      records_.add_time("mtime", nanoseconds ? time : Timestamp{time.seconds, 0});
    fields_.mtime = in_range ? static_cast<std::uint64_t>(time.seconds) : 0;
  }
  void set_device(const Entry& entry) {
    fields_.devmajor = std::min<std::uint32_t>(entry.rdev_major, kMaxId);
    fields_.devminor = std::min<std::uint32_t>(entry.rdev_minor, kMaxId);
    if (entry.rdev_major > kMaxId) records_.add("SCHILY.devmajor", entry.rdev_major);
    if (entry.rdev_minor > kMaxId) records_.add("SCHILY.devminor", entry.rdev_minor);
  }

 private:
  // Records are UTF-8 unless a first one says that they are not.
  void add_text(std::string_view key, std::string_view value) {
    if (!is_utf8(value) && !binary_) {
      binary_ = true;
      records_.add("hdrcharset", "BINARY");
    }
    records_.add(key, value);
  }

  UstarFields& fields_;
  PaxRecords& records_;
  bool binary_ = false;
};

}  // namespace

void TarWriter::pad() {
  const auto partial = out_.size() % kBlockBytes;
  if (partial != 0) out_.append_zeros(kBlockBytes - partial);
}

void TarWriter::append_header(const UstarFields& fields) {
  format_header(fields, out_.grow(kBlockBytes).first<kBlockBytes>());
}

void TarWriter::add_records(char typeflag, std::string_view name, const PaxRecords& records, std::uint64_t mtime) {
  UstarFields fields;
  fields.name = name.substr(0, kMaxName);
  fields.mode = 0644;
  fields.size = records.text().size();
  fields.mtime = mtime;
  fields.typeflag = typeflag;
  append_header(fields);
  out_.append(std::as_bytes(std::span(records.text())));
  pad();
}

void TarWriter::add_comment(std::string_view comment) {
  records_.clear();
  records_.add("comment", comment);
  add_records(static_cast<char>(TypeFlag::pax_global), "PaxHeaders/autoarchive", records_, 0);
}

void TarWriter::add_header(const TarMember& member) {
  const auto& entry = member.entry;
  const bool is_link = !member.hard_link_to.empty();
  records_.clear();
  UstarFields fields;
  HeaderBuilder builder(fields, records_);
  const std::string_view slash = entry.kind == EntryKind::directory ? "/" : "";
  name_.assign(entry.path).append(slash);
  if (member.is_sparse) {
    records_.add("GNU.sparse.major", "1");
    records_.add("GNU.sparse.minor", "0");
    records_.add("GNU.sparse.name", entry.path);
    records_.add("GNU.sparse.realsize", entry.size);
    name_ = "GNUSparseFile.0/" + std::string(base_name(entry.path));
  }
  builder.set_name(name_);
  fields.mode = entry.mode;
  builder.set_number("uid", entry.uid, kMaxId, fields.uid);
  builder.set_number("gid", entry.gid, kMaxId, fields.gid);
  builder.set_number("size", member.stored_size, kMaxSize, fields.size);
  builder.set_owner_name("uname", entry.user, fields.uname);
  builder.set_owner_name("gname", entry.group, fields.gname);
  builder.set_time(entry.mtime, member.nanoseconds);
  builder.set_link(is_link ? member.hard_link_to : std::string_view(entry.link_target));
  if (entry.kind == EntryKind::character_device || entry.kind == EntryKind::block_device) builder.set_device(entry);
  fields.typeflag = static_cast<char>(is_link ? TypeFlag::hard_link : type_flag(entry.kind));
  if (!is_link) {
    for (const auto& xattr : entry.xattrs) records_.add_xattr(xattr);
  }
  if (!member.dumpdir.empty()) records_.add("GNU.dumpdir", member.dumpdir);
  if (!records_.empty()) {
    records_name_.assign("PaxHeaders/").append(base_name(name_));
    add_records(static_cast<char>(TypeFlag::pax), records_name_, records_, fields.mtime);
  }
  append_header(fields);
}

void append_end(SegmentBuffer& out, std::uint64_t offset) {
  out.append_zeros(2 * kBlockBytes);
  const auto partial = (offset + 2 * kBlockBytes) % kRecordBytes;
  if (partial != 0) out.append_zeros(kRecordBytes - partial);
}

}  // namespace autoarchive::tar_internal
