#include <cmath>

#include "trainer/cuda/kernels/columns.hpp"
#include "trainer/cuda/kernels/images.hpp"

namespace sweep::cuda {
namespace {

/// The sum of a part of an image: parts [count,gridDim.y]. The block's threads lie along y.
template <int kCount>
__global__ void __launch_bounds__(kThreads)
    sum_parts(std::int64_t size, const float* __restrict__ a, const float* __restrict__ b,
              float* __restrict__ parts) {
  const std::int64_t before = blockIdx.x * size;
  float sum[1] = {};
  SWEEP_UNROLL(2)
  for (std::int64_t at = first_element<kCount>(); at < size; at += element_stride<kCount>()) {
    const auto left = load<kCount>(a + before + at);
    const auto right = load<kCount>(b + before + at);
    for (int i = 0; i < kCount; ++i) {
      const float difference = left.at[i] - right.at[i];
      sum[0] = fmaf(difference, difference, sum[0]);
    }
  }
  add_over_y<kThreads>(sum);
  if (threadIdx.y == 0) parts[std::int64_t{blockIdx.x} * gridDim.y + blockIdx.y] = sum[0];
}

__global__ void __launch_bounds__(kThreads)
    finish_distances(std::int64_t count, int parts_of_image, const float* __restrict__ parts,
                     float* __restrict__ distances) {
  const std::int64_t image = thread_number();
  if (image >= count) return;
  double sum = 0;
  for (int part = 0; part < parts_of_image; ++part) sum += parts[image * parts_of_image + part];
  distances[image] = static_cast<float>(sqrt(sum));
}

template <int kCount>
__global__ void __launch_bounds__(kThreads)
    distances_gradient_of_images(std::int64_t size, const float* __restrict__ gradient,
                                 const float* __restrict__ a, const float* __restrict__ b,
                                 const float* __restrict__ distances, float* __restrict__ to_a,
                                 float* __restrict__ to_b) {
  const float distance = distances[blockIdx.x];
  const float scale = distance == 0 ? 0 : gradient[blockIdx.x] / distance;
  const std::int64_t before = blockIdx.x * size;
  for (std::int64_t at = first_element<kCount>(); at < size; at += element_stride<kCount>()) {
    auto values = load<kCount>(a + before + at);
    const auto right = load<kCount>(b + before + at);
    for (int i = 0; i < kCount; ++i) values.at[i] = scale * (values.at[i] - right.at[i]);
    if (to_a) store(values, to_a + before + at);
    for (int i = 0; i < kCount; ++i) values.at[i] = -values.at[i];
    if (to_b) store(values, to_b + before + at);
  }
}

template <int kCount>
void run_distances(std::int64_t count, std::int64_t size, const float* a, const float* b,
                   float* distances, float* parts, Stream stream) {
  const dim3 grid = image_grid(count, size, kCount);
  SWEEP_LAUNCH(sum_parts<kCount>, grid, dim3(1, kThreads), stream, size, a, b, parts);
  SWEEP_LAUNCH(finish_distances, blocks_for(count, kThreads), kThreads, stream, count,
               static_cast<int>(grid.y), parts, distances);
}

template <int kCount>
void run_gradient(std::int64_t count, std::int64_t size, const float* gradient, const float* a,
                  const float* b, const float* distances, float* to_a, float* to_b, Stream stream) {
  SWEEP_LAUNCH(distances_gradient_of_images<kCount>, image_grid(count, size, kCount), kThreads,
               stream, size, gradient, a, b, distances, to_a, to_b);
}

}  // namespace

std::size_t distances_workspace(std::int64_t count, std::int64_t size) {
  const dim3 grid = image_grid(count, size, in_fours(size) ? 4 : 1);
  return std::size_t{grid.x} * grid.y * sizeof(float);
}

void distances(std::int64_t count, std::int64_t size, const float* a, const float* b,
               float* distances, void* workspace, Stream stream) {
  if (count == 0) return;
  float* parts = static_cast<float*>(workspace);
  if (in_fours(size))
    run_distances<4>(count, size, a, b, distances, parts, stream);
  else
    run_distances<1>(count, size, a, b, distances, parts, stream);
}

void distances_gradient(std::int64_t count, std::int64_t size, const float* gradient,
                        const float* a, const float* b, const float* distances, float* to_a,
                        float* to_b, Stream stream) {
  if (count == 0 || size == 0) return;
  if (in_fours(size))
    run_gradient<4>(count, size, gradient, a, b, distances, to_a, to_b, stream);
  else
    run_gradient<1>(count, size, gradient, a, b, distances, to_a, to_b, stream);
}

}  // namespace sweep::cuda
