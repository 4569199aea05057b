#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>

#include "core/json.hpp"

namespace sweep::steps {

/// What is known of every image: tensors on the CPU, undefined ones are not known.
struct Results {
  at::Tensor labels, predictions;  ///< [N] int64
  at::Tensor clean_predictions;    ///< [N] int64
  at::Tensor success;              ///< [N] bool: the attack has reached its goal
  at::Tensor l2, linf;             ///< [N]: distance from the clean image, pixels in [0,1]
};

/// Whatever can be said of the results. A proportion is {"value": percent, "count", "n"}, a
/// distance
/// {"value", "n"}:
///   accuracy               of the images as they are given
///   clean_accuracy         of the clean images
///   success                over all images
///   success_of_correct     over the images that are right when clean
///   mean_l2, median_l2, and the same _of_successes; max_linf
/// What has nothing to be over is left out.
Json metrics_of(const Results& results);

/// Images by [label][prediction].
Json confusion_of(const at::Tensor& labels, const at::Tensor& predictions,
                  std::int64_t num_classes);

/// L2 and Linf of `images` to `clean`, both float or uint8 [N,3,H,W]: each [N] float32, summed in
/// float64.
std::pair<at::Tensor, at::Tensor> distances(const at::Tensor& images, const at::Tensor& clean);

/// The same for people: one line per metric, then the confusion matrix where there is one.
std::string text_of(const Json& metrics);

}  // namespace sweep::steps
