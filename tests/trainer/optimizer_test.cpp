#include "trainer/optimizer.hpp"

#include <gtest/gtest.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>

#include "core/error.hpp"
#include "trainer/adam.hpp"
#include "trainer/sgd.hpp"
#include "trainer/training_options.hpp"

namespace sweep::trainer {
namespace {

/// Both minimise the same function from the same start, with a rate that falls.
template <class TheirOptions>
void expect_equal_steps(
    const std::function<std::unique_ptr<Optimizer>(NamedTensors)>& make_ours,
    const std::function<std::unique_ptr<torch::optim::Optimizer>(std::vector<at::Tensor>)>&
        make_theirs) {
  const auto start = at::randn({37, 5}), other_start = at::randn({11});
  const auto copy = [](const at::Tensor& x) { return x.clone().requires_grad_(); };
  const auto a = copy(start), b = copy(other_start), c = copy(start), d = copy(other_start);
  const auto ours = make_ours({{"a", a}, {"b", b}});
  const auto theirs = make_theirs({c, d});
  const auto loss = [](const at::Tensor& x, const at::Tensor& y) {
    return x.pow(4).sum() + (x.sum(0).mean() * y).sin().sum();
  };
  for (int step = 0; step < 20; ++step) {
    const double rate = step < 10 ? 0.01 : 0.001;
    static_cast<TheirOptions&>(theirs->param_groups()[0].options()).lr(rate);
    loss(a, b).backward();
    loss(c, d).backward();
    ours->step(rate);
    theirs->step();
    theirs->zero_grad();
    ASSERT_TRUE(at::allclose(a, c, 1e-6, 1e-6)) << step;
    ASSERT_TRUE(at::allclose(b, d, 1e-6, 1e-6)) << step;
    ASSERT_FALSE(a.grad().defined());
  }
}

TEST(Sgd, TakesTheStepsOfTorchOptimSGD) {
  using Options = torch::optim::SGDOptions;
  expect_equal_steps<Options>(
      [](NamedTensors x) { return std::make_unique<Sgd>(std::move(x), 0.9, 1e-2); },
      [](std::vector<at::Tensor> x) {
        return std::make_unique<torch::optim::SGD>(std::move(x),
                                                   Options(0.1).momentum(0.9).weight_decay(1e-2));
      });
}

TEST(Adam, TakesTheStepsOfTorchOptimAdam) {
  using Options = torch::optim::AdamOptions;
  expect_equal_steps<Options>(
      [](NamedTensors x) { return std::make_unique<Adam>(std::move(x), 1e-2); },
      [](std::vector<at::Tensor> x) {
        return std::make_unique<torch::optim::Adam>(std::move(x), Options(0.1).weight_decay(1e-2));
      });
}

TEST(Optimizer, IsTheOneThatTheOptionsName) {
  const NamedTensors parameters{{"a", at::ones({2})}};
  EXPECT_TRUE(make_optimizer({.optimizer = "sgd"}, parameters)->state().contains("momentum.a"));
  EXPECT_TRUE(make_optimizer({.optimizer = "adam"}, parameters)->state().contains("mean.a"));
  EXPECT_THROW(make_optimizer({.optimizer = "lbfgs"}, parameters), InputError);
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
