#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/json.hpp"
#include "core/registry.hpp"

namespace at {
class Tensor;
}
namespace torch::nn {
class Module;
}

namespace sweep::trainer {

struct Outputs;  // trainer/tensors.hpp

/// Options that every model has.
struct ModelOptions {
  std::string normalize = "imagenet";  ///< "imagenet", "half" or "none": see Normalization
  std::string weights;  ///< file that training starts from; empty: from random parameters
};

OptionTable<ModelOptions> model_options();

/// An image classifier with an encoder in it. Normalisation is its first layer, so that everything
/// outside works on pixels in [0,1].
class Classifier {
 public:
  virtual ~Classifier() = default;

  /// `images` [N,3,H,W] in [0,1], float32 or float64 like the parameters, on their device.
  /// Differentiable with respect to images and parameters.
  virtual Outputs forward(const at::Tensor& images) = 0;

  /// Parameters and buffers, under torchvision's names; training and evaluation mode.
  virtual torch::nn::Module& module() = 0;

  /// Draws all parameters anew. Equal seeds give equal parameters.
  virtual void initialize(std::uint64_t seed) = 0;

  virtual std::int64_t encoding_channels() const = 0;

  /// Pixels of the image per pixel of the encoding, in each direction: a power of two.
  virtual std::int64_t encoding_stride() const = 0;
};

/// A factory gives an unspecific set of parameters: initialize or load them. `num_classes` is the
/// dataset's.
using ModelRegistry = Registry<
    std::function<std::unique_ptr<Classifier>(const Json& options, std::int64_t num_classes)>>;

}  // namespace sweep::trainer

/// Last lines of a model's file: its name, its option table, its class (made from its options and
/// the number of classes), a summary.
#define SWEEP_REGISTER_MODEL(name, table, Class, summary)                                        \
  static const bool registered_model_##Class = ::sweep::trainer::ModelRegistry::instance().add(  \
      name, {summary, ::sweep::describe(table),                                                  \
             [](const ::sweep::Json& options, std::int64_t num_classes) {                        \
               return std::unique_ptr<::sweep::trainer::Classifier>(                             \
                   std::make_unique<Class>(::sweep::read_options(table, options), num_classes)); \
             }})
