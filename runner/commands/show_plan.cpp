#include "runner/commands/show_plan.hpp"

#include <cmath>
#include <ostream>

#include "core/json.hpp"
#include "core/text.hpp"
#include "core/text_table.hpp"
#include "runner/plan/forecast.hpp"
#include "runner/plan/presence.hpp"
#include "runner/plan/request.hpp"
#include "storage/store.hpp"

namespace sweep::commands {
namespace {

/// Everything that the formats show.
struct ShownPlan {
  plan::Sweep sweep;
  plan::Graph graph;
  plan::Calibration calibration;
  plan::Forecast forecast;
  std::vector<std::string> notes;
  std::vector<std::pair<std::size_t, scheduling::Simulated>> simulations;
};

ShownPlan make_plan(const engine::RunRequest& request, const std::vector<std::size_t>& devices) {
  const auto& catalogue = plan::built_in_catalogue();
  const storage::Store store(request.out);
  ShownPlan plan{.sweep = plan::read_sweep(request.sweep)};
  plan.notes = plan.sweep.notes;
  plan.graph = plan::build_graph(plan.sweep, catalogue, [&](const Json& dataset) {
    auto summary = plan::inspect_registered(dataset);
    for (const auto& note : summary.notes)
      plan.notes.push_back(concat(dataset.at("name").get<std::string>(), ": ", note));
    return summary;
  });
  plan.calibration = plan::measured(store);
  const auto rates = plan.calibration.rates();
  plan.forecast = plan::forecast(
      plan.graph,
      plan::made(plan.graph, [&](const storage::ArtifactId& id) { return store.contains(id); }),
      rates);
  if (devices.empty()) return plan;
  const auto& run = plan.sweep.run;
  if (run.memory_per_task > 0)
    plan.notes.push_back(concat("run.memory_per_task = ", run.memory_per_task,
                                " is left out of the simulation (it does not know the memory of "
                                "the machines)"));
  const auto nodes = plan::nodes_of(plan.graph, rates);
  for (const auto count : devices)
    plan.simulations.emplace_back(count, plan::simulate(nodes, plan.forecast.made, run, count));
  return plan;
}

std::string hours(double seconds) {
  return fixed(seconds / 3600, seconds < 36000 ? 3 : 1);
}

std::string stages_text(const ShownPlan& plan) {
  double all_cost = 0;
  for (const auto& [kind, stage] : plan.forecast.stages) all_cost += stage.cost;
  TextTable table{.columns = {{"stage"}, {"there", true}, {"to make", true}}};
  table.columns.push_back({plan.forecast.has_times() ? "device-hours" : "share of work", true});
  for (const auto& [kind, stage] : plan.forecast.stages) {
    const std::string work = stage.to_make == 0 ? "-"
                             : plan.forecast.has_times()
                                 ? hours(*stage.device_seconds)
                                 : concat(std::lround(100 * stage.cost / all_cost), " %");
    table.rows.push_back(
        {std::string(storage::to_string(kind)), concat(stage.there), concat(stage.to_make), work});
  }
  return table.text();
}

std::string edges_text(const ShownPlan& plan) {
  std::map<storage::ArtifactKind, std::vector<std::string>> from;
  for (const auto& [edge, count] : plan.forecast.edges)
    from[edge.second].push_back(concat(storage::to_string(edge.first), " (", count, ")"));
  std::string text;
  for (const auto& [kind, inputs] : from)
    text += concat("  ", storage::to_string(kind), " <- ", join(inputs, ", "), "\n");
  return text;
}

std::string shortened(const std::set<std::string>& names) {
  constexpr std::size_t kShown = 8;
  std::vector<std::string> shown(names.begin(), names.end());
  if (shown.size() > kShown) shown.resize(kShown);
  const std::size_t more = names.size() - shown.size();
  return concat(join(shown, ", "), more > 0 ? concat(" and ", more, " more") : "");
}

std::string not_measured_text(const plan::Forecast& forecast) {
  std::vector<std::string> kinds;
  for (const auto& [kind, stage] : forecast.stages)
    if (!stage.measured) kinds.emplace_back(storage::to_string(kind));
  if (kinds.empty()) return "";
  return concat("Not measured yet, so by the speed of the others: ", join(kinds, ", "), ".\n");
}

std::string calibration_text(const ShownPlan& plan) {
  const auto& calibration = plan.calibration;
  const std::string ignored =
      calibration.ignored() == 0
          ? ""
          : concat(" (", calibration.ignored(), calibration.ignored() == 1 ? " entry" : " entries",
                   " of journals can't be used)");
  if (calibration.tasks() == 0)
    return concat("Times are not known yet: nothing has been measured in the output folder",
                  ignored, ". Run a part first (--max-trials 1) and plan again.\n");
  return concat("Times are those of ", calibration.tasks(), " tasks measured on ",
                shortened(calibration.devices()), ignored, "; other devices, other times.\n",
                not_measured_text(plan.forecast));
}

std::string simulations_text(const ShownPlan& plan) {
  if (plan.simulations.empty()) return "";
  const bool times = plan.forecast.has_times();
  TextTable table{.columns = {{"devices", true},
                              {times ? "makespan" : "times faster than one", true},
                              {"utilisation", true}}};
  for (const auto& [devices, simulated] : plan.simulations) {
    const double speed = simulated.makespan > 0 ? simulated.work / simulated.makespan : 1;
    table.rows.push_back({concat(devices),
                          !simulated.complete ? "a trial needs more devices"
                          : times             ? duration_text(simulated.makespan)
                                              : fixed(speed, 1),
                          concat(std::lround(100 * simulated.utilisation), " %")});
  }
  return "\n" + table.text();
}

void print_text(const ShownPlan& plan, std::ostream& out) {
  for (const auto& note : plan.notes) out << note << "\n";
  out << plan.sweep.name << ": " << plan.sweep.trials.size() << " trials, "
      << plan.graph.tasks.size() << " tasks, " << plan.forecast.to_make() << " to do\n\n"
      << stages_text(plan) << "\nwhat is made of what (tasks that read it)\n"
      << edges_text(plan) << "\n"
      << calibration_text(plan) << simulations_text(plan);
}

void print_json(const ShownPlan& plan, std::ostream& out) {
  Json stages = Json::array(), edges = Json::array(), simulations = Json::array();
  for (const auto& [kind, stage] : plan.forecast.stages)
    stages.push_back({{"kind", storage::to_string(kind)},
                      {"there", stage.there},
                      {"to_make", stage.to_make},
                      {"cost", stage.cost},
                      {"measured", stage.measured && stage.device_seconds},
                      {"device_seconds", optional_json(stage.device_seconds)}});
  for (const auto& [edge, count] : plan.forecast.edges)
    edges.push_back({{"from", storage::to_string(edge.first)},
                     {"to", storage::to_string(edge.second)},
                     {"tasks", count}});
  const bool times = plan.forecast.has_times();
  for (const auto& [devices, simulated] : plan.simulations)
    simulations.push_back({{"devices", devices},
                           {"complete", simulated.complete},
                           {"makespan_s", times ? Json(simulated.makespan) : Json()},
                           {"critical_path_s", times ? Json(simulated.path) : Json()},
                           {"lower_bound_s", times ? Json(simulated.lower_bound(devices)) : Json()},
                           {"utilisation", simulated.utilisation}});
  out << Json{{"sweep", plan.sweep.name},
              {"notes", plan.notes},
              {"trials", plan.sweep.trials.size()},
              {"tasks", plan.graph.tasks.size()},
              {"to_make", plan.forecast.to_make()},
              {"stages", stages},
              {"edges", edges},
              {"calibration",
               {{"tasks", plan.calibration.tasks()},
                {"ignored", plan.calibration.ignored()},
                {"devices", plan.calibration.devices()}}},
              {"simulations", simulations}}
             .dump(1)
      << "\n";
}

TextTable trials_table(const ShownPlan& plan) {
  const auto trials = plan::trials(plan.graph, plan.forecast);
  TextTable table{.columns = {{"id", true}, {"label"}, {"state"}, {"seconds", true}}};
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const auto& [tasks, to_make, seconds] = trials[i];
    const char* state = to_make == 0 ? "done" : to_make == tasks ? "open" : "begun";
    table.rows.push_back(
        {concat(i), plan.graph.trial_labels[i], state, seconds ? fixed(*seconds, 1) : ""});
  }
  return table;
}

}  // namespace

void show_plan(const engine::RunRequest& request, const std::vector<std::size_t>& devices,
               PlanFormat format, std::ostream& out) {
  const ShownPlan plan = make_plan(request, devices);
  if (format == PlanFormat::text) print_text(plan, out);
  if (format == PlanFormat::json) print_json(plan, out);
  if (format == PlanFormat::csv) out << trials_table(plan).csv();
  if (format == PlanFormat::trials) out << trials_table(plan).text();
}

}  // namespace sweep::commands
