#include "attacks/white_box.hpp"

#include <ATen/ATen.h>

#include "attacks/goal.hpp"
#include "attacks/gradient.hpp"
#include "attacks/recorded_function.hpp"

namespace sweep::attacks {

WhiteBox::WhiteBox(Logits logits)
    : logits_(std::move(logits)),
      gradient_(std::make_unique<RecordedFunction>([model = logits_](const auto& inputs) {
        const auto [gradient, finite] = cross_entropy_gradient(model, inputs[0], inputs[1]);
        return RecordedFunction::Tensors{gradient, finite};
      })) {}

WhiteBox::WhiteBox(WhiteBox&&) noexcept = default;
WhiteBox::~WhiteBox() = default;

at::Tensor WhiteBox::logits(const at::Tensor& images) const {
  return logits_(images);
}

at::Tensor WhiteBox::loss_gradient(const at::Tensor& images, const Goal& goal) const {
  const auto told = (*gradient_)({images, goal.classes});
  require_finite(told[1]);
  return goal.targeted ? told[0].neg() : told[0];
}

}  // namespace sweep::attacks
