#include "trainer/optimizer.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "trainer/adam.hpp"
#include "trainer/sgd.hpp"
#include "trainer/training_options.hpp"

namespace sweep::trainer {

void Optimizer::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  Step step;
  for (auto& [name, parameter] : parameters_) {
    if (!parameter.grad().defined()) continue;
    step.names.push_back(name);
    step.parameters.push_back(parameter);
    step.gradients.push_back(parameter.grad());
    parameter.mutable_grad().reset();
  }
  if (!step.parameters.empty()) update(step, learning_rate);
}

std::vector<at::Tensor> Optimizer::Step::of(const NamedTensors& buffers) const {
  std::vector<at::Tensor> chosen;
  for (const auto& name : names) chosen.push_back(buffers.at(name));
  return chosen;
}

NamedTensors Optimizer::zeros() const {
  NamedTensors buffers;
  for (const auto& [name, parameter] : parameters_)
    buffers.emplace(name, at::zeros_like(parameter.detach()));
  return buffers;
}

std::unique_ptr<Optimizer> make_optimizer(const TrainingOptions& options, NamedTensors parameters) {
  if (options.optimizer == "sgd")
    return std::make_unique<Sgd>(std::move(parameters), options.momentum, options.weight_decay);
  if (options.optimizer == "adam")
    return std::make_unique<Adam>(std::move(parameters), options.weight_decay);
  throw InputError(concat("there is no optimiser '", options.optimizer, "'; choose sgd or adam"));
}

}  // namespace sweep::trainer
