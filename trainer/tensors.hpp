#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace sweep::trainer {

// The plain structs that hold tensors. This is the one header of the layer that includes LibTorch;
// the others only declare its types, so that programs which list and plan start without it.

/// Tensors by name, in the order of the names. Saved ones are contiguous and on the CPU.
using NamedTensors = std::map<std::string, at::Tensor>;

/// What random numbers of a training step follow from. A step that is recorded for a device
/// (attacks/recorded_function.hpp) reads it there: the host has no number that would hold.
class Seed {
 public:
  Seed(std::uint64_t value) : value_(value) {}  // NOLINT(google-explicit-constructor)
  /// @param halves  [2] int64: the low and the high 32 bits
  explicit Seed(at::Tensor halves) : halves_(std::move(halves)) {}

  /// @throws Error{internal} for a seed that is known to a device alone
  std::uint64_t value() const;
  /// [2] int64 on `device`.
  at::Tensor halves(const at::Device& device) const;
  /// Another one of the same step, for numbers that have nothing to do with these.
  Seed branch(std::uint64_t number) const;

 private:
  std::uint64_t value_ = 0;
  at::Tensor halves_;
};

/// What a classifier makes of images [N,3,H,W].
struct Outputs {
  at::Tensor logits;    ///< [N,K]
  at::Tensor features;  ///< [N,F], the last convolutional stage, flattened: f(x) of the paper
  at::Tensor encoding;  ///< [N,C,H/s,W/s] (rounded up), where the decoder takes over

  /// In the type of `images`, whatever the network has computed in: losses are sums of many values.
  Outputs to(const at::Tensor& images) const {
    const auto type = images.scalar_type();
    return {logits.to(type), features.to(type), encoding.to(type)};
  }
};

/// The loss of a batch and its parts, each without its weight: 0-dimensional. Only `total` carries
/// gradients for sure. A part that the defence does not have is an undefined tensor.
struct LossTerms {
  at::Tensor total;           ///< L = L_c + lambda_n L_n + lambda_a L_a (paper, equation 3)
  at::Tensor classification;  ///< L_c
  at::Tensor feature;         ///< L_n (equation 1)
  at::Tensor reconstruction;  ///< L_a (equation 2)
  at::Tensor clean_logits;    ///< [N,K] of the clean images, for the training accuracy; undefined
                              ///< where what is trained is no classifier
};

}  // namespace sweep::trainer
