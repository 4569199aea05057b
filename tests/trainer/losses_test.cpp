#include "trainer/losses.hpp"

#include <gtest/gtest.h>

#include "tests/support/reference_h5.hpp"
#include "tests/trainer/toy.hpp"

namespace sweep::trainer {
namespace {

/// The reference arrays, in float64 or float32.
struct Arrays {
  explicit Arrays(const std::filesystem::path& path, at::ScalarType type = at::kDouble) {
    for (const char* name : {"f_clean", "f_noisy", "x_clean", "xhat_clean", "xhat_noisy",
                             "logits_clean", "logits_noisy", "dLn_df_clean", "dLa_dxhat_clean",
                             "dLa_dxhat_noisy", "dCE_dlogits_clean", "dCE_dlogits_noisy"})
      values[name] = test_support::read_reference(path, name).to(type);
    values["labels"] = test_support::read_reference(path, "labels").to(at::kLong);
  }

  const at::Tensor& operator[](const std::string& name) const { return values.at(name); }
  at::Tensor leaf(const std::string& name) const {
    return values.at(name).clone().requires_grad_();
  }

  NamedTensors values;
};

// losses.json of the reference results.
constexpr double kFeature = 2.4389908681419836;
constexpr double kReconstruction = 5.41192959298313;
constexpr double kClassification = 20.805112344090695;

class ReferenceLosses : public ::testing::Test {
 protected:
  void SetUp() override {
    path = test_support::reference_file("losses.h5");
    if (path.empty()) GTEST_SKIP() << "SWEEP_SHARED_DIR is not set";
  }
  std::filesystem::path path;
};

TEST_F(ReferenceLosses, FeatureLossAndItsGradient) {
  const Arrays arrays(path);
  const auto clean = arrays.leaf("f_clean"), noisy = arrays.leaf("f_noisy");
  const auto loss = feature_loss(clean, noisy);
  EXPECT_NEAR(loss.item<double>(), kFeature, 1e-12);
  loss.backward();
  EXPECT_LT((clean.grad() - arrays["dLn_df_clean"]).abs().max().item<double>(), 1e-12);
  EXPECT_LT((noisy.grad() + arrays["dLn_df_clean"]).abs().max().item<double>(), 1e-12);
}

TEST_F(ReferenceLosses, ReconstructionLossAndItsGradient) {
  const Arrays arrays(path);
  const auto clean = arrays.leaf("xhat_clean"), noisy = arrays.leaf("xhat_noisy");
  const auto loss = reconstruction_loss(arrays["x_clean"], clean, noisy);
  EXPECT_NEAR(loss.item<double>(), kReconstruction, 1e-12);
  loss.backward();
  EXPECT_LT((clean.grad() - arrays["dLa_dxhat_clean"]).abs().max().item<double>(), 1e-12);
  EXPECT_LT((noisy.grad() - arrays["dLa_dxhat_noisy"]).abs().max().item<double>(), 1e-12);
}

TEST_F(ReferenceLosses, ClassificationLossAndItsGradient) {
  const Arrays arrays(path);
  const auto clean = arrays.leaf("logits_clean"), noisy = arrays.leaf("logits_noisy");
  const auto loss = classification_loss(clean, noisy, arrays["labels"]);
  EXPECT_NEAR(loss.item<double>(), kClassification, 1e-12);
  loss.backward();
  // The reference is the gradient of each mean alone; ours is the mean of the two.
  EXPECT_LT((clean.grad() * 2 - arrays["dCE_dlogits_clean"]).abs().max().item<double>(), 1e-12);
  EXPECT_LT((noisy.grad() * 2 - arrays["dCE_dlogits_noisy"]).abs().max().item<double>(), 1e-12);
}

TEST_F(ReferenceLosses, InFloat32) {
  const Arrays a(path, at::kFloat);
  const auto near = [](const at::Tensor& loss, double expected) {
    EXPECT_NEAR(loss.item<double>() / expected, 1, 1e-6);
  };
  near(feature_loss(a["f_clean"], a["f_noisy"]), kFeature);
  near(reconstruction_loss(a["x_clean"], a["xhat_clean"], a["xhat_noisy"]), kReconstruction);
  near(classification_loss(a["logits_clean"], a["logits_noisy"], a["labels"]), kClassification);
}

/// Central differences of `loss` at every element of `x`, in float64.
template <class Loss>
at::Tensor numeric_gradient(at::Tensor x, const Loss& loss) {
  const at::NoGradGuard no_grad;
  constexpr double h = 1e-6;
  auto gradient = at::empty_like(x);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    auto element = x.view(-1)[i];
    const double value = element.item<double>();
    element.fill_(value + h);
    const double above = loss(x).template item<double>();
    element.fill_(value - h);
    const double below = loss(x).template item<double>();
    element.fill_(value);
    gradient.view(-1)[i] = (above - below) / (2 * h);
  }
  return gradient;
}

TEST(Losses, GradientsAreThoseOfFiniteDifferences) {
  const auto a = at::rand({3, 2, 4, 4}, at::kDouble), b = at::rand({3, 2, 4, 4}, at::kDouble);
  const auto check = [&](const auto& loss) {
    const auto x = at::rand({3, 2, 4, 4}, at::kDouble).requires_grad_();
    loss(x).backward();
    EXPECT_LT(
        (x.grad() - numeric_gradient(x.detach().clone(), loss)).abs().max().template item<double>(),
        1e-8);
  };
  check([&](const at::Tensor& x) { return feature_loss(x, a); });
  check([&](const at::Tensor& x) { return feature_loss(a, x); });
  check([&](const at::Tensor& x) { return reconstruction_loss(a, x, b); });
  check([&](const at::Tensor& x) { return reconstruction_loss(a, b, x); });
}

TEST(Losses, GradientAtDistanceZeroIsZero) {
  const auto same = at::rand({2, 3, 4, 4});
  const auto features = same.clone().requires_grad_(), decoded = same.clone().requires_grad_();
  (feature_loss(features, same) + reconstruction_loss(same, decoded, decoded)).backward();
  EXPECT_TRUE(features.grad().equal(at::zeros_like(same)));
  EXPECT_TRUE(decoded.grad().equal(at::zeros_like(same)));
}

}  // namespace
}  // namespace sweep::trainer
