#include "tests/trainer/cuda/arrays.hpp"

namespace sweep::cuda::test {
namespace {

/// As trainer/noise.cpp does with tensors, but without a sign: a product may run over.
std::uint64_t scramble(std::uint64_t h) {
  h = ((h ^ (h >> 16)) * 0x21f0aaad) & 0xffffffff;
  h = ((h ^ (h >> 15)) * 0x735a2d97) & 0xffffffff;
  return h ^ (h >> 15);
}

float uniform(std::int64_t number, std::uint64_t seed) {
  const std::uint64_t first = scramble(static_cast<std::uint64_t>(number) ^ (seed & 0xffffffff));
  const std::uint64_t second = scramble(first ^ (seed >> 32));
  return static_cast<float>(second >> 8) * 0x1p-23f - 1;
}

struct NoiseCase {
  std::int64_t count, channels, height, width, first;
};

class UniformNoiseTest : public testing::TestWithParam<NoiseCase> {};
INSTANTIATE_TEST_SUITE_P(Sizes, UniformNoiseTest,
                         testing::Values(NoiseCase{1, 3, 1, 1, 0}, NoiseCase{3, 3, 5, 7, 0},
                                         NoiseCase{4, 3, 32, 32, 12 * 1024},
                                         NoiseCase{2, 1, 9, 11, 5}, NoiseCase{2, 8, 16, 16, 7},
                                         NoiseCase{1, 3, 75, 77, 0}, NoiseCase{2, 3, 152, 148, 0},
                                         // Numbers of more than 32 bits.
                                         NoiseCase{2, 3, 32, 32, (std::int64_t{5} << 32) - 1000}));

TEST_P(UniformNoiseTest, IsTheSequence) {
  const auto [count, channels, height, width, first] = GetParam();
  constexpr std::uint64_t kSeed = 0xfedcba9876543210;
  constexpr float kSigma = 8.0f / 255;
  Array<std::int64_t> seed(2);
  seed[0] = kSeed & 0xffffffff;
  seed[1] = kSeed >> 32;
  const Array<float> x = random_floats(count * channels * height * width, 1, 0, 1);
  const Array<float> y = in_both_orders([&, of = GetParam()] {
    Array<float> to(x.size());
    add_uniform_noise({x.data(), of.count, of.channels, of.height, of.width, kSigma, seed.data(),
                       of.first, to.data()},
                      nullptr);
    return to;
  });
  std::int64_t number = first;
  for (std::int64_t n = 0; n < count; ++n)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t h = 0; h < height; ++h)
        for (std::int64_t w = 0; w < width; ++w, ++number) {
          const std::int64_t at = ((n * height + h) * width + w) * channels + c;
          const float noise = kSigma * uniform(number, kSeed);
          ASSERT_EQ(y[at], x[at] + noise) << at;
        }
}

TEST(UniformNoise, OfNothingDoesNothing) {
  add_uniform_noise({}, nullptr);
}

}  // namespace
}  // namespace sweep::cuda::test
