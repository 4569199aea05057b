#include "runner/engine/run.hpp"

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <thread>

#include "cluster/host.hpp"
#include "cluster/stop_signal.hpp"
#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/engine/agent.hpp"
#include "runner/engine/coordinator.hpp"
#include "runner/engine/messages.hpp"
#include "runner/plan/graph.hpp"
#include "runner/plan/record.hpp"
#include "storage/journal.hpp"
#include "storage/store.hpp"

namespace sweep::engine {
namespace {

using storage::Store;

/// Short enough to answer at once, long enough to cost nearly no CPU (a few per cent of one core at
/// most).
constexpr auto kPollInterval = std::chrono::milliseconds(2);

/// Told the names of a sweep's datasets when nothing else is to be made; else empty.
using OnDatasets = std::function<void(const std::vector<storage::ArtifactId>&)>;

/// Everything that rank 0 knows of a run.
struct Run {
  plan::Sweep sweep;
  plan::Graph graph;
  Store store;
  std::filesystem::path folder;  ///< plan, journal, status, logs
  std::unique_ptr<storage::StoreLock> lock;
  std::vector<bool> done;
  std::unique_ptr<storage::Journal> journal;
  std::unique_ptr<Progress> progress;
  Json run_options;
  std::string next_step;  ///< behind "all done"; empty when only datasets were prepared
};

/// Lists what changed since the last run of this sweep, so that nobody wonders why work is done
/// anew.
void report_changes(const Run& run, const Json& record) {
  const auto path = run.folder / "plan.json";
  if (!std::filesystem::exists(path)) return;
  const Json old_record = Json::parse(read_text(path), nullptr, false);
  if (!old_record.is_object()) {
    log_warning(concat("'", path.string(), "' is damaged; it is written anew"));
    return;
  }
  const auto lines = plan::changes(old_record, record);
  if (lines.empty()) return;
  run.progress->note("the sweep has changed since its last run:");
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < std::min(lines.size(), kShown); ++i)
    run.progress->note("  " + lines[i]);
  if (lines.size() > kShown) run.progress->note(concat("  and ", lines.size() - kShown, " more"));
  run.progress->note("finished artifacts that still match are kept");
}

/// Per task: whether its artifact is there, whole. Shards count as done when what they make up is.
std::vector<bool> find_done(const plan::Graph& graph, const Store& store) {
  std::vector<bool> done(graph.tasks.size());
  std::map<storage::ArtifactId, bool>
      consumed;  // temporary output -> all that is made of it is there
  for (std::size_t i = 0; i < graph.tasks.size(); ++i)
    done[i] = store.verify(graph.tasks[i].output);
  for (std::size_t i = 0; i < graph.tasks.size(); ++i)
    for (const auto& input : graph.tasks[i].inputs) {
      const auto known = consumed.emplace(input, true).first;
      known->second = known->second && done[i];
    }
  for (std::size_t i = 0; i < graph.tasks.size(); ++i)
    if (graph.tasks[i].temporary && consumed[graph.tasks[i].output]) done[i] = true;
  return done;
}

/// Executors would all die on their missing device.
void check_device(const std::string& device) {
  if (device == "cuda" && cluster::cuda_devices().empty())
    throw InputError(
        concat("run.device = \"cuda\" but ", cluster::host_name(),
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

/// All checks happen here, before any work starts. @throws InputError
Run prepare(const RunRequest& request, int ranks, const OnDatasets& on_datasets) {
  const auto& catalogue = plan::built_in_catalogue();
  Run run{.sweep = plan::read_sweep(request.sweep), .store = Store(request.out)};
  check_device(run.sweep.run.device);
  std::vector<std::string> notes = run.sweep.notes;
  run.graph = plan::build_graph(run.sweep, catalogue, inspect_and_note(notes));
  const Json record = plan::plan_record(run.sweep, run.graph, request.sweep.file.string());
  run.folder = run.store.run_folder(run.sweep.name);
  if (on_datasets) {
    run.folder /= "data";
    on_datasets(keep_datasets(run.graph));
  } else {
    run.next_step = concat("; the table: aggregate_results ", request.out.string(), " --table ",
                           run.sweep.name);
  }
  run.lock = std::make_unique<storage::StoreLock>(run.store);
  run.progress = on_datasets ? make_progress(std::cerr, false)
                             : make_progress(std::cout, cluster::shows_on_terminal());
  for (const auto& note : notes) run.progress->note(note);
  run.run_options = plan::to_json(run.sweep.run);

  if (!on_datasets) report_changes(run, record);
  run.done = find_done(run.graph, run.store);
  create_folders(run.folder / "logs");
  write_atomically(run.folder / "plan.json", record.dump(2) + "\n");
  run.journal = std::make_unique<storage::Journal>(run.folder / "journal.jsonl");
  const auto there = static_cast<std::size_t>(std::count(run.done.begin(), run.done.end(), true));
  run.journal->append(
      {{"event", "run"}, {"epoch", run.lock->epoch()}, {"ranks", ranks}, {"there", there}});
  run.progress->note(concat(run.sweep.name, ": ", run.sweep.trials.size(), " trials, ",
                            run.done.size(), " tasks, ", there, " done already, ",
                            run.done.size() - there, " to do on ", ranks,
                            ranks == 1 ? " rank" : " ranks"));
  return run;
}

void write_status(const Run& run, const std::string& state, int code) {
  const Json status{{"state", state},
                    {"exit_code", code},
                    {"epoch", run.lock->epoch()},
                    {"time", storage::utc_time()}};
  write_atomically(run.folder / "status.json", status.dump(2) + "\n");
}

std::string what_failed(const scheduling::Scheduler& scheduler) {
  const std::size_t failed = scheduler.count(scheduling::State::failed);
  if (failed == 0) return "stopped because results can't be written";
  return concat(failed, failed == 1 ? " task" : " tasks", " failed, ",
                scheduler.count(scheduling::State::blocked), " could not run because of them");
}

/// How the run ended, in the journal, in status.json and for the user.
void conclude(const Run& run, const Coordinator& coordinator) {
  using scheduling::State;
  const auto& scheduler = coordinator.scheduler();
  const ExitCode code = coordinator.exit_code();
  const char* state = code == ExitCode::ok            ? "finished"
                      : code == ExitCode::interrupted ? "interrupted"
                                                      : "failed";
  run.progress->close();
  run.journal->append({{"event", "end"}, {"state", state}, {"done", scheduler.count(State::done)}});
  write_status(run, state, static_cast<int>(code));
  if (code == ExitCode::ok) {
    run.progress->note(concat("all done: ", scheduler.count(State::done), " tasks", run.next_step));
  } else if (code == ExitCode::interrupted) {
    run.progress->note(concat("interrupted with ", scheduler.count(State::done), " of ",
                              run.done.size(),
                              " tasks done; nothing is lost, the same command goes on"));
  } else {
    run.progress->note(
        concat(what_failed(scheduler), "; correct the cause, the same command goes on"));
  }
}

/// Passes messages and time on to this rank's agent, and on rank 0 to the coordinator.
class Loop {
 public:
  Loop(cluster::MessageBus& bus, Coordinator* coordinator)
      : bus_(bus), coordinator_(coordinator), agent_(bus), launcher_(::getppid()) {}

  /// Until the coordinator has sent the exit message.
  void run() {
    while (!agent_.exit_code()) {
      while (auto message = bus_.receive()) deliver(*message);
      forward_stop_signal();
      agent_.tick();
      if (coordinator_ != nullptr) tick_coordinator();
      std::this_thread::sleep_for(kPollInterval);
    }
  }

 private:
  void deliver(const cluster::Message& message) {
    const Json json = Json::parse(message.text);
    if (json.at("to") == messages::kToAgent) {
      agent_.on_message(json);
    } else if (coordinator_ != nullptr && !exit_sent_) {
      coordinator_->on_message(message.from, json);
    }
  }

  void tick_coordinator() {
    if (exit_sent_) return;
    coordinator_->tick();
    if (!coordinator_->finished()) return;
    exit_sent_ = true;
    for (int rank = 0; rank < bus_.size(); ++rank)
      bus_.send(rank, Json{{"to", messages::kToAgent}, {"type", "exit"}, {"code", 0}}.dump());
  }

  /// A signal, or the death of the launcher: without it the ranks can no longer talk to each other.
  void forward_stop_signal() {
    if (cluster::started_by_launcher() && ::getppid() != launcher_) {
      log_error(
          "the launcher (mpirun) is gone, this rank ends too; the same command goes on from here");
      ::_exit(static_cast<int>(ExitCode::interrupted));  // executors die with their agent
    }
    if (stop_sent_ || cluster::stop_signal() == 0) return;
    stop_sent_ = true;
    agent_.on_message({{"type", "stop"}});  // at once: some launchers kill two seconds later
    bus_.send(0, Json{{"to", messages::kToCoordinator},
                      {"type", "stop_requested"},
                      {"why", concat("signal ", cluster::stop_signal())}}
                     .dump());
  }

  cluster::MessageBus& bus_;
  Coordinator* coordinator_;
  Agent agent_;
  pid_t launcher_;
  bool exit_sent_ = false, stop_sent_ = false;
};

void send_exit(cluster::MessageBus& bus) {
  for (int rank = 1; rank < bus.size(); ++rank)
    bus.send(rank, Json{{"to", messages::kToAgent}, {"type", "exit"}, {"code", 0}}.dump());
}

int coordinate(const RunRequest& request, cluster::MessageBus& bus, const OnDatasets& on_datasets) {
  Run run = prepare(request, bus.size(), on_datasets);
  if (std::find(run.done.begin(), run.done.end(), false) == run.done.end()) {
    run.progress->note("all done already" + run.next_step);
    write_status(run, "finished", 0);
    send_exit(bus);
    return 0;
  }
  write_status(run, "running", -1);
  const auto folder = std::filesystem::absolute(run.folder).string();
  Coordinator coordinator({run.graph, run.done, run.store, run.lock->epoch(), run.run_options,
                           folder, *run.journal, *run.progress, bus});
  Loop(bus, &coordinator).run();
  conclude(run, coordinator);
  if (coordinator.lost_ranks()) {
    std::cout.flush();
    ::_exit(static_cast<int>(
        coordinator.exit_code()));  // a collective finish would wait for them for ever
  }
  return static_cast<int>(coordinator.exit_code());
}

int serve(const RunRequest& request, cluster::MessageBus& bus, const OnDatasets& on_datasets) {
  cluster::install_stop_signals();
  if (bus.rank() != 0) {
    Loop(bus, nullptr).run();
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
