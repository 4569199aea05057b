#include "runner/report/load.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <system_error>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/report/measure.hpp"
#include "storage/artifact_file.hpp"

namespace sweep::report {
namespace {

namespace fs = std::filesystem;
using storage::ArtifactId;
using storage::ArtifactKind;
using storage::Store;

constexpr int kPlanVersion = 1;

fs::path plan_path(const Store& store, const std::string& sweep_name) {
  return store.run_folder(sweep_name) / "plan.json";
}

Json read_plan(const fs::path& path) {
  Json plan = Json::parse(read_text(path), nullptr, false);
  if (!plan.is_object())
    throw InputError(
        concat("'", path.string(),
               "' is damaged (it is not a JSON object); run the sweep again, which writes "
               "it anew and keeps all finished work"));
  const Json version = plan.value("version", Json());
  if (version != kPlanVersion)
    throw InputError(concat("'", path.string(), "' has version ", version.dump(),
                            " (this program reads ", kPlanVersion,
                            "); use the aggregate_results of the same release as the "
                            "sweep_runner that wrote it"));
  return plan;
}

/// Fills a table from a plan and the artifacts that it names.
class Loader {
 public:
  Loader(const Store& store, const Json& plan) : store_(store), plan_(plan.at("table")) {}

  Table load(const std::string& name) {
    table_.name = name;
    plan_.at("title").get_to(table_.title);
    plan_.at("row_keys").get_to(table_.row_keys);
    for (const auto& column : plan_.at("columns")) table_.columns.push_back(load_column(column));
    for (const auto& row : plan_.at("rows")) table_.rows.push_back(load_row(row));
    return std::move(table_);
  }

 private:
  /// What `measure` makes of the artifact; nothing when it is missing or can't be used.
  template <class Measured>
  std::optional<Measured> measured(ArtifactKind kind, const Json& hash,
                                   Measured (*measure)(const storage::Content&)) {
    const ArtifactId id{kind, hash.get<std::string>()};
    try {
      if (!store_.contains(id)) return std::nullopt;
      return measure(storage::read_artifact(store_.artifact_path(id)));
    } catch (const std::exception& error) {
      table_.problems.push_back(concat(id.short_name(), " can't be used and counts as missing: ",
                                       error.what(), "; run the sweep again, which makes it anew"));
      return std::nullopt;
    }
  }

  Column load_column(const Json& json) {
    Column column{json.at("label"), json.at("attack"), std::nullopt};
    const Json& set = json.at("adversarial_set");
    if (!set.is_null())
      column.effect = measured(ArtifactKind::adversarial_set, set, measure_attack);
    return column;
  }

  Row load_row(const Json& json) {
    Row row{.label = json.at("label"), .control = json.at("control")};
    for (const auto& key : table_.row_keys) row.keys.push_back(json.at("keys").value(key, Json()));
    for (const auto& trial : json.at("trials")) row.seeds.push_back(trial.at("seed"));
    for (const auto& column : table_.columns)
      row.cells.push_back(load_cell(json, column.label, row));
    return row;
  }

  Cell load_cell(const Json& json, const std::string& label, Row& row) {
    Cell cell;
    double sum = 0;
    for (const auto& trial : json.at("trials")) {
      const auto hash = trial.at("evaluations").find(label);
      if (hash == trial.at("evaluations").end()) continue;
      const auto evaluation = measured(ArtifactKind::evaluation, *hash, measure_evaluation);
      if (!evaluation) continue;
      sum += evaluation->accuracy;
      ++cell.seeds;
      row.images = evaluation->images;
    }
    if (cell.seeds > 0) cell.value = sum / static_cast<double>(cell.seeds);
    const auto published = json.at("published").find(label);
    if (published != json.at("published").end()) cell.published = published->get<double>();
    return cell;
  }

  const Store& store_;
  const Json& plan_;
  Table table_;
};

}  // namespace

std::vector<std::string> sweep_names(const Store& store) {
  std::error_code error;
  if (!fs::is_directory(store.root(), error))
    throw InputError(concat("there is no folder '", store.root().string(),
                            "' (it should hold the results of a sweep); name the folder that "
                            "sweep_runner wrote to: aggregate_results DIR"));
  std::vector<std::string> names;
  for (const auto& run : fs::directory_iterator(store.root() / "runs", error)) {
    const std::string name = run.path().filename();
    if (fs::exists(plan_path(store, name), error)) names.push_back(name);
  }
  if (names.empty())
    throw InputError(concat("no sweep has run in '", store.root().string(),
                            "' (it has no runs/*/plan.json); run one, or name the folder that "
                            "sweep_runner wrote to: aggregate_results DIR"));
  std::sort(names.begin(), names.end());
  return names;
}

Table load_table(const Store& store, const std::string& sweep_name) {
  const fs::path path = plan_path(store, sweep_name);
  const Json plan = read_plan(path);
  try {
    return Loader(store, plan).load(sweep_name);
  } catch (const Json::exception& error) {
    throw InputError(
        concat("'", path.string(), "' is damaged (", error.what(),
               "); run the sweep again, which writes it anew and keeps all finished work"));
  }
}

}  // namespace sweep::report
