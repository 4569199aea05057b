#include "runner/scheduling/places.hpp"

#include <algorithm>

namespace sweep::scheduling {

void Places::add(int rank, Rank place) {
  remove(rank);
  State& state = ranks_[rank];
  Host& host = hosts_[place.host];
  state.host = place.host;
  state.alive = true;
  host.limit = place.host_tasks;
  ++host.ranks;
  ++alive_;
  if (state.busy) return;
  host.free.insert(rank);
  ++free_;
}

void Places::remove(int rank) {
  const auto found = ranks_.find(rank);
  if (found == ranks_.end() || !found->second.alive) return;
  found->second.alive = false;
  Host& host = hosts_[found->second.host];
  --host.ranks;
  --alive_;
  if (host.free.erase(rank) > 0) --free_;
}

std::optional<std::vector<int>> Places::find(int devices,
                                             const std::set<int>& without_hosts) const {
  const auto wanted = static_cast<std::size_t>(devices);
  if (wanted > free_) return std::nullopt;
  if (!fits_one_host(devices)) return find_on_several(wanted, without_hosts);
  const Host* best = nullptr;
  for (const auto& [number, host] : hosts_)
    if (host.available() >= wanted && !without_hosts.contains(number) &&
        (best == nullptr || host.available() < best->available()))
      best = &host;
  if (best == nullptr) return std::nullopt;
  return std::vector<int>(best->free.begin(), std::next(best->free.begin(), devices));
}

std::optional<std::vector<int>> Places::find_beside(const std::set<int>& avoid,
                                                    const std::set<int>& without_hosts) const {
  for (const auto& [number, host] : hosts_) {
    if (host.available() == 0 || without_hosts.contains(number)) continue;
    const auto found = std::find_if(host.free.begin(), host.free.end(),
                                    [&](int rank) { return !avoid.contains(rank); });
    if (found != host.free.end()) return std::vector<int>{*found};
  }
  return std::nullopt;
}

bool Places::has_rank_beside(const std::set<int>& avoid) const {
  if (avoid.empty()) return false;
  return std::any_of(ranks_.begin(), ranks_.end(), [&](const auto& rank) {
    return rank.second.alive && !avoid.contains(rank.first);
  });
}

std::optional<std::vector<int>> Places::find_on_several(std::size_t devices,
                                                        const std::set<int>& without_hosts) const {
  std::vector<const Host*> hosts;
  for (const auto& [number, host] : hosts_)
    if (!without_hosts.contains(number)) hosts.push_back(&host);
  std::stable_sort(hosts.begin(), hosts.end(),
                   [](const Host* a, const Host* b) { return a->available() > b->available(); });
  std::vector<int> ranks;
  for (const Host* host : hosts) {
    const std::size_t here = std::min(host->available(), devices - ranks.size());
    ranks.insert(ranks.end(), host->free.begin(),
                 std::next(host->free.begin(), static_cast<std::ptrdiff_t>(here)));
  }
  if (ranks.size() < devices) return std::nullopt;
  return ranks;
}

void Places::take(const std::vector<int>& ranks) {
  std::set<int> hosts;
  for (const int rank : ranks) {
    State& state = ranks_.at(rank);
    state.busy = true;
    state.busy_on = state.host;
    hosts.insert(state.host);
    hosts_[state.host].free.erase(rank);
    --free_;
  }
  for (const int host : hosts) ++hosts_[host].tasks;
}

void Places::give_back(const std::vector<int>& ranks) {
  std::set<int> hosts;
  for (const int rank : ranks) {
    State& state = ranks_.at(rank);
    state.busy = false;
    hosts.insert(state.busy_on);
    if (!state.alive) continue;
    hosts_[state.host].free.insert(rank);
    ++free_;
  }
  for (const int host : hosts) --hosts_[host].tasks;
}

bool Places::is_free(int rank) const {
  const auto found = ranks_.find(rank);
  return found != ranks_.end() && found->second.alive && !found->second.busy;
}

bool Places::fits_one_host(int devices) const {
  return std::any_of(hosts_.begin(), hosts_.end(), [&](const auto& host) {
    return host.second.ranks >= static_cast<std::size_t>(devices);
  });
}

bool Places::host_has(int host, int devices) const {
  const auto found = hosts_.find(host);
  return found != hosts_.end() && found->second.ranks >= static_cast<std::size_t>(devices);
}

std::optional<int> Places::host_to_hold(int devices, const std::set<int>& without_hosts) const {
  std::optional<int> best;
  for (const auto& [number, host] : hosts_)
    if (host.ranks >= static_cast<std::size_t>(devices) && !without_hosts.contains(number) &&
        (!best || host.available() > hosts_.at(*best).available()))
      best = number;
  return best;
}

}  // namespace sweep::scheduling
