#include "import/original_import.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "autoarchive/base/error.hpp"
#include "autoarchive/base/text.hpp"
#include "config/text_file.hpp"
#include "import/archive_import.hpp"

namespace autoarchive::host {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> specs_in(const fs::path& folder) {
  std::vector<fs::path> specs;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) return specs;
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".aa") specs.push_back(entry->path());
  }
  if (error) throw Error::from_errno(error.value(), "folder " + quote(folder.native()), ErrorCause::configuration);
  std::sort(specs.begin(), specs.end());
  return specs;
}

// What can't be looked at is there: reading it says why.
bool is_there(const fs::path& file) {
  std::error_code error;
  return fs::status(file, error).type() != fs::file_type::not_found;
}

class OriginalImport {
 public:
  explicit OriginalImport(const ImportSources& sources) : sources_(sources) {}

  ImportResult run() {
    sources_.paths.empty() ? find_files() : sort_files();
    for (const auto& conf : confs_) check_conf(conf);
    const auto folder = specs_folder();
    if (takes_folder_) {
      for (auto& spec : specs_in(folder)) specs_.push_back(std::move(spec));
    }
    if (specs_.empty()) {
      throw Error(ErrorCode::key_error,
                  "there is no archive to import: no .aa file in " + quote(folder.native()) +
                      "; name the files, or the original's folder of configuration",
                  ErrorCause::no_such_backup);
    }
    SpecFiles files(folder);
    const auto hooks = hooks_of_the_run(files);
    for (const auto& spec : specs_) take(spec, files);
    tell_of_snapshots();
    write(hooks);
    return std::move(result_);
  }

 private:
  void problem(Severity severity, const std::string& id, const std::string& archive, const std::string& text) {
    result_.problems.push_back({severity, id, archive, text});
  }

  // The original's own search: the system's file may say where the user's are.
  void find_files() {
    if (is_there(sources_.system_file)) confs_.push_back(read_conf(sources_.system_file));
    user_folder_ = sources_.home / ".config" / "aa";
    if (const auto folder = of_confs("user-config-dir")) user_folder_ = absolute_path(folder->text, sources_);
    auto user_file = user_folder_ / "aa.conf";
    if (const auto file = of_confs("user-config-file")) user_file = absolute_path(file->text, sources_);
    if (is_there(user_file)) confs_.push_back(read_conf(user_file));
    takes_folder_ = true;
  }

  void sort_files() {
    user_folder_ = sources_.home / ".config" / "aa";
    for (const auto& given : sources_.paths) {
      std::error_code error;
      const auto path = fs::absolute(given, error).lexically_normal();
      if (fs::is_directory(path, error)) {
        user_folder_ = path.has_filename() ? path : path.parent_path();
        if (is_there(user_folder_ / "aa.conf")) confs_.push_back(read_conf(user_folder_ / "aa.conf"));
        takes_folder_ = true;
      } else if (path.extension() == ".aa") {
        specs_.push_back(path);
      } else {
        confs_.push_back(read_conf(path));
      }
    }
  }

  static IniFile read_conf(const fs::path& file) { return read_ini(file, /*any_case=*/true); }

  [[nodiscard]] std::optional<ImportedValue> of_confs(const std::string& option) const {
    SpecFiles none({});
    return OriginalValues(confs_, none, {}).find(option);
  }

  [[nodiscard]] fs::path specs_folder() const {
    const auto given = of_confs("archive-specs-dir");
    return given ? absolute_path(given->text, sources_) : user_folder_ / "archive_specs";
  }

  void check_conf(const IniFile& conf) {
    for (const auto& section : conf.sections) {
      if (section.name != "General" && section.name != "Archive") {
        throw config_error(section.origin,
                           "unknown section [" + escaped(section.name) + "]; there are General and Archive");
      }
      for (const auto& option : section.options) check_conf_option(option);
    }
  }

  void check_conf_option(const IniOption& option) {
    const auto* const known = find_original_option(option.name);
    if (known == nullptr)
      return doubt({}, option.origin.text() + ": " + unknown_option_text(option.name) + "; it is left out");
    if (!known->without.empty()) {
      problem(Severity::notice, "import.differs", "",
              fmt::format("{}: {} is left out; {}", option.origin.text(), option.name, known->without));
    }
  }

  void doubt(const std::string& archive, const std::string& text) {
    problem(Severity::warning, "import.differs", archive, text);
    comments_ += "# " + text + "\n";
  }

  std::string hooks_of_the_run(SpecFiles& files) {
    const OriginalValues values(confs_, files, {});
    std::string hooks;
    for (const auto& [option, point] :
         {std::pair("command-before-all-backups", "before_all"), {"command-after-all-backups", "after_all"}}) {
      if (const auto command = values.find(option))
        hooks += fmt::format("  - {{at: {}, run: {}}}\n", point, yaml_list(split_command(*command)));
    }
    return hooks.empty() ? hooks : "hooks:\n" + hooks;
  }

  // An archive that can't be read is missing in the YAML, and does not keep the others from it.
  void take(const fs::path& spec, SpecFiles& files) {
    try {
      auto archive = import_archive(spec, files, OriginalValues(confs_, files, spec), sources_);
      if (!names_.insert(archive.name).second) {
        throw config_error({spec.native(), 1, 1}, "there is an archive " + quote(archive.name) +
                                                      " already; give it another name by \"name =\" in [Content]");
      }
      archives_.push_back(std::move(archive));
    } catch (const Error& error) {
      if (error.cause() != ErrorCause::configuration) throw;
      problem(Severity::error, "", spec.stem().native(), error.message());
    }
  }

  // Here they are only looked for: nothing but the YAML is made.
  void tell_of_snapshots() {
    const auto folder = user_folder_ / "snapshots";
    std::error_code error;
    const bool any = std::any_of(archives_.begin(), archives_.end(), [&](const auto& archive) {
      return fs::exists(folder / (archive.name + ".snar"), error);
    });
    if (!any) return;
    const auto text = "to go on with the levels that are there, run aa rescan --snapshots " + quote(folder.native());
    problem(Severity::notice, "", "", text);
    comments_ += "# " + text + "\n";
  }

  // Keys that all archives have alike stand once, in the defaults.
  [[nodiscard]] std::vector<YamlKey> shared_keys() const {
    std::vector<YamlKey> shared;
    if (archives_.size() < 2) return shared;
    for (const auto& key : archives_.front().keys) {
      if (key.name == "root" || key.name == "include") continue;
      const bool all = std::all_of(archives_.begin(), archives_.end(), [&](const auto& archive) {
        return std::find(archive.keys.begin(), archive.keys.end(), key) != archive.keys.end();
      });
      if (all) shared.push_back(key);
    }
    return shared;
  }

  void write(const std::string& hooks) {
    const auto shared = shared_keys();
    std::string archives;
    for (const auto& archive : archives_) {
      archives += fmt::format("  {}:\n", yaml_text(archive.name));
      for (const auto& text : archive.doubts) {
        problem(Severity::warning, "import.differs", archive.name, escaped(text));
        archives += "    # " + text + "\n";
      }
      auto own = archive.keys;
      std::erase_if(own, [&](const auto& key) { return std::find(shared.begin(), shared.end(), key) != shared.end(); });
      archives += yaml_mapping(own, "    ");
      result_.archives.push_back(archive.name);
    }
    result_.yaml =
        "# Made by aa config import. Look through it, then run aa config check.\n" + comments_ + "version: 1\n" + hooks;
    if (!shared.empty()) result_.yaml += "defaults:\n" + yaml_mapping(shared, "  ");
    if (!archives.empty()) result_.yaml += "archives:\n" + archives;
  }

  const ImportSources& sources_;
  fs::path user_folder_;
  bool takes_folder_ = false;  // all of its specifications, and not only those that are named
  std::vector<IniFile> confs_;
  std::vector<fs::path> specs_;
  std::set<std::string> names_;
  std::vector<ImportedArchive> archives_;
  std::string comments_;
  ImportResult result_;
};

}  // namespace

ImportResult import_original(const ImportSources& sources) {
  return OriginalImport(sources).run();
}

}  // namespace autoarchive::host
