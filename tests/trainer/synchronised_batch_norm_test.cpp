#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "tests/trainer/thread_team.hpp"
#include "tests/trainer/toy.hpp"
#include "trainer/batches.hpp"
#include "trainer/parallel/batch_norm.hpp"

namespace sweep::trainer {
namespace {

constexpr std::int64_t kFewChannels = 3;

BatchNorm2d make_synchronised() {
  BatchNorm2d norm(kFewChannels);
  norm->to(at::kDouble);
  const at::NoGradGuard no_grad;
  norm->weight.copy_(at::tensor({0.5, -1.0, 2.0}));
  norm->bias.copy_(at::tensor({0.1, 0.2, 0.3}));
  return norm;
}

at::Tensor few_images(std::int64_t count) {
  const auto generator = at::detail::createCPUGenerator(11);
  return at::rand({count, kFewChannels, 4, 5}, generator, at::kDouble) +
         at::tensor({0., 10., -1000.}, at::kDouble).view({1, kFewChannels, 1, 1});
}

/// Whose gradient depends on every output in its own way.
at::Tensor loss_from(const at::Tensor& output, std::int64_t first) {
  const auto weights = at::arange(first * output[0].numel(),
                                  (first + output.size(0)) * output[0].numel(), at::kDouble)
                           .sin()
                           .view(output.sizes());
  return (output * weights).sum() + (output.square() * weights.square()).sum();
}

class BatchOf : public testing::TestWithParam<std::tuple<int, std::int64_t>> {};

TEST_P(BatchOf, IsThatOfTheWholeBatch) {
  const auto [ranks, count] = GetParam();
  const auto whole = few_images(count).requires_grad_();
  auto alone = make_synchronised();
  const auto expected = alone(whole);
  loss_from(expected, 0).backward();
  std::mutex mutex;
  auto weight_gradient = at::zeros({kFewChannels}, at::kDouble);
  auto bias_gradient = weight_gradient.clone();
  on_ranks(ranks, [&](Communicator& communicator) {
    auto norm = make_synchronised();
    SharedStatistics statistics(communicator);
    share_statistics(*norm, statistics);
    const auto share = share_of(count, communicator.rank(), communicator.size());
    statistics.counts = share.counts();
    const std::int64_t first = share.counts() ? share.first : 0,
                       rows = std::max<std::int64_t>(share.count, 1);
    const auto x = whole.detach().narrow(0, first, rows).clone().requires_grad_();
    const auto output = norm(x);
    (loss_from(output, first) * (share.counts() ? 1.0 : 0.0)).backward();
    const std::lock_guard lock(mutex);
    weight_gradient += norm->weight.grad();
    bias_gradient += norm->bias.grad();
    EXPECT_LT(relative_error(norm->running_mean, alone->running_mean), 1e-12);
    EXPECT_LT(relative_error(norm->running_var, alone->running_var), 1e-12);
    EXPECT_EQ(norm->num_batches_tracked.item<std::int64_t>(), 1);
    if (!share.counts()) {
      EXPECT_EQ(x.grad().abs().max().item<double>(), 0);
      return;
    }
    EXPECT_LT(relative_error(output, expected.narrow(0, first, rows)), 1e-12);
    EXPECT_LT(relative_error(x.grad(), whole.grad().narrow(0, first, rows)), 1e-10);
  });
  EXPECT_LT(relative_error(weight_gradient, alone->weight.grad()), 1e-10);
  EXPECT_LT(relative_error(bias_gradient, alone->bias.grad()), 1e-10);
}

// The last: more ranks than images.
INSTANTIATE_TEST_SUITE_P(Images, BatchOf,
                         testing::Values(std::tuple(2, 6), std::tuple(4, 7), std::tuple(3, 2)));

TEST(SynchronisedBatchNorm, InEvaluationModeIsLocal) {
  on_ranks(2, [&](Communicator& communicator) {
    auto norm = make_synchronised();
    SharedStatistics statistics(communicator);
    share_statistics(*norm, statistics);
    norm->eval();
    const auto x = few_images(2);
    if (communicator.rank() == 0) {
      EXPECT_TRUE(norm(x).defined());  // the other one does not take part
    }
  });
}

}  // namespace
}  // namespace sweep::trainer
