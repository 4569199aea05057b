#include "trainer/memory.hpp"

#include <ATen/ATen.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/alignment.h>
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <unordered_map>

namespace sweep::trainer {
namespace {

/// Of an allocator among those that a process may set: that of LibTorch's own.
constexpr std::uint8_t kPriority = 0;

/// Blocks of std::malloc, aligned by hand. Of aligned blocks the C library cuts off what stands
/// over, and for the next block of the same size, which needs it again, what is left is too small.
class MallocAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &release, c10::Device(c10::kCPU)};
    void* const block = std::malloc(bytes + kBefore);
    TORCH_CHECK(block, "can't allocate memory: you tried to allocate ", bytes, " bytes");
    const auto start = reinterpret_cast<std::uintptr_t>(block);
    auto** const memory =
        reinterpret_cast<void**>((start + kBefore) & ~std::uintptr_t{c10::gAlignment - 1});
    memory[-1] = block;
    return {memory, memory, &release, c10::Device(c10::kCPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }

  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

 private:
  static constexpr std::size_t kBefore = c10::gAlignment + sizeof(void*);

  /// Libraries also give back here what they took before this allocator was there: in front of
  /// their blocks is no address close by.
  static void release(void* memory) {
    if (!memory) return;
    void* const block = static_cast<void**>(memory)[-1];
    const auto distance =
        reinterpret_cast<std::uintptr_t>(memory) - reinterpret_cast<std::uintptr_t>(block);
    std::free(distance <= kBefore ? block : memory);
  }
};

/// Wraps the allocator that was there. Counters and object are never destroyed: tensors may be
/// freed at any time.
class CountingAllocator final : public c10::Allocator {
 public:
  static CountingAllocator& instance() {
    static auto* const allocator = new CountingAllocator;
    return *allocator;
  }

  void start(std::int64_t limit) {
    limit_ = limit;
    peak_ = used_.load();
    c10::SetCPUAllocator(this, kPriority);
  }

  void stop() { c10::SetCPUAllocator(&system_, kPriority); }

  std::int64_t peak() const { return peak_; }

  c10::DataPtr allocate(std::size_t bytes) override {
    const auto size = static_cast<std::int64_t>(bytes);
    const std::int64_t used = used_.fetch_add(size) + size;
    if (used > limit_) {
      used_ -= size;
      TORCH_CHECK(false, "can't allocate memory: you tried to allocate ", bytes,
                  " bytes, and tensors may take ", limit_.load(), " bytes in all");
    }
    for (std::int64_t peak = peak_; used > peak && !peak_.compare_exchange_weak(peak, used);) {
    }
    void* memory = nullptr;
    try {
      memory = system_.raw_allocate(bytes);
    } catch (...) {
      used_ -= size;
      throw;
    }
    const std::lock_guard lock(mutex_);
    sizes_[memory] = size;
    return {memory, memory, &release, c10::Device(c10::kCPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }

  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

 private:
  /// Libraries also give back here what they took before this allocator was there.
  static void release(void* memory) {
    auto& self = instance();
    {
      const std::lock_guard lock(self.mutex_);
      if (const auto counted = self.sizes_.extract(memory)) self.used_ -= counted.mapped();
    }
    self.system_.raw_deallocate(memory);
  }

  c10::Allocator& system_ = *c10::GetCPUAllocator();
  std::mutex mutex_;
  std::unordered_map<void*, std::int64_t> sizes_;
  std::atomic<std::int64_t> used_{0}, peak_{0}, limit_{0};
};

/// The second number of /proc/self/statm, in pages (proc(5)).
std::int64_t resident_set() {
  std::ifstream file("/proc/self/statm");
  std::int64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

void keep_freed_memory() {
#if defined(__GLIBC__)
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, -1);
  // Never destroyed, as tensors may be freed at any time.
  static auto* const allocator = new MallocAllocator;
  static const bool once = (c10::SetCPUAllocator(allocator, kPriority), true);
  static_cast<void>(once);
#endif
}

void give_back_freed_memory([[maybe_unused]] std::size_t beyond) {
#if defined(__GLIBC__)
  if (::mallinfo2().fordblks > beyond) ::malloc_trim(0);
#endif
}

std::int64_t memory_in_use(const c10::Device& device) {
  if (device.is_cpu()) return resident_set();
  const auto stats = c10::getDeviceAllocator(device.type())->getDeviceStats(device.index());
  constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return stats.reserved_bytes[kAll].current;
}

TensorMemory::TensorMemory(std::int64_t limit) {
  CountingAllocator::instance().start(limit);
}

TensorMemory::~TensorMemory() {
  CountingAllocator::instance().stop();
}

std::int64_t TensorMemory::peak() const {
  return CountingAllocator::instance().peak();
}

}  // namespace sweep::trainer
