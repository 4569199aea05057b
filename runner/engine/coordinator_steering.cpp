// What makes a run deviate from its plan: requests from outside, and its own limits.

#include <algorithm>

#include "core/log.hpp"
#include "core/text.hpp"
#include "runner/engine/coordinator.hpp"

namespace sweep::engine {

using scheduling::State;

void Coordinator::cancel(std::size_t index) {
  if (scheduler_.state(index) != State::running) {
    if (scheduler_.state(index) == State::done) return;
    scheduler_.cancel(index);
    return setup_.log.append("cancelled", task(index), Json::object());
  }
  cancelling_.insert(index);
  send(scheduler_.ranks_of(index).front(), {{"type", "stop"}});
}

void Coordinator::obey(const ControlRequest& request) {
  if (request.command == "drain") stop_on_request(Stop::drain, "asked for");
  if (request.command == "stop") stop_on_request(Stop::save, "asked for");
  std::size_t known = 0;
  for (const auto& hash : request.tasks) {
    const auto found = by_hash_.find(hash);
    if (found == by_hash_.end()) continue;
    ++known;
    if (request.command == "cancel") cancel(found->second);
    if (request.command == "retry") scheduler_.retry(found->second);
    if (request.command == "set-priority") scheduler_.set_priority(found->second, request.priority);
  }
  const std::string outcome =
      request.tasks.empty() ? "obeyed"
                            : concat(known, " of ", request.tasks.size(), " tasks are of this run");
  setup_.progress.note(concat("from another terminal: ", request.command,
                              request.tasks.empty() ? "" : concat(" (", outcome, ")")));
  Json event = request.text;
  event["outcome"] = outcome;
  setup_.log.append("control", std::move(event));
}

/// @param strongest  stop that is obeyed
void Coordinator::obey_waiting_requests(Stop strongest) {
  last_request_check_ = Clock::now();
  for (const auto& request : take_requests(setup_.log.folder() / "control")) {
    const bool stops = request.command == "drain" || request.command == "stop";
    if (!stops || strongest == Stop::save) {
      obey(request);
      continue;
    }
    Json event = request.text;
    event["outcome"] = "refused: it was meant for an earlier run, which had ended";
    setup_.log.append("control", std::move(event));
  }
}

void Coordinator::stop_on_request(Stop how, const std::string& why) {
  view_.by_request = true;
  stop(how, why);
}

/// The task is done before the end, or has a checkpoint by then. What is not known yet may try:
/// what other kinds of work have taken says too little.
bool Coordinator::fits(std::size_t index) const {
  const plan::Task& planned = task(index);
  const auto kind = planned.output.kind;
  const bool saves =
      kind == storage::ArtifactKind::model || kind == storage::ArtifactKind::preprocessor;
  double seconds = 0;
  if (rates_.measured(kind, planned.cost)) seconds = *rates_.seconds(kind, planned.cost);
  if (saves) seconds = std::min(seconds, setup_.run.checkpoint_seconds);
  return -seconds_since(*setup_.end) > seconds;
}

void Coordinator::watch_end() {
  if (stop_ != Stop::no) return;
  if (seconds_since(*setup_.end) >= 0) return stop(Stop::save, "the time limit is near");
  const auto ready = scheduler_.count(State::ready);
  const bool all_here = std::none_of(view_.ranks.begin(), view_.ranks.end(),
                                     [](const auto& rank) { return rank.state == "starting"; });
  if (!all_here || ready == 0 || scheduler_.count(State::running) > 0 || scheduler_.stuck()) return;
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    if (scheduler_.state(i) == State::ready && fits(i)) return;
  const std::string left = duration_text(-seconds_since(*setup_.end));
  view_.too_short = !started_;
  if (view_.too_short)
    log_error(concat("none of the ", ready, " tasks that can be started fits into the ", left,
                     " that this run has; give it more time"));
  stop(Stop::drain, concat("nothing that is left fits into the ", left, " before the time limit"));
}

void Coordinator::stop(Stop how, const std::string& why) {
  if (how <= stop_) return;
  stop_ = how;
  stop_since_ = Clock::now();
  view_.state = "draining";
  setup_.progress.note(concat(
      "stopping (", why, "): ",
      how == Stop::drain ? "running tasks end, nothing new starts" : "running tasks save and end"));
  if (how == Stop::drain) return;
  for (const auto& rank : view_.ranks)
    if (rank.task) send(rank.rank, {{"type", "stop"}});
}

std::size_t Coordinator::failed_trials() const {
  std::size_t count = 0;
  for (const auto& evaluations : setup_.graph.evaluations)
    count += static_cast<std::size_t>(
        std::any_of(evaluations.begin(), evaluations.end(), [&](const auto& evaluation) {
          const State state = scheduler_.state(by_hash_.at(evaluation.second.hash));
          return state == State::failed || state == State::blocked;
        }));
  return count;
}

/// fail_fast and max_failures.
void Coordinator::judge_run() {
  const auto limit = plan::failure_limit(setup_.run, setup_.graph.evaluations.size());
  if (!limit) return;
  const std::size_t failed = failed_trials();
  if (failed < *limit) return;
  given_up_ = true;
  stop(Stop::save,
       concat(failed, failed == 1 ? " trial has" : " trials have", " failed and ",
              setup_.run.fail_fast ? "run.fail_fast is set"
                                   : concat("run.max_failures = ", setup_.run.max_failures)));
}

}  // namespace sweep::engine
