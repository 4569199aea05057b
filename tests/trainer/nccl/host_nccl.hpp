#pragma once

#include <atomic>

namespace sweep::trainer {

/// NCCL's functions for threads of a process and streams of host_device.hpp, under the names by
/// which the communicator looks for them. As NCCL's do in a communicator that does not block, they
/// give "in progress" and are done later, and a collective ends when all ranks have come to it.
///
/// What goes wrong, and on which rank; -1: nowhere.
struct HostNcclFaults {
  std::atomic<int> absent{-1};   ///< it never joins: the communicators of all stay in the making
  std::atomic<int> silent{-1};   ///< its collectives never begin
  std::atomic<int> refused{-1};  ///< a collective is refused as an invalid argument
  std::atomic<int> told{-1};     ///< is told that a peer has failed

  void clear() { absent = silent = refused = told = -1; }
};
HostNcclFaults& host_nccl_faults();

/// Calls with a communicator that had been aborted or destroyed, for which NCCL would read freed
/// memory, and communicators that were destroyed before their collectives had ended.
int host_nccl_misuses();

}  // namespace sweep::trainer
