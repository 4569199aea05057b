#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "attacks/recorded_function.hpp"

namespace at {
class Tensor;
}
namespace torch::nn {
class Module;
}

namespace sweep::trainer {

/// How much memory the gradients of this thread save, at the cost of time, while it lives:
///   0  nothing: every activation is kept from the forward to the backward pass
///   1  blocks keep their input alone and run a second time in the backward pass
///   2  the parts of a block do the same during its second run; a part without batch normalisation
///      runs in four pieces of the batch, 3 in eight, and so on
/// Above 0 nothing is recorded for the device (attacks/recorded_function.hpp), which holds memory.
/// Up to 1, and for networks with batch normalisation on every level, results have the same bits on
/// the CPU. What runs in pieces sums its gradients in another order, which rounds differently.
class MemoryLevel {
 public:
  explicit MemoryLevel(int level);
  MemoryLevel(const MemoryLevel&) = delete;
  MemoryLevel& operator=(const MemoryLevel&) = delete;
  ~MemoryLevel();

  static int current();

 private:
  int before_;
  std::optional<attacks::Unrecorded> unrecorded_;
};

/// A function [N,...] -> [N,...] of its argument and of modules' parameters and buffers.
using Block = std::function<at::Tensor(const at::Tensor& x)>;

/// `block(x)`, which from `level` on keeps no activations. The second run is like the first: batch
/// normalisation counts it once, and a block with active dropout, which would draw anew, is not run
/// twice.
///
/// Gradients at `x` are summed within the block before others join them, whatever the level: the
/// order of a sum is part of its bits.
/// @param modules  all that the block uses; it and they must live until the gradients are there,
///                 and be in the same mode (training or evaluation) then. No second derivatives.
at::Tensor recomputed(int level, const std::vector<torch::nn::Module*>& modules, const Block& block,
                      const at::Tensor& x);

}  // namespace sweep::trainer
