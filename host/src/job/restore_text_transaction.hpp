/// \file
/// Renews RESTORE.txt in the commit that changes what it tells.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "autoarchive/storage/istorage.hpp"
#include "autoarchive/storage/transaction.hpp"

namespace autoarchive::host {

/// Another transaction, whose plan is completed when everything has been put: what a level deletes is known only then.
class RestoreTextTransaction final : public ITransaction {
 public:
  using Complete = std::function<void(CommitPlan&)>;
  /// `below` must outlive this object.
  RestoreTextTransaction(ITransaction& below, Complete complete) : below_(below), complete_(std::move(complete)) {}

  [[nodiscard]] const std::vector<std::string>& recovered() const noexcept override { return below_.recovered(); }
  [[nodiscard]] const std::string& marker() const noexcept override { return below_.marker(); }
  [[nodiscard]] std::unique_ptr<Sink> put(std::string_view name) override { return below_.put(name); }
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
  void commit(const CommitPlan& plan) override {
    auto completed = plan;
    complete_(completed);
    below_.commit(completed);
  }

 private:
  ITransaction& below_;
  Complete complete_;
};

}  // namespace autoarchive::host
