#include "tests/support/reference_model.hpp"

#include <torch/nn/module.h>

#include "tests/support/reference_h5.hpp"
#include "trainer/module_state.hpp"
#include "trainer/weights/weights.hpp"

namespace sweep::test_support {
namespace {

/// In evaluation mode, parameters without gradients, pixels taken raw.
std::shared_ptr<trainer::Classifier> make_resnet18(std::int64_t num_classes) {
  return trainer::ModelRegistry::instance()
      .at("resnet18")
      .make({{"normalize", "none"}}, num_classes);
}

std::shared_ptr<trainer::Classifier> frozen(std::shared_ptr<trainer::Classifier> model) {
  model->module().eval();
  for (auto& parameter : model->module().parameters()) parameter.set_requires_grad(false);
  return model;
}

}  // namespace

std::shared_ptr<trainer::Classifier> reference_resnet18(const std::filesystem::path& weights,
                                                        std::int64_t num_classes) {
  auto model = make_resnet18(num_classes);
  trainer::copy_state(trainer::read_weights(weights), trainer::state_of(model->module()),
                      weights.string());
  return frozen(model);
}

std::shared_ptr<trainer::Classifier> reference_resnet18_b(const std::filesystem::path& file,
                                                          std::int64_t num_classes) {
  auto model = make_resnet18(num_classes);
  const auto state = trainer::state_of(model->module());
  trainer::NamedTensors source;
  for (const auto& [name, tensor] : state)
    source[name] = read_reference(file, "resnet18_B/" + name).to(tensor.scalar_type());
  trainer::copy_state(source, state, file.string());
  return frozen(model);
}

attacks::Logits reference_small_cnn(const std::filesystem::path& file) {
  trainer::NamedTensors weights;
  const auto read = [&](const std::string& name) {
    weights[name] = read_reference(file, "smallcnn_C/" + name).to(at::kFloat);
  };
  constexpr int kStages = 4, kLayersOfAStage = 4;
  const auto layer = [](int stage, int offset) {
    return concat("features.", stage * kLayersOfAStage + offset);
  };
  for (int stage = 0; stage < kStages; ++stage) {
    read(layer(stage, 0) + ".weight");
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
      read(layer(stage, 1) + part);
  }
  read("fc.weight");
  read("fc.bias");
  return [=](const at::Tensor& images) {
    at::Tensor x = images;
    for (int stage = 0; stage < kStages; ++stage) {
      const auto norm = [&](const char* part) { return weights.at(layer(stage, 1) + part); };
      x = at::conv2d(x, weights.at(layer(stage, 0) + ".weight"), {}, 1, 1);
      x = at::batch_norm(x, norm(".weight"), norm(".bias"), norm(".running_mean"),
                         norm(".running_var"), false, 0.1, 1e-5, false);
      x = at::max_pool2d(x.relu(), 2);
    }
    return at::linear(x.mean({2, 3}), weights.at("fc.weight"), weights.at("fc.bias"));
  };
}

}  // namespace sweep::test_support
