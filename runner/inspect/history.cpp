#include "runner/inspect/history.hpp"

#include "core/text.hpp"
#include "runner/inspect/journal_reader.hpp"

namespace sweep::inspect {
namespace {

/// Of an event that has no time: an old journal, or a foreign one.
std::int64_t time_of(const JsonNode& event) {
  const auto time = event.find("time");
  return time ? utc_seconds(*time) : 0;
}

std::int64_t integer_or(const JsonNode& event, const std::string& key, std::int64_t otherwise) {
  const auto value = event.find(key);
  return value ? value->integer() : otherwise;
}

std::string text_or_empty(const JsonNode& event, const std::string& key) {
  const auto value = event.find(key);
  return value ? value->text() : "";
}

bool flag(const JsonNode& event, const std::string& key, bool otherwise) {
  const auto value = event.find(key);
  return value ? value->boolean() : otherwise;
}

void end(Attempt& attempt, const std::string& outcome, std::int64_t time) {
  attempt.outcome = outcome;
  attempt.ended = time;
  if (attempt.started > 0 && time > attempt.started)
    attempt.seconds = static_cast<double>(time - attempt.started);
}

}  // namespace

double TaskHistory::seconds() const {
  double sum = 0;
  for (const auto& attempt : attempts) sum += attempt.seconds;
  return sum;
}

void History::apply(const JsonNode& event) {
  const std::string kind = event.at("event").text();
  const std::int64_t time = time_of(event);
  if (kind == "run") on_run(event);
  if (kind == "control") on_control(event);
  if (kind == "end") {
    end_state_ = text_or_empty(event, "state");
    ended_ = true;
  }
  if (const auto artifact = event.find("artifact")) {
    // What an older plan of this run has made is no concern of this one.
    const auto task = by_hash_->find(artifact->text());
    if (task != by_hash_->end()) on_task(kind, event, tasks_[task->second]);
  }
  if (time > last_time_) last_time_ = time;
}

void History::on_run(const JsonNode& event) {
  epoch_ = event.at("epoch").integer();
  run_began_ = time_of(event);
  host_ = text_or_empty(event, "host");
  pid_ = integer_or(event, "pid", 0);
  ended_ = false;
  const bool retries = flag(event, "retry_failed", false);
  for (auto& task : tasks_) {
    // The run before has ended without a word.
    if (task.last == Last::started) {
      task.attempts.back().outcome = "lost";
      task.last = Last::stopped;
    }
    if (task.last == Last::failed || (retries && task.last == Last::given_up))
      task.last = Last::stopped;
  }
}

void History::on_control(const JsonNode& event) {
  if (text_or_empty(event, "command") != "retry") return;
  const auto hashes = event.find("tasks");
  if (!hashes) return;
  hashes->for_each([&](const JsonNode& hash) {
    const auto found = by_hash_->find(hash.text());
    if (found == by_hash_->end()) return;
    Last& last = tasks_[found->second].last;
    if (last == Last::given_up || last == Last::cancelled) last = Last::stopped;
  });
}

/// The one that the event is about; older journals do not tell every start.
Attempt& History::current_attempt(TaskHistory& task, const JsonNode& event) const {
  const auto rank = integer_or(event, "rank", 0);
  if (task.attempts.empty() || task.attempts.back().outcome != "running")
    task.attempts.push_back({.epoch = epoch_,
                             .number = static_cast<std::int64_t>(task.attempts.size()) + 1,
                             .rank = rank});
  return task.attempts.back();
}

void History::on_task(const std::string& kind, const JsonNode& event, TaskHistory& task) {
  const std::int64_t time = time_of(event);
  if (kind == "started") {
    Attempt attempt{.epoch = epoch_,
                    .number = integer_or(event, "attempt", 1),
                    .rank = integer_or(event, "rank", 0),
                    .pid = integer_or(event, "pid", 0),
                    .started = time,
                    .log = text_or_empty(event, "log")};
    if (task.last == Last::started) task.attempts.back().outcome = "lost";
    task.attempts.push_back(std::move(attempt));
    task.last = Last::started;
  } else if (kind == "done") {
    const double seconds = event.find("seconds") ? event.at("seconds").number() : 0;
    Attempt& attempt = current_attempt(task, event);
    end(attempt, kind, time);
    attempt.seconds = seconds;
    task.last = Last::done;
  } else if (kind == "failed") {
    const bool final = flag(event, "final", true);
    const std::string failure = text_or_empty(event, "failure"),
                      message = text_or_empty(event, "message"), log = text_or_empty(event, "log");
    Attempt& attempt = current_attempt(task, event);
    end(attempt, kind, time);
    attempt.failure = failure;
    attempt.message = message;
    if (!log.empty()) attempt.log = log;
    task.last = final ? Last::given_up : Last::failed;
  } else if (kind == "stopped" || kind == "pruned" || kind == "cancelled") {
    const std::string metric = text_or_empty(event, "metric");
    if (task.last == Last::started) end(current_attempt(task, event), kind, time);
    if (kind == "pruned") task.note = metric;
    task.last = kind == "stopped"  ? Last::stopped
                : kind == "pruned" ? Last::pruned
                                   : Last::cancelled;
  }
}

}  // namespace sweep::inspect
