#include "runner/report/plan_file.hpp"

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"

namespace sweep::report {
namespace {

constexpr int kPlanVersion = 3;
constexpr std::uintmax_t kLargestFile = std::uintmax_t{256} << 20;
constexpr std::size_t kMostCells = 1'000'000;

std::map<std::string, std::string> read_hashes(const JsonNode& node) {
  std::map<std::string, std::string> hashes;
  for (const auto& [label, hash] : node.table()) hashes[label] = hash.hash();
  return hashes;
}

Plan::Column read_column(const JsonNode& node) {
  Plan::Column column{.label = node.at("label").text(),
                      .attack = node.at("attack").json(),
                      .attacker = node.at("attacker").text(),
                      .pixels = node.at("pixels").text()};
  if (!column.attack.is_null()) node.at("attack").at("method").text();
  node.at("pixels").check(column.pixels == "float32" || column.pixels == "uint8",
                          "\"float32\" or \"uint8\"");
  if (const JsonNode set = node.at("adversarial_set"); !set.is_null())
    column.adversarial_set = set.hash();
  return column;
}

Plan::Trial read_trial(const JsonNode& node) {
  for (const auto& [component, options] : node.at("spec").table())
    if (!options.is_null()) options.object();
  return {.seed = node.at("seed").integer(),
          .spec = node.at("spec").object(),
          .evaluations = read_hashes(node.at("evaluations")),
          .adversarial_sets = read_hashes(node.at("adversarial_sets"))};
}

Plan::Row read_row(const JsonNode& node) {
  Plan::Row row{.label = node.at("label").text(),
                .group = node.at("group").text(),
                .control = node.at("control").boolean(),
                .baseline = node.at("baseline").boolean()};
  for (const auto& [key, value] : node.at("keys").table()) row.keys[key] = value.json();
  for (const auto& [label, value] : node.at("published").table())
    row.published[label] = value.percent();
  for (const auto& trial : node.at("trials").list()) row.trials.push_back(read_trial(trial));
  return row;
}

/// The parts of "resolved" that are built into sweep files.
void check_resolved(const JsonNode& resolved) {
  resolved.at("attacker").object();
  for (const auto& [name, attacker] : resolved.at("attackers").table()) attacker.object();
  for (const auto& [key, attack] : resolved.at("attacks").table()) attack.object();
  for (const auto& column : resolved.at("columns").list())
    for (const char* key : {"label", "attack", "attacker", "pixels"}) column.at(key).text();
}

Json parse(const std::filesystem::path& path, const JsonOrigin& origin) {
  Json plan = parse_untrusted(read_bounded(path, kLargestFile));
  if (!plan.is_object()) refuse_damaged(origin, "it is not a JSON object");
  const Json version = plan.value("version", Json());
  if (version != kPlanVersion)
    throw InputError(concat("'", path.string(), "' has version ", version.dump(),
                            " (this program reads ", kPlanVersion,
                            "); use the aggregate_results of the same release as the "
                            "sweep_runner that wrote it"));
  return plan;
}

}  // namespace

Plan read_plan(const std::filesystem::path& path, const std::string& name) {
  const JsonOrigin origin{path.string(),
                          "run the sweep again, which writes it anew and keeps all finished work"};
  const Json json = parse(path, origin);
  const JsonNode root(json, origin), table = root.at("table");
  Plan plan{.name = name,
            .title = table.at("title").text(),
            .sweep = root.at("sweep").object(),
            .resolved = root.at("resolved").object()};
  check_resolved(root.at("resolved"));
  for (const auto& key : table.at("row_keys").list()) plan.row_keys.push_back(key.text());
  for (const auto& hash : root.at("datasets").list()) plan.datasets.push_back(hash.hash());
  std::set<std::string> labels;
  for (const auto& column : table.at("columns").list()) {
    plan.columns.push_back(read_column(column));
    column.at("label").check(labels.insert(plan.columns.back().label).second,
                             "a label of its own (two columns have it)");
  }
  const auto rows = table.at("rows").list();
  table.at("rows").check(rows.size() * std::max<std::size_t>(plan.columns.size(), 1) <= kMostCells,
                         concat("a table of at most ", kMostCells, " cells"));
  for (const auto& row : rows) plan.rows.push_back(read_row(row));
  return plan;
}

std::map<std::string, Json> leaves(const Json& object) {
  std::map<std::string, Json> found;
  for (const auto& [key, value] : object.items()) {
    if (!value.is_object()) {
      found[key] = value;
      continue;
    }
    for (auto& [below, leaf] : leaves(value)) found[concat(key, ".", below)] = std::move(leaf);
  }
  return found;
}

}  // namespace sweep::report
