#include <cmath>

#include "trainer/cuda/kernels/images.hpp"
#include "trainer/cuda/kernels/kernels.hpp"

namespace sweep::cuda {
namespace {

/// A variable of the attack, its two moments, and x'.
struct State {
  float w, mean, mean_square, adversarial;
};

__device__ __forceinline__ void step(const CwUpdate& a, float unbias1, float unbias2,
                                     float gradient, float clean, State& at) {
  const float x = at.adversarial;
  const float tanh = tanhf(at.w);
  const float g = (gradient + 2 * (x - clean)) * ((1 - tanh * tanh) / 2);
  at.mean = a.beta1 * at.mean + (1 - a.beta1) * g;
  at.mean_square = a.beta2 * at.mean_square + (1 - a.beta2) * g * g;
  at.w -= a.rate * (at.mean / unbias1) / (sqrtf(at.mean_square / unbias2) + a.eps);
  at.adversarial = (tanhf(at.w) + 1) / 2;
}

template <int kCount>
__global__ void __launch_bounds__(kThreads) update(const CwUpdate a) {
  const float unbias1 = a.unbias1[blockIdx.x];
  const float unbias2 = a.unbias2[blockIdx.x];
  const std::int64_t before = blockIdx.x * a.size;
  for (std::int64_t first = first_element<kCount>(); first < a.size;
       first += element_stride<kCount>()) {
    const std::int64_t at = before + first;
    const auto gradient = load<kCount>(a.gradient + at);
    const auto clean = load<kCount>(a.clean + at);
    auto w = load<kCount>(a.w + at);
    auto mean = load<kCount>(a.mean + at);
    auto mean_square = load<kCount>(a.mean_square + at);
    auto adversarial = load<kCount>(a.adversarial + at);
    for (int i = 0; i < kCount; ++i) {
      State state{w.at[i], mean.at[i], mean_square.at[i], adversarial.at[i]};
      step(a, unbias1, unbias2, gradient.at[i], clean.at[i], state);
      w.at[i] = state.w;
      mean.at[i] = state.mean;
      mean_square.at[i] = state.mean_square;
      adversarial.at[i] = state.adversarial;
    }
    store(w, a.w + at);
    store(mean, a.mean + at);
    store(mean_square, a.mean_square + at);
    store(adversarial, a.adversarial + at);
  }
}

template <int kCount>
void run(const CwUpdate& a, Stream stream) {
  SWEEP_LAUNCH(update<kCount>, image_grid(a.count, a.size, kCount), kThreads, stream, a);
}

}  // namespace

void cw_update(const CwUpdate& arguments, Stream stream) {
  if (arguments.count == 0 || arguments.size == 0) return;
  if (in_fours(arguments.size))
    run<4>(arguments, stream);
  else
    run<1>(arguments, stream);
}

}  // namespace sweep::cuda
