#include "trainer/parallel/reducer.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "tests/trainer/thread_team.hpp"

namespace sweep::trainer {
namespace {

/// Leaves of several sizes and layouts; the last one is not used.
std::vector<at::Tensor> leaves() {
  std::vector<at::Tensor> all;
  for (const auto& shape : std::vector<std::vector<std::int64_t>>{{4, 3, 2, 2}, {7}, {5, 6}, {3}})
    all.push_back(at::arange(c10::multiply_integers(shape), at::kFloat).view(shape).div(10));
  all.front() = all.front().contiguous(at::MemoryFormat::ChannelsLast);
  for (auto& leaf : all) leaf.set_requires_grad(true);
  return all;
}

at::Tensor loss_of_leaves(const std::vector<at::Tensor>& leaves, double factor) {
  return factor *
         (leaves[0].square().sum() + leaves[1].exp().sum() + leaves[2].sum() * leaves[1].sum());
}

std::vector<at::Tensor> expected_gradients(double factor) {
  const auto all = leaves();
  loss_of_leaves(all, factor).backward();
  std::vector<at::Tensor> gradients;
  for (const auto& leaf : all) gradients.push_back(leaf.grad());
  return gradients;
}

class Buckets : public testing::TestWithParam<std::int64_t> {};

TEST_P(Buckets, GradientsAreTheSumOverAllRanks) {
  const auto expected = expected_gradients(1 + 2 + 3);
  on_ranks(3, [&](Communicator& communicator) {
    const auto all = leaves();
    Reducer reducer(all, communicator, false, {.first_bytes = GetParam(), .bytes = 2 * GetParam()});
    for (int pass = 0; pass < 2; ++pass) {
      loss_of_leaves(all, communicator.rank() + 1).backward();
      reducer.finish();
      for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_TRUE(all[i].grad().allclose(expected[i], 1e-6)) << i;
        EXPECT_EQ(all[i].grad().strides(), all[i].strides());
        all[i].mutable_grad().reset();
      }
      EXPECT_FALSE(all[3].grad().defined());
    }
    EXPECT_EQ(reducer.bytes(), 2 * (48 + 7 + 30 + 3) * 4);
  });
}

INSTANTIATE_TEST_SUITE_P(Sizes, Buckets, testing::Values(1, 100, 1 << 20));

TEST(Reducer, SendsWhileTheBackwardPassGoesOn) {
  on_ranks(2, [&](Communicator& communicator) {
    auto all = leaves();
    all.pop_back();
    Reducer reducer(all, communicator, false, {.first_bytes = 1, .bytes = 1});
    EXPECT_EQ(reducer.buckets(), 3);
    loss_of_leaves(all, 1).backward();
    reducer.finish();
    EXPECT_EQ(reducer.overlapped_bytes(), reducer.bytes());
  });
}

TEST(Reducer, WhatIsNotUsedHoldsNobodyUp) {
  on_ranks(2, [&](Communicator& communicator) {
    const auto all = leaves();
    Reducer reducer(all, communicator, false, {.first_bytes = 1, .bytes = 1});
    loss_of_leaves(all, 1).backward();  // the unused one stands in the first bucket
    EXPECT_EQ(reducer.overlapped_bytes(), 0);
    reducer.finish();
    EXPECT_EQ(reducer.overlapped_bytes(), 0);
    EXPECT_TRUE(all[0].grad().defined());
  });
}

TEST(Reducer, CompressesToThreeDigits) {
  const auto expected = expected_gradients(1 + 2);
  on_ranks(2, [&](Communicator& communicator) {
    const auto all = leaves();
    Reducer reducer(all, communicator, true);
    loss_of_leaves(all, communicator.rank() + 1).backward();
    reducer.finish();
    EXPECT_EQ(reducer.bytes(), (48 + 7 + 30 + 3) * 2);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(all[i].grad().scalar_type(), at::kFloat);
      EXPECT_TRUE(all[i].grad().allclose(expected[i], 0.01));
    }
    EXPECT_FALSE(all[1].grad().equal(expected[1]));
  });
}

TEST(Reducer, TakesItsHooksWithIt) {
  on_ranks(2, [&](Communicator& communicator) {
    const auto all = leaves();
    { const Reducer reducer(all, communicator, false); }
    loss_of_leaves(all, 1).backward();
    EXPECT_TRUE(all[1].grad().allclose(expected_gradients(1)[1]));
  });
}

}  // namespace
}  // namespace sweep::trainer
