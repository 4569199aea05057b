#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "trainer/batches.hpp"
#include "trainer/parallel/communicator.hpp"
#include "trainer/tensors.hpp"

namespace torch::nn {
class Module;
}

namespace sweep::trainer {

class Reducer;
class SharedStatistics;

/// The processes that train a network together, as one of them sees it; alone it costs nothing.
/// Losses are means over a share of a batch; weighted by the shares' sizes they add up to the loss
/// of the batch, and so do their gradients: the learning rate is the same for any number of
/// processes.
class Team {
 public:
  Team(const Parallel& parallel, const at::Device& device);
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team();

  int rank() const { return communicator_.rank(); }
  int size() const { return communicator_.size(); }

  /// From here on the modules' gradients and statistics are those of all.
  void join(const std::vector<torch::nn::Module*>& modules);
  /// Collective: all have the lead's `tensors` from here on.
  /// @param step  that comes next, counted from the first of the training
  /// @throws Error{bad_data} when another one goes on from another step.
  void share(const NamedTensors& tensors, std::int64_t step);

  /// Before the forward pass of a share.
  void begin(const Share& share);
  /// Collective: the gradients of the batch's loss, from the loss of the share.
  void backward(const at::Tensor& loss, const Share& share);
  /// Collective: means of the batch from `means` [n] of the share, float64. On the host.
  at::Tensor mean(const at::Tensor& means, const Share& share);
  /// Collective: whether any of them says so.
  bool any(bool mine);

  /// See Reducer; 0 alone.
  std::int64_t bytes() const;
  std::int64_t overlapped_bytes() const;

 private:
  /// On the host.
  at::Tensor sum(const at::Tensor& values);

  std::unique_ptr<Communicator> alone_;
  Communicator& communicator_;
  bool synchronised_, compressed_;
  std::unique_ptr<Reducer> reducer_;
  std::unique_ptr<SharedStatistics> statistics_;
  at::Tensor values_;  ///< buffer of sum()
};

}  // namespace sweep::trainer
