#include "runner/inspect/status_report.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/text_table.hpp"

namespace sweep::inspect {
namespace {

constexpr std::size_t kShownFailures = 5;
constexpr std::size_t kMessageWidth = 200;
constexpr std::size_t kTaskLabelWidth = 60;
constexpr double kBarWidth = 24;

std::size_t at(const Counts& counts, State state) {
  return counts[static_cast<std::size_t>(state)];
}

/// How far the tasks of one kind are.
struct Stage {
  storage::ArtifactKind kind;
  Counts counts{};
  std::size_t total = 0;
};

/// In the order in which the plan makes them.
std::vector<Stage> stages_of(const RunView& run) {
  std::vector<Stage> stages;
  for (std::size_t i = 0; i < run.tasks().size(); ++i) {
    const auto kind = run.plan().tasks[i].output.kind;
    auto stage = std::find_if(stages.begin(), stages.end(),
                              [&](const Stage& known) { return known.kind == kind; });
    if (stage == stages.end()) stage = stages.insert(stages.end(), {kind});
    ++stage->total;
    ++stage->counts[static_cast<std::size_t>(run.tasks()[i].state)];
  }
  std::sort(stages.begin(), stages.end(),
            [](const Stage& a, const Stage& b) { return a.kind < b.kind; });
  return stages;
}

/// "12 of 40 done, 3 running, 1 failed"
std::string counts_text(const Counts& counts) {
  std::size_t total = 0;
  for (const auto number : counts) total += number;
  std::string text = concat(at(counts, State::done), " of ", total, " done");
  for (const auto state : {State::running, State::failed, State::blocked, State::cancelled,
                           State::pruned, State::ready, State::waiting})
    if (at(counts, state) > 0) text += concat(", ", at(counts, state), " ", to_string(state));
  return text;
}

std::string bar(std::size_t done, std::size_t total) {
  const double part = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
  const auto filled = static_cast<std::size_t>(std::floor(part * kBarWidth));
  const auto width = static_cast<std::size_t>(kBarWidth);
  return concat("[", std::string(filled, '#'), std::string(width - filled, '.'), "]");
}

std::string stage_lines(const RunView& run) {
  std::string text;
  for (const auto& stage : stages_of(run))
    text += concat("  ", left(std::string(storage::to_string(stage.kind)), 18),
                   bar(at(stage.counts, State::done), stage.total), " ", counts_text(stage.counts),
                   "\n");
  return text;
}

std::string memory_text(double bytes) {
  return fixed(bytes / (1 << 30), 1) + " GiB";
}

std::string rank_line(const RankStatus& rank) {
  std::string text = concat("  rank ", rank.rank, "  ", rank.host, rank.host.empty() ? "" : " ",
                            rank.device, "  ", rank.state);
  if (!rank.label.empty()) text += concat("  ", clipped(rank.label, kTaskLabelWidth));
  if (rank.fraction) text += concat("  ", std::lround(100 * *rank.fraction), " %");
  if (!rank.text.empty()) {
    text += "  " + clipped(rank.text, kTaskLabelWidth);
  } else {
    if (rank.epoch) text += concat("  epoch ", *rank.epoch);
    if (rank.loss) text += concat("  loss ", fixed(*rank.loss, 4));
    if (rank.images_per_second)
      text += concat("  ", fixed(*rank.images_per_second, 0), " images/s");
  }
  if (rank.memory_bytes) text += concat("  ", memory_text(*rank.memory_bytes));
  if (rank.attempt > 1) text += concat("  attempt ", rank.attempt);
  if (rank.since_s) text += concat("  for ", duration_text(*rank.since_s));
  return printable(text) + "\n";
}

/// Tasks that have failed for good, the last ones last.
std::vector<std::size_t> failures(const RunView& run) {
  std::vector<std::size_t> failed;
  for (std::size_t i = 0; i < run.tasks().size(); ++i)
    if (run.tasks()[i].state == State::failed) failed.push_back(i);
  std::stable_sort(failed.begin(), failed.end(), [&](std::size_t a, std::size_t b) {
    return run.history().task(a).attempts.back().ended <
           run.history().task(b).attempts.back().ended;
  });
  return failed;
}

std::string failure_lines(const RunView& run) {
  const auto failed = failures(run);
  if (failed.empty()) return "";
  std::string text = "last failures\n";
  const std::size_t first = failed.size() - std::min(failed.size(), kShownFailures);
  for (std::size_t i = first; i < failed.size(); ++i) {
    const Attempt& attempt = run.history().task(failed[i]).attempts.back();
    text +=
        printable(concat("  ", clipped(run.plan().tasks[failed[i]].label, kTaskLabelWidth), ": ",
                         attempt.failure, ": ", clipped(attempt.message, kMessageWidth))) +
        "\n";
    if (!attempt.log.empty()) text += printable("    log: " + attempt.log) + "\n";
  }
  if (first > 0) text += concat("  and ", first, " earlier: sweep_runner list --state failed\n");
  return text;
}

template <class T>
void put(Json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = *value;
}

Json counts_json(const Counts& counts) {
  Json json = Json::object();
  std::size_t total = 0;
  for (std::size_t i = 0; i < kStates; ++i) {
    json[std::string(to_string(static_cast<State>(i)))] = counts[i];
    total += counts[i];
  }
  json["total"] = total;
  return json;
}

Json rank_json(const RankStatus& rank) {
  Json json{{"rank", rank.rank},   {"host", rank.host},       {"device", rank.device},
            {"state", rank.state}, {"label", rank.label},     {"text", rank.text},
            {"log", rank.log},     {"attempt", rank.attempt}, {"task", nullptr}};
  put(json, "task", rank.task);
  put(json, "fraction", rank.fraction);
  put(json, "since_s", rank.since_s);
  put(json, "epoch", rank.epoch);
  put(json, "loss", rank.loss);
  put(json, "images_per_second", rank.images_per_second);
  put(json, "memory_bytes", rank.memory_bytes);
  return json;
}

struct RunBeside {
  std::string name;
  StatusFile status;
};

/// Other runs that work on the same sweep now. One whose status can't be read is none.
std::vector<RunBeside> active_beside(const RunView& run) {
  std::vector<RunBeside> active;
  for (const auto& folder : runs_beside(run.folder())) {
    try {
      RunBeside beside{folder.name, read_status(folder.status())};
      if (is_active(beside.status)) active.push_back(std::move(beside));
    } catch (const Error&) {
      continue;
    }
  }
  return active;
}

std::string beside_lines(const RunView& run) {
  const auto active = active_beside(run);
  if (active.empty()) return "";
  std::string text =
      concat(active.size(), active.size() == 1 ? " other run works" : " other runs work",
             " on it too (--run NAME shows it)\n");
  for (const auto& [name, status] : active)
    text += printable(concat("  ", name, "  ", status.state, "  process ", status.pid, " on ",
                             status.host)) +
            "\n";
  return text;
}

}  // namespace

std::string run_state_text(const RunView& run) {
  std::string text{to_string(run.state())};
  if (run.state() != RunState::died) return text;
  const StatusFile& status = run.status();
  const std::string host = status.host.empty() ? run.history().host() : status.host;
  const auto pid = status.pid > 0 ? status.pid : run.history().pid();
  text += ": no sign of life";
  if (run.last_sign() > 0) {
    const auto age = static_cast<double>(std::time(nullptr) - run.last_sign());
    text += concat(" since ", utc_text(run.last_sign()), " (", duration_text(age), " ago)");
  }
  if (pid > 0) text += concat(", process ", pid);
  if (!host.empty()) text += concat(" on ", host);
  return text + "; the same command goes on";
}

std::string status_text(const RunView& run) {
  std::string text = printable(concat(run.folder().name, "  ", run_state_text(run)));
  const StatusFile& status = run.status();
  if (status.elapsed_s) text += concat("  ", duration_text(*status.elapsed_s));
  if (run.active() && status.eta_s) text += concat("  ETA ", duration_text(*status.eta_s));
  text += concat("\ntrials  ", counts_text(run.trial_counts()), "\ntasks   ",
                 counts_text(run.task_counts()), "\n", stage_lines(run));
  if (run.active())
    for (const auto& rank : status.ranks) text += rank_line(rank);
  return text + beside_lines(run) + failure_lines(run);
}

Json status_json(const RunView& run) {
  Json json{{"run", run.folder().name},
            {"folder", run.folder().path.string()},
            {"state", to_string(run.state())},
            {"exit_status", exit_code(run)},
            {"epoch", run.history().epoch()},
            {"last_sign", run.last_sign() > 0 ? Json(run.last_sign()) : Json()},
            {"elapsed_s", nullptr},
            {"eta_s", nullptr},
            {"trials", counts_json(run.trial_counts())},
            {"tasks", counts_json(run.task_counts())},
            {"stages", Json::array()},
            {"ranks", Json::array()},
            {"failures", Json::array()},
            {"beside", Json::array()},
            {"problems", run.problems()}};
  put(json, "elapsed_s", run.status().elapsed_s);
  if (run.active()) put(json, "eta_s", run.status().eta_s);
  for (const auto& stage : stages_of(run)) {
    Json entry = counts_json(stage.counts);
    entry["kind"] = storage::to_string(stage.kind);
    json["stages"].push_back(std::move(entry));
  }
  if (run.active())
    for (const auto& rank : run.status().ranks) json["ranks"].push_back(rank_json(rank));
  for (const auto& [name, status] : active_beside(run))
    json["beside"].push_back(
        {{"run", name}, {"state", status.state}, {"host", status.host}, {"pid", status.pid}});
  for (const auto task : failures(run)) {
    const Attempt& attempt = run.history().task(task).attempts.back();
    json["failures"].push_back({{"task", task},
                                {"label", run.plan().tasks[task].label},
                                {"artifact", run.plan().tasks[task].output.hash},
                                {"failure", attempt.failure},
                                {"message", attempt.message},
                                {"log", attempt.log}});
  }
  return json;
}

}  // namespace sweep::inspect
