#pragma once

// Before every header of kernels.
#include "tests/trainer/cuda/host_cuda.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <new>
#include <random>
#include <utility>
#include <vector>

#include "trainer/cuda/kernels/kernels.hpp"

/// Arrays for kernels on the CPU, and what tests of kernels share.
namespace sweep::cuda::test {

/// Elements at an address aligned to 16 bytes, with a fence on both sides that is looked at in the
/// end.
template <class T>
class Array {
 public:
  explicit Array(std::int64_t count) : bytes_(count * sizeof(T)) {
    memory_ = static_cast<unsigned char*>(::operator new(bytes_ + 2 * kFence, kAlignment));
    std::memset(memory_, kFiller, bytes_ + 2 * kFence);
  }
  Array(const Array& other) : Array(other.size()) { std::memcpy(data(), other.data(), bytes_); }
  Array& operator=(const Array&) = delete;
  ~Array() {
    for (std::size_t i = 0; i < kFence; ++i) {
      EXPECT_EQ(memory_[i], kFiller) << "written before the array";
      EXPECT_EQ(memory_[kFence + bytes_ + i], kFiller) << "written behind the array";
    }
    ::operator delete(memory_, kAlignment);
  }

  T* data() { return reinterpret_cast<T*>(memory_ + kFence); }
  const T* data() const { return reinterpret_cast<const T*>(memory_ + kFence); }
  std::int64_t size() const { return static_cast<std::int64_t>(bytes_ / sizeof(T)); }
  T& operator[](std::int64_t i) { return data()[i]; }
  const T& operator[](std::int64_t i) const { return data()[i]; }
  bool operator==(const Array& other) const {
    return bytes_ == other.bytes_ && std::memcmp(data(), other.data(), bytes_) == 0;
  }

 private:
  static constexpr std::align_val_t kAlignment{16};
  static constexpr std::size_t kFence = 64;
  static constexpr unsigned char kFiller = 0xa5;

  std::size_t bytes_;
  unsigned char* memory_;
};

/// The nearest bfloat16, chosen among the two neighbours by their distance.
inline std::uint16_t nearest_bfloat16(float value) {
  const auto value_of = [](std::uint32_t upper) {
    return static_cast<double>(std::bit_cast<float>(upper << 16));
  };
  const std::uint32_t below = std::bit_cast<std::uint32_t>(value) >> 16;  // towards 0
  if (value_of(below) == value) return static_cast<std::uint16_t>(below);
  const double to_below = std::abs(value - value_of(below));
  const double to_above = std::abs(value_of(below + 1) - value);
  const bool up = to_above < to_below || (to_above == to_below && below % 2 == 1);
  return static_cast<std::uint16_t>(below + (up ? 1 : 0));
}

/// An array of a type that is known at run time only.
class Reals {
 public:
  Reals(Real type, std::int64_t count)
      : type_(type), words_(type == Real::float32 ? 2 * count : count) {}

  std::int64_t size() const { return type_ == Real::float32 ? words_.size() / 2 : words_.size(); }
  void* data() { return words_.data(); }
  const void* data() const { return words_.data(); }
  double operator[](std::int64_t i) const {
    std::uint32_t bits = 0;
    if (type_ == Real::float32)
      std::memcpy(&bits, words_.data() + 2 * i, sizeof bits);
    else
      bits = std::uint32_t{words_[i]} << 16;
    return std::bit_cast<float>(bits);
  }
  void set(std::int64_t i, double value) {
    const auto rounded = static_cast<float>(value);
    if (type_ == Real::float32)
      std::memcpy(words_.data() + 2 * i, &rounded, sizeof rounded);
    else
      words_[i] = nearest_bfloat16(rounded);
  }
  bool operator==(const Reals& other) const { return words_ == other.words_; }

 private:
  Real type_;
  Array<std::uint16_t> words_;
};

/// What a value of this type may be off by, relative to its size.
inline double rounding(Real type) {
  return type == Real::float32 ? 0x1p-24 : 0x1p-8;
}

inline std::mt19937 generator(unsigned seed) {
  return std::mt19937(seed);
}

inline Reals random_reals(Real type, std::int64_t count, unsigned seed, double mean = 0,
                          double deviation = 1) {
  auto random = generator(seed);
  std::normal_distribution<double> normal(mean, deviation);
  Reals values(type, count);
  for (std::int64_t i = 0; i < count; ++i) values.set(i, normal(random));
  return values;
}

/// Uniform in [low, high).
inline Array<float> random_floats(std::int64_t count, unsigned seed, double low, double high) {
  auto random = generator(seed);
  std::uniform_real_distribution<double> uniform(low, high);
  Array<float> values(count);
  for (std::int64_t i = 0; i < count; ++i) values[i] = static_cast<float>(uniform(random));
  return values;
}

/// `run()`, after a look that it gives equal bits with the threads of blocks in reverse order.
template <class Run>
auto in_both_orders(const Run& run) {
  host_cuda::reverse_order = true;
  const auto reversed = run();
  host_cuda::reverse_order = false;
  auto result = run();
  EXPECT_TRUE(result == reversed) << "the order of threads shows";
  return result;
}

}  // namespace sweep::cuda::test
