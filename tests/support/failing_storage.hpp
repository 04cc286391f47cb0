/// \file
/// A destination that becomes full.
#pragma once

#include <memory>
#include <string>

#include "autoarchive/base/error.hpp"
#include "autoarchive/storage/transaction.hpp"

namespace autoarchive::test {

/// Passes everything on to another transaction, but lets the writing of one file fail after some bytes.
class FailingTransaction final : public ITransaction {
 public:
  FailingTransaction(ITransaction& below, std::string name, std::size_t room_bytes)
      : below_(below), name_(std::move(name)), room_bytes_(room_bytes) {}

  [[nodiscard]] const std::vector<std::string>& recovered() const noexcept override { return below_.recovered(); }
  [[nodiscard]] const std::string& marker() const noexcept override { return below_.marker(); }
  [[nodiscard]] std::unique_ptr<Sink> put(std::string_view name) override {
    auto sink = below_.put(name);
    if (name != name_) return sink;
    return std::make_unique<FullSink>(std::move(sink), room_bytes_);
  }
  [[nodiscard]] std::unique_ptr<ReadableFile> read_back(std::string_view name) const override {
    return below_.read_back(name);
  }
  void discard(std::string_view name) override { below_.discard(name); }
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> own_files() const override {
    return below_.own_files();
  }
  [[nodiscard]] std::filesystem::path put_state(const std::filesystem::path& target) override {
    return below_.put_state(target);
  }
  void remove_state(const std::filesystem::path& target) override { below_.remove_state(target); }
  void remove_now(const std::vector<std::string>& names) override { below_.remove_now(names); }
  void prepare() override { below_.prepare(); }
  void commit(const CommitPlan& plan) override { below_.commit(plan); }

 private:
  class FullSink final : public Sink {
   public:
    FullSink(std::unique_ptr<Sink> below, std::size_t room_bytes) : below_(std::move(below)), room_bytes_(room_bytes) {}
    void write(ByteView bytes) override {
      if (bytes.size() > room_bytes_) throw Error(ErrorCode::os_error, "full", ErrorCause::no_space);
      room_bytes_ -= bytes.size();
      below_->write(bytes);
    }
    void finish() override { below_->finish(); }

   private:
    std::unique_ptr<Sink> below_;
    std::size_t room_bytes_;
  };

  ITransaction& below_;
  std::string name_;
  std::size_t room_bytes_;
};

}  // namespace autoarchive::test
