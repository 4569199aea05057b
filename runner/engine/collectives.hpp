#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "cluster/group_reduction.hpp"
#include "cluster/message_bus.hpp"
#include "core/json.hpp"

namespace sweep::engine {

/// The collectives of one task that several executors work on: an executor asks its agent for a
/// reduction of memory that both see, the agents do it.
class Collectives {
 public:
  /// @param group     of the task message: its number and its ranks
  /// @param executor  process; its memory files are opened by its descriptors
  Collectives(const Json& group, cluster::MessageBus& bus, pid_t executor);

  /// @param request  the executor's "reduce"
  /// @throws Error{communication} when its memory can't be opened or is smaller than it says.
  void start(const Json& request);
  /// A message of another rank. @throws Error{communication}
  void receive(const cluster::Message& message);
  /// What the executor is to be told: "reduced" messages.
  std::vector<Json> take_answers();
  bool pending() const { return reduction_.pending(); }
  std::uint64_t number() const { return number_; }

 private:
  struct Unmap {
    std::size_t bytes = 0;
    void operator()(std::byte* memory) const;
  };
  using Memory = std::unique_ptr<std::byte, Unmap>;

  std::span<std::byte> memory(int descriptor, std::size_t bytes);

  std::uint64_t number_;
  cluster::GroupReduction reduction_;
  pid_t executor_;
  std::map<int, Memory> memories_;  ///< by the executor's descriptors
};

}  // namespace sweep::engine
