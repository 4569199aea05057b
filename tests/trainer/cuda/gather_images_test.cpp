#include "tests/trainer/cuda/arrays.hpp"

namespace sweep::cuda::test {
namespace {

struct BatchSize {
  std::int64_t height, width;
};

class GatherImagesTest : public testing::TestWithParam<BatchSize> {
 protected:
  /// Of 5 images; every value of a byte occurs in all but the smallest.
  static Array<std::uint8_t> bytes(BatchSize size) {
    Array<std::uint8_t> images(5 * 3 * size.height * size.width);
    for (std::int64_t i = 0; i < images.size(); ++i)
      images[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
    return images;
  }
};
INSTANTIATE_TEST_SUITE_P(Sizes, GatherImagesTest,
                         testing::Values(BatchSize{1, 1}, BatchSize{3, 4}, BatchSize{5, 7},
                                         BatchSize{32, 32}, BatchSize{129, 131},
                                         BatchSize{258, 256}));

TEST_P(GatherImagesTest, HasTheQuotientsOfTheChosenBytes) {
  const auto [height, width] = GetParam();
  const Array<std::uint8_t> images = bytes(GetParam());
  const std::vector<std::int64_t> order = {4, 0, 2, 2};
  const std::vector<bool> mirrored = {false, true, true, false};
  Array<std::int64_t> chosen(4);
  Array<bool> flipped(4);
  for (int i = 0; i < 4; ++i) {
    chosen[i] = order[i];
    flipped[i] = mirrored[i];
  }
  for (const bool* flips : {static_cast<const bool*>(nullptr), std::as_const(flipped).data()}) {
    const Array<float> y = in_both_orders([&, height = height, width = width] {
      Array<float> to(4 * height * width * 3);
      gather_images({images.data(), chosen.data(), flips, 4, height, width, to.data()}, nullptr);
      return to;
    });
    for (std::int64_t at = 0; at < y.size(); ++at) {
      const std::int64_t c = at % 3, column = at / 3 % width, row = at / 3 / width % height;
      const std::int64_t i = at / 3 / width / height;
      const std::int64_t from = flips && mirrored[i] ? width - 1 - column : column;
      const std::uint8_t byte = images[((order[i] * 3 + c) * height + row) * width + from];
      ASSERT_EQ(y[at], static_cast<float>(byte) / 255.0f) << at;
    }
  }
}

TEST(GatherImages, OfNothingDoesNothing) {
  gather_images({}, nullptr);
}

}  // namespace
}  // namespace sweep::cuda::test
