#include "runner/inspect/run_view.hpp"

#include <algorithm>
#include <ctime>
#include <unordered_set>

#include "core/enum_names.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::inspect {
namespace {

namespace fs = std::filesystem;
using storage::ArtifactKind;

constexpr EnumNames<State, kStates> kStateNames{{{
    {State::waiting, "waiting"},
    {State::ready, "ready"},
    {State::running, "running"},
    {State::done, "done"},
    {State::failed, "failed"},
    {State::blocked, "blocked"},
    {State::cancelled, "cancelled"},
    {State::pruned, "pruned"},
}}};

constexpr EnumNames<RunState, 7> kRunStateNames{{{
    {RunState::not_started, "not started"},
    {RunState::running, "running"},
    {RunState::draining, "draining"},
    {RunState::finished, "finished"},
    {RunState::failed, "failed"},
    {RunState::interrupted, "interrupted"},
    {RunState::died, "died"},
}}};

/// Names of the artifacts that are there. One listing of each folder: on a shared file system the
/// same questions one by one take minutes.
std::unordered_set<std::string> artifacts_there(const storage::Store& store, const Plan& plan) {
  std::vector<bool> looked(8);
  std::unordered_set<std::string> names;
  for (const auto& task : plan.tasks) {
    const auto kind = static_cast<std::size_t>(task.output.kind);
    if (looked[kind]) continue;
    looked[kind] = true;
    std::error_code error;
    for (const auto& entry :
         fs::directory_iterator(store.artifact_path(task.output).parent_path(), error))
      if (entry.path().extension() == ".h5") names.insert(entry.path().stem().string());
  }
  return names;
}

/// Shards are done when what they make up is.
std::vector<bool> find_done(const storage::Store& store, const Plan& plan) {
  const auto there = artifacts_there(store, plan);
  std::vector<bool> done(plan.tasks.size()), used(plan.tasks.size()), wanted(plan.tasks.size());
  for (std::size_t i = 0; i < done.size(); ++i) {
    done[i] = there.contains(plan.tasks[i].output.hash);
    for (const auto input : plan.tasks[i].inputs) {
      used[input] = true;
      if (!done[i]) wanted[input] = true;
    }
  }
  for (std::size_t i = 0; i < done.size(); ++i)
    if (plan.tasks[i].temporary && used[i] && !wanted[i]) done[i] = true;
  return done;
}

/// Of every trial the tasks that no other needs, and those that evaluate it or are evaluated.
std::vector<std::vector<std::size_t>> find_own(const Plan& plan) {
  constexpr std::ptrdiff_t kNobody = -1, kMany = -2;
  std::vector<std::ptrdiff_t> owner(plan.tasks.size(), kNobody);
  const auto claim = [&](std::size_t task, std::ptrdiff_t by) {
    if (by != kNobody && owner[task] != by) owner[task] = owner[task] == kNobody ? by : kMany;
  };
  for (std::size_t t = 0; t < plan.trials.size(); ++t)
    for (const auto& [column, task] : plan.trials[t].evaluations)
      claim(task, static_cast<std::ptrdiff_t>(t));
  for (std::size_t i = plan.tasks.size(); i-- > 0;)
    for (const auto input : plan.tasks[i].inputs) claim(input, owner[i]);
  std::vector<std::vector<std::size_t>> own(plan.trials.size());
  for (std::size_t i = 0; i < owner.size(); ++i)
    if (owner[i] >= 0) own[static_cast<std::size_t>(owner[i])].push_back(i);
  for (std::size_t t = 0; t < own.size(); ++t) {
    for (const auto& [column, task] : plan.trials[t].evaluations) {
      own[t].push_back(task);
      for (const auto input : plan.tasks[task].inputs)
        if (const auto kind = plan.tasks[input].output.kind;
            kind == ArtifactKind::model || kind == ArtifactKind::preprocessor)
          own[t].push_back(input);
    }
    std::sort(own[t].begin(), own[t].end());
    own[t].erase(std::unique(own[t].begin(), own[t].end()), own[t].end());
  }
  return own;
}

template <class States>
Counts count(const States& states) {
  Counts counts{};
  for (const auto& entry : states) ++counts[static_cast<std::size_t>(entry.state)];
  return counts;
}

}  // namespace

std::string_view to_string(State state) {
  return kStateNames.name(state);
}

std::string_view to_string(RunState state) {
  return kRunStateNames.name(state);
}

State state_from(std::string_view name) {
  if (const auto state = kStateNames.value(name)) return *state;
  std::vector<std::string> names;
  for (const auto& [state, text] : kStateNames.entries) names.emplace_back(text);
  throw InputError(concat("there is no state '", name, "' of a trial", suggestion(name, names)));
}

RunView::RunView(RunFolder folder) : folder_(std::move(folder)) {
  refresh();
}

void RunView::refresh() {
  read_files();
  now_ = std::time(nullptr);
  find_run_state();
  find_task_states();
  find_trial_states();
}

/// The journal first: what it calls done is there when the artifacts are listed.
void RunView::read_files() {
  std::error_code error;
  const auto time = fs::last_write_time(folder_.plan(), error);
  if (!plan_ || time != plan_time_) {
    plan_ = std::make_unique<Plan>(read_plan(folder_.plan()));
    plan_time_ = time;
    journal_ = std::make_unique<JournalReader>(folder_.journal());
    history_ = std::make_unique<History>(*plan_);
    own_ = find_own(*plan_);
  }
  journal_->poll([this](const JsonNode& event) { history_->apply(event); });
  try {
    status_ = read_status(folder_.status());
    status_problem_.clear();
  } catch (const Error& damaged) {
    status_ = {};
    status_problem_ = damaged.what();
  }
}

void RunView::find_run_state() {
  // A status of the run before says nothing of a run that has only just begun.
  const bool current = status_.there && status_.epoch >= history_->epoch();
  last_sign_ = std::max(current ? status_.time : 0, history_->last_time());
  std::string word = current             ? status_.state
                     : history_->ended() ? history_->end_state()
                                         : "running";
  if (!status_.there && history_->epoch() == 0) word = "not started";
  const auto named = kRunStateNames.value(word);
  state_ = named.value_or(RunState::running);
  if (active() && now_ - last_sign_ > kDiedAfterSeconds) state_ = RunState::died;
}

void RunView::find_task_states() {
  const auto done = find_done(folder_.store, *plan_);
  tasks_.assign(plan_->tasks.size(), {});
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    TaskState& task = tasks_[i];
    const TaskHistory& history = history_->task(i);
    task.seconds = history.seconds();
    if (done[i]) {
      task.state = State::done;
      continue;
    }
    const auto stays = [&](State state) {
      task.state = state;
      task.cause = static_cast<std::ptrdiff_t>(i);
    };
    if (history.last == Last::given_up) stays(State::failed);
    if (history.last == Last::cancelled) stays(State::cancelled);
    if (history.last == Last::pruned) stays(State::pruned);
    if (task.cause >= 0) continue;
    if (history.last == Last::started && active()) {
      task.state = State::running;
      task.seconds +=
          static_cast<double>(std::max<std::int64_t>(0, now_ - history.attempts.back().started));
      continue;
    }
    task.state = State::ready;
    for (const auto input : plan_->tasks[i].inputs) {
      if (tasks_[input].state != State::done && task.state == State::ready)
        task.state = State::waiting;
      if (tasks_[input].cause < 0) continue;
      task.state = State::blocked;
      task.cause = tasks_[input].cause;
      break;
    }
  }
}

void RunView::find_trial_states() {
  trials_.clear();
  for (std::size_t i = 0; i < plan_->trials.size(); ++i) trials_.push_back(trial_state(i));
}

TrialState RunView::trial_state(std::size_t trial) const {
  TrialState result{.own = own_[trial]};
  bool all_done = true;
  for (const auto task : result.own) {
    result.seconds += tasks_[task].seconds;
    if (tasks_[task].state == State::running) result.state = State::running;
  }
  // What is worst decides.
  constexpr std::array kWorst{State::failed, State::blocked, State::cancelled, State::pruned};
  auto worst = kWorst.size();
  for (const auto& [column, evaluation] : plan_->trials[trial].evaluations) {
    const TaskState& state = tasks_[evaluation];
    all_done = all_done && state.state == State::done;
    if (state.state == State::done || state.cause < 0) continue;
    const auto cause = static_cast<std::size_t>(state.cause);
    const bool is_own = std::binary_search(result.own.begin(), result.own.end(), cause);
    State verdict = tasks_[cause].state;
    if (verdict == State::failed && !is_own) verdict = State::blocked;
    const auto rank =
        static_cast<std::size_t>(std::find(kWorst.begin(), kWorst.end(), verdict) - kWorst.begin());
    if (rank >= worst) continue;
    worst = rank;
    result.state = verdict;
    const auto& history = history_->task(cause);
    result.why = plan_->tasks[cause].label;
    if (verdict == State::pruned) result.why += concat(" (", history.note, ")");
    if (!history.attempts.empty() && !history.attempts.back().failure.empty())
      result.why +=
          concat(": ", history.attempts.back().failure, ": ", history.attempts.back().message);
  }
  if (all_done) result.state = State::done;
  return result;
}

Counts RunView::task_counts() const {
  return count(tasks_);
}

Counts RunView::trial_counts() const {
  return count(trials_);
}

std::vector<std::string> RunView::problems() const {
  auto problems = journal_->problems();
  if (!status_problem_.empty()) problems.push_back(status_problem_);
  return problems;
}

int exit_code(const RunView& run) {
  const Counts counts = run.task_counts();
  const bool failed = counts[static_cast<std::size_t>(State::failed)] > 0;
  if (failed || run.state() == RunState::failed) return static_cast<int>(ExitCode::trials_failed);
  if (run.active() || run.state() == RunState::finished) return static_cast<int>(ExitCode::ok);
  return static_cast<int>(ExitCode::interrupted);
}

}  // namespace sweep::inspect
