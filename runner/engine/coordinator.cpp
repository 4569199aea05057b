#include "runner/engine/coordinator.hpp"

#include <algorithm>
#include <fstream>

#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/engine/messages.hpp"

namespace sweep::engine {
namespace {

using scheduling::State;
using scheduling::Verdict;
using storage::ArtifactKind;

constexpr double kLostAfterSeconds = 30;       // agents say something every second
constexpr double kGiveUpWaitingSeconds = 120;  // for executors to save after a stop request
constexpr int kMaxRemakes =
    2;  // of a task's inputs: a disk that damages every file must not keep us busy
constexpr std::size_t kLogTailLines = 5;

std::vector<std::vector<std::size_t>> input_indices(const plan::Graph& graph) {
  std::map<storage::ArtifactId, std::size_t> index;
  std::vector<std::vector<std::size_t>> inputs;
  for (std::size_t i = 0; i < graph.tasks.size(); ++i) {
    auto& list = inputs.emplace_back();
    for (const auto& input : graph.tasks[i].inputs) list.push_back(index.at(input));
    index[graph.tasks[i].output] = i;
  }
  return inputs;
}

std::vector<scheduling::Node> nodes_of(const CoordinatorSetup& setup) {
  const auto inputs = input_indices(setup.graph);
  std::vector<scheduling::Node> nodes;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    nodes.push_back({inputs[i], setup.graph.tasks[i].cost, setup.done[i]});
  return nodes;
}

double seconds_since(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - time).count();
}

/// The last lines of a log, indented.
std::string tail(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back("    " + line);
  if (lines.size() > kLogTailLines) lines.erase(lines.begin(), lines.end() - kLogTailLines);
  return lines.empty() ? "" : "\n" + join(lines, "\n");
}

}  // namespace

Coordinator::Coordinator(const CoordinatorSetup& setup)
    : setup_(setup),
      scheduler_(nodes_of(setup), 1 + setup.run.at("retries").get<int>()),
      inputs_(input_indices(setup.graph)),
      ranks_(static_cast<std::size_t>(setup.bus.size())) {
  for (auto& rank : ranks_) rank.last_heard = Clock::now();
  for (std::size_t task = 0; task < inputs_.size(); ++task)
    if (scheduler_.state(task) == State::done) remove_temporary_inputs(task);
  broadcast({{"type", "setup"},
             {"store", std::filesystem::absolute(setup_.store.root()).string()},
             {"logs", setup_.run_folder + "/logs"},
             {"epoch", setup_.epoch},
             {"run", setup_.run}});
}

void Coordinator::broadcast(Json message) {
  message["to"] = messages::kToAgent;
  for (std::size_t rank = 0; rank < ranks_.size(); ++rank)
    if (!ranks_[rank].lost) setup_.bus.send(static_cast<int>(rank), message.dump());
}

void Coordinator::on_message(int from, const Json& message) {
  Rank& rank = ranks_[static_cast<std::size_t>(from)];
  if (rank.lost) return;  // its task was given to another rank
  rank.last_heard = Clock::now();
  const std::string type = message.at("type");
  if (type == "hello") {
    rank.ready = true;
    setup_.journal.append({{"event", "rank"},
                           {"rank", from},
                           {"host", message.at("host")},
                           {"device", message.at("device")}});
  }
  if (type == "stop_requested") request_stop(message.at("why"));
  if (!rank.task || !message.contains("id") || message.at("id") != *rank.task) return;
  const std::size_t task = *rank.task;
  if (type == "started")
    setup_.journal.append({{"event", "started"},
                           {"task", setup_.graph.tasks[task].label},
                           {"artifact", setup_.graph.tasks[task].output.hash},
                           {"attempt", message.at("attempt")},
                           {"rank", from},
                           {"pid", message.at("pid")}});
  if (type == "progress")
    setup_.progress.advanced(from, message.at("fraction"), message.at("text"));
  if (type == "done") on_done(from, task, message.at("seconds"));
  if (type == "failed")
    on_failed(from, task, failure_type_from(message.at("failure").get<std::string>()),
              message.at("message"));
  if (type == "stopped") {
    rank.task.reset();
    scheduler_.put_back(task);
    setup_.progress.tick(counts(), eta_s());
    setup_.progress.ended(from, "stopped, saved");
  }
}

void Coordinator::start_tasks() {
  for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
    if (!ranks_[rank].ready || ranks_[rank].lost || ranks_[rank].task) continue;
    const auto task = scheduler_.take();
    if (!task) return;
    start(static_cast<int>(rank), *task);
  }
}

void Coordinator::start(int rank, std::size_t task) {
  const plan::Task& planned = setup_.graph.tasks[task];
  const int attempt = scheduler_.attempts(task) + 1;
  Json inputs = Json::array();
  for (const auto& input : planned.inputs)
    inputs.push_back({{"kind", storage::to_string(input.kind)}, {"hash", input.hash}});
  ranks_[static_cast<std::size_t>(rank)].task = task;
  ranks_[static_cast<std::size_t>(rank)].task_since = Clock::now();
  setup_.progress.started(rank, planned.label);
  const Json message{{"to", messages::kToAgent},
                     {"type", "task"},
                     {"id", task},
                     {"attempt", attempt},
                     {"log", log_path(task, attempt)},
                     {"task",
                      {{"kind", storage::to_string(planned.output.kind)},
                       {"hash", planned.output.hash},
                       {"label", planned.label},
                       {"spec", planned.spec},
                       {"locations", planned.locations},
                       {"inputs", inputs}}}};
  setup_.bus.send(rank, message.dump());
}

std::string Coordinator::log_path(std::size_t task, int attempt) const {
  const auto& id = setup_.graph.tasks[task].output;
  return concat(setup_.run_folder, "/logs/", storage::to_string(id.kind), "-",
                id.hash.substr(0, 12), ".", setup_.epoch, ".", attempt, ".log");
}

void Coordinator::on_done(int rank, std::size_t task, double seconds) {
  ranks_[static_cast<std::size_t>(rank)].task.reset();
  scheduler_.done(task);
  cost_done_ += setup_.graph.tasks[task].cost;
  seconds_done_ += seconds;
  remove_temporary_inputs(task);
  setup_.journal.append({{"event", "done"},
                         {"task", setup_.graph.tasks[task].label},
                         {"artifact", setup_.graph.tasks[task].output.hash},
                         {"rank", rank},
                         {"seconds", seconds}});
  setup_.progress.tick(counts(), eta_s());
  setup_.progress.ended(rank, "done");
}

void Coordinator::on_failed(int rank, std::size_t task, FailureType type,
                            const std::string& message) {
  ranks_[static_cast<std::size_t>(rank)].task.reset();
  const plan::Task& planned = setup_.graph.tasks[task];
  const std::string log = log_path(task, scheduler_.attempts(task) + 1);
  setup_.journal.append({{"event", "failed"},
                         {"task", planned.label},
                         {"artifact", planned.output.hash},
                         {"rank", rank},
                         {"failure", to_string(type)},
                         {"message", message},
                         {"log", log}});
  if (type == FailureType::bad_data && remakes_[task] < kMaxRemakes && remake_lost_inputs(task)) {
    ++remakes_[task];
    setup_.progress.ended(rank, concat("waits: ", message, "; it is made again"));
    return;
  }
  const Verdict verdict = scheduler_.failed(task, type);
  const std::string then = verdict == Verdict::retry ? "will be tried again" : "failed";
  setup_.progress.tick(counts(), eta_s());
  setup_.progress.ended(
      rank, concat(then, ": ", to_string(type), ": ", message, "\n  log: ", log, tail(log)));
  const bool dataset = planned.output.kind == ArtifactKind::dataset;
  if (verdict == Verdict::give_up && dataset) input_failure_ = true;
  if (verdict == Verdict::stop_run) {
    storage_failure_ = true;
    request_stop("results can't be written");
  }
}

bool Coordinator::remake_lost_inputs(std::size_t task) {
  bool any = false;
  for (const auto input : inputs_[task]) {
    if (scheduler_.state(input) != State::done ||
        setup_.store.contains(setup_.graph.tasks[input].output))
      continue;
    any = true;
    scheduler_.remake(input, task);
    remake_lost_inputs(input);
  }
  return any;
}

void Coordinator::remove_temporary_inputs(std::size_t task) {
  for (const auto input : inputs_[task])
    if (setup_.graph.tasks[input].temporary) setup_.store.remove(setup_.graph.tasks[input].output);
}

void Coordinator::find_lost_ranks() {
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    Rank& rank = ranks_[i];
    if (rank.lost || !rank.ready || seconds_since(rank.last_heard) < kLostAfterSeconds) continue;
    rank.lost = true;
    log_error(concat("rank ", i, " has been silent for ", duration_text(kLostAfterSeconds),
                     "; the others go on without it"));
    if (rank.task)
      on_failed(static_cast<int>(i), *rank.task, FailureType::agent_lost, "the rank went silent");
  }
}

void Coordinator::request_stop(const std::string& why) {
  if (stopping_) return;
  stopping_ = true;
  stop_since_ = Clock::now();
  setup_.progress.note(concat("stopping (", why, "): running tasks save and end"));
  broadcast({{"type", "stop"}});
}

void Coordinator::tick() {
  find_lost_ranks();
  if (!stopping_) start_tasks();
  setup_.progress.tick(counts(), eta_s());
}

bool Coordinator::lost_ranks() const {
  return std::any_of(ranks_.begin(), ranks_.end(), [](const Rank& rank) { return rank.lost; });
}

bool Coordinator::finished() const {
  const bool all_lost =
      std::all_of(ranks_.begin(), ranks_.end(), [](const Rank& rank) { return rank.lost; });
  const bool idle = std::none_of(ranks_.begin(), ranks_.end(), [](const Rank& rank) {
    return rank.task.has_value() && !rank.lost;
  });
  if (stopping_) return idle || seconds_since(stop_since_) > kGiveUpWaitingSeconds;
  return all_lost || (idle && scheduler_.finished());
}

ExitCode Coordinator::exit_code() const {
  if (storage_failure_) return ExitCode::bad_input;
  if (!scheduler_.finished()) return ExitCode::interrupted;
  if (input_failure_) return ExitCode::bad_input;
  return scheduler_.count(State::failed) > 0 ? ExitCode::trials_failed : ExitCode::ok;
}

std::optional<double> Coordinator::eta_s() const {
  if (cost_done_ <= 0 || seconds_done_ <= 0) return std::nullopt;
  const double seconds_per_cost = seconds_done_ / cost_done_;
  const auto workers = std::count_if(ranks_.begin(), ranks_.end(),
                                     [](const Rank& rank) { return rank.ready && !rank.lost; });
  if (workers == 0) return std::nullopt;
  const double spread = scheduler_.remaining_cost() / static_cast<double>(workers);
  return seconds_per_cost * std::max(spread, scheduler_.remaining_path());
}

Counts Coordinator::counts() const {
  return {setup_.graph.tasks.size(), scheduler_.count(State::done), scheduler_.count(State::failed),
          scheduler_.count(State::blocked), scheduler_.count(State::running)};
}

}  // namespace sweep::engine
