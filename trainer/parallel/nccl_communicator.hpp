#pragma once

#include <memory>

#include "trainer/parallel/communicator.hpp"

namespace sweep::trainer {

/// Sums on GPUs by NCCL, which LibTorch's CUDA part brings: on a stream of their own, in the order
/// in which they are begun. A collective that is not done after `patience_s`, or that NCCL reports
/// as failed, is aborted; check(), wait() and whatever is begun after it throw.
/// @param meeting  of the same processes: the lead's unique id goes through it
/// Collective. @throws Error{communication}; Error{internal} where there is no NCCL.
std::unique_ptr<Communicator> make_nccl_communicator(std::unique_ptr<Communicator> meeting,
                                                     const c10::Device& device, double patience_s);

}  // namespace sweep::trainer
