#include "trainer/inference.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <vector>

#include "trainer/module_state.hpp"
#include "trainer/precision.hpp"

namespace sweep::trainer {
namespace {

/// Batches of a multiple of this all run on the same kernels. oneDNN has others for fewer than
/// sixteen images, or a number that threads can't share evenly; cuDNN chooses by the size itself.
/// (Matrix products have their own way: trainer/models/linear.)
std::int64_t batch_multiple(const at::Device& device) {
  return device.is_cpu() ? std::max(16, 8 * at::get_num_threads()) : inference_batch;
}

}  // namespace

std::shared_ptr<Classifier> load_classifier(const std::string& model, const Json& options,
                                            std::int64_t num_classes, const NamedTensors& state,
                                            const at::Device& device) {
  std::shared_ptr<Classifier> classifier =
      ModelRegistry::instance().at(model).make(options, num_classes);
  auto& module = classifier->module();
  copy_state(state, state_of(module), concat("a ", model, " for ", num_classes, " classes"));
  place(module, device);
  module.eval();
  for (auto& parameter : module.parameters()) parameter.set_requires_grad(false);
  return classifier;
}

at::Tensor evaluate(Classifier& classifier, const at::Tensor& images) {
  const std::int64_t count = images.size(0), rest = count % batch_multiple(images.device());
  if (rest == 0) return classifier.forward(images).logits;
  std::vector<std::int64_t> shape = images.sizes().vec();
  shape.front() = batch_multiple(images.device()) - rest;
  const auto padding = at::zeros(shape, images.options());
  return classifier.forward(at::cat({images, padding}).contiguous(at::MemoryFormat::ChannelsLast))
      .logits.narrow(0, 0, count);
}

attacks::Logits logits_of(std::shared_ptr<Classifier> classifier, Precision precision) {
  return [classifier = std::move(classifier), precision](const at::Tensor& images) {
    const Autocast autocast(precision, images.device());
    return evaluate(*classifier, images);
  };
}

at::Tensor to_model_input(const at::Tensor& images, const at::Device& device) {
  // Bytes are moved, not floats: a quarter of the transfer.
  const auto moved = images.to(device).contiguous(at::MemoryFormat::ChannelsLast);
  return images.scalar_type() == at::kByte ? moved.to(at::kFloat).div_(255) : moved.to(at::kFloat);
}

Predictions predict(Classifier& classifier, const at::Tensor& images, const at::Device& device,
                    const std::function<void(double fraction)>& after_batch) {
  const at::NoGradGuard no_grad;
  const auto count = images.size(0);
  std::vector<at::Tensor> logits;
  for (std::int64_t begin = 0; begin < count; begin += inference_batch) {
    const auto end = std::min(begin + inference_batch, count);
    const auto batch = to_model_input(images.slice(0, begin, end), device);
    logits.push_back(evaluate(classifier, batch).to(at::kCPU));
    if (after_batch) after_batch(static_cast<double>(end) / static_cast<double>(count));
  }
  const auto all = at::cat(logits);
  return {all, all.argmax(1)};
}

}  // namespace sweep::trainer
