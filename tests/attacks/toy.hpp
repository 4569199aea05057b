#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <memory>
#include <string>

#include "attacks/attack.hpp"
#include "attacks/goal.hpp"

namespace sweep::attacks {

/// An attack as a sweep file would ask for it: options are checked and completed.
inline std::unique_ptr<Attack> make_attack(const std::string& name, const Json& options) {
  const auto& entry = AttackRegistry::instance().at(name);
  const auto nowhere = [](const std::string&) { return std::string("test"); };
  return entry.make(resolve(entry.schema, options, "attack", nowhere));
}

inline void ignore_steps(double) {}

/// `weights` [K,3*H*W] times the image plus `biases` [K]: attacks on it have closed solutions.
inline Logits linear_model(const at::Tensor& weights, const at::Tensor& biases) {
  return
      [=](const at::Tensor& images) { return at::addmm(biases, images.flatten(1), weights.t()); };
}

/// A small smooth network with random weights: convolution, tanh, mean, linear.
inline Logits smooth_model(at::ScalarType type = at::kDouble, std::int64_t classes = 4) {
  const auto generator = at::detail::createCPUGenerator(11);
  const auto random = [&](at::IntArrayRef shape) {
    return at::randn(shape, generator, at::kDouble).to(type);
  };
  const at::Tensor kernels = random({8, 3, 3, 3}), weights = random({classes, 8}) * 4;
  return [=](const at::Tensor& images) {
    return at::tanh(at::conv2d(images - 0.5, kernels, {}, 1, 1)).mean({2, 3}).matmul(weights.t());
  };
}

/// Random images [count,3,6,6] in [0,1]; some pixels are exactly 0 or 1.
inline at::Tensor random_images(std::int64_t count, at::ScalarType type = at::kDouble) {
  const auto generator = at::detail::createCPUGenerator(7);
  return (at::rand({count, 3, 6, 6}, generator, at::kDouble) * 1.2 - 0.1).clamp(0, 1).to(type);
}

/// The classes that the model gives: labels that an attack has to get away from.
inline at::Tensor predicted(const Logits& logits, const at::Tensor& images) {
  const at::NoGradGuard no_gradients;
  return logits(images).argmax(1);
}

inline at::Tensor l2_distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).to(at::kDouble).flatten(1).norm(2, 1);
}

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

/// What comes out where images of a set are taken when there is room, `batch_size` at once.
/// @param taken  how many were, so far
inline at::Tensor perturb_stream(const Attack& attack, const Logits& logits,
                                 const at::Tensor& images, const at::Tensor& labels,
                                 std::int64_t batch_size, const StepCallback& after_step,
                                 std::int64_t& taken) {
  at::Tensor adversarial = at::full_like(images, -1);
  taken = 0;
  const auto take = [&](std::int64_t most) {
    const std::int64_t first = taken, count = std::min(most, images.size(0) - first);
    taken += count;
    return std::pair(images.narrow(0, first, count),
                     Goal(labels.narrow(0, first, count), false, first));
  };
  const auto put = [&](const at::Tensor& places, const at::Tensor& found) {
    adversarial.index_copy_(0, places, found);
  };
  attack.perturb_stream(
      logits, {.count = images.size(0), .batch_size = batch_size, .take = take, .put = put},
      after_step);
  return adversarial;
}

}  // namespace sweep::attacks
