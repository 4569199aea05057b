// What PyTorch itself writes.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "core/atomic_file.hpp"
#include "core/text.hpp"
#include "tests/support/message_of.hpp"
#include "tests/support/temporary_folder.hpp"
#include "trainer/weights/weights.hpp"

namespace sweep::trainer {
namespace {

using sweep::test_support::message_of;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Pth : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (folder_) return;
    folder_ = std::make_unique<sweep::test_support::TemporaryFolder>();
    const auto command = [](const std::string& rest) {
      return std::system(concat("'", SWEEP_PYTHON, "' ", rest).c_str());
    };
    if (command("-c 'import torch' 2>/dev/null") != 0) return;
    ASSERT_EQ(command(concat("'", SWEEP_WRITE_PTH, "' '", folder_->path().string(), "'")), 0);
    written_ = true;
  }
  void SetUp() override {
    if (!written_) GTEST_SKIP() << "no PyTorch in " << SWEEP_PYTHON;
  }

  static std::filesystem::path file(const std::string& name) { return *folder_ / name; }
  static NamedTensors read(const std::string& name) { return read_weights(file(name)); }
  static std::string refusal(const std::string& name) {
    const auto message = message_of([&] { read(name); });
    EXPECT_THAT(message, HasSubstr(file(name).string()));
    return message;
  }

  /// Of bytes that are no longer what was written: weights or a refusal, never anything else.
  static bool can_be_read(const std::string& bytes) {
    // Overwritten in place: file systems wait for the disk when a file is emptied.
    const auto path = file("damaged.pth");
    if (!exists(path)) std::ofstream(path).flush();
    std::fstream(path, std::ios::binary | std::ios::in | std::ios::out) << bytes;
    resize_file(path, bytes.size());
    try {
      read_weights(path);
      return true;
    } catch (const InputError&) {
      return false;
    }
  }

  static void expect_views(const std::string& name) {
    SCOPED_TRACE(name);
    const auto tensors = read(name);
    const auto whole = at::arange(24, at::kFloat);
    const auto cube = whole.view({2, 3, 4});
    using at::indexing::Slice;
    const NamedTensors expected{{"whole", whole},
                                {"again", whole},
                                {"transposed", cube.permute({2, 0, 1})},
                                {"slice", cube.index({1, Slice(0, 3, 2), Slice(1, 3)})},
                                {"scalar", at::scalar_tensor(7.5, at::kFloat)},
                                {"empty", at::empty({3, 0, 2})},
                                {"narrow", whole.slice(0, 20)}};
    ASSERT_EQ(tensors.size(), expected.size());
    for (const auto& [key, tensor] : expected) {
      EXPECT_EQ(tensors.at(key).sizes(), tensor.sizes()) << key;
      EXPECT_TRUE(tensors.at(key).equal(tensor)) << key;
      EXPECT_TRUE(tensors.at(key).is_contiguous()) << key;
    }
    EXPECT_NE(tensors.at("whole").data_ptr(), tensors.at("again").data_ptr());
    EXPECT_EQ(tensors.at("narrow").storage().nbytes(), 16U);
  }

  static std::unique_ptr<sweep::test_support::TemporaryFolder> folder_;
  static bool written_;
};

std::unique_ptr<sweep::test_support::TemporaryFolder> Pth::folder_;
bool Pth::written_ = false;

TEST_F(Pth, EveryTypeAndProtocol) {
  const std::map<std::string, at::ScalarType> types{
      {"float64", at::kDouble},    {"float32", at::kFloat}, {"float16", at::kHalf},
      {"bfloat16", at::kBFloat16}, {"int64", at::kLong},    {"int32", at::kInt},
      {"int16", at::kShort},       {"int8", at::kChar},     {"uint8", at::kByte},
      {"bool", at::kBool}};
  for (int protocol = 2; protocol <= 5; ++protocol) {
    SCOPED_TRACE(protocol);
    const auto tensors = read(concat("types", protocol, ".pth"));
    ASSERT_EQ(tensors.size(), types.size());
    for (const auto& [name, type] : types) {
      const auto expected = at::arange(6, at::kDouble).view({2, 3}).to(type);
      EXPECT_EQ(tensors.at(name).scalar_type(), type) << name;
      EXPECT_TRUE(tensors.at(name).equal(expected)) << name;
    }
  }
}

TEST_F(Pth, ViewsOfOneStorageBecomeTensorsOfTheirOwn) {
  for (const char* name : {"views.pth", "legacy_views.pth"}) expect_views(name);
}

TEST_F(Pth, WeightsInWhateverTheyArePacked) {
  const auto weights = read("network.pth");
  ASSERT_EQ(weights.size(), 9U);
  EXPECT_TRUE(weights.at("2.weight").equal(at::arange(8, at::kFloat).view({2, 4}) / 16));
  EXPECT_EQ(weights.at("1.num_batches_tracked").scalar_type(), at::kLong);
  for (const char* name : {"parallel.pth", "legacy.pth", "legacy_checkpoint.pth", "state_dict.pth",
                           "model.pth", "model_state_dict.pth"}) {
    const auto same = read(name);
    ASSERT_EQ(same.size(), weights.size()) << name;
    for (const auto& [key, tensor] : weights) EXPECT_TRUE(tensor.equal(same.at(key))) << key;
  }
  const auto parameters = read("parameters.pth");
  ASSERT_EQ(parameters.size(), 6U);
  for (const auto& [key, tensor] : parameters) {
    EXPECT_TRUE(tensor.equal(weights.at(key))) << key;
    EXPECT_FALSE(tensor.requires_grad()) << key;
  }
}

TEST_F(Pth, CodeIsNamedAndNotExecuted) {
  for (const char* name : {"touch.pth", "legacy_touch.pth"})
    EXPECT_THAT(refusal(name), AllOf(HasSubstr("'posix.system'"), HasSubstr("executed")));
  EXPECT_FALSE(std::filesystem::exists(file("executed")));
  // The test of the test: Python does execute it.
  std::ofstream(file("load.py"))
      << "import sys, torch\ntorch.load(sys.argv[1], weights_only=False)";
  std::system(concat("'", SWEEP_PYTHON, "' '", file("load.py").string(), "' '",
                     file("touch.pth").string(), "'")
                  .c_str());
  EXPECT_TRUE(std::filesystem::exists(file("executed")));
}

TEST_F(Pth, WhatIsNoStateDictIsRefusedWithAWayOut) {
  EXPECT_THAT(refusal("whole.pth"), HasSubstr("'torch.nn.modules.container.Sequential'"));
  EXPECT_THAT(refusal("script.pt"), HasSubstr("TorchScript"));
  EXPECT_THAT(refusal("tensor.pth"), HasSubstr("no dictionary"));
  EXPECT_THAT(refusal("list.pth"), HasSubstr("no dictionary"));
  EXPECT_THAT(refusal("nothing.pth"), HasSubstr("no tensors"));
  EXPECT_THAT(refusal("nested.pth"), HasSubstr("entry 'b' is no tensor"));
  EXPECT_THAT(refusal("sparse.pth"), HasSubstr("'torch._utils._rebuild_sparse_tensor'"));
  EXPECT_THAT(refusal("complex.pth"), HasSubstr("'torch.ComplexFloatStorage'"));
  EXPECT_THAT(refusal("expanded.pth"), HasSubstr("beyond its storage of 1 elements"));
}

class EveryFormat : public Pth, public ::testing::WithParamInterface<const char*> {};

TEST_P(EveryFormat, TruncatedAnywhereIsRefused) {
  const std::string whole = read_text(file(GetParam()));
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(can_be_read(whole.substr(0, length))) << length;
  EXPECT_TRUE(can_be_read(whole));
}

TEST_P(EveryFormat, DamagedAnywhereIsNeverACrash) {
  const std::string whole = read_text(file(GetParam()));
  std::mt19937 random(1);
  int refused = 0;
  constexpr int kTries = 4000;
  for (int i = 0; i < kTries; ++i) {
    std::string bytes = whole;
    for (auto flips = 1 + random() % 3; flips > 0; --flips)
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    refused += can_be_read(bytes) ? 0 : 1;
  }
  // Padding, times and what is said twice can change without harm.
  EXPECT_GT(refused, kTries / 2);
}

INSTANTIATE_TEST_SUITE_P(
    , EveryFormat, ::testing::Values("views.pth", "legacy_views.pth"), [](const auto& tested) {
      return std::string(tested.param).substr(0, std::string(tested.param).find('.'));
    });

}  // namespace
}  // namespace sweep::trainer
