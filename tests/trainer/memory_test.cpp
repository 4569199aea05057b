#include "trainer/memory.hpp"

#include <ATen/ATen.h>
#include <c10/core/CPUAllocator.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>

namespace sweep::trainer {
namespace {

constexpr std::int64_t kBytes = 256 << 20;

void use_tensor() {
  at::empty({kBytes}, at::kByte).fill_(1);
}

/// With nothing behind it: the end of the heap.
void use_block() {
  auto* const block = static_cast<char*>(std::malloc(kBytes));
  std::fill_n(block, kBytes, 'x');
  EXPECT_EQ(block[kBytes / 2], 'x');
  std::free(block);
}

/// Pages that the kernel has to make for it.
long pages_made(void (*use)()) {
  const auto faults = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
  };
  const long before = faults();
  use();
  return faults() - before;
}

// The program's environment (device_test.cpp) has called configure_torch().
TEST(Memory, IsKeptWhenItIsFreedUntilItIsGivenBack) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers have an allocator of their own";
#endif
  for (auto* const use : {&use_tensor, &use_block}) {
    pages_made(use);
    EXPECT_LT(pages_made(use), 1000);
    const auto kept = memory_in_use(at::kCPU);
    give_back_freed_memory(/*beyond=*/std::size_t{1} << 40);
    EXPECT_LT(pages_made(use), 1000);
    give_back_freed_memory();
    EXPECT_LT(memory_in_use(at::kCPU), kept - kBytes / 2);
    EXPECT_GT(pages_made(use), 100);
  }
}

TEST(Memory, IsAligned) {
  for (const std::int64_t bytes : {1, 63, 64, 100, 4096, 1 << 20}) {
    const auto tensor = at::zeros({bytes}, at::kByte);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.const_data_ptr()) % 64, 0) << bytes;
  }
  EXPECT_EQ(at::empty({0}).numel(), 0);
}

/// A library that took its memory before the process was configured.
TEST(Memory, OfAnotherAllocatorCanBeFreed) {
  void* memory = nullptr;
  ASSERT_EQ(::posix_memalign(&memory, 64, 1 << 20), 0);
  c10::GetCPUAllocator()->raw_deallocate(memory);
  memory = c10::GetCPUAllocator()->raw_allocate(100);
  c10::GetCPUAllocator()->raw_deallocate(memory);
}

TEST(Memory, ThatTheSystemDoesNotGiveIsRefusedAsLibTorchDoes) {
  try {
    at::empty({std::int64_t{1} << 55}, at::kByte);
    FAIL();
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("can't allocate memory"));
  }
}

}  // namespace
}  // namespace sweep::trainer
