// What holds for every model.
#include <gtest/gtest.h>

#include <map>

#include "core/error.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/batches.hpp"
#include "trainer/models/folding.hpp"
#include "trainer/module_state.hpp"

namespace sweep::trainer {
namespace {

/// Parameters with 1000 classes, as torchvision's documentation gives them.
const std::map<std::string, std::int64_t> kParameters{
    {"resnet18", 11'689'512},    {"resnet34", 21'797'672},  {"resnet50", 25'557'032},
    {"vgg11", 132'863'336},      {"vgg11_bn", 132'868'840}, {"vgg13", 133'047'848},
    {"vgg13_bn", 133'053'736},   {"vgg16", 138'357'544},    {"vgg16_bn", 138'365'992},
    {"vgg19", 143'667'240},      {"vgg19_bn", 143'678'248}, {"densenet121", 7'978'856},
    {"mobilenet_v2", 3'504'872},
};

std::vector<std::string> registered() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : ModelRegistry::instance().entries()) names.push_back(name);
  return names;
}

class EveryModel : public ::testing::TestWithParam<std::string> {
 protected:
  static std::unique_ptr<Classifier> make(std::int64_t classes) {
    const auto& entry = ModelRegistry::instance().at(GetParam());
    return entry.make(complete(entry.schema, {{"normalize", "half"}}), classes);
  }
};

TEST_P(EveryModel, HasTorchvisionsSize) {
  std::int64_t count = 0;
  for (const auto& parameter : make(1000)->module().parameters()) count += parameter.numel();
  ASSERT_TRUE(kParameters.contains(GetParam())) << "add its number of parameters";
  EXPECT_EQ(count, kParameters.at(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(, EveryModel, ::testing::ValuesIn(registered()),
                         [](const auto& tested) { return tested.param; });

/// One of each family: a VGG takes a second to fill and to train.
class EveryFamily : public EveryModel {};

TEST_P(EveryFamily, TrainsWithBothLossesOnImagesOfAnySize) {
  const auto model = make(4);
  model->initialize(1);
  const auto defence = make_denoising(*model, 1, 10);
  const std::int64_t height = 37, width = 50;  // multiples of no stride
  const auto images = at::rand({2, 3, height, width});
  const auto outputs = model->forward(images);
  EXPECT_EQ(outputs.logits.sizes(), (at::IntArrayRef{2, 4}));
  EXPECT_EQ(outputs.features.dim(), 2);
  EXPECT_EQ(outputs.encoding.size(1), model->encoding_channels());
  const auto stride = model->encoding_stride();
  EXPECT_LT(std::abs(outputs.encoding.size(2) * stride - height), stride);
  EXPECT_LT(std::abs(outputs.encoding.size(3) * stride - width), stride);
  const auto terms = defence->loss(*model, whole_batch(images, at::tensor({0, 3}, at::kLong)), 5);
  EXPECT_GT(terms.feature.item<double>(), 0);
  EXPECT_GT(terms.reconstruction.item<double>(), 0);
  terms.total.backward();
  for (const auto& item : model->module().named_parameters())
    EXPECT_TRUE(item.value().grad().defined()) << item.key();
}

TEST_P(EveryFamily, FollowsItsSeed) {
  const auto model = make(4);
  const auto state_from = [&](std::uint64_t seed) {
    model->initialize(seed);
    return copied_to_cpu(state_of(model->module()));
  };
  const auto state = state_from(1), other = state_from(2), same = state_from(1);
  int different = 0;
  for (const auto& [name, tensor] : state) {
    EXPECT_TRUE(tensor.equal(same.at(name))) << name;
    different += tensor.equal(other.at(name)) ? 0 : 1;
  }
  EXPECT_GT(different, 5);
}

TEST_P(EveryFamily, KeepsItsSignalAtInitialization) {
  const auto model = make(4);
  model->initialize(1);
  model->module().train();
  const auto outputs = model->forward(at::rand({4, 3, 64, 64}));
  EXPECT_TRUE(at::isfinite(outputs.logits).all().item<bool>());
  EXPECT_GT(outputs.features.std().item<double>(), 1e-3);
  EXPECT_LT(outputs.logits.abs().max().item<double>(), 100);
}

/// As training leaves them: statistics and scales that are not those of the start.
void disturb_batch_norm(torch::nn::Module& module) {
  const at::NoGradGuard no_grad;
  for (const auto& item : module.named_buffers())
    if (item.value().is_floating_point()) item.value().add_(at::rand_like(item.value()).mul_(0.3));
  for (const auto& item : module.named_parameters())
    if (item.value().dim() == 1) item.value().add_(at::rand_like(item.value()).mul_(0.3));
}

TEST_P(EveryFamily, IsTheSameFunctionWithBatchNormFolded) {
  at::manual_seed(3);
  const auto model = make(4);
  model->initialize(1);
  disturb_batch_norm(model->module());
  model->module().to(at::kDouble);
  model->module().eval();
  for (auto& parameter : model->module().parameters()) parameter.set_requires_grad(false);
  const auto images = at::rand({2, 3, 40, 48}, at::kDouble).requires_grad_(true);
  const auto values = [&] {
    const auto outputs = model->forward(images);
    const auto gradient = torch::autograd::grad({outputs.logits.square().sum()}, {images});
    return std::vector{outputs.logits.detach(), outputs.features.detach(),
                       outputs.encoding.detach(), gradient[0]};
  };
  const auto plain = values();
  const int folded = fold_batch_norm(model->module());
  EXPECT_EQ(folded > 0, GetParam() != "vgg11");
  const auto after = values();
  for (std::size_t i = 0; i < plain.size(); ++i)
    EXPECT_LT((after[i] - plain[i]).norm().item<double>(), 1e-11 * plain[i].norm().item<double>())
        << i;
  EXPECT_EQ(fold_batch_norm(model->module()), 0) << "folded twice";
}

INSTANTIATE_TEST_SUITE_P(, EveryFamily,
                         ::testing::Values("resnet34", "resnet50", "vgg11", "vgg11_bn",
                                           "densenet121", "mobilenet_v2"),
                         [](const auto& tested) { return tested.param; });

TEST(ModelNames, AreThoseOfTorchvision) {
  const auto has = [](const std::string& model, const std::string& tensor,
                      const std::vector<std::int64_t>& shape) {
    const auto& entry = ModelRegistry::instance().at(model);
    const auto made = entry.make(complete(entry.schema, {{"normalize", "none"}}), 4);
    const auto state = state_of(made->module());
    ASSERT_TRUE(state.contains(tensor)) << model << " " << tensor;
    EXPECT_EQ(state.at(tensor).sizes().vec(), shape) << model << " " << tensor;
  };
  has("resnet50", "layer3.0.downsample.0.weight", {1024, 512, 1, 1});
  has("resnet50", "layer4.2.conv3.weight", {2048, 512, 1, 1});
  has("resnet34", "layer3.5.bn2.running_mean", {256});
  has("vgg13", "features.22.weight", {512, 512, 3, 3});
  has("vgg19_bn", "features.49.weight", {512, 512, 3, 3});
  has("mobilenet_v2", "features.0.1.running_var", {32});
  has("mobilenet_v2", "features.1.conv.1.weight", {16, 32, 1, 1});
  has("mobilenet_v2", "features.4.conv.1.0.weight", {144, 1, 3, 3});
  has("mobilenet_v2", "features.17.conv.3.running_mean", {320});
  has("mobilenet_v2", "features.18.0.weight", {1280, 320, 1, 1});
  has("mobilenet_v2", "classifier.1.weight", {4, 1280});
}

TEST(Dropout, FollowsTheSeedOfTheTraining) {
  auto job = toy_job(8, 32);
  job.model = "mobilenet_v2";
  job.options.epochs = 1;
  const auto first = train(job, {}, {}), again = train(job, {}, {});
  for (const auto& [name, tensor] : first.tensors)
    EXPECT_TRUE(tensor.equal(again.tensors.at(name))) << name;
}

}  // namespace
}  // namespace sweep::trainer
