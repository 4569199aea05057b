#include "runner/inspect/requests.hpp"

#include <ctime>
#include <iomanip>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::inspect {
namespace {

/// Marks everything that is not done and that a task outside of `marked` would have to wait for.
/// What is done needs nothing any more.
void mark_needed(const RunView& run, std::vector<bool>& marked) {
  for (std::size_t i = marked.size(); i-- > 0;) {
    if (run.tasks()[i].state == State::done) marked[i] = false;
    if (!marked[i]) continue;
    for (const auto input : run.plan().tasks[i].inputs) marked[input] = true;
  }
}

/// By task: not done, and needed by one of the trials.
template <class Wanted>
std::vector<bool> needed_by(const RunView& run, Wanted wanted) {
  std::vector<bool> needed(run.tasks().size());
  for (std::size_t t = 0; t < run.trials().size(); ++t)
    if (wanted(t))
      for (const auto& [column, task] : run.plan().trials[t].evaluations) needed[task] = true;
  mark_needed(run, needed);
  return needed;
}

std::vector<bool> needed_by(const RunView& run, const std::vector<std::size_t>& trials) {
  const std::set<std::size_t> chosen(trials.begin(), trials.end());
  return needed_by(run, [&](std::size_t trial) { return chosen.contains(trial); });
}

template <class Wanted>
std::vector<std::size_t> indices(const std::vector<bool>& needed, Wanted wanted) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < needed.size(); ++i)
    if (needed[i] && wanted(i)) found.push_back(i);
  return found;
}

/// "20260131T123456Z-0123456789abcdef": in the order of time, and of its own.
std::string new_id() {
  std::random_device random;
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::ostringstream id;
  id << std::put_time(&parts, "%Y%m%dT%H%M%SZ") << '-' << std::hex << std::setfill('0');
  for (int i = 0; i < 2; ++i) id << std::setw(8) << random();
  return id.str();
}

}  // namespace

std::vector<std::size_t> tasks_to_cancel(const RunView& run,
                                         const std::vector<std::size_t>& trials) {
  const std::set<std::size_t> chosen(trials.begin(), trials.end());
  const auto others = needed_by(run, [&](std::size_t trial) {
    return !chosen.contains(trial) && run.trials()[trial].state != State::cancelled;
  });
  return indices(needed_by(run, trials), [&](std::size_t task) {
    return !others[task] && run.tasks()[task].state != State::cancelled;
  });
}

std::vector<std::size_t> tasks_to_retry(const RunView& run,
                                        const std::vector<std::size_t>& trials) {
  return indices(needed_by(run, trials), [&](std::size_t task) {
    const State state = run.tasks()[task].state;
    return state == State::failed || state == State::blocked || state == State::cancelled;
  });
}

std::vector<std::size_t> unfinished_tasks(const RunView& run,
                                          const std::vector<std::size_t>& trials) {
  return indices(needed_by(run, trials), [](std::size_t) { return true; });
}

Json request_for(const RunView& run, const std::string& command,
                 const std::vector<std::size_t>& tasks) {
  Json hashes = Json::array();
  for (const auto task : tasks) hashes.push_back(run.plan().tasks[task].output.hash);
  return {{"command", command}, {"tasks", hashes}};
}

Request::Request(const RunFolder& folder, Json request)
    : request_(std::move(request)), journal_(folder.journal()) {
  const auto control = folder.control();
  std::error_code error;
  if (std::filesystem::is_symlink(control, error))
    throw InputError(concat("'", control.string(),
                            "' is a link (requests would be written to wherever it points); "
                            "replace it by a folder"));
  const std::string id = new_id();
  request_["id"] = id;
  path_ = control / (id + ".json");
  journal_.skip_to_end();
  create_folders(control);
  write_atomically(path_, request_.dump() + "\n");
}

std::optional<std::string> Request::wait(std::chrono::duration<double> patience) {
  constexpr auto kPause = std::chrono::milliseconds(50);
  const auto end = std::chrono::steady_clock::now() + patience;
  std::optional<std::string> outcome;
  for (;;) {
    journal_.poll([&](const JsonNode& event) {
      if (event.at("event").text() != "control") return;
      const auto id = event.find("id");
      if (!id || id->text() != request_.at("id")) return;
      const auto said = event.find("outcome");
      outcome = said ? said->text() : "obeyed";
    });
    if (outcome || std::chrono::steady_clock::now() > end) return outcome;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace sweep::inspect
