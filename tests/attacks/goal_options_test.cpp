#include "attacks/goal_options.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/attacks/toy.hpp"

namespace sweep::attacks {
namespace {

const at::Tensor kLabels = at::tensor({0, 3}, at::kLong);

/// The model says 1 and 2, and finds 3 and 0 least likely.
at::Tensor clean_logits() {
  return at::tensor({1.0, 5.0, 2.0, -1.0, -3.0, 0.0, 4.0, 3.0}).view({2, 4});
}

at::Tensor classes(const std::string& label_source, const std::string& target, bool targeted) {
  const Goal goal = make_goal({label_source, target}, kLabels, clean_logits, 7);
  EXPECT_EQ(goal.targeted, targeted);
  EXPECT_EQ(goal.first_image, 7);
  return goal.classes;
}

void expect_classes(const at::Tensor& actual, std::int64_t first, std::int64_t second) {
  EXPECT_TRUE(actual.equal(at::tensor({first, second}, at::kLong))) << actual;
}

TEST(MakeGoal, LeavesTheLabels) {
  expect_classes(classes("true", "none", false), 0, 3);
  expect_classes(classes("predicted", "none", false), 1, 2);
}

TEST(MakeGoal, ReachesTargets) {
  expect_classes(classes("true", "next", true), 1, 0);
  expect_classes(classes("predicted", "next", true), 2, 3);
  expect_classes(classes("true", "least_likely", true), 3, 0);
}

TEST(MakeGoal, AsksTheModelOnlyWhereItMust) {
  const auto refuse = []() -> at::Tensor { throw InputError("the model was asked"); };
  EXPECT_NO_THROW(make_goal({"true", "none"}, kLabels, refuse, 0));
}

}  // namespace
}  // namespace sweep::attacks
