#include "tests/trainer/cuda/host_cuda.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace sweep::host_cuda {
namespace {

class HostCuda : public testing::Test {
 protected:
  ~HostCuda() override { reverse_order = false; }
};

TEST_F(HostCuda, RunsEveryThreadOfEveryBlockOnce) {
  std::vector<int> runs(3 * 2 * 5 * 4);
  SWEEP_LAUNCH(
      [&] {
        const unsigned block = blockIdx.y * gridDim.x + blockIdx.x;
        ++runs[(block * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x];
      },
      dim3(3, 2), dim3(5, 4), nullptr);
  EXPECT_EQ(runs, std::vector<int>(runs.size(), 1));
}

TEST_F(HostCuda, HasAllThreadsAtABarrierBeforeOneGoesOn) {
  for (const bool reverse : {false, true}) {
    reverse_order = reverse;
    std::vector<int> values(100), sums(100);
    const auto kernel = [&] {
      const auto i = threadIdx.x;
      for (int round = 1; round <= 3; ++round) {
        values[i] = round;
        __syncthreads();
        sums[i] += std::accumulate(values.begin(), values.end(), 0);
        __syncthreads();
      }
    };
    SWEEP_LAUNCH(kernel, 1, 100, nullptr);
    EXPECT_EQ(sums, std::vector<int>(100, 600));
  }
}

TEST_F(HostCuda, ShowsAMissingBarrierInOneOfTheTwoOrders) {
  const auto run = [](bool reverse) {
    reverse_order = reverse;
    std::vector<int> values(8), neighbours(8);
    const auto kernel = [&] {
      values[threadIdx.x] = 1;
      neighbours[threadIdx.x] = values[(threadIdx.x + 1) % 8];
    };
    SWEEP_LAUNCH(kernel, 1, 8, nullptr);
    return neighbours;
  };
  EXPECT_NE(run(false), run(true));
}

TEST_F(HostCuda, RefusesABarrierThatSomeThreadsNeverReach) {
  const auto early = [] {
    if (threadIdx.x == 3) return;
    __syncthreads();
  };
  EXPECT_THROW(SWEEP_LAUNCH(early, 1, 8, nullptr), BarrierError);
  const auto divergent = [] {
    if (threadIdx.x == 3)
      __syncthreads();
    else
      __syncthreads();
  };
  EXPECT_THROW(SWEEP_LAUNCH(divergent, 1, 8, nullptr), BarrierError);
}

TEST_F(HostCuda, RefusesWhatAGpuRefuses) {
  const auto nothing = [] {};
  EXPECT_THROW(SWEEP_LAUNCH(nothing, 0, 8, nullptr), LaunchError);
  EXPECT_THROW(SWEEP_LAUNCH(nothing, 1, dim3(512, 3), nullptr), LaunchError);
  EXPECT_THROW(SWEEP_LAUNCH(nothing, dim3(1, 70000), 1, nullptr), LaunchError);
}

}  // namespace
}  // namespace sweep::host_cuda
