// Whole runs of random graphs in virtual time, with failures, interruptions and lost artifacts.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "runner/scheduling/retry_policy.hpp"
#include "runner/scheduling/scheduler.hpp"

namespace sweep::scheduling {
namespace {

struct Disturbance {
  double failure = 0, interruption = 0, loss = 0;  ///< probabilities at the end of a task
};

std::vector<Node> random_graph(std::mt19937& random, std::size_t count) {
  std::vector<Node> nodes(count);
  for (std::size_t i = 0; i < count; ++i) {
    nodes[i].cost = 1 + static_cast<double>(random() % 100);
    if (i == 0) continue;
    std::set<std::size_t> inputs;
    for (std::size_t k = random() % 4; k > 0; --k) inputs.insert(random() % i);
    nodes[i].inputs.assign(inputs.begin(), inputs.end());
  }
  return nodes;
}

/// A run on `workers` workers in virtual time.
class Simulation {
 public:
  Simulation(std::vector<Node> nodes, std::size_t workers, Disturbance disturbance, unsigned seed)
      : nodes_(nodes),
        there_(nodes.size(), false),
        scheduler_(std::move(nodes), {.attempts = 3}),
        workers_(workers),
        disturbance_(disturbance),
        random_(seed) {
    for (std::size_t rank = 0; rank < workers; ++rank)
      scheduler_.add_rank(static_cast<int>(rank), {});
  }

  /// Until nothing can be done any more. Returns the virtual time.
  double run() {
    for (int events = 0; events < 100000; ++events) {
      while (running_.size() < workers_) {
        const auto task = scheduler_.next();
        if (!task) break;
        start(task->task);
      }
      if (running_.empty()) {
        EXPECT_TRUE(scheduler_.finished()) << "stuck";
        return time_;
      }
      finish_next();
    }
    ADD_FAILURE() << "does not end";
    return time_;
  }

  const Scheduler& scheduler() const { return scheduler_; }
  const std::vector<bool>& there() const { return there_; }
  bool any_failed() const { return scheduler_.count(State::failed) > 0; }

  /// Everything is done, failed, or blocked by a failure; nothing else is blocked.
  void check_end() const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const State state = scheduler_.state(i);
      const bool bad_input =
          std::any_of(nodes_[i].inputs.begin(), nodes_[i].inputs.end(), [&](std::size_t input) {
            const State s = scheduler_.state(input);
            return s == State::failed || s == State::blocked;
          });
      if (state == State::done) continue;
      EXPECT_TRUE(state == State::failed || (state == State::blocked && bad_input)) << i;
    }
  }

 private:
  bool happens(double probability) {
    return std::uniform_real_distribution<>(0, 1)(random_) < probability;
  }

  void start(std::size_t task) {
    EXPECT_FALSE(there_[task]) << "done a second time";
    for (const auto& [end, other] : running_) EXPECT_NE(other, task) << "twice at once";
    for (const auto input : nodes_[task].inputs)
      EXPECT_EQ(scheduler_.state(input), State::done) << "an input is missing";
    running_.insert({time_ + nodes_[task].cost, task});
  }

  void finish_next() {
    const auto [end, task] = *running_.begin();
    running_.erase(running_.begin());
    time_ = end;
    if (lose_an_input(task)) return;
    if (happens(disturbance_.interruption)) return scheduler_.put_back(task);
    if (happens(disturbance_.failure)) {
      const int attempt = scheduler_.attempts(task) + 1;
      const FailureType type = happens(0.5) ? FailureType::crash : FailureType::device_lost;
      const bool last = attempt >= allowed_attempts(type, 3);
      EXPECT_EQ(scheduler_.failed(task, type), last ? Verdict::give_up : Verdict::retry);
      return;
    }
    there_[task] = true;
    scheduler_.done(task);
  }

  /// A reader finds an input damaged: it and its damaged inputs are made again.
  bool lose_an_input(std::size_t task) {
    const auto& inputs = nodes_[task].inputs;
    if (inputs.empty() || !happens(disturbance_.loss)) return false;
    const std::size_t lost = inputs[random_() % inputs.size()];
    if (scheduler_.state(lost) != State::done) return false;
    there_[lost] = false;
    scheduler_.remake(lost, task);
    return true;
  }

  std::vector<Node> nodes_;
  std::vector<bool> there_;
  Scheduler scheduler_;
  std::size_t workers_;
  Disturbance disturbance_;
  std::mt19937 random_;
  std::set<std::pair<double, std::size_t>> running_;
  double time_ = 0;
};

TEST(RandomGraphs, EverythingIsDoneExactlyOnceWithinGrahamsBound) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    const auto nodes = random_graph(random, 1 + random() % 60);
    const std::size_t workers = 1 + random() % 8;
    Simulation simulation(nodes, workers, {}, seed);
    const double work = simulation.scheduler().remaining_cost();
    const double path = simulation.scheduler().remaining_path();
    const double time = simulation.run();
    const auto m = static_cast<double>(workers);
    EXPECT_LE(time, work / m + path * (m - 1) / m + 1e-9);  // Graham 1969: list scheduling
    EXPECT_GE(time, std::max(work / m, path) - 1e-9);
    EXPECT_EQ(simulation.scheduler().count(State::done), nodes.size());
  }
}

TEST(RandomGraphs, DisturbedRunsEndWithEverythingThatCanBeDone) {
  int failed = 0, whole = 0;
  for (unsigned seed = 0; seed < 500; ++seed) {
    std::mt19937 random(1000 + seed);
    const auto nodes = random_graph(random, 1 + random() % 60);
    Simulation simulation(nodes, 1 + random() % 8,
                          {.failure = 0.1, .interruption = 0.1, .loss = 0.05}, seed);
    simulation.run();
    simulation.check_end();
    (simulation.any_failed() ? failed : whole) += 1;
  }
  EXPECT_GT(failed, 50) << "the test does not reach failures";
  EXPECT_GT(whole, 50);
}

}  // namespace
}  // namespace sweep::scheduling
