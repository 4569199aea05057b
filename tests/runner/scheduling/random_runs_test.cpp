// Runs with everything that can happen to them, in virtual time and with the scheduler of real
// runs: tasks of several devices on several hosts, failures, hangs, lost ranks and artifacts,
// cancelled and pruned tasks, retries, restarts.

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "runner/scheduling/scheduler.hpp"

namespace sweep::scheduling {
namespace {

constexpr int kHosts = 3;
constexpr std::size_t kMaxRunning = 7, kHostTasks = 3;

class World {
 public:
  /// @param calm  nothing goes wrong
  explicit World(unsigned seed, bool calm = false)
      : calm_(calm),
        random_(seed),
        ranks_per_host_(3 + seed % 2),  // of 3: a task of 4 devices needs two hosts
        made_(150 + random_() % 150, 0) {
    for (std::size_t i = 0; i < made_.size(); ++i) {
      Node node{.inputs = {}, .cost = 1.0 + below(50), .devices = 1 << (below(6) / 2)};
      std::set<std::size_t> inputs;
      for (unsigned k = i == 0 ? 0 : below(4); k > 0; --k) inputs.insert(below(i));
      node.inputs.assign(inputs.begin(), inputs.end());
      node.priority = below(10) == 0 ? 1 : 0;
      if (calm_) node.priority = 0;
      nodes_.push_back(node);
    }
    paths_.assign(nodes_.size(), 0);
    for (std::size_t i = nodes_.size(); i-- > 0;) {
      paths_[i] += nodes_[i].cost;
      for (const auto input : nodes_[i].inputs) paths_[input] = std::max(paths_[input], paths_[i]);
    }
  }

  /// Until all that can be made is made, over as many runs as it takes.
  void live() {
    for (int run = calm_ ? 3 : 0; run < 4 && !finished_; ++run) start_over(run == 3);
    ASSERT_TRUE(finished_) << "the last run is not disturbed";
    for (std::size_t i = 0; i < made_.size(); ++i)
      EXPECT_EQ(made_[i], given_up_.contains(i) ? 0 : 1) << "task " << i;
  }

  std::size_t given_up() const { return given_up_.size(); }
  int held() const { return held_; }

 private:
  struct Working {
    double end = 0;
    std::vector<int> ranks;
  };

  int ranks() const { return kHosts * ranks_per_host_; }
  unsigned below(std::size_t limit) { return static_cast<unsigned>(random_() % limit); }

  /// A coordinator that knows what is made and what has failed for good, and nothing else.
  void start_over(bool last) {
    auto nodes = nodes_;
    for (std::size_t i = 0; scheduler_ && i < nodes.size(); ++i)
      if (scheduler_->state(i) == State::failed) given_up_.insert(i);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      nodes[i].done = made_[i] > 0;
      nodes[i].failed = given_up_.contains(i);
    }
    scheduler_.emplace(nodes, Policy{.attempts = 3, .max_running = kMaxRunning});
    working_.clear();
    alive_.clear();
    for (int rank = 0; rank < ranks(); ++rank) add(rank);
    const double death = last ? 1e18 : time_ + below(400);
    while (time_ < death && !finished_ && !::testing::Test::HasFatalFailure()) step(last);
  }

  void add(int rank) {
    alive_.insert(rank);
    scheduler_->add_rank(rank, {.host = rank / ranks_per_host_, .host_tasks = kHostTasks});
  }

  void step(bool last) {
    while (const auto start = scheduler_->next()) begin(*start);
    if (working_.empty()) {
      if (static_cast<int>(alive_.size()) < ranks()) return revive();
      ASSERT_TRUE(scheduler_->finished()) << "nothing runs, nothing starts, and it is not the end";
      return conclude();
    }
    auto first = working_.begin();
    for (auto it = working_.begin(); it != working_.end(); ++it)
      if (it->second.end < first->second.end) first = it;
    time_ = first->second.end;
    const std::size_t task = first->first;
    if (!last && below(20) == 0) disturb();
    if (working_.contains(task)) end(task, last);
  }

  void begin(const Start& start) {
    ASSERT_FALSE(working_.contains(start.task)) << "it runs already";
    ASSERT_EQ(made_[start.task], 0) << "it is made already";
    for (const auto input : nodes_[start.task].inputs) ASSERT_EQ(made_[input], 1);
    ASSERT_EQ(start.ranks.size(), static_cast<std::size_t>(nodes_[start.task].devices));
    std::set<int> busy;
    std::map<int, std::set<std::size_t>> on_host;
    if (calm_) count_overtaken(start.task);
    working_[start.task] = {time_ + nodes_[start.task].cost, start.ranks};
    for (const auto& [task, working] : working_)
      for (const int rank : working.ranks) {
        ASSERT_TRUE(busy.insert(rank).second) << "two tasks on rank " << rank;
        on_host[rank / ranks_per_host_].insert(task);
      }
    for (const int rank : start.ranks) ASSERT_TRUE(alive_.contains(rank));
    for (const auto& [host, tasks] : on_host) ASSERT_LE(tasks.size(), kHostTasks);
    ASSERT_LE(working_.size(), kMaxRunning);
  }

  bool goes_before(std::size_t a, std::size_t b) const {
    return paths_[a] != paths_[b] ? paths_[a] > paths_[b] : a < b;
  }

  /// The first one of each size that waits for several ranks sees another one start. When it has
  /// seen enough of that, ranks are held for it: it waits for nothing but what is running by then.
  void count_overtaken(std::size_t started) {
    std::map<int, std::size_t> first;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (scheduler_->state(i) != State::ready || nodes_[i].devices == 1) continue;
      const auto [known, is_new] = first.emplace(nodes_[i].devices, i);
      if (!is_new && goes_before(i, known->second)) known->second = i;
    }
    if (const auto latest = latest_start_.find(started); latest != latest_start_.end()) {
      ++held_;
      EXPECT_LE(time_, latest->second) << "task " << started << " starves";
    }
    double all_end = time_ + nodes_[started].cost;
    for (const auto& [task, working] : working_) all_end = std::max(all_end, working.end);
    for (const auto& [devices, task] : first)
      if (goes_before(task, started) && ++overtaken_[task] == kMaxOvertakes + 1)
        latest_start_[task] = all_end;
  }

  /// It found one of its inputs damaged.
  bool lose_an_input(std::size_t task) {
    const auto& inputs = nodes_[task].inputs;
    if (inputs.empty()) return false;
    const std::size_t lost = inputs[below(inputs.size())];
    if (scheduler_->state(lost) != State::done) return false;
    --made_[lost];
    scheduler_->remake(lost, task);
    return true;
  }

  void end(std::size_t task, bool last) {
    const int rank = working_[task].ranks.front();
    working_.erase(task);
    const unsigned fate = last ? 99 : below(100);
    if (fate >= 14 && fate < 17 && lose_an_input(task)) return;
    if (fate < 6) {
      if (scheduler_->failed(task, FailureType::crash) == Verdict::retry &&
          nodes_[task].devices == 1)
        scheduler_->avoid(task, rank);
    } else if (fate < 9) {
      scheduler_->failed(task, FailureType::timeout);  // it hung
    } else if (fate < 11) {
      scheduler_->failed(task, FailureType::out_of_memory);
    } else if (fate < 14) {
      scheduler_->put_back(task);  // interrupted
    } else {
      ++made_[task];
      scheduler_->done(task);
    }
  }

  void disturb() {
    const unsigned what = below(6);
    if (what == 0 && alive_.size() > 4) return lose(*std::next(alive_.begin(), below(3)));
    if (what == 1) return revive();
    const std::size_t task = below(nodes_.size());
    if (what == 2 && !working_.contains(task)) scheduler_->cancel(task);
    if (what == 4 && !working_.contains(task) && below(3) == 0) scheduler_->prune(task);
    if (what == 5)
      for (std::size_t i = 0; i < nodes_.size(); i += 1 + below(4)) retry(i);
    if (what == 3) scheduler_->set_priority(task, static_cast<int>(below(3)));
  }

  void retry(std::size_t task) {
    scheduler_->retry(task);
    given_up_.erase(task);
  }

  void lose(int rank) {
    alive_.erase(rank);
    scheduler_->remove_rank(rank);
    for (const auto& [task, working] : working_)
      for (const int used : working.ranks)
        if (used == rank) {
          const std::size_t lost = task;
          working_.erase(lost);
          scheduler_->failed(lost, FailureType::agent_lost);
          return;
        }
  }

  void revive() {
    for (int rank = 0; rank < ranks(); ++rank)
      if (!alive_.contains(rank)) add(rank);
  }

  void conclude() {
    finished_ = true;
    given_up_.clear();
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const State state = scheduler_->state(i);
      if (state == State::done) continue;
      given_up_.insert(i);
      ASSERT_TRUE(state == State::failed || state == State::cancelled || state == State::pruned ||
                  state == State::blocked);
      bool input_is_bad = false;
      for (const auto input : nodes_[i].inputs)
        input_is_bad = input_is_bad || scheduler_->state(input) != State::done;
      EXPECT_TRUE(state != State::blocked || input_is_bad) << "task " << i;
    }
  }

  bool calm_;
  std::mt19937 random_;
  int ranks_per_host_;
  std::vector<Node> nodes_;
  std::vector<double> paths_;
  std::vector<int> made_;
  std::set<std::size_t> given_up_;
  std::optional<Scheduler> scheduler_;
  std::map<std::size_t, Working> working_;
  std::set<int> alive_;
  double time_ = 0;
  bool finished_ = false;
  std::map<std::size_t, int> overtaken_;
  std::map<std::size_t, double> latest_start_;
  int held_ = 0;  ///< tasks that had to be protected from starving
};

TEST(RandomRuns, EveryArtifactIsMadeOnceWhateverHappens) {
  std::size_t given_up = 0;
  for (unsigned seed = 0; seed < 1000 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    world.live();
    given_up += world.given_up();
  }
  EXPECT_GT(given_up, 1000U) << "the test does not reach what is given up";
}

TEST(RandomRuns, AWideTaskWaitsForNothingButWhatRunsAlready) {
  int held = 0;
  for (unsigned seed = 0; seed < 200 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    World world(seed, true);
    world.live();
    EXPECT_EQ(world.given_up(), 0U);
    held += world.held();
  }
  EXPECT_GT(held, 500) << "the test does not reach it";
}

/// Starts of others between the first moment in which the task is ready and its own start.
int overtakes_of_a_wide_task(int ranks, int width, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Node> nodes;
  for (int i = 0; i < 400; ++i)
    nodes.push_back({.inputs = {}, .cost = 1.0 + static_cast<double>(random() % 100)});
  // The first to run among what is ready, but it comes when all ranks are busy.
  nodes.push_back({.inputs = {}, .cost = 1});
  nodes.push_back({.inputs = {400}, .cost = 1000, .devices = width});
  Scheduler scheduler(nodes, {});
  for (int rank = 0; rank < ranks; ++rank) scheduler.add_rank(rank, {});
  std::multimap<double, std::size_t> running;
  double time = 0;
  int overtakes = 0;
  for (;;) {
    while (const auto start = scheduler.next()) {
      if (start->task == 401) return overtakes;
      if (scheduler.state(401) == State::ready) ++overtakes;
      running.emplace(time + nodes[start->task].cost, start->task);
    }
    if (running.empty()) return -1;
    time = running.begin()->first;
    scheduler.done(running.begin()->second);
    running.erase(running.begin());
  }
}

TEST(RandomRuns, AWideTaskIsOvertakenABoundedNumberOfTimes) {
  for (unsigned seed = 0; seed < 50; ++seed)
    for (const int width : {2, 4, 8}) {
      const int overtakes = overtakes_of_a_wide_task(8, width, seed);
      EXPECT_GE(overtakes, 0);
      EXPECT_LE(overtakes, kMaxOvertakes) << "width " << width << ", seed " << seed;
    }
}

}  // namespace
}  // namespace sweep::scheduling
