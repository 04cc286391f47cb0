#include "job/tree_difference.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "autoarchive/base/digest.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/manifest/tree_comparison.hpp"
#include "autoarchive/tree/attributes.hpp"
#include "autoarchive/tree/filter.hpp"
#include "autoarchive/tree/walker.hpp"

namespace autoarchive::host {
namespace {

constexpr std::size_t kReadBytes = 1U << 20U;

/// XXH3-64 of a file; none with errno if it can't be read.
std::optional<std::uint64_t> digest_of(int fd) {
  ContentDigest digest;
  std::vector<std::byte> buffer(kReadBytes);
  for (off_t offset = 0;;) {
    const auto got = ::pread(fd, buffer.data(), buffer.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return digest.value();
    digest.update(ByteView(buffer).first(static_cast<std::size_t>(got)));
    offset += got;
  }
}

void check(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::runtime_error, "stopped on request", ErrorCause::cancelled);
}

class DigestSink final : public Sink {
 public:
  explicit DigestSink(const std::stop_token& stop) : stop_(stop) {}
  void write(ByteView bytes) override {
    check(stop_);
    digest_.update(bytes);
  }
  void finish() override {}
  [[nodiscard]] std::uint64_t value() const { return digest_.value(); }

 private:
  const std::stop_token& stop_;
  ContentDigest digest_;
};

class LiveComparison {
 public:
  LiveComparison(bool every_content, const StoredContent& stored, const DifferenceReport& report,
                 const std::function<void(std::string_view path, int os_errno)>& unreadable,
                 const std::stop_token& stop)
      : every_content_(every_content), stored_(stored), report_(report), unreadable_(unreadable), stop_(stop) {}

  void take(const ComparedItem& step) {
    check(stop_);
    switch (step.change) {
      case TreeChange::gone:
        if (step.item.event == WalkEvent::entry) report_({'D', step.item.entry.path, {}});
        return;
      case TreeChange::unseen:
        return;
      case TreeChange::added:
        return take_added(step);
      case TreeChange::unchanged:
        if (every_content_) take_both(step);
        return;
      case TreeChange::modified:
      case TreeChange::touched:
        return take_both(step);
    }
  }

 private:
  void take_added(const ComparedItem& step) {
    if (step.item.event == WalkEvent::entry) return report_({'A', step.item.entry.path, {}});
    const bool failed = step.item.event == WalkEvent::stat_failed || step.item.event == WalkEvent::list_failed;
    if (failed) unreadable_(step.item.entry.path, step.item.os_errno);
  }

  void take_both(const ComparedItem& step) {
    ManifestEntry now;
    now.entry = step.item.entry;
    if (step.item.parent) {
      int os_errno = 0;
      now.entry.xattrs = read_xattrs_at(step.item.parent->fd(), step.item.name(), MetadataOptions(), &os_errno);
    }
    auto was = step.parent;
    if (now.entry.kind == EntryKind::file && was.entry.kind == EntryKind::file && now.entry.size == was.entry.size)
      read_content(step.item, was, now);
    auto what = differences_of(was, now);
    if (!what.empty()) report_({'M', now.entry.path, std::move(what)});
  }

  void read_content(const WalkItem& item, ManifestEntry& was, ManifestEntry& now) {
    const auto opened = open_entry(item);
    if (!opened.fd) return unreadable_(item.entry.path, opened.os_errno);
    now.digest = digest_of(opened.fd.get());
    if (!now.digest) return unreadable_(item.entry.path, errno);
    // A file that had holes was stored as its map and data, and so is its digest. Seldom asked: what is written anew
    // has another time.
    if (was.digest && was.digest != now.digest && was.entry.mtime == now.entry.mtime) read_stored(item.entry.path, was);
  }

  // What can't be read is taken for another content, which is what the digest says.
  void read_stored(const std::string& path, ManifestEntry& was) {
    try {
      DigestSink content(stop_);
      stored_(path, content);
      was.digest = content.value();
    } catch (const Error& error) {
      if (error.cause() == ErrorCause::cancelled) throw;
    }
  }

  bool every_content_;
  const StoredContent& stored_;
  const DifferenceReport& report_;
  const std::function<void(std::string_view path, int os_errno)>& unreadable_;
  const std::stop_token& stop_;
};

bool is_in_backup(const ManifestEntry& entry) {
  return entry.stored_level >= 0;
}

/// The next entry that a backup holds.
bool advance(ManifestReader& reader, ManifestEntry& entry) {
  while (reader.next(entry)) {
    if (is_in_backup(entry)) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> differences_of(const ManifestEntry& first, const ManifestEntry& second) {
  const auto& a = first.entry;
  const auto& b = second.entry;
  if (a.kind != b.kind) return {"kind"};
  std::vector<std::string> what;
  const auto add = [&](bool differs, const char* word) {
    if (differs) what.emplace_back(word);
  };
  const bool same_time = a.mtime == b.mtime;
  const bool digests = first.digest && second.digest;
  add(a.kind == EntryKind::file && a.size == b.size && (digests ? first.digest != second.digest : !same_time),
      "content");
  add(a.size != b.size, "size");
  add(a.mode != b.mode, "mode");
  add(a.uid != b.uid || a.gid != b.gid, "owner");
  add(!same_time, "mtime");
  add(a.link_target != b.link_target, "target");
  add(a.rdev_major != b.rdev_major || a.rdev_minor != b.rdev_minor, "device");
  add(a.xattrs != b.xattrs, "attributes");
  return what;
}

void compare_manifests(ManifestReader& first, ManifestReader& second, const DifferenceReport& report) {
  ManifestEntry a;
  ManifestEntry b;
  bool has_a = advance(first, a);
  bool has_b = advance(second, b);
  while (has_a || has_b) {
    const auto order = !has_a   ? std::strong_ordering::greater
                       : !has_b ? std::strong_ordering::less
                                : compare_paths(a.entry.path, b.entry.path);
    if (order < 0) report({'D', a.entry.path, {}});
    if (order > 0) report({'A', b.entry.path, {}});
    if (order == 0) {
      auto what = differences_of(a, b);
      if (!what.empty()) report({'M', a.entry.path, std::move(what)});
    }
    if (order <= 0) has_a = advance(first, a);
    if (order >= 0) has_b = advance(second, b);
  }
}

void compare_with_tree(std::unique_ptr<ManifestReader> manifest, const ArchiveConfig& archive, bool every_content,
                       const StoredContent& stored, const DifferenceReport& report,
                       const std::function<void(std::string_view path, int os_errno)>& unreadable,
                       const std::stop_token& stop) {
  FilterRules rules = archive.filter;
  const Filter filter(std::move(rules));
  WalkOptions options{archive.root, archive.include, {}, archive.incremental};
  struct stat status {};
  for (const auto& own : {archive.destination}) {
    if (::stat(own.c_str(), &status) == 0) options.own_files.emplace(status.st_dev, status.st_ino);
  }
  TreeComparison comparison(std::make_unique<Walker>(std::move(options), filter), std::move(manifest));
  LiveComparison live(every_content, stored, report, unreadable, stop);
  for (ComparedItem step; comparison.next(step);) live.take(step);
}

}  // namespace autoarchive::host
