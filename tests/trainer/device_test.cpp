#include "trainer/device.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace sweep::trainer {
namespace {

/// Before all tests of this program: CUDA first (see select_device), and one thread, so that the
/// tests take the same time beside others.
class Process : public ::testing::Environment {
 public:
  void SetUp() override {
    has_gpu = select_device("auto").is_cuda();
    configure_torch(1);
  }
  static inline bool has_gpu = false;
};

const auto* const process = ::testing::AddGlobalTestEnvironment(new Process);

TEST(Device, TakesTheCpuWithoutAGpu) {
  EXPECT_TRUE(select_device("cpu").is_cpu());
  EXPECT_FALSE(device_name(at::kCPU).empty());
  EXPECT_EQ(select_device("auto").is_cuda(), Process::has_gpu);
  if (Process::has_gpu) {
    EXPECT_THAT(device_name(select_device("cuda")), ::testing::HasSubstr("NVIDIA"));
  } else {
    EXPECT_THROW(select_device("cuda"), InputError);
  }
}

TEST(Device, RefusesOtherNames) {
  EXPECT_THROW(select_device("gpu"), InputError);
  EXPECT_THROW(select_device("meta"), InputError);
  EXPECT_THROW(select_device("cuda:99"), InputError);
}

TEST(ConfigureTorch, CanBeCalledAgain) {
  configure_torch(2);
  EXPECT_EQ(at::get_num_threads(), 2);
  configure_torch(1);
  EXPECT_EQ(at::get_num_threads(), 1);
}

}  // namespace
}  // namespace sweep::trainer
