// What holds for every attack, on a small network with random weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "attacks/gradient.hpp"
#include "core/error.hpp"
#include "tests/attacks/toy.hpp"

namespace sweep::attacks {
namespace {

struct Case {
  std::string name;
  Json options;
  std::size_t gradient_steps;
};

void PrintTo(const Case& tested, std::ostream* out) {
  *out << tested.name;
}

class EveryAttack : public ::testing::TestWithParam<Case> {
 protected:
  at::Tensor perturb(const Logits& model, const at::Tensor& images, const Goal& goal,
                     const StepCallback& after_step = ignore_steps) const {
    return make_attack(GetParam().name, GetParam().options)
        ->perturb(model, images, goal, after_step);
  }
};

TEST_P(EveryAttack, FoolsAndStaysAnImage) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    const Logits model = smooth_model(type);
    const at::Tensor images = random_images(16, type), labels = predicted(model, images);
    const at::Tensor adversarial = perturb(model, images, labels);
    EXPECT_EQ(adversarial.scalar_type(), type);
    EXPECT_EQ(adversarial.sizes(), images.sizes());
    EXPECT_TRUE(adversarial.is_contiguous());
    EXPECT_FALSE(adversarial.requires_grad());
    EXPECT_GE(adversarial.min().item<double>(), 0);
    EXPECT_LE(adversarial.max().item<double>(), 1);
    const auto fooled = predicted(model, adversarial).ne(labels).sum().item<std::int64_t>();
    EXPECT_GE(fooled, 8) << "of 16";
  }
}

TEST_P(EveryAttack, DoesNotDependOnHowImagesAreCutIntoBatches) {
  const Logits model = smooth_model();
  const at::Tensor images = random_images(16), labels = predicted(model, images);
  const at::Tensor whole = perturb(model, images, labels);
  for (const std::int64_t batch_size : {1, 5}) {
    std::vector<at::Tensor> parts;
    const auto image_batches = images.split(batch_size), label_batches = labels.split(batch_size);
    for (std::size_t i = 0; i < image_batches.size(); ++i) {
      const auto first = static_cast<std::int64_t>(i) * batch_size;
      parts.push_back(perturb(model, image_batches[i], Goal(label_batches[i], false, first)));
    }
    EXPECT_LT(largest_difference(at::cat(parts), whole), 1e-9) << batch_size;
  }
}

TEST_P(EveryAttack, ReachesTargets) {
  const Logits model = smooth_model();
  const at::Tensor images = random_images(16), labels = predicted(model, images);
  const Goal goal((labels + 1).remainder(4), true, 0);
  const at::NoGradGuard no_gradients;
  const at::Tensor reached = is_reached(model(perturb(model, images, goal)), goal);
  EXPECT_GE(reached.sum().item<std::int64_t>(), 6) << "of 16";
}

TEST_P(EveryAttack, LeavesItsInputsAlone) {
  const Logits model = smooth_model();
  const at::Tensor images = random_images(4), labels = predicted(model, images);
  const at::Tensor images_before = images.clone(), labels_before = labels.clone();
  perturb(model, images, labels).zero_();  // the result does not share their memory
  EXPECT_TRUE(images.equal(images_before));
  EXPECT_TRUE(labels.equal(labels_before));
}

TEST_P(EveryAttack, TakesAnyMemoryFormat) {
  const Logits model = smooth_model();
  const at::Tensor images = random_images(4), labels = predicted(model, images);
  const at::Tensor expected = perturb(model, images, labels);
  const auto last = images.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor actual = perturb(model, last, labels);
  EXPECT_TRUE(actual.is_contiguous());
  EXPECT_LT(largest_difference(actual, expected), 1e-9);
  const at::Tensor of_a_larger_one = at::cat({images, images}, 3).narrow(3, 6, 6);
  EXPECT_LT(largest_difference(perturb(model, of_a_larger_one, labels), expected), 1e-9);
}

TEST_P(EveryAttack, ReportsEveryGradientStep) {
  const Logits model = smooth_model();
  const at::Tensor images = random_images(3), labels = predicted(model, images);
  std::vector<double> fractions;
  perturb(model, images, labels, [&](double fraction) { fractions.push_back(fraction); });
  ASSERT_EQ(fractions.size(), GetParam().gradient_steps);
  for (std::size_t i = 0; i < fractions.size(); ++i)
    EXPECT_DOUBLE_EQ(fractions[i],
                     static_cast<double>(i + 1) / static_cast<double>(fractions.size()));
}

TEST_P(EveryAttack, TakesASetInParts) {
  constexpr std::int64_t kBatch = 4;
  std::int64_t most = 0, taken = 0;
  const Logits model = smooth_model();
  const Logits watched = [&](const at::Tensor& batch) {
    most = std::max(most, batch.size(0));
    return model(batch);
  };
  const at::Tensor images = random_images(11);
  at::Tensor labels = predicted(model, images);
  // Some are wrong already, which leaves some attacks nothing to do.
  for (const std::int64_t row : {0, 1, 2, 3, 7}) labels[row] = (labels[row] + 1).remainder(4);
  std::vector<double> fractions;
  const at::Tensor parts = perturb_stream(
      *make_attack(GetParam().name, GetParam().options), watched, images, labels, kBatch,
      [&](double fraction) { fractions.push_back(fraction); }, taken);
  EXPECT_LT(largest_difference(parts, perturb(model, images, labels)), 1e-12);
  EXPECT_EQ(most, kBatch);
  EXPECT_EQ(taken, 11);
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_DOUBLE_EQ(fractions.back(), 1);
}

TEST_P(EveryAttack, IsStoppedByAnException) {
  struct Stop {};
  const Logits model = smooth_model();
  const at::Tensor images = random_images(3), labels = predicted(model, images);
  int steps = 0;
  const auto stop = [&](double) {
    ++steps;
    throw Stop();
  };
  EXPECT_THROW(perturb(model, images, labels, stop), Stop);
  EXPECT_EQ(steps, 1);
}

TEST_P(EveryAttack, RefusesAModelWhoseLogitsAreNotFinite) {
  const Logits broken = [](const at::Tensor& images) {
    return images.flatten(1).narrow(1, 0, 3) * NAN;
  };
  try {
    perturb(broken, random_images(2), at::zeros({2}, at::kLong));
    ADD_FAILURE() << "logits of NaN were accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.type(), FailureType::not_finite);
  }
}

TEST_P(EveryAttack, AccumulatesNoGradientsInParameters) {
  const at::Tensor weights = at::randn({3, 3 * 6 * 6}, at::kDouble).requires_grad_(true);
  const Logits model = linear_model(weights, at::zeros({3}, at::kDouble));
  const at::Tensor images = random_images(2);
  const at::Tensor adversarial = perturb(model, images, predicted(model, images));
  EXPECT_FALSE(weights.grad().defined());
  EXPECT_FALSE(adversarial.requires_grad());
}

const std::vector<Case> cases{{"fgsm", {{"epsilon", 0.1}}, 1},
                              {"ifgsm", {{"epsilon", 0.1}, {"alpha", 0.02}, {"steps", 7}}, 7},
                              {"mifgsm", {{"epsilon", 0.1}, {"alpha", 0.02}, {"steps", 7}}, 7},
                              {"pgd", {{"epsilon", 0.1}, {"alpha", 0.02}, {"steps", 7}}, 7},
                              {"cw",
                               {{"binary_search_steps", 4},
                                {"iterations", 30},
                                {"learning_rate", 0.05},
                                {"initial_const", 1},
                                {"abort_early", false}},
                               120}};

INSTANTIATE_TEST_SUITE_P(, EveryAttack, ::testing::ValuesIn(cases),
                         [](const auto& tested) { return tested.param.name; });

TEST(AttackRegistry, HasACaseHereForEveryAttack) {
  std::set<std::string> registered, tested;
  for (const auto& [name, entry] : AttackRegistry::instance().entries()) registered.insert(name);
  for (const Case& item : cases) tested.insert(item.name);
  EXPECT_EQ(registered, tested);
}

}  // namespace
}  // namespace sweep::attacks
