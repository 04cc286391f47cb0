// Writes archives in the "newc" format of cpio.
#include <autoarchive/archiver/archiver_service_component.hpp>
#include <autoarchive/archiver/stored_entry.hpp>
#include <autoarchive/archiver/tar_archiver_provider_base.hpp>
#include <autoarchive/plugin/sdk.hpp>
#include <cstdio>

using namespace autoarchive;

class Archiver final : public TarArchiverProviderBase {
 public:
  explicit Archiver(const ProviderArguments& arguments) : TarArchiverProviderBase(*id(), arguments) {}
  static std::shared_ptr<const TarArchiverProviderIdentification> id() {
    static const auto made = std::make_shared<const TarArchiverProviderIdentification>(
        "@NAME@", TarArchiverProviderIdentification::FeaturesByType{{BackupType{"@NAME@", "@NAME@"}, {}}});
    return made;
  }

 private:
  void write_archive(BackupJob& job) override {
    const auto walk = job.walk();
    for (WalkItem item; walk->next(item);) {
      job.check_stop();
      if (item.event == WalkEvent::entry) {
        store(job, item);
      } else {
        job.walk_problem(item);
      }
    }
    put_header(job.archive(), 0, {}, "TRAILER!!!", 0);
  }

  static void store(BackupJob& job, const WalkItem& item) {
    StoredEntry stored(job, item);
    if (stored.failed()) return;
    const auto& entry = stored.entry();
    const auto size = entry.kind == EntryKind::symlink ? entry.link_target.size() : entry.size;
    if (size > 0xFFFFFFFF) return stored.refuse("the newc format holds no file of 4 GiB or more");
    put_header(job.archive(), stored.stat_mode(), entry, "./" + entry.path, size);
    put(job.archive(), entry.link_target);
    stored.copy_content(job.archive());
    pad(job.archive(), size);
    stored.finish();
  }

  static void put(Sink& out, std::string_view text) { out.write(std::as_bytes(std::span(text))); }
  static void pad(Sink& out, std::size_t size) { put(out, std::string((4 - size % 4) % 4, '\0')); }
  // Thirteen numbers of eight hexadecimal digits, then the name with its zero.
  static void put_header(Sink& out, unsigned mode, const Entry& entry, const std::string& name, std::size_t size) {
    char header[111];
    std::snprintf(header, sizeof header, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 0U, mode,
                  entry.uid, entry.gid, 1U, static_cast<unsigned>(entry.mtime.seconds), static_cast<unsigned>(size), 0U,
                  0U, entry.rdev_major, entry.rdev_minor, static_cast<unsigned>(name.size() + 1), 0U);
    put(out, header + name + std::string(1, '\0'));
    pad(out, 110 + name.size() + 1);
  }
};

class Component final : public ArchiverServiceComponent {
 public:
  Component(ApplicationContext& context, ServiceAccessor& accessor) : ArchiverServiceComponent(context, accessor) {
    add(ArchiverServiceIdentification(), provider_class<Archiver, IArchiver>(), Archiver::id());
  }
};

AA_PLUGIN(Component,
          "provider.@NAME@.service=archiver\n"
          "provider.@NAME@.types=@NAME@\n")
