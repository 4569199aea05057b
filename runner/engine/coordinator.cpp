#include "runner/engine/coordinator.hpp"

#include <algorithm>
#include <cmath>

#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/engine/log_tail.hpp"
#include "runner/engine/messages.hpp"
#include "runner/plan/forecast.hpp"

namespace sweep::engine {
namespace {

using scheduling::State;
using scheduling::Verdict;
using storage::ArtifactKind;

constexpr double kLostAfterSeconds = 30;       // agents say something every second
constexpr double kGiveUpWaitingSeconds = 120;  // for executors to save after a stop request
constexpr double kSecondsBetweenRequests = 0.5;
constexpr std::size_t kFailedTasksOfABadRank = 3;
constexpr std::size_t kShownFailures = 20;
// Of a task's inputs: a disk that damages every file must not keep us busy.
constexpr int kMaxRemakes = 2;
constexpr std::size_t kLogTailLines = 5;

std::vector<scheduling::Node> nodes_of(const CoordinatorSetup& setup, const plan::Rates& rates) {
  auto nodes = plan::nodes_of(setup.graph, rates);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].done = setup.standings[i] == Standing::done;
    nodes[i].failed = setup.standings[i] == Standing::failed;
  }
  return nodes;
}

/// Failures that may be the fault of the place.
bool blames_the_rank(FailureType type) {
  return type == FailureType::device_lost || type == FailureType::crash ||
         type == FailureType::timeout || type == FailureType::internal ||
         type == FailureType::communication;
}

}  // namespace

Coordinator::Coordinator(const CoordinatorSetup& setup)
    : Coordinator(setup, plan::measured(setup.store).rates()) {}

Coordinator::Coordinator(const CoordinatorSetup& setup, const plan::Rates& rates)
    : setup_(setup),
      scheduler_(nodes_of(setup, rates), plan::policy_of(setup.run)),
      inputs_(plan::input_indices(setup.graph)),
      ranks_(static_cast<std::size_t>(setup.bus.size())),
      eta_(setup.graph, inputs_, rates),
      rates_(rates),
      pruner_(setup.early_stopping, setup.graph, setup.log.folder() / "journal.jsonl"),
      curves_(setup.log.folder() / "tensorboard") {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    by_hash_[task(i).output.hash] = i;
    if (setup.standings[i] == Standing::cancelled) scheduler_.cancel(i);
    if (setup.standings[i] == Standing::pruned) scheduler_.prune(i);
    for (const auto input : inputs_[i])
      if (task(input).temporary) users_[input].push_back(i);
    if (scheduler_.state(i) == State::done) remove_temporary_inputs(i);
  }
  view_.ranks.resize(ranks_.size());
  for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
    view_.ranks[rank].rank = static_cast<int>(rank);
    send(static_cast<int>(rank), {{"type", "setup"},
                                  {"store", std::filesystem::absolute(setup_.store.root())},
                                  {"logs", (setup_.log.folder() / "logs").string()},
                                  {"epoch", setup_.log.epoch()},
                                  {"executor", setup_.executor},
                                  {"run", plan::to_json(setup_.run)}});
  }
  obey_waiting_requests(Stop::no);
  update_counts();
  update_stages();
}

void Coordinator::send(int rank, Json message) {
  if (seen(rank).state == "lost") return;
  message["to"] = messages::kToAgent;
  setup_.bus.send(rank, message.dump());
}

void Coordinator::on_message(int from, const Json& message) {
  RankView& rank = seen(from);
  if (rank.state == "lost") return;  // its task was given to another rank
  ranks_[static_cast<std::size_t>(from)].last_heard = Clock::now();
  const std::string type = message.at("type");
  if (type == "hello") on_hello(from, message);
  if (type == "stop_requested") stop(Stop::save, message.at("why"));
  if (!message.contains("id")) return;
  const std::size_t index = message.at("id");
  const auto found = underway_.find(index);
  if (found == underway_.end() || found->second.number != message.at("number")) return;
  on_task_message(from, index, message);
}

void Coordinator::on_task_message(int from, std::size_t index, const Json& message) {
  RankView& rank = seen(from);
  const std::string type = message.at("type");
  if (type == "failed")
    return on_failed(from, index, failure_type_from(message.at("failure").get<std::string>()),
                     message.at("message"));
  if (rank.task && type == "done") underway_.at(index).seconds = message.at("seconds");
  if (type == "done" || type == "stopped") return on_ended(from, index, type == "stopped");
  if (!rank.task) return;  // the lead speaks for all
  if (type == "started")
    setup_.log.append("started", task(index),
                      {{"attempt", message.at("attempt")},
                       {"rank", from},
                       {"ranks", scheduler_.ranks_of(index)},
                       {"pid", message.at("pid")},
                       {"log", rank.log}});
  if (type == "progress") on_progress(rank, message);
  if (type == "epoch") on_epoch(from, index, message);
  if (type == "pruned") on_pruned(from, index);
}

void Coordinator::on_hello(int from, const Json& message) {
  RankView& rank = seen(from);
  rank.host = message.at("host");
  rank.device = message.at("device");
  rank.state = "idle";
  ranks_[static_cast<std::size_t>(from)].ready = true;
  const int host = hosts_.emplace(rank.host, static_cast<int>(hosts_.size())).first->second;
  const double memory_gib = message.at("memory_bytes").get<double>() / (1 << 30);
  std::size_t host_tasks = 0;
  if (const double needed = setup_.run.memory_per_task; needed > 0) {
    host_tasks = static_cast<std::size_t>(std::max(memory_gib / needed, 1.0));
    if (needed > memory_gib)
      setup_.progress.note(concat("run.memory_per_task = ", needed, " GiB is more than ", rank.host,
                                  " has (", fixed(memory_gib, 1),
                                  " GiB); it works on one task at a time"));
  }
  scheduler_.add_rank(from, {.host = host, .host_tasks = host_tasks});
  setup_.log.append("rank", {{"rank", from}, {"host", rank.host}, {"device", rank.device}});
}

void Coordinator::on_progress(RankView& rank, const Json& message) {
  const auto number = [&](const char* key) {
    return message.contains(key) ? std::optional(message.at(key).get<double>()) : std::nullopt;
  };
  rank.fraction = message.at("fraction");
  rank.text = message.at("text");
  rank.memory_bytes = number("memory_bytes");
  rank.epoch = number("epoch");
  rank.loss = number("loss");
  rank.images_per_second = number("images_per_second");
}

void Coordinator::start(const scheduling::Start& start) {
  started_ = true;
  const plan::Task& planned = task(start.task);
  const int attempt = scheduler_.attempts(start.task) + 1;
  for (const int rank : start.ranks) seen(rank).state = "held";
  RankView& lead = seen(start.ranks.front());
  lead = {.rank = lead.rank,
          .host = lead.host,
          .device = lead.device,
          .state = "busy",
          .task = start.task,
          .label = planned.label,
          .log = setup_.log.log_path(planned, attempt, 0),
          .attempt = attempt,
          .since = Clock::now()};
  underway_[start.task] = {.number = ++starts_,
                           .pending = {start.ranks.begin(), start.ranks.end()}};
  Json message = task_message(start.task, attempt);
  for (std::size_t i = 0; i < start.ranks.size(); ++i) {
    message["log"] = setup_.log.log_path(planned, attempt, i);
    if (start.ranks.size() > 1)
      message["group"] = {{"number", starts_}, {"ranks", start.ranks}, {"index", i}};
    send(start.ranks[i], message);
  }
}

Json Coordinator::task_message(std::size_t index, int attempt) const {
  const plan::Task& planned = task(index);
  Json inputs = Json::array();
  for (const auto& input : planned.inputs)
    inputs.push_back({{"kind", storage::to_string(input.kind)}, {"hash", input.hash}});
  return {{"type", "task"},
          {"id", index},
          {"attempt", attempt},
          {"number", starts_},
          {"memory_level", memory_level(index)},
          {"task",
           {{"kind", storage::to_string(planned.output.kind)},
            {"hash", planned.output.hash},
            {"label", planned.label},
            {"spec", planned.spec()},
            {"locations", planned.locations},
            {"inputs", inputs}}}};
}

/// A task that died may have been killed by the system for the memory that it took.
int Coordinator::memory_level(std::size_t index) const {
  return scheduler_.failures(index, FailureType::out_of_memory) +
         scheduler_.failures(index, FailureType::crash);
}

void Coordinator::on_ended(int rank, std::size_t index, bool stopped) {
  Underway& work = underway_.at(index);
  work.pending.erase(rank);
  work.stopped = work.stopped || stopped;
  if (!work.pending.empty()) return;
  const int lead = scheduler_.ranks_of(index).front();
  if (work.stopped)
    on_stopped(lead, index);
  else
    on_done(lead, index, work.seconds);
}

void Coordinator::disband(std::size_t index, int but, const std::string& why) {
  for (const int rank : scheduler_.ranks_of(index))
    if (rank != but) send(rank, {{"type", "kill"}, {"why", why}});
}

void Coordinator::free(int from, const std::string& event) {
  RankView& lead = seen(from);
  underway_.erase(*lead.task);
  curves_.close(task(*lead.task));
  if (setup_.joined) setup_.member.release(task(*lead.task).output.hash);
  update_counts();
  setup_.progress.ended(lead, event, view_);
  lead.task.reset();
  for (auto& rank : view_.ranks)
    if (rank.state == "held" || rank.state == "busy") rank.state = "idle";
  for (const auto& rank : view_.ranks)
    if (rank.task)
      for (const int other : scheduler_.ranks_of(*rank.task))
        seen(other).state = other == rank.rank ? "busy" : "held";
}

void Coordinator::on_done(int rank, std::size_t index, double seconds) {
  const plan::Task& planned = task(index);
  scheduler_.done(index);
  eta_.add(planned, seconds, seen(rank).device);
  pruner_.done(index);
  pruning_.erase(index);
  cancelling_.erase(index);
  ranks_[static_cast<std::size_t>(rank)].failed_since_success.clear();
  remove_temporary_inputs(index);
  setup_.log.append("done", planned,
                    {{"rank", rank},
                     {"seconds", seconds},
                     {"cost", planned.cost},
                     {"device", seen(rank).device}});
  free(rank, "done");
}

void Coordinator::on_failed(int culprit, std::size_t index, FailureType type,
                            const std::string& message) {
  const plan::Task& planned = task(index);
  const auto& ranks = scheduler_.ranks_of(index);
  const int rank = ranks.front();
  const auto place = std::find(ranks.begin(), ranks.end(), culprit) - ranks.begin();
  const std::string log =
      setup_.log.log_path(planned, seen(rank).attempt, static_cast<std::size_t>(place));
  Json event{{"rank", culprit}, {"failure", to_string(type)},    {"message", message},
             {"log", log},      {"attempt", seen(rank).attempt}, {"final", false}};
  disband(index, culprit, concat("rank ", culprit, " has failed"));
  pruning_.erase(index);  // it died before it could answer: the next attempt is judged anew
  if (cancelling_.contains(index)) return on_stopped(rank, index);
  const bool at_its_inputs = type == FailureType::bad_data || type == FailureType::storage;
  if (at_its_inputs && remakes_[index] < kMaxRemakes && remake_lost_inputs(index)) {
    ++remakes_[index];
    setup_.log.append("failed", planned, event);
    return free(rank, concat("waits: ", message, "; it is made again"));
  }
  const Verdict verdict = scheduler_.failed(index, type);
  if (blames_the_rank(type)) scheduler_.avoid(index, culprit);
  event["final"] = verdict == Verdict::give_up;
  setup_.log.append("failed", planned, event);
  view_.failures.push_back({index, planned.label, std::string(to_string(type)), message, log,
                            verdict == Verdict::give_up});
  if (view_.failures.size() > kShownFailures) view_.failures.pop_front();
  std::string tail;
  for (const auto& line : log_tail(log, kLogTailLines)) tail += "\n    " + line;
  free(rank, concat(verdict == Verdict::retry ? "will be tried again" : "failed", ": ",
                    to_string(type), ": ", message, "\n  log: ", log, tail));
  if (verdict == Verdict::stop_run && !find_expelled()) {
    storage_failure_ = true;
    stop(Stop::save, "results can't be written");
  }
  if (verdict == Verdict::give_up) {
    input_failure_ = input_failure_ || planned.output.kind == ArtifactKind::dataset;
    judge_run();
  }
  judge_rank(culprit, index, type);
}

void Coordinator::on_stopped(int rank, std::size_t index) {
  scheduler_.put_back(index);
  pruning_.erase(index);
  if (cancelling_.erase(index) == 0) {
    setup_.log.append("stopped", task(index), {{"rank", rank}});
    return free(rank, "stopped, saved");
  }
  scheduler_.cancel(index);
  setup_.log.append("cancelled", task(index), {{"rank", rank}});
  free(rank, "cancelled");
}

void Coordinator::on_epoch(int rank, std::size_t index, const Json& message) {
  const std::int64_t epoch = message.at("epoch");
  const Json& metrics = message.at("metrics");
  if (setup_.run.tensorboard) curves_.add(task(index), message);
  if (!pruner_.ends(index, epoch, metrics, setup_.log) || pruning_.contains(index)) return;
  pruning_[index] = {{"epoch", epoch}};
  send(rank, {{"type", "prune"}});
}

void Coordinator::on_pruned(int rank, std::size_t index) {
  disband(index, rank, "the training has ended early");
  scheduler_.put_back(index);
  scheduler_.prune(index);
  Json why = pruning_[index];
  pruning_.erase(index);
  why["rank"] = rank;
  setup_.log.append("pruned", task(index), why);
  free(rank, concat("ended early after epoch ", why.value("epoch", 0)));
}

/// A rank on which one task after the other fails, while others do well, is taken out.
void Coordinator::judge_rank(int rank, std::size_t index, FailureType type) {
  auto& failed = ranks_[static_cast<std::size_t>(rank)].failed_since_success;
  if (!blames_the_rank(type)) return;
  failed.insert(index);
  const bool others =
      std::any_of(view_.ranks.begin(), view_.ranks.end(),
                  [&](const RankView& other) { return other.rank != rank && is_working(other); });
  if (failed.size() < kFailedTasksOfABadRank || !others) return;
  const std::string why = concat(failed.size(), " tasks in a row have failed on it");
  take_out(rank, "out");
  setup_.log.append("device_out", {{"rank", rank}, {"why", why}});
  log_error(concat("rank ", rank, " (", seen(rank).device, " of ", seen(rank).host,
                   ") is taken out: ", why, "; the others go on without it"));
}

void Coordinator::take_out(int rank, const std::string& state) {
  scheduler_.remove_rank(rank);
  seen(rank).state = state;
}

bool Coordinator::remake_lost_inputs(std::size_t index) {
  bool any = false;
  for (const auto input : inputs_[index]) {
    if (scheduler_.state(input) != State::done || setup_.store.contains(task(input).output))
      continue;
    any = true;
    scheduler_.remake(input, index);
    remake_lost_inputs(input);
  }
  return any;
}

void Coordinator::remove_temporary_inputs(std::size_t index) {
  for (const auto input : inputs_[index])
    if (task(input).temporary) setup_.store.remove(task(input).output);
}

void Coordinator::find_lost_ranks() {
  for (auto& rank : view_.ranks) {
    const Rank& known = ranks_[static_cast<std::size_t>(rank.rank)];
    if (rank.state == "lost" || !known.ready || seconds_since(known.last_heard) < kLostAfterSeconds)
      continue;
    log_error(concat("rank ", rank.rank, " has been silent for ", duration_text(kLostAfterSeconds),
                     "; the others go on without it"));
    const auto work = std::find_if(underway_.begin(), underway_.end(), [&](const auto& entry) {
      return entry.second.pending.contains(rank.rank);
    });
    if (work != underway_.end())
      on_failed(rank.rank, work->first, FailureType::agent_lost, "the rank went silent");
    take_out(rank.rank, "lost");
  }
}

void Coordinator::tick() {
  find_lost_ranks();
  if (seconds_since(last_request_check_) > kSecondsBetweenRequests)
    obey_waiting_requests(Stop::save);
  if (const auto request = setup_.progress.request())
    stop_on_request(*request == Request::drain ? Stop::drain : Stop::save, "key pressed");
  if (setup_.end) watch_end();
  if (stop_ == Stop::no) look_elsewhere();
  if (stop_ == Stop::no) start_tasks();
  update_counts();
  if (seconds_since(last_stages_) > 1) update_stages();
  setup_.progress.tick(view_);
  setup_.log.commit(view_);
}

/// What takes a look at every task: once a second.
void Coordinator::update_stages() {
  last_stages_ = Clock::now();
  std::map<ArtifactKind, StageView> stages;
  for (std::size_t i = 0; i < setup_.graph.tasks.size(); ++i) {
    StageView& stage = stages[task(i).output.kind];
    const State state = scheduler_.state(i);
    ++stage.total;
    if (state == State::done) ++stage.done;
    if (state == State::failed) ++stage.failed;
    if (state == State::running) ++stage.running;
  }
  view_.stages.clear();
  for (auto& [kind, stage] : stages) {
    stage.kind = storage::to_string(kind);
    view_.stages.push_back(std::move(stage));
  }
  if (setup_.end) rates_ = eta_.rates(view_.ranks);
  view_.eta_s = eta_.seconds(scheduler_, view_.ranks);
}

void Coordinator::update_counts() {
  const auto count = [&](State state) { return scheduler_.count(state); };
  view_.counts = {setup_.graph.tasks.size(), count(State::done),      count(State::failed),
                  count(State::blocked),     count(State::cancelled), count(State::pruned),
                  count(State::running),     count(State::ready),     count(State::waiting),
                  count(State::elsewhere)};
}

bool Coordinator::lost_ranks() const {
  return std::any_of(view_.ranks.begin(), view_.ranks.end(),
                     [](const RankView& rank) { return rank.state == "lost"; });
}

bool Coordinator::finished() const {
  const auto all = [&](auto condition) {
    return std::all_of(view_.ranks.begin(), view_.ranks.end(), condition);
  };
  const bool idle = all([](const RankView& rank) { return !rank.task; });
  if (stop_ == Stop::save) return idle || seconds_since(stop_since_) > kGiveUpWaitingSeconds;
  if (stop_ == Stop::drain) return idle;
  // Ranks that are gone take what only they could have done with them.
  const bool all_here = all([](const RankView& rank) { return rank.state != "starting"; });
  return idle && (scheduler_.finished() || (all_here && scheduler_.stuck()));
}

ExitCode Coordinator::exit_code() const {
  if (expelled_) return ExitCode::interrupted;
  if (storage_failure_ || view_.too_short) return ExitCode::bad_input;
  if (given_up_) return ExitCode::trials_failed;
  if (!scheduler_.finished()) return ExitCode::interrupted;
  if (input_failure_) return ExitCode::bad_input;
  const bool all = scheduler_.count(State::failed) + scheduler_.count(State::cancelled) == 0;
  return all ? ExitCode::ok : ExitCode::trials_failed;
}

}  // namespace sweep::engine
