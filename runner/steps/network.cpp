#include "runner/steps/network.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <vector>

#include "cluster/host.hpp"
#include "core/options.hpp"
#include "core/text.hpp"
#include "runner/steps/settings.hpp"
#include "trainer/device.hpp"
#include "trainer/inference.hpp"
#include "trainer/models/folding.hpp"
#include "trainer/models/model.hpp"
#include "trainer/precision.hpp"
#include "trainer/tensors.hpp"
#include "trainer/weights/weights.hpp"

namespace sweep::steps {
namespace {

/// LibTorch remembers the first answer to whether there is CUDA, so this comes first.
at::Device prepare_device(const Computing& computing) {
  trainer::configure_torch(threads_of(computing));
  return trainer::select_device(computing.device);
}

std::shared_ptr<trainer::Classifier> load(const ModelSource& source, const at::Device& device) {
  const trainer::NamedTensors state = trainer::read_weights(source.weights);
  try {
    return trainer::load_classifier(source.arch, model_options(source), source.num_classes, state,
                                    device);
  } catch (const Error& error) {
    throw Error(error.type(), concat("--weights '", source.weights.string(), "': ", error.what()));
  }
}

/// The opposite of trainer::place: other libraries compute in this order.
void place_in_nchw(torch::nn::Module& module) {
  for (auto& parameter : module.parameters()) parameter.set_data(parameter.contiguous());
}

}  // namespace

int threads_of(const Computing& computing) {
  return computing.threads > 0 ? computing.threads : cluster::available_cores();
}

Json model_options(const ModelSource& source) {
  const auto& entry = chosen(trainer::ModelRegistry::instance(), "--arch", source.arch);
  return resolve(entry.schema, {{"normalize", source.normalize}}, "model",
                 [](const std::string&) { return "--normalize"; });
}

void check_model(const ModelSource& source) {
  model_options(source);
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(source.weights, ignored))
    throw InputError(concat("--weights '", source.weights.string(),
                            "' is no file (the model's parameters are read from it); give a "
                            "safetensors or .pth file"));
}

Network::Network(const ModelSource& source, const Computing& computing)
    : device_(prepare_device(computing)),
      type_(computing.dtype == "float64" ? at::kDouble : at::kFloat),
      plain_(computing.layout == "nchw"),
      batch_(computing.batch),
      classifier_(load(source, device_)) {
  classifier_->module().to(type_);
  if (plain_) {
    place_in_nchw(classifier_->module());
  } else {
    trainer::fold_batch_norm(classifier_->module());
  }
}

at::Tensor Network::input(const at::Tensor& images) const {
  const at::Tensor input = trainer::to_model_input(images, device_).to(type_);
  return plain_ ? input.contiguous() : input;
}

attacks::Logits Network::logits(Precision precision) const {
  if (!plain_) return trainer::logits_of(classifier_, precision);
  return [classifier = classifier_, precision](const at::Tensor& images) {
    const trainer::Autocast autocast(precision, images.device());
    return classifier->forward(images).logits;
  };
}

at::Tensor Network::predict(const at::Tensor& images,
                            const std::function<void(double fraction)>& after_batch) const {
  const at::NoGradGuard no_grad;
  const attacks::Logits forward = logits();
  const std::int64_t count = images.size(0);
  std::vector<at::Tensor> all;
  for (std::int64_t begin = 0; begin < count; begin += batch_) {
    const std::int64_t end = std::min(begin + batch_, count);
    all.push_back(forward(input(images.slice(0, begin, end))).to(at::kCPU));
    if (after_batch) after_batch(static_cast<double>(end) / static_cast<double>(count));
  }
  return at::cat(all);
}

}  // namespace sweep::steps
