#include "runner/commands/run_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/text_table.hpp"
#include "runner/inspect/requests.hpp"
#include "runner/inspect/select.hpp"
#include "runner/inspect/status_report.hpp"

namespace sweep::commands {
namespace {

constexpr std::chrono::seconds kPatience{5};

}  // namespace

void add_run_options(CLI::App& app, inspect::Where& where, bool positional) {
  app.add_option(positional ? "dir,-C,--dir" : "-C,--dir", where.dir,
                 "The run: its output folder, its folder runs/SWEEP, or its sweep file")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--run", where.run, "Which one, where the output folder holds several")
      ->type_name("NAME");
  app.add_option("--out", where.out, "Output folder, where DIR is a sweep file; default: results")
      ->type_name("DIR");
}

inspect::RunView open_run(const inspect::Where& where) {
  inspect::RunView run(inspect::find_run(where));
  warn_of(run.problems());
  return run;
}

void warn_of(const std::vector<std::string>& problems) {
  for (const auto& problem : problems) log_warning(printable(problem));
}

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void add_steering_options(CLI::App& app, Steering& steering, bool positional) {
  add_run_options(app, steering.where, positional);
  app.add_flag("--no-wait", steering.no_wait, "Do not wait for the run's answer");
}

std::vector<std::size_t> find_trials(const inspect::RunView& run,
                                     const std::vector<std::string>& names) {
  std::vector<std::size_t> trials;
  for (const auto& name : names) trials.push_back(inspect::find_trial(run.plan(), name));
  std::sort(trials.begin(), trials.end());
  trials.erase(std::unique(trials.begin(), trials.end()), trials.end());
  return trials;
}

int send(const inspect::RunView& run, const Json& request, const std::string& what, bool no_wait) {
  inspect::Request sent(run.folder(), request);
  std::cout << printable(what) << std::endl;
  const std::string place = printable(sent.path().string());
  if (!run.active()) {
    std::cout << "no run is active (" << printable(inspect::run_state_text(run))
              << "): the request waits for the next start in " << place << "\n";
    return static_cast<int>(ExitCode::ok);
  }
  if (no_wait) {
    std::cout << "the run reads it in a moment: " << place << "\n";
    return static_cast<int>(ExitCode::ok);
  }
  const auto outcome = sent.wait(kPatience);
  if (!outcome) {
    log_warning(concat("the run has not answered within ", kPatience.count(),
                       " s (the request stays in '", place,
                       "'); sweep_runner status says whether it is alive"));
    return static_cast<int>(ExitCode::interrupted);
  }
  std::cout << "the run says: " << printable(*outcome) << "\n";
  const bool refused = outcome->starts_with("refused");
  return static_cast<int>(refused ? ExitCode::bad_input : ExitCode::ok);
}

}  // namespace sweep::commands
