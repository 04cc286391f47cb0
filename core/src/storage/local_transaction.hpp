/// \file
/// A transaction in a local directory.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autoarchive/storage/lock_file.hpp"
#include "autoarchive/storage/transaction.hpp"
#include "directory.hpp"
#include "journal.hpp"

namespace autoarchive {

/// See ITransaction. The order of a commit is in docs/architecture.md, "Commit".
class LocalTransaction final : public ITransaction {
 public:
  /// Takes the locks, finishes or clears what a dead writer has left, checks the marker.
  LocalTransaction(const std::filesystem::path& directory, const TransactionOptions& options);
  ~LocalTransaction() override;

  [[nodiscard]] const std::vector<std::string>& recovered() const noexcept override { return recovered_; }
  [[nodiscard]] const std::string& marker() const noexcept override { return marker_; }
  [[nodiscard]] std::unique_ptr<Sink> put(std::string_view name) override;
  [[nodiscard]] std::unique_ptr<ReadableFile> read_back(std::string_view name) const override;
  void discard(std::string_view name) override;
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> own_files() const override;
  [[nodiscard]] std::filesystem::path put_state(const std::filesystem::path& target) override;
  void remove_state(const std::filesystem::path& target) override;
  void remove_now(const std::vector<std::string>& names) override;
  void prepare() override;
  void commit(const CommitPlan& plan) override;

 private:
  [[nodiscard]] std::string journal_name() const { return "." + archive_ + ".journal"; }
  [[nodiscard]] std::string marker_temporary() const;
  void recover();
  void remove_temporaries();
  void check_marker(const TransactionOptions& options);
  void write_small(const std::string& name, std::string_view text);
  [[nodiscard]] std::string restore_text() const;
  void check_targets(const Journal& journal) const;
  [[nodiscard]] Journal make_journal(const CommitPlan& plan) const;
  void add_old_files(const CommitPlan& plan, Journal& journal) const;
  void add_puts(Journal& journal) const;
  void add_states(Journal& journal) const;
  void write_journal(const Journal& journal);
  void finish(const Journal& journal);

  std::string archive_;
  bool sync_;
  std::filesystem::path state_dir_;  // a journal changes nothing outside of it; empty: not known
  Directory directory_;
  LockFile lock_;
  std::unique_ptr<LockFile> state_lock_;
  std::unique_ptr<LockFile> restore_text_lock_;  // RESTORE.txt is shared by all archives of a destination
  std::string marker_;
  std::vector<std::string> recovered_;
  std::vector<std::string> puts_;
  std::vector<std::filesystem::path> states_;
  std::vector<std::filesystem::path> removed_states_;
  bool journal_written_ = false;
};

}  // namespace autoarchive
