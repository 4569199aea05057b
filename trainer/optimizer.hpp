#pragma once

#include <memory>
#include <string>

#include "trainer/tensors.hpp"

namespace sweep::trainer {

struct TrainingOptions;  // trainer/training_options.hpp

/// Changes parameters along their gradients. Its buffers have names, so that checkpoints are plain
/// named tensors.
class Optimizer {
 public:
  /// @param parameters  to be changed in place; those without a gradient are left alone
  explicit Optimizer(NamedTensors parameters) : parameters_(std::move(parameters)) {}
  virtual ~Optimizer() = default;

  /// One step; drops the gradients.
  void step(double learning_rate);

  /// All that it remembers, "momentum.NAME" and the like: its own tensors, not copies.
  virtual NamedTensors state() const = 0;

 protected:
  /// The parameters that have gradients, and these, in one order; `names` tells whose they are.
  struct Step {
    std::vector<std::string> names;
    std::vector<at::Tensor> parameters, gradients;

    /// The buffers of the same parameters.
    std::vector<at::Tensor> of(const NamedTensors& buffers) const;
  };

  virtual void update(Step& step, double learning_rate) = 0;

  /// Zeros for every parameter.
  NamedTensors zeros() const;

 private:
  NamedTensors parameters_;
};

/// The one that options.optimizer names.
std::unique_ptr<Optimizer> make_optimizer(const TrainingOptions& options, NamedTensors parameters);

}  // namespace sweep::trainer
