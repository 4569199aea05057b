#include "trainer/sgd.hpp"

#include <gtest/gtest.h>
#include <torch/optim/sgd.h>

namespace sweep::trainer {
namespace {

TEST(Sgd, TakesTheStepsOfTorchOptimSGD) {
  const auto start = at::randn({37, 5}), other_start = at::randn({11});
  const auto copy = [](const at::Tensor& x) { return x.clone().requires_grad_(); };
  const auto a = copy(start), b = copy(other_start), c = copy(start), d = copy(other_start);
  Sgd ours({{"a", a}, {"b", b}}, 0.9, 1e-2);
  torch::optim::SGD theirs({c, d}, torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(1e-2));
  const auto loss = [](const at::Tensor& x, const at::Tensor& y) {
    return x.pow(4).sum() + (x.sum(0).mean() * y).sin().sum();
  };
  for (int step = 0; step < 20; ++step) {
    const double rate = step < 10 ? 0.01 : 0.001;
    static_cast<torch::optim::SGDOptions&>(theirs.param_groups()[0].options()).lr(rate);
    loss(a, b).backward();
    loss(c, d).backward();
    ours.step(rate);
    theirs.step();
    theirs.zero_grad();
    ASSERT_TRUE(at::allclose(a, c, 1e-6, 1e-7)) << step;
    ASSERT_TRUE(at::allclose(b, d, 1e-6, 1e-7)) << step;
    ASSERT_FALSE(a.grad().defined());
  }
  EXPECT_EQ(ours.momentum_buffers().size(), 2);
}

TEST(Sgd, LeavesParametersWithoutGradientAlone) {
  const auto a = at::ones({2}).requires_grad_(), b = at::ones({2}).requires_grad_();
  Sgd sgd({{"a", a}, {"b", b}}, 0.9, 0.1);
  a.sum().backward();
  sgd.step(1);
  EXPECT_TRUE(a.allclose(at::full({2}, -0.1)));
  EXPECT_TRUE(b.equal(at::ones({2})));
}

}  // namespace
}  // namespace sweep::trainer
