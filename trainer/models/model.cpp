#include "trainer/models/model.hpp"

namespace sweep::trainer {

OptionTable<ModelOptions> model_options() {
  return {
      {"normalize",
       &ModelOptions::normalize,
       {.choices = {"imagenet", "half", "none"},
        .doc =
            "first layer: ImageNet's mean and deviation, pixels in [-1,1], or pixels in [0,1]"}}};
}

}  // namespace sweep::trainer
