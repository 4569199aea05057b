#include "trainer/models/normalization.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "attacks/device_operator.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "trainer/precision.hpp"

namespace sweep::trainer {

struct Normalization::Constants {
  at::Tensor mean, deviation;                ///< [3,1,1] float64, on the CPU
  at::Tensor cast_mean{}, cast_deviation{};  ///< of the type and on the device of the last images
};

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

TORCH_LIBRARY_FRAGMENT(sweep, library) {
  library.def(
      "normalize_pixels(Tensor images, Tensor mean, Tensor deviation, bool to_bf16) -> Tensor");
  library.def("normalize_pixels_gradient(Tensor gradient, Tensor deviation) -> Tensor");
}

const auto& fused_normalize() {
  using Signature = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, bool);
  static const attacks::DeviceOperator<Signature> found("sweep::normalize_pixels");
  return found;
}

const auto& fused_normalize_gradient() {
  using Signature = at::Tensor(const at::Tensor&, const at::Tensor&);
  static const attacks::DeviceOperator<Signature> found("sweep::normalize_pixels_gradient");
  return found;
}

/// With the cast to bfloat16 that the first convolution would begin with.
struct NormalizePixels : torch::autograd::Function<NormalizePixels> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& images,
                            const at::Tensor& mean, const at::Tensor& deviation) {
    context->save_for_backward({deviation});
    return fused_normalize()(images, mean, deviation, Autocast::current() == Precision::bf16);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto gradient = gradients.front().contiguous(at::MemoryFormat::ChannelsLast);
    return {fused_normalize_gradient()(gradient, context->get_saved_variables().front()), {}, {}};
  }
};

bool suits_normalize(const at::Tensor& images) {
  return fused_normalize().serves(images) && images.scalar_type() == at::kFloat &&
         images.is_contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor per_channel(std::vector<double> values) {
  return at::tensor(values, at::kDouble).view({3, 1, 1});
}

}  // namespace

Normalization::Normalization(const std::string& name) {
  if (name == "imagenet")
    constants_.reset(
        new Constants{per_channel({.485, .456, .406}), per_channel({.229, .224, .225})});
  else if (name == "half")
    constants_.reset(new Constants{per_channel({.5, .5, .5}), per_channel({.5, .5, .5})});
  else if (name != "none")
    throw InputError(concat("there is no normalisation '", name,
                            "' (models take imagenet, half or none); choose one of them"));
}

Normalization::~Normalization() = default;

at::Tensor Normalization::operator()(const at::Tensor& images) {
  if (!constants_) return images;
  auto& [mean, deviation, cast_mean, cast_deviation] = *constants_;
  if (!cast_mean.defined() || cast_mean.device() != images.device() ||
      cast_mean.scalar_type() != images.scalar_type()) {
    cast_mean = mean.to(images.device(), images.scalar_type());
    cast_deviation = deviation.to(images.device(), images.scalar_type());
  }
  if (suits_normalize(images)) return NormalizePixels::apply(images, cast_mean, cast_deviation);
  return (images - cast_mean) / cast_deviation;
}

}  // namespace sweep::trainer
