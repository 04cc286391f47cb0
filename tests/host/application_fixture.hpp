/// \file
/// The whole program in memory, on a small tree.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <stop_token>
#include <string>
#include <vector>

#include "application.hpp"
#include "support/temp_dir.hpp"
#include "support/test_tree.hpp"

namespace autoarchive::host {

class ApplicationTest : public ::testing::Test {
 protected:
  ApplicationTest() {
    test::write_file(directory_ / "root/a", "content of a");
    test::write_file(directory_ / "root/d/b", "b");
    std::filesystem::create_directory(directory_ / "backups");
  }

  int run(const std::vector<std::string>& words, const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const ProcessContext process{in,
                                 out,
                                 err,
                                 !input.empty(),
                                 false,
                                 err_is_terminal_,
                                 environment_,
                                 false,
                                 std::filesystem::path(AA_PROGRAM),
                                 stop_.get_token()};
    const int status = run_application(process, words);
    out_ = out.str();
    err_ = err.str();
    return status;
  }
  int create(std::vector<std::string> more = {}) {
    std::vector<std::string> words{
        "create", "home", "--root", directory_ / "root", "--destination", directory_ / "backups"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  [[nodiscard]] std::string destination() const { return directory_ / "backups"; }
  void configure(const std::string& text) const {
    test::write_file(directory_ / "config/autoarchive/config.yaml", text);
  }

  test::TempDir directory_;
  std::stop_source stop_;  ///< of every run
  bool err_is_terminal_ = false;
  std::map<std::string, std::string> environment_{{"AA_STATE_DIR", directory_ / "state"},
                                                  {"XDG_CONFIG_HOME", directory_ / "config"}};
  std::string out_;
  std::string err_;
};

}  // namespace autoarchive::host
