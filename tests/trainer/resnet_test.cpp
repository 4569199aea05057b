#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/models/normalization.hpp"
#include "trainer/module_state.hpp"

namespace sweep::trainer {
namespace {

std::int64_t parameters_of(Classifier& model) {
  std::int64_t count = 0;
  for (const auto& parameter : model.module().parameters()) count += parameter.numel();
  return count;
}

TEST(ResNet18, HasTorchvisionsSize) {
  EXPECT_EQ(parameters_of(*make_model(1000)), 11'689'512);
}

TEST(ResNet18, HasTorchvisionsNames) {
  const auto state = state_of(make_model(7)->module());
  EXPECT_EQ(state.size(), 122);
  EXPECT_EQ(state.at("conv1.weight").sizes(), (at::IntArrayRef{64, 3, 7, 7}));
  EXPECT_EQ(state.at("layer2.0.downsample.0.weight").sizes(), (at::IntArrayRef{128, 64, 1, 1}));
  EXPECT_EQ(state.at("layer2.0.downsample.1.running_var").sizes(), (at::IntArrayRef{128}));
  EXPECT_EQ(state.at("layer4.1.bn2.num_batches_tracked").scalar_type(), at::kLong);
  EXPECT_EQ(state.at("fc.weight").sizes(), (at::IntArrayRef{7, 512}));
  EXPECT_FALSE(state.contains("layer1.0.downsample.0.weight"));
}

TEST(ResNet18, GivesFeaturesOfLayer4AndEncodingOfLayer2) {
  const auto model = make_model(4);
  const auto outputs = model->forward(at::rand({2, 3, 64, 64}));
  EXPECT_EQ(outputs.logits.sizes(), (at::IntArrayRef{2, 4}));
  EXPECT_EQ(outputs.features.sizes(), (at::IntArrayRef{2, 512 * 2 * 2}));
  EXPECT_EQ(outputs.encoding.sizes(),
            (at::IntArrayRef{2, model->encoding_channels(), 64 / model->encoding_stride(), 8}));
  EXPECT_GE(outputs.features.min().item<float>(), 0);
}

TEST(ResNet18, FeaturesAreRowMajorWhateverTheLayout) {
  const auto model = make_model(4);
  model->module().eval();
  const auto images = at::rand({2, 3, 64, 64});
  const auto expected = model->forward(images).features;
  place(model->module(), at::kCPU);
  const auto actual = model->forward(images.contiguous(at::MemoryFormat::ChannelsLast)).features;
  EXPECT_LT(relative_error(actual, expected), 1e-4);
}

TEST(ResNet18, ParametersFollowFromTheSeed) {
  const auto a = make_model(4), b = make_model(4), c = make_model(4);
  c->initialize(2);
  const auto state = state_of(a->module());
  const auto same = state_of(b->module()), other = state_of(c->module());
  for (const auto& [name, tensor] : state) EXPECT_TRUE(tensor.equal(same.at(name))) << name;
  EXPECT_FALSE(state.at("conv1.weight").equal(other.at("conv1.weight")));
}

TEST(ResNet18, ParametersAreDrawnAsInTorchvision) {
  const auto state = state_of(make_model(4)->module());
  const auto deviation = [&](const char* name) { return state.at(name).std().item<double>(); };
  EXPECT_NEAR(deviation("conv1.weight"), std::sqrt(2.0 / (64 * 49)), 5e-4);
  EXPECT_NEAR(deviation("layer4.1.conv2.weight"), std::sqrt(2.0 / (512 * 9)), 5e-5);
  EXPECT_NEAR(deviation("layer2.0.downsample.0.weight"), std::sqrt(2.0 / 128), 5e-3);
  EXPECT_LE(state.at("fc.weight").abs().max().item<double>(), 1 / std::sqrt(512.0));
  EXPECT_TRUE(state.at("bn1.weight").equal(at::ones({64})));
  EXPECT_TRUE(state.at("bn1.bias").equal(at::zeros({64})));
}

TEST(Normalization, IsTheFirstLayer) {
  const auto images = at::rand({2, 3, 64, 64});
  const auto mean = at::tensor({.485, .456, .406}).view({3, 1, 1}).to(at::kFloat);
  const auto deviation = at::tensor({.229, .224, .225}).view({3, 1, 1}).to(at::kFloat);
  const auto logits = [](const std::string& normalize, const at::Tensor& x) {
    const auto model = make_model(4, normalize);
    model->module().eval();
    return model->forward(x).logits;
  };
  EXPECT_TRUE(logits("imagenet", images).equal(logits("none", (images - mean) / deviation)));
  EXPECT_TRUE(logits("half", images).equal(logits("none", (images - 0.5) / 0.5)));
  EXPECT_FALSE(logits("half", images).equal(logits("none", images)));
}

TEST(Normalization, FollowsTheTypeOfTheImages) {
  Normalization normalize("imagenet");
  const auto images = at::rand({1, 3, 2, 2}, at::kDouble);
  normalize(images.to(at::kFloat));
  const auto first = normalize(images)[0][0][0][0].item<double>();
  EXPECT_DOUBLE_EQ(first, (images[0][0][0][0].item<double>() - .485) / .229);
}

TEST(Normalization, RefusesOtherNames) {
  EXPECT_THROW(Normalization("minmax"), InputError);
}

}  // namespace
}  // namespace sweep::trainer
