#include "runner/engine/run.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "cluster/batch_job.hpp"
#include "cluster/host.hpp"
#include "cluster/stop_signal.hpp"
#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/host_name.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"
#include "runner/engine/coordinator.hpp"
#include "runner/engine/loop.hpp"
#include "runner/engine/run_place.hpp"
#include "runner/engine/standing.hpp"
#include "runner/plan/graph.hpp"
#include "runner/plan/record.hpp"
#include "storage/store.hpp"

namespace sweep::engine {
namespace {

using storage::Store;

/// Told the names of a sweep's datasets when nothing else is to be made; else empty.
using OnDatasets = std::function<void(const std::vector<storage::ArtifactId>&)>;

/// Everything that rank 0 knows of a run.
struct Run {
  plan::Sweep sweep;
  plan::Graph graph;
  Store store;
  std::unique_ptr<storage::StoreLock> lock;
  RunPlace place;
  std::filesystem::path folder;  ///< plan, journal, status, logs
  std::vector<Standing> standings;
  std::unique_ptr<RunLog> log;
  std::unique_ptr<Progress> progress;
  std::string next_step;  ///< behind "all done"; empty when only datasets were prepared

  std::size_t count(Standing standing) const {
    return static_cast<std::size_t>(std::count(standings.begin(), standings.end(), standing));
  }
};

/// Lists what changed since the last run of this sweep, so that nobody wonders why work is done
/// anew.
void report_changes(const Run& run, const std::string& record) {
  const auto path = run.folder / "plan.json";
  if (!std::filesystem::exists(path)) return;
  const std::string old_text = read_text(path);
  if (old_text == record) return;
  std::vector<std::string> lines;
  try {
    lines = plan::changes(parse_untrusted(old_text), Json::parse(record));
  } catch (const Json::exception&) {  // keys of other types than ours
    log_warning(concat("'", path.string(), "' is damaged; it is written anew"));
  }
  if (lines.empty()) return;
  run.progress->note("the sweep has changed since its last run:");
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < std::min(lines.size(), kShown); ++i)
    run.progress->note("  " + lines[i]);
  if (lines.size() > kShown) run.progress->note(concat("  and ", lines.size() - kShown, " more"));
  run.progress->note("finished artifacts that still match are kept");
}

/// Executors would all die on their missing device.
void check_device(const std::string& device) {
  if (device == "cuda" && cluster::cuda_devices().empty())
    throw InputError(
        concat("run.device = \"cuda\" but ", host_name(),
               " has no GPU that this process may use (it looks for /dev/nvidia0, ... and at "
               "CUDA_VISIBLE_DEVICES); choose auto or cpu, or start on a machine with a GPU"));
}

/// Leaves only the datasets in the graph and returns their names.
std::vector<storage::ArtifactId> keep_datasets(plan::Graph& graph) {
  std::erase_if(graph.tasks, [](const plan::Task& task) {
    return task.output.kind != storage::ArtifactKind::dataset;
  });
  std::vector<storage::ArtifactId> datasets;
  for (const auto& task : graph.tasks) datasets.push_back(task.output);
  return datasets;
}

/// Inspects datasets and collects what they have to say.
plan::Inspect inspect_and_note(std::vector<std::string>& notes) {
  return [&notes](const Json& dataset) {
    auto summary = plan::inspect_registered(dataset);
    for (const auto& note : summary.notes)
      notes.push_back(concat(dataset.at("name").get<std::string>(), ": ", note));
    return summary;
  };
}

std::unique_ptr<Progress> make_progress(View view) {
  if (view == View::automatic) view = cluster::shows_on_terminal() ? View::live : View::plain;
  if (view == View::live)
    return make_live_view(std::cout, ::isatty(STDIN_FILENO) != 0 || cluster::started_by_launcher());
  return view == View::json ? make_json_view(std::cout) : make_plain_view(std::cout);
}

/// Looks at every artifact, which takes its time where there are many.
std::vector<Standing> look_at_artifacts(const Run& run) {
  const auto since = Clock::now();
  bool said = false;
  return standings(run.graph, run.store, run.folder / "journal.jsonl", [&](std::size_t seen) {
    if (said || seconds_since(since) < 2) return;
    said = true;
    run.progress->note(concat("checking what is there: ", run.graph.tasks.size(), " artifacts (",
                              seen, " after 2 s)"));
  });
}

/// What an earlier run has given up stays so, unless it is to be tried again.
void settle_old_failures(Run& run, bool retry_failed) {
  const auto reopen = [&](Standing standing) {
    std::replace(run.standings.begin(), run.standings.end(), standing, Standing::open);
  };
  if (retry_failed) {
    reopen(Standing::failed);
    reopen(Standing::cancelled);
    return;
  }
  if (const auto failed = run.count(Standing::failed); failed > 0)
    run.progress->note(concat(failed, failed == 1 ? " task" : " tasks",
                              " failed in an earlier run and will not be tried again; "
                              "--retry-failed tries all, sweep_runner retry chooses"));
  if (const auto cancelled = run.count(Standing::cancelled); cancelled > 0)
    run.progress->note(concat(cancelled, cancelled == 1 ? " task" : " tasks",
                              " were cancelled in an earlier run and stay so; --retry-failed or "
                              "sweep_runner retry takes them up again"));
}

void check_devices(const plan::RunOptions& options, int ranks) {
  if (options.devices_per_trial > ranks)
    throw InputError(concat("run.devices_per_trial = ", options.devices_per_trial, " but there ",
                            ranks == 1 ? "is 1 rank" : concat("are ", ranks, " ranks"),
                            " (no trial could ever start); start more ranks with --np"));
}

/// All checks happen here, before any work starts. @throws InputError
Run prepare(const RunRequest& request, int ranks, const OnDatasets& on_datasets) {
  const auto& catalogue = plan::built_in_catalogue();
  Run run{.sweep = plan::read_sweep(request.sweep), .store = Store(request.out)};
  check_device(run.sweep.run.device);
  check_devices(run.sweep.run, ranks);
  std::vector<std::string> notes = run.sweep.notes;
  run.graph = plan::build_graph(run.sweep, catalogue, inspect_and_note(notes));
  // As text, which takes far less memory; the trials are in it, and in the graph.
  const std::string record =
      plan::plan_record(run.sweep, run.graph, request.sweep.file.string()).dump(1) + "\n";
  const std::size_t trials = run.sweep.trials.size();
  run.sweep.trials = {};
  if (on_datasets) {
    on_datasets(keep_datasets(run.graph));
  } else {
    run.next_step = concat("; the table: aggregate_results ", request.out.string(), " --table ",
                           run.sweep.name);
  }
  run.lock = std::make_unique<storage::StoreLock>(
      run.store, request.join ? storage::Access::joined : storage::Access::exclusive,
      run.sweep.name);
  run.place = take_place(run.store, run.sweep.name);
  run.folder = on_datasets ? run.place.folder / "data" : run.place.folder;
  for (const char* name :
       {"plan.json", "journal.jsonl", "status.json", "logs", "control", "tensorboard"})
    run.store.refuse_links(run.folder / name);
  run.progress = on_datasets ? make_plain_view(std::cerr) : make_progress(request.view);
  for (const auto& note : notes) run.progress->note(note);
  if (!on_datasets) report_changes(run, record);
  run.standings = look_at_artifacts(run);
  settle_old_failures(run, request.retry_failed);
  create_folders(run.folder / "logs");
  write_atomically(run.folder / "plan.json", record);
  run.log = std::make_unique<RunLog>(run.folder, run.lock->epoch());
  const auto there = run.count(Standing::done);
  Json event{{"epoch", run.lock->epoch()},
             {"ranks", ranks},
             {"there", there},
             {"joined", request.join},
             {"retry_failed", request.retry_failed},
             {"host", host_name()},
             {"pid", ::getpid()}};
  if (const auto job = cluster::batch_job())
    event.update({{"slurm_job", job->id}, {"slurm_restart", job->restart}});
  run.log->append("run", std::move(event));
  run.progress->note(concat(run.sweep.name, ": ", trials, " trials, ", run.standings.size(),
                            " tasks, ", there, " done already, ", run.count(Standing::open),
                            " to do on ", ranks, ranks == 1 ? " rank" : " ranks"));
  return run;
}

std::string what_failed(const Counts& counts) {
  if (counts.failed + counts.cancelled == 0) return "stopped because results can't be written";
  std::vector<std::string> parts;
  if (counts.failed > 0)
    parts.push_back(concat(counts.failed, counts.failed == 1 ? " task failed" : " tasks failed"));
  if (counts.cancelled > 0) parts.push_back(concat(counts.cancelled, " cancelled"));
  if (counts.blocked > 0) parts.push_back(concat(counts.blocked, " could not run because of them"));
  return join(parts, ", ");
}

/// How the run ended, in the journal, in status.json and for the user.
void conclude(const Run& run, RunView view, ExitCode code) {
  const Counts& counts = view.counts;
  view.exit_code = static_cast<int>(code);
  view.state = code == ExitCode::ok            ? "finished"
               : code == ExitCode::interrupted ? "interrupted"
                                               : "failed";
  run.progress->close();
  run.log->append("end", {{"state", view.state},
                          {"exit_code", *view.exit_code},
                          {"done", counts.done},
                          {"failed", counts.failed}});
  run.log->commit(view);
  run.log->write_status(view);
  if (code == ExitCode::ok) {
    run.progress->note(concat("all done: ", counts.done, " tasks",
                              counts.pruned > 0 ? concat(", ", counts.pruned, " ended early") : "",
                              run.next_step));
  } else if (code == ExitCode::interrupted) {
    run.progress->note(concat("interrupted with ", counts.done, " of ", counts.total,
                              " tasks done; nothing is lost, the same command goes on"));
  } else if (view.too_short) {
    run.progress->note(
        "nothing was started, and nothing is lost; with more time the same command goes on");
  } else {
    run.progress->note(concat(what_failed(counts),
                              "; correct the cause, the same command with "
                              "--retry-failed tries again"));
  }
}

void send_exit(cluster::MessageBus& bus) {
  for (int rank = 1; rank < bus.size(); ++rank) send_exit_to(bus, rank);
}

/// When running tasks have to save, on a clock that nobody sets.
std::optional<Clock::time_point> end_of_work() {
  const auto job = cluster::batch_job();
  if (!job || !job->save_at) return std::nullopt;
  const auto left =
      std::chrono::system_clock::from_time_t(*job->save_at) - std::chrono::system_clock::now();
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(left);
}

int coordinate(const RunRequest& request, cluster::MessageBus& bus, const OnDatasets& on_datasets) {
  Run run = prepare(request, bus.size(), on_datasets);
  if (const auto count = run.standings.size(); run.count(Standing::done) == count) {
    run.progress->note("all done already" + run.next_step);
    const RunView view{
        .state = "finished", .exit_code = 0, .counts = {.total = count, .done = count}};
    run.log->commit(view);
    run.log->write_status(view);
    send_exit(bus);
    return 0;
  }
  Coordinator coordinator({run.graph, run.standings, run.sweep.run, run.sweep.early_stopping,
                           run.store, run.lock->member(), request.join, request.executor.string(),
                           *run.log, *run.progress, bus, end_of_work()});
  run.log->write_status(coordinator.view());
  Loop(bus, &coordinator).run();
  const ExitCode code = coordinator.exit_code();
  conclude(run, coordinator.view(), code);
  if (coordinator.lost_ranks()) {
    std::cout.flush();
    ::_exit(static_cast<int>(code));  // a collective finish would wait for them for ever
  }
  return static_cast<int>(code);
}

int serve(const RunRequest& request, cluster::MessageBus& bus, const OnDatasets& on_datasets) {
  cluster::install_stop_signals();
  if (bus.rank() != 0) {
    Loop loop(bus, nullptr);
    loop.run();
    if (!loop.all_here()) ::_exit(0);
    return 0;
  }
  try {
    return coordinate(request, bus, on_datasets);
  } catch (const Error& error) {
    log_error(error.what());
    send_exit(bus);
    return static_cast<int>(ExitCode::bad_input);
  }
}

}  // namespace

int run(const RunRequest& request, cluster::MessageBus& bus) {
  return serve(request, bus, {});
}

int prepare_datasets(const RunRequest& request, cluster::MessageBus& bus,
                     const std::function<void(const std::vector<storage::ArtifactId>&)>& planned) {
  return serve(request, bus, planned);
}

}  // namespace sweep::engine
