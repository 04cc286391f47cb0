// Whether a backup that fails leaves nothing, and nothing that was there is hurt.
#include <fstream>
#include <iterator>
#include <optional>

#include "autoarchive/archiver/backup_observer.hpp"
#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "autoarchive/storage/local_storage.hpp"
#include "autoarchive/storage/transaction.hpp"
#include "tests.hpp"

namespace autoarchive::kit {
namespace {

namespace fs = std::filesystem;

/// When writing fails: after so many bytes, or at the n-th call, counted from 1.
struct Fault {
  std::optional<std::size_t> room_bytes;
  std::optional<int> failing_call;
};

/// Passes everything on, but lets the writing of the archive fail.
class FailingTransaction final : public ITransaction {
 public:
  FailingTransaction(ITransaction& below, std::string name, Fault fault)
      : below_(below), name_(std::move(name)), fault_(fault) {}
  [[nodiscard]] const std::vector<std::string>& recovered() const noexcept override { return below_.recovered(); }
  [[nodiscard]] const std::string& marker() const noexcept override { return below_.marker(); }
  [[nodiscard]] std::unique_ptr<Sink> put(std::string_view name) override {
    auto sink = below_.put(name);
    if (name != name_) return sink;
    return std::make_unique<FailingSink>(std::move(sink), *this);
  }
  [[nodiscard]] std::unique_ptr<ReadableFile> read_back(std::string_view name) const override {
    return below_.read_back(name);
  }
  void discard(std::string_view name) override { below_.discard(name); }
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> own_files() const override {
    return below_.own_files();
  }
  [[nodiscard]] fs::path put_state(const fs::path& target) override { return below_.put_state(target); }
  void remove_state(const fs::path& target) override { below_.remove_state(target); }
  void remove_now(const std::vector<std::string>& names) override { below_.remove_now(names); }
  void prepare() override { below_.prepare(); }
  void commit(const CommitPlan& plan) override { below_.commit(plan); }

  [[nodiscard]] bool has_failed() const noexcept { return has_failed_; }

 private:
  class FailingSink final : public Sink {
   public:
    FailingSink(std::unique_ptr<Sink> below, FailingTransaction& owner) : below_(std::move(below)), owner_(owner) {}
    void write(ByteView bytes) override {
      auto& fault = owner_.fault_;
      if (fault.failing_call && --*fault.failing_call == 0) {
        owner_.has_failed_ = true;
        throw Error(ErrorCode::os_error, "injected: input/output error", ErrorCause::unspecified, EIO);
      }
      if (fault.room_bytes && bytes.size() > *fault.room_bytes) {
        owner_.has_failed_ = true;
        throw Error(ErrorCode::os_error, "injected: no space", ErrorCause::no_space, ENOSPC);
      }
      if (fault.room_bytes) *fault.room_bytes -= bytes.size();
      below_->write(bytes);
    }
    void finish() override { below_->finish(); }

   private:
    std::unique_ptr<Sink> below_;
    FailingTransaction& owner_;
  };

  ITransaction& below_;
  std::string name_;
  Fault fault_;
  bool has_failed_ = false;
};

fs::path many_files(Rig& rig) {
  const auto root = rig.fresh("root");
  for (int i = 100; i < 200; ++i) rig.write(root / std::to_string(i), rig.content(20'000));
  return root;
}

/// All visible files with their contents: what is not hidden is a backup.
std::map<std::string, std::string> backups_in(const fs::path& destination) {
  std::map<std::string, std::string> backups;
  for (const auto& file : fs::directory_iterator(destination)) {
    const auto name = file.path().filename().native();
    std::ifstream in(file.path(), std::ios::binary);
    if (name.front() != '.')
      backups[name] = std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return backups;
}

/// Whether the call threw an Error, which is returned through `text`.
template <class Call>
std::optional<Error> error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

/// A backup that is there, then one that fails: afterwards everything is as before.
void fails_without_harm(Rig& rig, const Target& target, const fs::path& root, const Fault& fault) {
  const auto destination = rig.fresh("destination");
  auto wanted = rig.request(target, root, destination);
  wanted.sync = false;  // what fails here is the writing, and there are many runs
  const auto good = rig.archiver(target)->backup_files(wanted);
  const auto before = backups_in(destination);
  LocalStorage storage(destination);
  std::optional<Error> error;
  bool has_failed = false;
  {
    TransactionOptions options;
    options.archive = "x";
    options.sync = false;
    const auto transaction = storage.begin(options);
    FailingTransaction failing(*transaction, fs::path(good.path).filename(), fault);
    wanted.storage = &storage;
    wanted.transaction = &failing;
    error = error_of([&] { rig.archiver(target)->backup_files(wanted); });
    has_failed = failing.has_failed();
  }
  if (!has_failed) return;  // the archive was smaller than that
  require(error.has_value(), target.name() + ": the archive could not be written, and no error came out");
  require(backups_in(destination) == before, target.name() + ": after a failed backup the destination is another");
}

/// Asks for a stop, or throws, at the n-th entry.
class Interrupting final : public IBackupObserver {
 public:
  Interrupting(int at_entry, std::stop_source* stop) : left_(at_entry), stop_(stop) {}
  void file_add(std::string_view /*name*/) override {
    if (left_-- != 0) return;
    happened = true;
    if (stop_ == nullptr) throw Error(ErrorCode::runtime_error, "thrown by the observer");
    stop_->request_stop();
  }
  bool happened = false;

 private:
  int left_;
  std::stop_source* stop_;
};

}  // namespace

void full_disk(Rig& rig) {
  const auto root = many_files(rig);
  for (const auto& target : rig.targets()) {
    for (const std::size_t room : {0U, 1U, 1000U, 100'000U})
      fails_without_harm(rig, target, root, {room, std::nullopt});
  }
}

void failing_writes(Rig& rig) {
  const auto root = many_files(rig);
  for (const auto& target : rig.targets()) {
    for (const int call : {1, 2, 5}) fails_without_harm(rig, target, root, {std::nullopt, call});
  }
}

void cancelled(Rig& rig) {
  const auto root = many_files(rig);
  for (const auto& target : rig.targets()) {
    for (const int entry : {-1, 0, 1, 20}) {
      std::stop_source stop;
      if (entry < 0) stop.request_stop();
      Interrupting observer(entry, &stop);
      const auto destination = rig.fresh("destination");
      auto wanted = rig.request(target, root, destination);
      wanted.observer = &observer;
      wanted.stop = stop.get_token();
      const auto error = error_of([&] { rig.archiver(target)->backup_files(wanted); });
      const auto when = target.name() + ", stopped " +
                        (entry < 0 ? std::string("before it began") : "at entry " + std::to_string(entry));
      require(error.has_value(), when + ": went on to the end");
      require(error->cause() == ErrorCause::cancelled, when + ": ended with " + error->message());
      require(backups_in(destination).empty(), when + ": has left a backup");
    }
  }
}

void throwing_observer(Rig& rig) {
  const auto root = many_files(rig);
  for (const auto& target : rig.targets()) {
    Interrupting observer(5, nullptr);
    const auto destination = rig.fresh("destination");
    auto wanted = rig.request(target, root, destination);
    wanted.observer = &observer;
    const auto error = error_of([&] { rig.archiver(target)->backup_files(wanted); });
    require(observer.happened, target.name() + ": does not tell what it adds");
    require(error.has_value() && error->message() == "thrown by the observer",
            target.name() + ": what the observer throws has to come out as it is");
    require(backups_in(destination).empty(), target.name() + ": has left a backup");
  }
}

}  // namespace autoarchive::kit
