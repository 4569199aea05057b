// The attacks against torchattacks and foolbox, on a trained ResNet18 in float32.
#include <gtest/gtest.h>
#include <torch/nn/module.h>

#include "attacks/gradient.hpp"
#include "tests/attacks/toy.hpp"
#include "tests/support/reference_h5.hpp"
#include "tests/support/reference_model.hpp"
#include "trainer/inference.hpp"
#include "trainer/module_state.hpp"
#include "trainer/tensors.hpp"

namespace sweep::attacks {
namespace {

using test_support::read_reference;
using test_support::reference_file;

class Parity : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto weights = reference_file("resnet18_A.safetensors");
    if (weights.empty()) GTEST_SKIP() << "SWEEP_SHARED_DIR is not set";
    network = test_support::reference_resnet18(weights, 4);
    model = trainer::logits_of(network);
    const auto others = reference_file("transfer_models.h5");
    model_b = trainer::logits_of(test_support::reference_resnet18_b(others, 4));
    model_c = test_support::reference_small_cnn(others);
    images = expected("images_u8", "testset.h5").to(at::kFloat) / 255;
    labels = expected("labels", "testset.h5");
  }

  static at::Tensor expected(const std::string& name, const std::string& file = "adversarials.h5") {
    return read_reference(reference_file(file), name);
  }

  using Check = std::function<void(const std::string& set, const at::Tensor& theirs)>;

  /// Against each of the two libraries: their sets hold 1275ths of a pixel value.
  void with_peers(const std::string& reference, const Check& check) const {
    for (const std::string library : {"torchattacks/", "foolbox/"}) {
      const std::string set = library + reference;
      check(set, images + expected(set + "/delta_i8").to(at::kFloat) / 1275);
    }
  }

  /// As the libraries compute (NCHW).
  void compare_plain(const std::string& name, const Json& options, const std::string& reference,
                     double flipped = 0.01) const {
    compare(make_attack(name, options)->perturb(model, images, labels, ignore_steps), reference,
            flipped);
  }

  /// As we compute (channels-last).
  void compare_fast(const std::string& name, const Json& options, const std::string& reference,
                    double flipped = 0.01) {
    trainer::place(network->module(), at::kCPU);
    const at::Tensor last = images.contiguous(at::MemoryFormat::ChannelsLast);
    compare(make_attack(name, options)->perturb(model, last, labels, ignore_steps), reference,
            flipped);
  }

  /// On the kind of processor that the libraries ran on 63 or 64 of the 64 images are theirs. Where
  /// sums round in another order, on other processors or in another memory order, signs of
  /// gradients near zero flip: measured are up to 0.6 % of the elements after several steps. What
  /// the libraries compute on such a processor is equal to ours (benchmarks/parity).
  /// @param flipped  the part of the elements that may differ
  void compare(const at::Tensor& ours, const std::string& reference, double flipped) const {
    with_peers(reference, [&](const std::string& set, const at::Tensor& theirs) {
      const at::Tensor different = (ours - theirs).abs() > 1e-6;
      EXPECT_LE(different.to(at::kDouble).mean().item<double>(), flipped) << set;
      EXPECT_NEAR(mean_l2(ours) / mean_l2(theirs), 1, 2e-4) << set;
      expect_predictions(set, ours);
    });
  }

  double mean_l2(const at::Tensor& adversarial) const {
    return l2_distance(adversarial, images).mean().item<double>();
  }

  /// Of the attacked model itself all predictions, of the others how many they still get right.
  void expect_predictions(const std::string& set, const at::Tensor& adversarial) const {
    const auto theirs = [&](const char* of) { return expected(set + of).to(at::kLong); };
    EXPECT_TRUE(predicted(model, adversarial).equal(theirs("/pred_A"))) << set;
    const auto correct = [&](const at::Tensor& classes) {
      return classes.eq(labels).sum().item<std::int64_t>();
    };
    EXPECT_EQ(correct(predicted(model_b, adversarial)), correct(theirs("/pred_B"))) << set;
    EXPECT_EQ(correct(predicted(model_c, adversarial)), correct(theirs("/pred_C"))) << set;
  }

  /// Every image that foolbox fools is fooled, at a mean distance at most `more` above foolbox's.
  void compare_cw(const std::string& set, std::int64_t iterations, std::int64_t count,
                  double more) {
    const auto first = [&](const at::Tensor& all) { return all.narrow(0, 0, count); };
    const at::Tensor adversarial = make_attack("cw", {{"iterations", iterations}})
                                       ->perturb(model, first(images), first(labels), ignore_steps);
    const at::Tensor fooled = predicted(model, adversarial).ne(first(labels));
    const at::Tensor fooled_by_them = first(expected(set + "/pred_A")).ne(first(labels));
    EXPECT_EQ((fooled_by_them & ~fooled).sum().item<std::int64_t>(), 0);

    const double ours = l2_distance(adversarial, first(images)).mean().item<double>();
    const double theirs = first(expected(set + "/l2")).mean().item<double>();
    RecordProperty("fooled", static_cast<int>(fooled.sum().item<std::int64_t>()));
    RecordProperty("mean_l2", std::to_string(ours));
    RecordProperty("mean_l2_of_foolbox", std::to_string(theirs));
    EXPECT_LT(ours, (1 + more) * theirs);
    EXPECT_GT(ours, 0.9 * theirs) << "nearer than plausible: is the distance right?";
  }

  std::shared_ptr<trainer::Classifier> network;
  Logits model, model_b, model_c;
  at::Tensor images, labels;
};

TEST_F(Parity, LogitsOfTheModel) {
  const at::NoGradGuard no_gradients;
  const at::Tensor theirs = expected("logits_f32_A", "testset.h5");
  EXPECT_LT(largest_difference(model(images), theirs), 1e-4);
}

TEST_F(Parity, InputGradient) {
  network->module().to(at::kDouble);
  const at::Tensor pixels = expected("images_u8", "testset.h5").narrow(0, 0, 8);
  const at::Tensor input = (pixels.to(at::kFloat) / 255).to(at::kDouble);
  const at::Tensor ours = loss_gradient(model, input, labels.narrow(0, 0, 8)) / 64;
  const at::Tensor theirs = expected("input_grad_f32_A_first8", "testset.h5");
  EXPECT_LT(largest_difference(ours, theirs) / theirs.abs().max().item<double>(), 1e-6);
}

TEST_F(Parity, Fgsm) {
  compare_plain("fgsm", {{"epsilon", "4/255"}}, "FGSM_eps4", 0.001);
  compare_fast("fgsm", {{"epsilon", "4/255"}}, "FGSM_eps4", 0.002);
}

TEST_F(Parity, IfgsmWithStepsOfOneByte) {
  compare_plain("ifgsm", {{"epsilon", "4/255"}, {"alpha", "1/255"}}, "BIM_eps4_a1");
}

TEST_F(Parity, IfgsmWithStepsOfATenthOfEpsilon) {
  compare_plain("ifgsm", {{"epsilon", "8/255"}, {"alpha_rel", 0.1}}, "BIM_eps8_aeps10");
}

TEST_F(Parity, IfgsmInChannelsLast) {
  compare_fast("ifgsm", {{"epsilon", "8/255"}, {"alpha_rel", 0.1}}, "BIM_eps8_aeps10");
}

TEST_F(Parity, PgdWithoutARandomStart) {
  compare_plain("pgd", {{"epsilon", "4/255"}, {"alpha", "1/255"}, {"random_start", false}},
                "PGD_eps4_a1");
}

// An image's distance differs from foolbox's by 2.9 % (standard deviation of 60 images), now above
// and now below, and rounding, which differs between processors, moves it by up to 1.3 %: the 1 %
// that is asked of many images is too little for four.
TEST_F(Parity, CwOnTheFirstImages) {
  compare_cw("foolbox/CW_bss5_s100_abort_n64", 100, 4, 0.021);
}

// Minutes on a CPU: --gtest_also_run_disabled_tests --gtest_filter='*DISABLED_Cw*'
TEST_F(Parity, DISABLED_CwOnAllImages) {
  compare_cw("foolbox/CW_bss5_s100_abort_n64", 100, 64, 0.01);
}

TEST_F(Parity, DISABLED_CwWithManyIterations) {
  compare_cw("foolbox/CW_bss5_s1000_abort_n8", 1000, 8, 0.01);
}

}  // namespace
}  // namespace sweep::attacks
