#include "job/foreseen_state.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "autoarchive/base/error.hpp"

namespace autoarchive::host {
namespace {

/// Removed with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    auto pattern = (std::filesystem::temp_directory_path() / "aa-forecast-XXXXXX").native();
    if (::mkdtemp(pattern.data()) == nullptr) throw Error::from_errno(errno, pattern);
    path_ = pattern;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

int recoverable_level(Session& session, const std::string& provider, const BackupDefinition& definition,
                      const IStorage& storage) {
  try {
    const TemporaryDirectory state;
    auto config = session.config();
    config.state_dir = state.path();
    const auto providers = session.fresh_providers(config);
    const auto archiver = providers->archiver(provider);
    archiver->recover_state(definition, storage);
    return archiver->max_backup_level(definition.backup_id);
  } catch (const Error&) {  // the run tells what is wrong
    return 0;
  } catch (const std::filesystem::filesystem_error&) {  // no directory for temporary files
    return 0;
  }
}

}  // namespace autoarchive::host
