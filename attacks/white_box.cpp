#include "attacks/white_box.hpp"

#include <ATen/ATen.h>

#include "attacks/goal.hpp"
#include "attacks/gradient.hpp"
#include "attacks/recorded_function.hpp"

namespace sweep::attacks {

/// Of images and labels: the gradient of the cross-entropy, and whether all logits are finite.
struct WhiteBox::Gradient {
  RecordedFunction function;
};

WhiteBox::WhiteBox(Logits logits)
    : logits_(std::move(logits)),
      gradient_(new Gradient{RecordedFunction([model = logits_](const auto& inputs) {
        auto [gradient, finite] = cross_entropy_gradient(model, inputs[0], inputs[1]);
        return RecordedFunction::Tensors{gradient, finite};
      })}) {}

WhiteBox::WhiteBox(WhiteBox&&) noexcept = default;
WhiteBox::~WhiteBox() = default;

at::Tensor WhiteBox::logits(const at::Tensor& images) const {
  return logits_(images);
}

at::Tensor WhiteBox::loss_gradient(const at::Tensor& images, const Goal& goal) const {
  const auto told = gradient_->function({images, goal.classes});
  require_finite(told[1]);
  return goal.targeted ? told[0].neg() : told[0];
}

}  // namespace sweep::attacks
