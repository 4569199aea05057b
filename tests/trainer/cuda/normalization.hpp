#pragma once

#include <optional>
#include <vector>

#include "tests/trainer/cuda/arrays.hpp"

/// Cases of normalize_relu and its gradient, and what they compute, in double.
namespace sweep::cuda::test {

struct NormalizationCase {
  Real type;
  std::int64_t rows, channels;
  bool residual;
  double mean = 0.3, deviation = 1.5;
};

inline std::ostream& operator<<(std::ostream& to, const NormalizationCase& of) {
  return to << (of.type == Real::float32 ? "float32 " : "bfloat16 ") << of.rows << " x "
            << of.channels << (of.residual ? " with a residual" : "");
}

/// Both types and with and without a residual: tiny and odd, channels that are no whole warp or
/// more than one, more rows than one pass of the grid covers.
inline std::vector<NormalizationCase> normalization_cases() {
  std::vector<NormalizationCase> cases;
  for (const Real type : {Real::float32, Real::bfloat16}) {
    for (const bool residual : {false, true}) {
      for (const auto& [rows, channels] : std::vector<std::pair<std::int64_t, std::int64_t>>{
               {2, 8}, {7, 24}, {1031, 24}, {5003, 64}, {999, 264}, {2057, 512}})
        cases.push_back({type, rows, channels, residual});
    }
    cases.push_back({type, 150001, 8, false});
  }
  return cases;
}

struct NormalizationInput {
  explicit NormalizationInput(const NormalizationCase& of)
      : pixels{of.rows, of.channels},
        type(of.type),
        x(random_reals(of.type, of.rows * of.channels, 1, of.mean, of.deviation)),
        weight(random_floats(of.channels, 3, -1.5, 1.5)),
        bias(random_floats(of.channels, 4, -1, 1)) {
    if (of.residual) residual.emplace(random_reals(of.type, of.rows * of.channels, 2));
  }

  Pixels pixels;
  Real type;
  Reals x;
  std::optional<Reals> residual;
  Array<float> weight, bias;
  double eps = 1e-5, momentum = 0.1;
};

struct Normalized {
  explicit Normalized(const NormalizationInput& of)
      : y(of.type, of.x.size()),
        mean(of.pixels.channels),
        inverse_deviation(of.pixels.channels),
        running_mean(random_floats(of.pixels.channels, 5, -1, 1)),
        running_variance(random_floats(of.pixels.channels, 6, 0.5, 2)) {}

  Reals y;
  Array<float> mean, inverse_deviation, running_mean, running_variance;
  bool operator==(const Normalized&) const = default;
};

inline Normalized normalize(const NormalizationInput& of, bool running = true) {
  Normalized to(of);
  Array<char> workspace(static_cast<std::int64_t>(normalize_relu_workspace(of.pixels)));
  normalize_relu(
      {of.pixels, of.type, of.x.data(), of.residual ? of.residual->data() : nullptr,
       of.weight.data(), of.bias.data(), of.eps, running ? to.running_mean.data() : nullptr,
       running ? to.running_variance.data() : nullptr, of.momentum, to.y.data(), to.mean.data(),
       to.inverse_deviation.data(), workspace.data()},
      nullptr);
  return to;
}

struct Moments {
  double mean = 0, variance = 0;  ///< the biased one
};

inline Moments moments(const NormalizationInput& of, std::int64_t channel) {
  const auto [rows, channels] = of.pixels;
  Moments result;
  for (std::int64_t row = 0; row < rows; ++row)
    result.mean += of.x[row * channels + channel] / static_cast<double>(rows);
  for (std::int64_t row = 0; row < rows; ++row) {
    const double difference = of.x[row * channels + channel] - result.mean;
    result.variance += difference * difference / static_cast<double>(rows);
  }
  return result;
}

}  // namespace sweep::cuda::test
