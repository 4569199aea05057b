#pragma once

#include <torch/nn/modules/batchnorm.h>

#include <map>

#include "trainer/parallel/communicator.hpp"

namespace sweep::trainer {

/// Of the values of each channel: [C], float64.
struct ChannelStatistics {
  at::Tensor mean, squares;  ///< squares: the sum of squared deviations from the mean
  double count = 0;          ///< values of a channel
};

/// Where the statistics of the whole batch come from.
class SharedStatistics {
 public:
  explicit SharedStatistics(Communicator& communicator) : communicator_(communicator) {}

  int size() const { return communicator_.size(); }
  int rank() const { return communicator_.rank(); }
  /// Collective: sums over all ranks of `values` [n], float64.
  at::Tensor sum(const at::Tensor& values);
  /// Collective: those of all ranks' images, of which `here` are this one's.
  ChannelStatistics of_all(const ChannelStatistics& here);

  /// False for a rank that has no images of the batch: what it computes on is not real.
  bool counts = true;

 private:
  Communicator& communicator_;
  std::map<std::int64_t, at::Tensor> buffers_;  ///< by size
};

/// torch::nn::BatchNorm2d, which in training mode may use the statistics of all ranks' batches:
/// mean and variance over the images of all, and gradients through them. All ranks then have the
/// same running statistics.
class BatchNorm2dImpl : public torch::nn::BatchNorm2dImpl {
 public:
  using torch::nn::BatchNorm2dImpl::BatchNorm2dImpl;

  /// `x` [N,C,H,W]. Collective in training mode while statistics are shared.
  at::Tensor forward(const at::Tensor& x);

  /// Moves the running statistics, if there are any, towards those of a batch.
  void count_batch(const ChannelStatistics& statistics);

  SharedStatistics* shared = nullptr;  ///< null: this process's batch alone
  bool folded = false;     ///< into the convolution before it: gives `x`, plus folded_bias
  at::Tensor folded_bias;  ///< [C], where the convolution does not add it; else undefined
};
TORCH_MODULE(BatchNorm2d);

/// Lets all batch normalisation in `module` share statistics from here on.
void share_statistics(torch::nn::Module& module, SharedStatistics& statistics);

}  // namespace sweep::trainer
