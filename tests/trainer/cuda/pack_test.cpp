// Before every header of kernels.
#include "tests/trainer/cuda/arrays.hpp"

#include <limits>

#include "trainer/cuda/kernels/pack.hpp"

namespace sweep::cuda::test {
namespace {

TEST(BFloat16, IsTheNearest) {
  auto random = generator(1);
  for (int i = 0; i < 100000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (!(std::abs(value) < 0x1.fep127f)) continue;  // rounded to infinity or not finite
    ASSERT_EQ(to_bfloat16(value).bits, nearest_bfloat16(value)) << value;
  }
}

TEST(BFloat16, RoundsTiesToEven) {
  for (const std::uint32_t upper : {0x0000u, 0x0001u, 0x3f80u, 0x3f81u, 0x3fffu, 0xbf81u}) {
    const auto tie = std::bit_cast<float>(upper << 16 | 0x8000);
    EXPECT_EQ(to_bfloat16(tie).bits, upper + upper % 2);
    EXPECT_EQ(to_bfloat16(std::bit_cast<float>(upper << 16 | 0x7fff)).bits, upper);
    EXPECT_EQ(to_bfloat16(std::bit_cast<float>(upper << 16 | 0x8001)).bits, upper + 1);
  }
}

TEST(BFloat16, KeepsWhatIsNotFinite) {
  using Limits = std::numeric_limits<float>;
  EXPECT_EQ(to_bfloat16(Limits::infinity()).bits, 0x7f80);
  EXPECT_EQ(to_bfloat16(-Limits::infinity()).bits, 0xff80);
  EXPECT_EQ(to_bfloat16(Limits::max()).bits, 0x7f80);
  for (const std::uint32_t nan : {0x7f800001u, 0x7fffffffu, 0xff800001u, 0xffffffffu}) {
    const BFloat16 kept = to_bfloat16(std::bit_cast<float>(nan));
    EXPECT_TRUE(std::isnan(load_one(&kept)));
  }
}

TEST(Pack, IsReadAndWrittenInOrder) {
  Array<float> floats(8), copied(8);
  Array<BFloat16> halves(8);
  for (int i = 0; i < 8; ++i) floats[i] = static_cast<float>(i + 1);
  store(load<8>(floats.data()), halves.data());
  for (int i = 0; i < 8; ++i) EXPECT_EQ(load_one(halves.data() + i), i + 1);
  store(load<8>(halves.data()), copied.data());
  EXPECT_TRUE(copied == floats);
}

TEST(Relu, KeepsNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(relu(nan)));
  EXPECT_EQ(relu(-1), 0);
  EXPECT_EQ(relu(2), 2);
  EXPECT_EQ(relu_gradient(3, 0), 0);
  EXPECT_EQ(relu_gradient(3, 2), 3);
}

}  // namespace
}  // namespace sweep::cuda::test
