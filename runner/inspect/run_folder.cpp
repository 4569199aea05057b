#include "runner/inspect/run_folder.hpp"

#include <algorithm>
#include <system_error>

#include "core/document.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::inspect {
namespace {

namespace fs = std::filesystem;

constexpr char kHint[] =
    "name an output folder, a folder runs/SWEEP in it, or a sweep file: --dir results";

bool is_run(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / "plan.json", error);
}

RunFolder run_at(const fs::path& folder) {
  std::error_code error;
  const fs::path path = fs::canonical(folder, error);
  if (error) throw storage_error("read", folder.string(), error.value());
  if (path.parent_path().filename() != "runs")
    throw InputError(concat("'", folder.string(),
                            "' does not lie in a folder 'runs' (its artifacts are found from "
                            "there); name the output folder of the run"));
  return {path, path.filename().string(), storage::Store(path.parent_path().parent_path())};
}

/// "'a', 'b' and 3 more"
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 20;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i)
    shown.push_back(concat("'", names[i], "'"));
  return join(shown, ", ") +
         (names.size() > kShown ? concat(" and ", names.size() - kShown, " more") : "");
}

/// "table1" of "table1@2".
std::string sweep_of(const std::string& run) {
  return run.substr(0, run.find('@'));
}

RunFolder run_in(const fs::path& output_folder, const std::string& name) {
  const auto names = run_names(output_folder);
  if (names.empty())
    throw InputError(concat("no sweep has run in '", output_folder.string(),
                            "' (it has no runs/*/plan.json); ", kHint));
  const bool of_one_sweep = std::all_of(names.begin(), names.end(), [&](const std::string& other) {
    return sweep_of(other) == sweep_of(names.front());
  });
  if (name.empty() && !of_one_sweep)
    throw InputError(concat("'", output_folder.string(), "' holds ", names.size(), " runs (",
                            listed(names), "); choose one with --run NAME"));
  const std::string& chosen = name.empty() ? names.front() : name;
  if (std::find(names.begin(), names.end(), chosen) == names.end())
    throw InputError(concat("there is no run '", chosen, "' in '", output_folder.string(), "'",
                            suggestion(chosen, names), "; choose one with --run NAME"));
  return run_at(output_folder / "runs" / chosen);
}

/// [sweep] name of the file, or of the file that it extends.
std::string name_in(const fs::path& file, int depth = 0) {
  constexpr int kDeepest = 16;
  const Document document = read_toml(file);
  const Json sweep = document.root.value("sweep", Json::object());
  if (sweep.is_object() && sweep.contains("name") && sweep.at("name").is_string())
    return sweep.at("name").get<std::string>();
  const Json base = document.root.value("extends", Json());
  if (base.is_string() && depth < kDeepest)
    return name_in(file.parent_path() / base.get<std::string>(), depth + 1);
  throw InputError(concat(file.string(),
                          ": sweep.name is missing (it names the folder of the run); name the "
                          "folder of the run itself"));
}

}  // namespace

std::vector<std::string> run_names(const fs::path& output_folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(output_folder / "runs", error))
    if (is_run(entry.path())) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<RunFolder> runs_beside(const RunFolder& run) {
  std::vector<RunFolder> runs;
  for (const auto& name : run_names(run.store.root()))
    if (name != run.name && sweep_of(name) == sweep_of(run.name))
      runs.push_back(run_at(run.path.parent_path() / name));
  return runs;
}

RunFolder find_run(const Where& where) {
  const fs::path path = where.dir;
  std::error_code error;
  const bool is_sweep_file = path.extension() == ".toml" && fs::is_regular_file(path, error);
  if (is_sweep_file) {
    if (!where.run.empty())
      throw InputError(concat("--run ", where.run, " and the sweep file '", where.dir,
                              "' name a run each; leave one out"));
    return run_in(where.out.empty() ? "results" : where.out, name_in(path));
  }
  if (!where.out.empty())
    throw InputError(concat("--out says where the results of a sweep file are ('", where.dir,
                            "' is none); name the folder with --dir alone"));
  if (!fs::exists(path, error)) throw InputError(concat("there is no '", where.dir, "'; ", kHint));
  const bool is_plan = path.filename() == "plan.json";
  const fs::path folder = is_plan ? path.parent_path() : path;
  if (!is_plan && !is_run(folder)) return run_in(folder, where.run);
  RunFolder run = run_at(folder.empty() ? "." : folder);
  if (!where.run.empty() && where.run != run.name)
    throw InputError(concat("'", where.dir, "' is the run '", run.name, "' (--run says '",
                            where.run, "'); leave one out"));
  return run;
}

}  // namespace sweep::inspect
