#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace c10 {
struct Device;
}

namespace sweep::trainer {

/// From here on the process keeps memory that it frees: the tensors of one step are as large as
/// those of the next. The C library would give large blocks back at once, and the kernel zeroes
/// every page that it gives out again. Of the whole process.
void keep_freed_memory();

/// Gives back what the process has kept, for others to use, if it is more than `beyond` bytes:
/// whoever goes on has to have the pages made again.
void give_back_freed_memory(std::size_t beyond = 0);

/// Bytes: on the CPU this process's resident set, on CUDA what LibTorch's allocator has reserved.
std::int64_t memory_in_use(const c10::Device& device);

/// Counts the bytes of tensors on the CPU that are made while it lives, and refuses those that
/// would exceed the limit as LibTorch refuses what the system does not give. One at a time in a
/// process; tensors may outlive it.
class TensorMemory {
 public:
  explicit TensorMemory(std::int64_t limit = std::numeric_limits<std::int64_t>::max());
  TensorMemory(const TensorMemory&) = delete;
  TensorMemory& operator=(const TensorMemory&) = delete;
  ~TensorMemory();

  std::int64_t peak() const;
};

}  // namespace sweep::trainer
