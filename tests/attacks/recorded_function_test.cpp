#include "attacks/recorded_function.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "attacks/white_box.hpp"
#include "core/error.hpp"
#include "tests/attacks/toy.hpp"
#include "tests/support/fake_recorder.hpp"

namespace sweep::attacks {
namespace {

using Tensors = RecordedFunction::Tensors;
using sweep::test_support::make_fake_recorder;
using sweep::test_support::recordings;
using sweep::test_support::replays;

/// As where a device refuses an operation while it records.
class BrokenRecording final : public Recording {
 public:
  void record(const std::function<void()>&) override { TORCH_CHECK(false, "not while capturing"); }
  void replay() override { FAIL() << "nothing has been recorded"; }
};

class BrokenRecorder final : public Recorder {
 public:
  std::unique_ptr<Recording> make() override { return std::make_unique<BrokenRecording>(); }
};

class Recorded : public ::testing::Test {
 protected:
  void SetUp() override {
    recordings = replays = 0;
    set_recorder_factory(at::kCPU, make_fake_recorder);
  }
  void TearDown() override { set_recorder_factory(at::kCUDA, nullptr); }
};

Tensors doubled(const Tensors& inputs) {
  return {inputs[0] * 2, at::Tensor()};
}

TEST_F(Recorded, IsRecordedOnItsSecondCallAndReplayedFromThenOn) {
  RecordedFunction function(doubled);
  for (int i = 1; i <= 4; ++i) {
    const auto x = at::full({3}, i);
    const auto y = function({x});
    EXPECT_TRUE(y[0].equal(x * 2)) << i;
    EXPECT_FALSE(y[1].defined());
    EXPECT_EQ(recordings, i < 2 ? 0 : 1);
    EXPECT_EQ(replays, i - 1);
  }
}

TEST_F(Recorded, HasOneRecordingForEachShapeTypeAndOrder) {
  RecordedFunction function(doubled);
  const auto check = [&](const at::Tensor& x) {
    EXPECT_TRUE(function({x})[0].equal(x * 2)) << x.sizes();
  };
  for (int round = 0; round < 3; ++round) {
    check(at::full({2, 3, 4, 4}, round, at::kFloat));
    check(at::full({1, 3, 4, 4}, round, at::kFloat));
    check(at::full({2, 3, 4, 4}, round, at::kDouble));
    check(at::rand({2, 3, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast));
  }
  EXPECT_EQ(recordings, 4);
}

TEST_F(Recorded, KeepsNoMoreThanAFewRecordings) {
  RecordedFunction function(doubled);
  for (int round = 0; round < 2; ++round)
    for (std::int64_t size = 1; size <= 20; ++size)
      EXPECT_TRUE(function({at::ones({size})})[0].equal(at::full({size}, 2.0f)));
  EXPECT_EQ(recordings, 8);
}

TEST_F(Recorded, LeavesOtherDevicesAlone) {
  set_recorder_factory(at::kCUDA, make_fake_recorder);
  RecordedFunction function(doubled);
  for (int i = 0; i < 3; ++i) function({at::ones({1})});
  EXPECT_EQ(recordings, 0);
}

TEST_F(Recorded, GoesOnWithoutWhereTheDeviceRefuses) {
  set_recorder_factory(at::kCPU, []() -> Recorder* { return new BrokenRecorder; });
  RecordedFunction function(doubled);
  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(function({at::full({2}, i)})[0].equal(at::full({2}, 2 * i)));
}

TEST_F(Recorded, PassesErrorsOfTheFunctionOn) {
  RecordedFunction function([](const Tensors&) -> Tensors { throw std::runtime_error("broken"); });
  EXPECT_THROW(function({at::ones({1})}), std::runtime_error);
}

/// Every attack gives the same images, recorded or not, in uneven batches of a stream.
TEST_F(Recorded, AttacksGiveTheSame) {
  const Logits model = smooth_model();
  const auto images = random_images(10);
  const auto labels = predicted(model, images);
  const Json steps{{"epsilon", 0.1}, {"alpha", 0.02}};
  const std::pair<std::string, Json> attacks[] = {
      {"fgsm", {{"epsilon", 0.1}}},
      {"ifgsm", steps},
      {"mifgsm", steps},
      {"pgd", steps},
      {"cw", {{"iterations", 30}, {"binary_search_steps", 3}}}};
  for (const auto& [name, options] : attacks) {
    const auto attack = make_attack(name, options);
    const auto made = [&] {
      std::int64_t taken = 0;
      return perturb_stream(*attack, model, images, labels, 4, ignore_steps, taken);
    };
    recordings = 0;
    const auto recorded = made();
    EXPECT_GT(recordings, 0) << name;
    set_recorder_factory(at::kCPU, nullptr);
    EXPECT_TRUE(recorded.equal(made())) << name;
    SetUp();
  }
}

TEST_F(Recorded, ModelsWhoseLogitsAreNotFiniteAreFoundInReplaysToo) {
  bool broken = false;
  const WhiteBox model([&](const at::Tensor& images) {
    const auto logits = images.sum({2, 3});
    return broken ? logits / 0 : logits;
  });
  const auto images = random_images(2);
  for (int i = 0; i < 2; ++i) model.loss_gradient(images, Goal(at::zeros({2}, at::kLong)));
  broken = true;
  EXPECT_THROW(model.loss_gradient(images, Goal(at::zeros({2}, at::kLong))), Error);
  EXPECT_EQ(recordings, 1);
}

}  // namespace
}  // namespace sweep::attacks
