#pragma once

#include <sys/types.h>

#include "cluster/message_bus.hpp"
#include "runner/engine/agent.hpp"
#include "runner/engine/coordinator.hpp"

namespace sweep::engine {

/// Tells a rank's agent that the run is over.
/// @param all_here  no rank was lost: MPI can be finished by all of them together
void send_exit_to(cluster::MessageBus& bus, int rank, bool all_here = true);

/// Passes messages and time on to this rank's agent, and on rank 0 to the coordinator.
class Loop {
 public:
  /// @param coordinator  of rank 0; else null
  Loop(cluster::MessageBus& bus, Coordinator* coordinator);

  /// Until the coordinator has sent the exit message.
  void run();
  /// Whether MPI can be finished: without a rank that was lost, that would wait for ever.
  bool all_here() const { return agent_.all_here(); }

 private:
  bool deliver_all();
  void deliver(const cluster::Message& message);
  void tick_coordinator();
  void forward_stop_signal();

  cluster::MessageBus& bus_;
  Coordinator* coordinator_;
  Agent agent_;
  pid_t launcher_;
  Clock::time_point last_activity_;
  bool exit_sent_ = false, stop_sent_ = false;
};

}  // namespace sweep::engine
