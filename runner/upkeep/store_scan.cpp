#include "runner/upkeep/store_scan.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::upkeep {
namespace {

namespace fs = std::filesystem;
using storage::ArtifactKind;

constexpr std::array kKinds{ArtifactKind::dataset,         ArtifactKind::model,
                            ArtifactKind::preprocessor,    ArtifactKind::adversarial_shard,
                            ArtifactKind::adversarial_set, ArtifactKind::evaluation};

FoundFile found(const fs::path& path) {
  std::error_code gone;  // another process may have removed it since
  const auto bytes = fs::file_size(path, gone);
  return {path, gone ? 0 : bytes};
}

/// The hash of "HASH.h5".
std::optional<std::string> hash_of(const fs::path& path) {
  if (path.extension() != ".h5" || !is_hash(path.stem().string()) || !is_file(path))
    return std::nullopt;
  return path.stem().string();
}

class Scanner {
 public:
  explicit Scanner(const storage::Store& store) : root_(store.root()) {}

  StoreScan scan() {
    scan_artifacts();
    for (const auto& path : entries_of(root_ / "checkpoints")) {
      if (const auto hash = hash_of(path)) {
        scan_.checkpoints.push_back({found(path), *hash});
      } else {
        other(path);
      }
    }
    for (const auto& path : entries_of(root_ / "damaged"))
      is_file(path) ? scan_.damaged.push_back(found(path)) : scan_.unknown.push_back(path);
    for (const char* name : {"artifacts", "checkpoints", "damaged", "runs"})
      if (const auto path = root_ / name; fs::is_symlink(path)) scan_.unknown.push_back(path);
    collect_temporaries(root_, 0);
    collect_temporaries(root_ / "runs", kDeepestRun);
    return std::move(scan_);
  }

 private:
  static constexpr int kDeepestRun = 4;  // runs/NAME/data/control/FILE

  void scan_artifacts() {
    const fs::path folder = root_ / "artifacts";
    std::vector<fs::path> known;
    for (const auto kind : kKinds) {
      known.push_back(folder / to_string(kind));
      if (fs::is_symlink(known.back())) scan_.unknown.push_back(known.back());
      for (const auto& path : entries_of(known.back())) {
        if (const auto hash = hash_of(path)) {
          scan_.artifacts.push_back({found(path), {kind, *hash}});
        } else {
          other(path);
        }
      }
    }
    for (const auto& path : entries_of(folder))
      if (std::find(known.begin(), known.end(), path) == known.end()) other(path);
  }

  void other(const fs::path& path) {
    if (is_temporary(path) && is_file(path)) {
      scan_.temporaries.push_back(found(path));
    } else {
      scan_.unknown.push_back(path);
    }
  }

  void collect_temporaries(const fs::path& folder, int depth) {
    for (const auto& path : entries_of(folder)) {
      if (is_temporary(path) && is_file(path)) scan_.temporaries.push_back(found(path));
      if (depth > 0 && is_folder(path)) collect_temporaries(path, depth - 1);
    }
  }

  fs::path root_;
  StoreScan scan_;
};

}  // namespace

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() == fs::file_type::directory;
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() == fs::file_type::regular;
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> paths;
  if (!is_folder(folder)) return paths;
  try {
    for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
  } catch (const fs::filesystem_error& error) {
    throw storage_error("read the folder", folder.string(), error.code().value());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

StoreScan scan_store(const storage::Store& store) {
  if (!fs::is_directory(store.root()))
    throw InputError(concat("there is no folder '", store.root().string(),
                            "' (it should hold the results of a sweep); name the folder that "
                            "sweep_runner wrote to with --out"));
  constexpr std::array kFolders{"artifacts", "checkpoints", "damaged", "runs"};
  if (std::none_of(kFolders.begin(), kFolders.end(), [&](const char* name) {
        std::error_code error;
        return fs::exists(fs::symlink_status(store.root() / name, error));
      }))
    throw InputError(concat("'", store.root().string(),
                            "' holds no results (it has neither artifacts nor runs); name the "
                            "folder that sweep_runner wrote to with --out"));
  return Scanner(store).scan();
}

std::vector<std::string> run_names(const storage::Store& store) {
  std::vector<std::string> names;
  for (const auto& path : entries_of(store.root() / "runs"))
    if (is_folder(path)) names.push_back(path.filename().string());
  return names;
}

bool is_hash(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_run_name(std::string_view text) {
  return !text.empty() && text.size() <= 100 && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
         });
}

std::string bytes_text(std::uintmax_t bytes) {
  constexpr std::array kUnits{"bytes", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return concat(fixed(value, unit == 0 || value >= 100 ? 0 : 1), " ", kUnits[unit]);
}

std::string count_text(std::size_t count, const std::string& one, const std::string& many) {
  return concat(count, " ", count == 1 ? one : many.empty() ? one + "s" : many);
}

}  // namespace sweep::upkeep
