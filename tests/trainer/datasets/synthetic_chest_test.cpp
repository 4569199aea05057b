#include <gmock/gmock.h>

#include <algorithm>

#include "tests/trainer/datasets/sources.hpp"

namespace sweep::trainer {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

std::unique_ptr<Dataset> chests(const Json& options = Json::object()) {
  return make_dataset("synthetic_chest", options);
}

TEST(SyntheticChest, HasTheClassesOfRsna) {
  const DatasetSummary summary = chests()->inspect();
  EXPECT_THAT(summary.class_names,
              ElementsAre("Normal", "No Lung Opacity / Not Normal", "Lung Opacity"));
  EXPECT_THAT(summary.train_counts, Each(40));
  const PreparedDataset prepared = prepare(*chests());
  EXPECT_EQ(prepared.train.labels.size(), 120U);
  EXPECT_EQ(prepared.test.images.size(), 48U * 3 * 64 * 64);
}

// A change of these bytes changes every result that was made with them: then the version in the
// source fingerprint must change too.
TEST(SyntheticChest, AreTheSameBytesOnEveryMachine) {
  const PreparedDataset prepared = prepare(*chests());
  EXPECT_EQ(chests()->inspect().source_fingerprint, "painted chest, version 1");
  EXPECT_EQ(digest(prepared.train),
            "f286c831c0d1b4c30a0f8a85fbd7978458452c7ffa3f31653ae4c2929814eb41");
  EXPECT_EQ(digest(prepared.test),
            "810790ff1b31d371d2690c11af28b836e324c19ab2057443d7d05019916c4480");
}

TEST(SyntheticChest, TheNumberOfThreadsDoesNotMatter) {
  const auto source = chests({{"train_per_class", 5}, {"test_per_class", 3}});
  EXPECT_EQ(prepare(*source, 1).train.images, prepare(*source, 8).train.images);
}

TEST(SyntheticChest, AnImageDoesNotDependOnTheOthers) {
  const PreparedDataset few = prepare(*chests({{"train_per_class", 2}}));
  const PreparedDataset many = prepare(*chests({{"train_per_class", 6}}));
  EXPECT_TRUE(
      std::equal(few.train.images.begin(), few.train.images.end(), many.train.images.begin()));
}

TEST(SyntheticChest, ImagesAreGreyAndDiffer) {
  const PreparedDataset prepared = prepare(*chests({{"image_size", 33}, {"train_per_class", 2}}));
  constexpr std::size_t kArea = 33 * 33;
  const auto* image = prepared.train.images.data();
  for (std::size_t i = 0; i < 6; ++i, image += 3 * kArea) {
    EXPECT_TRUE(std::equal(image, image + kArea, image + kArea));
    EXPECT_TRUE(std::equal(image, image + kArea, image + 2 * kArea));
    const auto [low, high] = std::minmax_element(image, image + kArea);
    EXPECT_GT(*high - *low, 120);
  }
  EXPECT_NE(
      prepared.train.images,
      prepare(*chests({{"image_size", 33}, {"train_per_class", 2}, {"seed", 1}})).train.images);
}

/// Mean over a part of all images of one class, in [0,1]; rows and columns as fractions.
double mean_in(const ImageSet& set, std::int64_t label, double top, double bottom, double left,
               double right) {
  double sum = 0;
  int count = 0;
  const auto at = [](double fraction) { return static_cast<std::size_t>(64 * fraction); };
  for (std::size_t i = 0; i < set.labels.size(); ++i)
    for (std::size_t row = at(top); set.labels[i] == label && row < at(bottom); ++row)
      for (std::size_t column = at(left); column < at(right); ++column, ++count)
        sum += set.images[(3 * i * 64 + row) * 64 + column] / 255.0;
  return sum / count;
}

TEST(SyntheticChest, ShowWhatTheirClassIsNamedFor) {
  const ImageSet train = prepare(*chests()).train;
  constexpr std::int64_t kNormal = 0, kNotNormal = 1, kOpacity = 2;
  const auto lungs = [&](std::int64_t label) {
    return (mean_in(train, label, 0.3, 0.65, 0.22, 0.36) +
            mean_in(train, label, 0.3, 0.45, 0.64, 0.78)) /
           2;
  };
  const auto beside_heart = [&](std::int64_t label) {
    return mean_in(train, label, 0.58, 0.70, 0.66, 0.74);
  };
  EXPECT_LT(mean_in(train, kNormal, 0.3, 0.7, 0.24, 0.36), 0.45) << "air is dark";
  EXPECT_LT(mean_in(train, kNormal, 0.3, 0.7, 0.0, 0.02), 0.2) << "and so is what is no body";
  EXPECT_GT(lungs(kOpacity), lungs(kNormal) + 0.03);
  EXPECT_GT(lungs(kOpacity), lungs(kNotNormal) + 0.03);
  EXPECT_GT(beside_heart(kNotNormal), beside_heart(kNormal) + 0.03) << "large hearts";
}

}  // namespace
}  // namespace sweep::trainer
