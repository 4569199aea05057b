#include "trainer/models/model.hpp"

namespace sweep::trainer {

OptionTable<ModelOptions> model_options() {
  return {
      {"normalize",
       &ModelOptions::normalize,
       {.choices = {"imagenet", "half", "none"},
        .doc = "first layer: ImageNet's mean and deviation, pixels in [-1,1], or pixels in [0,1]"}},
      {"weights",
       &ModelOptions::weights,
       {.doc = "safetensors or .pth file that training starts from; a head for another number of "
               "classes is drawn anew; empty: from random parameters",
        .location = true}}};
}

}  // namespace sweep::trainer
