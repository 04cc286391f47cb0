// A plugin that uses the very libraries that the host is made with, Boost.DLL and Boost.Signals2, in another version:
// each side has to keep to its own.
#define BOOST_DLL_USE_STD_FS
#include <autoarchive/archiver/archiver_service_component.hpp>
#include <autoarchive/archiver/stored_entry.hpp>
#include <autoarchive/archiver/tar_archiver_provider_base.hpp>
#include <autoarchive/base/error.hpp>
#include <autoarchive/plugin/sdk.hpp>
#include <boost/dll/runtime_symbol_info.hpp>
#include <boost/signals2/signal.hpp>
#include <boost/version.hpp>

static_assert(BOOST_VERSION / 100 == 1081, "built with the headers that are meant");

using namespace autoarchive;

// One line an entry: enough to see that each came through a signal.
class Archiver final : public TarArchiverProviderBase {
 public:
  explicit Archiver(const ProviderArguments& arguments) : TarArchiverProviderBase(*id(), arguments) {}
  static std::shared_ptr<const TarArchiverProviderIdentification> id() {
    static const auto made = std::make_shared<const TarArchiverProviderIdentification>(
        "boost-user", TarArchiverProviderIdentification::FeaturesByType{{BackupType{"Names", "names"}, {}}});
    return made;
  }

 private:
  void write_archive(BackupJob& job) override {
    boost::signals2::signal<void(const std::string&)> found;
    found.connect([&](const std::string& line) { job.archive().write(std::as_bytes(std::span(line))); });
    const auto walk = job.walk();
    for (WalkItem item; walk->next(item);) {
      job.check_stop();
      if (item.event != WalkEvent::entry) {
        job.walk_problem(item);
        continue;
      }
      StoredEntry stored(job, item);
      if (stored.failed()) continue;
      found(stored.entry().path + "\n");
      stored.copy_content(nowhere_);
      stored.finish();
    }
  }

  class Nowhere final : public Sink {
   public:
    void write(ByteView /*bytes*/) override {}
    void finish() override {}
  };
  Nowhere nowhere_;
};

class Component final : public ArchiverServiceComponent {
 public:
  Component(ApplicationContext& context, ServiceAccessor& accessor) : ArchiverServiceComponent(context, accessor) {
    if (boost::dll::this_line_location().filename() != "boost-user.so")
      throw Error(ErrorCode::runtime_error, "Boost.DLL says that this is another library");
    add(ArchiverServiceIdentification(), provider_class<Archiver, IArchiver>(), Archiver::id());
  }
};

AA_PLUGIN(Component,
          "provider.boost-user.service=archiver\n"
          "provider.boost-user.types=names\n")
