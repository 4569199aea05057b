#include "trainer/adam.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "trainer/named_tensors.hpp"

namespace sweep::trainer {
namespace {

constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;

}  // namespace

Adam::Adam(NamedTensors parameters, double weight_decay)
    : Optimizer(std::move(parameters)),
      weight_decay_(weight_decay),
      mean_(zeros()),
      mean_square_(zeros()),
      steps_(at::zeros({}, at::kLong)) {}

void Adam::update(Step& step, double learning_rate) {
  const auto count = static_cast<double>(steps_.add_(1).item<std::int64_t>());
  const auto mean = step.of(mean_), mean_square = step.of(mean_square_);
  at::_foreach_add_(step.gradients, step.parameters, weight_decay_);
  at::_foreach_mul_(mean, kBeta1);
  at::_foreach_add_(mean, step.gradients, 1 - kBeta1);
  at::_foreach_mul_(mean_square, kBeta2);
  at::_foreach_addcmul_(mean_square, step.gradients, step.gradients, 1 - kBeta2);
  auto scale = at::_foreach_sqrt(mean_square);
  at::_foreach_div_(scale, std::sqrt(1 - std::pow(kBeta2, count)));
  at::_foreach_add_(scale, kEpsilon);
  at::_foreach_addcdiv_(step.parameters, mean, scale,
                        -learning_rate / (1 - std::pow(kBeta1, count)));
}

NamedTensors Adam::state() const {
  NamedTensors state = with_prefix(mean_, "mean.");
  state.merge(with_prefix(mean_square_, "mean_square."));
  state.emplace("steps", steps_);
  return state;
}

}  // namespace sweep::trainer
