#include "trainer/models/normalization.hpp"

#include <ATen/ATen.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::trainer {

struct Normalization::Constants {
  at::Tensor mean, deviation;                ///< [3,1,1] float64, on the CPU
  at::Tensor cast_mean{}, cast_deviation{};  ///< of the type and on the device of the last images
};

namespace {

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
  return (images - cast_mean) / cast_deviation;
}

}  // namespace sweep::trainer
