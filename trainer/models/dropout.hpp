#pragma once

#include <torch/nn/modules/dropout.h>

#include <cstdint>

#include "trainer/batches.hpp"

namespace sweep::trainer {

/// What dropout on this thread loses while one lives: it follows from `seed`, from how many times
/// dropout was asked before within the same step, and from the place of an image in the whole
/// batch. So processes that share a batch lose what one alone would.
class DropoutOfStep {
 public:
  /// @param share  of which networks get the images, once or several times one behind the other
  DropoutOfStep(const Seed& seed, const Share& share);
  DropoutOfStep(const DropoutOfStep&) = delete;
  DropoutOfStep& operator=(const DropoutOfStep&) = delete;
  ~DropoutOfStep();

  /// 1 for what is kept of `x` [N,...], 0 for each number that is lost, with probability `p`
  /// (of [0,1)).
  /// @throws Error{internal} when N is no multiple of the share's images
  at::Tensor kept(const at::Tensor& x, double p);

 private:
  Seed seed_;
  std::int64_t first_, count_, total_;
  std::uint64_t draws_ = 0;
  DropoutOfStep* before_;
};

/// torch::nn::Dropout that in training mode loses what the step says (DropoutOfStep); outside of
/// one it draws from LibTorch's generator.
class DropoutImpl : public torch::nn::DropoutImpl {
 public:
  using torch::nn::DropoutImpl::DropoutImpl;

  /// `x` [N,...], of which what is kept is divided by 1 - p (p < 1).
  at::Tensor forward(const at::Tensor& x);
};
TORCH_MODULE(Dropout);

}  // namespace sweep::trainer
