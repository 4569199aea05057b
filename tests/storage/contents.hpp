#pragma once

#include <cmath>
#include <limits>
#include <numeric>

#include "storage/array.hpp"

namespace sweep::test_support {

/// Every element type, and shapes from a scalar over an empty array to one of 60 KB.
inline storage::Content example_content() {
  using storage::Array;
  storage::Content content;
  std::vector<std::uint8_t> pixels(2 * 3 * 100 * 100);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  content.arrays["images"] = Array::own(std::move(pixels), {2, 3, 100, 100});
  content.arrays["labels"] =
      Array::own<std::int64_t>({0, -1, std::numeric_limits<std::int64_t>::min()}, {3});
  content.arrays["state/conv1.weight"] =
      Array::own<float>({0.1F, -0.0F, std::nanf("7"), 1e-45F}, {2, 1, 2});
  content.arrays["state/bn1.weight"] = Array::own<float>({1.5F}, {1});
  content.arrays["metrics/loss"] = Array::own<double>({0.1, -INFINITY, 5e-324}, {3});
  content.arrays["scalar"] = Array::own<double>({2.5}, {});
  content.arrays["nothing"] = Array::own<float>({}, {0, 3});
  content.attributes = {{"spec", R"({"attack":{"epsilon":0.03}})"},
                        {"title", "Größe 皮膚 🙂"},
                        {"empty", ""},
                        {"epochs", 80},
                        {"offset", -3},
                        {"seed", std::numeric_limits<std::uint64_t>::max()},
                        {"accuracy", 0.1}};
  return content;
}

/// One number.
inline storage::Content content_of(double value) {
  storage::Content content;
  content.arrays["value"] = storage::Array::own<double>({value}, {1});
  return content;
}

}  // namespace sweep::test_support
