#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <utility>

namespace at {
class Tensor;
}

namespace sweep::attacks {

/// Logits [N,K] of images [N,3,H,W] in [0,1], differentiable with respect to the images. All that
/// an attack sees of the model: normalisation is inside.
using Logits = std::function<at::Tensor(const at::Tensor& images)>;

struct Goal;             // attacks/goal.hpp
class RecordedFunction;  // attacks/recorded_function.hpp

/// A model whose gradients an attack may see. What they cost to start is kept between calls where
/// the device can (RecordedFunction): use one of these for all batches of a set.
class WhiteBox {
 public:
  /// @param logits  of a model whose parameters keep their places in memory
  WhiteBox(Logits logits);  // NOLINT(google-explicit-constructor)
  template <std::convertible_to<Logits> Function>
  WhiteBox(Function&& logits)  // NOLINT(google-explicit-constructor)
      : WhiteBox(Logits(std::forward<Function>(logits))) {}
  WhiteBox(WhiteBox&&) noexcept;
  ~WhiteBox();

  at::Tensor logits(const at::Tensor& images) const;

  /// loss_gradient() of gradient.hpp. Good until the next call.
  at::Tensor loss_gradient(const at::Tensor& images, const Goal& goal) const;

 private:
  Logits logits_;
  std::unique_ptr<RecordedFunction> gradient_;  ///< of images and classes
};

}  // namespace sweep::attacks
