#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace sweep::scheduling {

/// A place where tasks run.
struct Rank {
  int host = 0;                ///< ranks with equal numbers share a machine
  std::size_t host_tasks = 0;  ///< tasks at once that the memory of the machine holds; 0: no limit
};

/// Which ranks there are, on which hosts, and which are free. A task counts once on every host that
/// it has ranks of.
class Places {
 public:
  /// One that is there already is moved. The last rank's word on `host_tasks` holds for its host.
  void add(int rank, Rank place);
  void remove(int rank);

  /// Free ranks for a task: of the host with the fewest free ones that are enough, so that others
  /// stay whole; where no host has so many, of the fewest hosts. Nothing when it has to wait.
  std::optional<std::vector<int>> find(int devices, const std::set<int>& without_hosts) const;
  /// A free rank that is none of `avoid`.
  std::optional<std::vector<int>> find_beside(const std::set<int>& avoid,
                                              const std::set<int>& without_hosts) const;
  /// There is one, free or not.
  bool has_rank_beside(const std::set<int>& avoid) const;
  /// The ranks work on one task, until all are given back.
  void take(const std::vector<int>& ranks);
  /// Ranks that were removed in between are gone then.
  void give_back(const std::vector<int>& ranks);

  std::size_t count() const { return alive_; }
  std::size_t free() const { return free_; }
  bool is_free(int rank) const;
  /// Some host has so many ranks, free or not.
  bool fits_one_host(int devices) const;
  bool host_has(int host, int devices) const;
  int host_of(int rank) const { return ranks_.at(rank).host; }
  /// Of the hosts with so many ranks, the one with the most free ones.
  std::optional<int> host_to_hold(int devices, const std::set<int>& without_hosts) const;

 private:
  struct State {
    int host = 0;
    bool alive = false, busy = false;
    int busy_on = 0;  ///< the host at the time of take()
  };
  struct Host {
    std::size_t ranks = 0, tasks = 0, limit = 0;
    std::set<int> free;
    /// Ranks that a task could take now.
    std::size_t available() const { return limit > 0 && tasks >= limit ? 0 : free.size(); }
  };

  std::optional<std::vector<int>> find_on_several(std::size_t devices,
                                                  const std::set<int>& without_hosts) const;

  std::map<int, State> ranks_;
  std::map<int, Host> hosts_;
  std::size_t alive_ = 0, free_ = 0;
};

}  // namespace sweep::scheduling
