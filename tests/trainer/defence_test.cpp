#include "trainer/defences/defence.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/batches.hpp"
#include "trainer/losses.hpp"
#include "trainer/models/decoder.hpp"
#include "trainer/noise.hpp"

namespace sweep::trainer {
namespace {

const at::Tensor& four_images() {
  static const auto values = at::rand({4, 3, 32, 32});
  return values;
}
const at::Tensor& labels() {
  static const auto values = at::tensor({0, 1, 2, 0}, at::kLong);
  return values;
}

TEST(None, IsCrossEntropyOfCleanImages) {
  const auto model = make_model(3);
  const auto defence =
      DefenceRegistry::instance().at("none").make(Json::object(), {*model, nullptr});
  const auto terms = defence->loss(*model, whole_batch(four_images(), labels()), 1);
  EXPECT_EQ(defence->module(), nullptr);
  EXPECT_TRUE(terms.total.equal(at::cross_entropy_loss(terms.clean_logits, labels())));
  EXPECT_FALSE(terms.feature.defined() || terms.reconstruction.defined());
}

TEST(Denoising, IsTheWeightedSumOfThePapersLosses) {
  const auto model = make_model(3);
  const auto terms =
      make_denoising(*model, 0.5, 10)->loss(*model, whole_batch(four_images(), labels()), 1);
  const auto sum = terms.classification + 0.5 * terms.feature + 10 * terms.reconstruction;
  EXPECT_NEAR(terms.total.item<double>(), sum.item<double>(), 1e-4);
  EXPECT_GT(terms.feature.item<double>(), 0);
  EXPECT_GT(terms.reconstruction.item<double>(), 0);
  EXPECT_EQ(terms.clean_logits.sizes(), (at::IntArrayRef{4, 3}));
}

TEST(Denoising, PutsCleanAndNoisyImagesThroughTogether) {
  const auto model = make_model(3);
  const auto terms =
      make_denoising(*model, 1, 0)->loss(*model, whole_batch(four_images(), labels()), 9);
  const auto noisy = add_uniform_noise(four_images(), 8.0 / 255, 9);
  const auto outputs =
      model->forward(at::cat({four_images(), noisy}));  // statistics of the batch again
  const auto features = outputs.features.chunk(2);
  EXPECT_TRUE(terms.feature.equal(feature_loss(features[0], features[1])));
  const auto logits = outputs.logits.chunk(2);
  EXPECT_TRUE(terms.classification.equal(classification_loss(logits[0], logits[1], labels())));
}

TEST(Denoising, BuildsADecoderOnlyForALossThatNeedsIt) {
  const auto model = make_model(3);
  EXPECT_EQ(make_denoising(*model, 1, 0)->module(), nullptr);
  EXPECT_NE(make_denoising(*model, 0, 1)->module(), nullptr);
  const auto plain =
      make_denoising(*model, 0, 0)->loss(*model, whole_batch(four_images(), labels()), 1);
  EXPECT_TRUE(plain.total.equal(plain.classification));
  EXPECT_FALSE(plain.feature.defined() || plain.reconstruction.defined());
}

TEST(Denoising, TrainsEncoderAndDecoderTogether) {
  const auto model = make_model(3);
  const auto defence = make_denoising(*model, 0, 1);
  defence->loss(*model, whole_batch(four_images(), labels()), 1).reconstruction.backward();
  for (const auto& parameter : defence->module()->parameters())
    EXPECT_TRUE(parameter.grad().defined());
  for (const auto& item : model->module().named_parameters()) {
    const bool encoder = item.key().starts_with("conv1") || item.key().starts_with("bn1") ||
                         item.key().starts_with("layer1") || item.key().starts_with("layer2");
    EXPECT_EQ(item.value().grad().defined(), encoder) << item.key();
  }
}

TEST(Denoising, FollowsFromTheSeed) {
  const auto model = make_model(3);
  const auto defence = make_denoising(*model, 1, 1);
  const auto loss = [&](std::uint64_t seed) {
    return defence->loss(*model, whole_batch(four_images(), labels()), seed).total;
  };
  EXPECT_TRUE(loss(1).equal(loss(1)));
  EXPECT_FALSE(loss(1).equal(loss(2)));
}

TEST(Decoder, DoublesTheSizeAndHalvesTheChannels) {
  Decoder decoder(128, 8);
  std::vector<std::vector<std::int64_t>> shapes;
  for (const auto& item : decoder.module().named_parameters())
    if (item.value().dim() == 4) shapes.push_back(item.value().sizes().vec());
  EXPECT_EQ(shapes, (std::vector<std::vector<std::int64_t>>{
                        {128, 64, 4, 4}, {64, 32, 4, 4}, {32, 3, 4, 4}}));
  const auto image = decoder.forward(at::randn({2, 128, 4, 5}), 32, 40);
  EXPECT_EQ(image.sizes(), (at::IntArrayRef{2, 3, 32, 40}));
  EXPECT_GE(image.min().item<float>(), 0);
  EXPECT_LE(image.max().item<float>(), 1);
}

TEST(Decoder, CutsOffWhatIsBeyondTheImage) {
  EXPECT_EQ(Decoder(8, 4).forward(at::randn({2, 8, 7, 7}), 28, 26).sizes(),
            (at::IntArrayRef{2, 3, 28, 26}));
}

TEST(Decoder, NeedsAPowerOfTwo) {
  EXPECT_THROW(Decoder(8, 6), Error);
  EXPECT_THROW(Decoder(8, 1), Error);
}

}  // namespace
}  // namespace sweep::trainer
