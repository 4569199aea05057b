#pragma once

#include <memory>
#include <string>

namespace at {
class Tensor;
}

namespace sweep::trainer {

/// (x - mean) / deviation per channel, the first layer of every model. No part of a model's state:
/// it follows from the option, and the state keeps torchvision's names.
class Normalization {
 public:
  /// @param name  "none", "imagenet" (mean .485 .456 .406, deviation .229 .224 .225), or "half"
  ///              (.5 and .5: pixels in [-1,1])
  /// @throws InputError for another name
  explicit Normalization(const std::string& name);
  ~Normalization();

  /// `images` [N,3,H,W]; the constants follow its type and device.
  at::Tensor operator()(const at::Tensor& images);

 private:
  struct Constants;
  std::unique_ptr<Constants> constants_;  ///< null: "none"
};

}  // namespace sweep::trainer
