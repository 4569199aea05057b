#pragma once

#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

/// The part of CUDA C++ that the kernels of trainer/cuda/kernels use, for the CPU, so that the
/// tests run the very sources that nvcc compiles. Included before a .cu file (-include) that a C++
/// compiler compiles. Blocks run one after the other, the threads of a block in turn from barrier
/// to barrier.

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  constexpr std::size_t count() const { return std::size_t{x} * y * z; }
};

inline dim3 threadIdx, blockIdx, blockDim, gridDim;

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __forceinline__ inline
#define __launch_bounds__(...)

inline float __fmul_rn(float a, float b) {
  return a * b;
}
inline float __fadd_rn(float a, float b) {
  return a + b;
}

namespace sweep::host_cuda {

/// Whether the last thread of a block runs first. What a kernel computes does not depend on it,
/// unless a __syncthreads() is missing.
inline bool reverse_order = false;

/// Grids of less than one block or more threads than a GPU takes.
struct LaunchError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Threads of one block that wait at different barriers, or that have ended while others wait.
struct BarrierError : std::logic_error {
  using std::logic_error::logic_error;
};

/// A thread with a stack of its own.
class Fiber {
 public:
  Fiber() : stack_(new char[kStackBytes]) { getcontext(&context_); }

  void start(dim3 index, const std::function<void()>& body) {
    index_ = index;
    body_ = &body;
    barrier_ = nullptr;
    ended_ = false;
    context_.uc_stack.ss_sp = stack_.get();
    context_.uc_stack.ss_size = kStackBytes;
    context_.uc_link = nullptr;
    makecontext(&context_, &Fiber::enter, 0);
  }

  /// Runs it to its next barrier or its end.
  void resume() {
    running_ = this;
    threadIdx = index_;
    enter_stack(&outside_fake_stack_, stack_.get(), kStackBytes);
    swapcontext(&outside_, &context_);
    leave_stack(outside_fake_stack_, nullptr, nullptr);
  }

  /// Called by the running one.
  static void wait(const char* barrier) {
    Fiber& self = *running_;
    self.barrier_ = barrier;
    enter_stack(&self.fake_stack_, outside_stack_, outside_bytes_);
    swapcontext(&self.context_, &outside_);
    leave_stack(self.fake_stack_, &outside_stack_, &outside_bytes_);
  }

  bool ended() const { return ended_; }
  /// Where it waits.
  const char* barrier() const { return barrier_; }

 private:
  static constexpr std::size_t kStackBytes = 64 << 10;

  static void enter() noexcept {
    leave_stack(nullptr, &outside_stack_, &outside_bytes_);
    (*running_->body_)();
    running_->ended_ = true;
    enter_stack(nullptr, outside_stack_, outside_bytes_);
    setcontext(&outside_);
  }

  // The address sanitizer has to know on which stack the program is.
#ifdef __SANITIZE_ADDRESS__
  static void enter_stack(void** fake, const void* bottom, std::size_t bytes) {
    __sanitizer_start_switch_fiber(fake, bottom, bytes);
  }
  static void leave_stack(void* fake, const void** from, std::size_t* bytes) {
    __sanitizer_finish_switch_fiber(fake, from, bytes);
  }
#else
  static void enter_stack(void**, const void*, std::size_t) {}
  static void leave_stack(void*, const void**, std::size_t*) {}
#endif

  inline static Fiber* running_ = nullptr;
  inline static ucontext_t outside_{};
  inline static void* outside_fake_stack_ = nullptr;
  inline static const void* outside_stack_ = nullptr;
  inline static std::size_t outside_bytes_ = 0;

  std::unique_ptr<char[]> stack_;
  ucontext_t context_{};
  void* fake_stack_ = nullptr;
  dim3 index_;
  const std::function<void()>* body_ = nullptr;
  const char* barrier_ = nullptr;
  bool ended_ = false;
};

/// Throws unless all threads of a block have ended or wait at the same barrier.
inline void check_barrier(const std::vector<Fiber*>& threads) {
  const Fiber& first = *threads.front();
  for (const Fiber* thread : threads) {
    if (thread->ended() != first.ended())
      throw BarrierError("some threads of a block have ended, others wait at a barrier");
    if (!first.ended() && thread->barrier() != first.barrier())
      throw BarrierError("threads of a block wait at different barriers");
  }
}

inline void run_block(const std::vector<Fiber*>& threads) {
  do {
    for (Fiber* thread : threads) thread->resume();
    check_barrier(threads);
  } while (!threads.front()->ended());
}

inline dim3 unravel(std::size_t number, dim3 size) {
  return {static_cast<unsigned>(number % size.x), static_cast<unsigned>(number / size.x % size.y),
          static_cast<unsigned>(number / size.x / size.y)};
}

inline void check_launch(dim3 grid, dim3 block) {
  if (grid.count() == 0 || block.count() == 0) throw LaunchError("a grid or block of size 0");
  if (grid.x > 0x7fffffff || grid.y > 0xffff || grid.z > 0xffff)
    throw LaunchError("too many blocks");
  if (block.count() > 1024 || block.z > 64) throw LaunchError("too many threads in a block");
}

inline void launch(dim3 grid, dim3 block, const std::function<void()>& body) {
  static std::vector<std::unique_ptr<Fiber>> fibers;
  check_launch(grid, block);
  while (fibers.size() < block.count()) fibers.push_back(std::make_unique<Fiber>());
  std::vector<Fiber*> threads;
  for (std::size_t i = 0; i < block.count(); ++i) threads.push_back(fibers[i].get());
  if (reverse_order) std::reverse(threads.begin(), threads.end());
  gridDim = grid;
  blockDim = block;
  for (std::size_t i = 0; i < grid.count(); ++i) {
    blockIdx = unravel(i, grid);
    for (std::size_t j = 0; j < block.count(); ++j) fibers[j]->start(unravel(j, block), body);
    run_block(threads);
  }
}

}  // namespace sweep::host_cuda

/// A barrier is told from another by the line that it stands in.
#define SWEEP_HOST_CUDA_TEXT_(line) #line
#define SWEEP_HOST_CUDA_TEXT(line) SWEEP_HOST_CUDA_TEXT_(line)
#define __syncthreads() ::sweep::host_cuda::Fiber::wait(__FILE__ ":" SWEEP_HOST_CUDA_TEXT(__LINE__))

#define SWEEP_UNROLL(steps)

#define SWEEP_LAUNCH(kernel, grid, block, stream, ...)                         \
  do {                                                                         \
    static_cast<void>(stream);                                                 \
    ::sweep::host_cuda::launch((grid), (block), [&] { kernel(__VA_ARGS__); }); \
  } while (false)
